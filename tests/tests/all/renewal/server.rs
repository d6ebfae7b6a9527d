//! The callback server as a process, and what is posted to it.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::process::{Child, Command};
use std::thread::JoinHandle;

use echodesk_tests::processes::Ended;

use super::WEBHOOK;
use crate::support::PATIENCE;

/// A callback server that runs.
pub(crate) struct Server {
    child: Child,
    pub(crate) address: SocketAddr,
    /// What it logs from now on.
    log: JoinHandle<String>,
}

impl Server {
    /// Starts it and waits until it listens. `None` if it ends before, and how.
    pub(crate) fn start(command: &mut Command) -> Result<Self, Ended> {
        let mut child = command.spawn().unwrap();
        let mut lines = BufReader::new(child.stderr.take().unwrap()).lines();
        let mut said = String::new();
        let address = loop {
            let Some(line) = lines.next().and_then(Result::ok) else {
                let ended = Ended::of(child);
                return Err(Ended { stderr: said, ..ended });
            };
            said.push_str(&format!("{line}\n"));
            if let Some((_, address)) = line.split_once("address=") {
                break address.split(' ').next().unwrap().parse().unwrap();
            }
        };
        let log =
            std::thread::spawn(move || lines.map_while(Result::ok).fold(String::new(), |log, line| log + &line + "\n"));
        Ok(Self { child, address, log })
    }

    /// A connection on which nobody waits for ever.
    pub(crate) fn connect(&self) -> std::io::Result<TcpStream> {
        let stream = TcpStream::connect(self.address)?;
        stream.set_read_timeout(Some(PATIENCE))?;
        Ok(stream)
    }

    /// Sends a request as it is and returns the status of its answer; none if it gets none.
    pub(crate) fn ask(&self, request: &[u8]) -> Option<u16> {
        let mut stream = self.connect().ok()?;
        stream.write_all(request).ok()?;
        status(&mut stream)
    }

    /// Posts a callback and returns the status of its answer; none if it gets none.
    pub(crate) fn post(&self, body: &[u8], signature: Option<&str>) -> Option<u16> {
        self.ask(&request(body, signature))
    }

    pub(crate) fn health(&self) -> Option<u16> {
        self.ask(b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n")
    }

    /// Asks it to stop.
    pub(crate) fn terminate(&self) {
        // The shell's own kill: not every machine has the program. One that has ended already is no error.
        let kill = format!("kill -s TERM {} 2>/dev/null || true", self.child.id());
        assert!(Command::new("sh").args(["-c", &kill]).status().unwrap().success());
    }

    /// Waits for its end.
    pub(crate) fn ended(mut self) -> (std::process::ExitStatus, String) {
        let status = self.child.wait().unwrap();
        let log = self.log.join().unwrap();
        assert!(!log.contains("panicked"), "{log}");
        (status, log)
    }

    /// Stops it, which is to go well, and returns what it logged.
    pub(crate) fn stop(self) -> String {
        self.terminate();
        let (status, log) = self.ended();
        assert_eq!(status.code(), Some(0), "{log}");
        log
    }
}

/// A callback as it is on the wire.
pub(crate) fn request(body: &[u8], signature: Option<&str>) -> Vec<u8> {
    let signature = signature.map(|signature| format!("Callback-Signature: {signature}\r\n")).unwrap_or_default();
    let length = body.len();
    let head = format!("POST {WEBHOOK} HTTP/1.1\r\nHost: x\r\nContent-Length: {length}\r\n{signature}\r\n");
    [head.as_bytes(), body].concat()
}

/// The status of the answer that arrives.
pub(crate) fn status(stream: &mut TcpStream) -> Option<u16> {
    let mut bytes = Vec::new();
    // A connection that is reset after the answer does not take it back.
    let _ = stream.read_to_end(&mut bytes);
    String::from_utf8_lossy(&bytes).split(' ').nth(1)?.parse().ok()
}

//! A client that says exactly what it is told to, and nothing else.

use std::io::{self, BufRead as _, BufReader, Read, Write};
use std::net::TcpStream;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use echodesk_tests::sandbox::smtp::SandboxSmtp;
use native_tls::{Certificate, TlsConnector};

trait Stream: Read + Write {}
impl<T: Read + Write> Stream for T {}

pub(super) struct Client {
    stream: BufReader<Box<dyn Stream>>,
    plain: TcpStream,
}

impl Client {
    /// Connects, and returns the greeting too.
    pub(super) fn connect(server: &SandboxSmtp) -> (Self, String) {
        let stream = TcpStream::connect(("127.0.0.1", server.port())).unwrap();
        stream.set_read_timeout(Some(Duration::from_secs(5))).unwrap();
        stream.set_nodelay(true).unwrap();
        let mut client = Self { stream: BufReader::new(Box::new(stream.try_clone().unwrap())), plain: stream };
        let greeting = client.answer();
        (client, greeting)
    }

    /// Connects with TLS from the first byte.
    pub(super) fn connect_tls(server: &SandboxSmtp) -> Result<Self, String> {
        let stream = TcpStream::connect(("127.0.0.1", server.tls_port())).unwrap();
        stream.set_read_timeout(Some(Duration::from_secs(5))).unwrap();
        let secure = connector(server).connect("localhost", stream.try_clone().unwrap());
        let secure = secure.map_err(|error| error.to_string())?;
        let mut client = Self { stream: BufReader::new(Box::new(secure)), plain: stream };
        assert!(client.answer().starts_with("220 "));
        Ok(client)
    }

    /// Goes on under TLS.
    pub(super) fn secured(self, server: &SandboxSmtp) -> Self {
        let secure = connector(server).connect("localhost", self.plain.try_clone().unwrap()).unwrap();
        Self { stream: BufReader::new(Box::new(secure)), plain: self.plain }
    }

    /// Sends as it is.
    pub(super) fn send(&mut self, bytes: &[u8]) {
        self.stream.get_mut().write_all(bytes).unwrap();
        self.stream.get_mut().flush().unwrap();
    }

    /// Sends a line and returns the answer to it.
    pub(super) fn ask(&mut self, line: &str) -> String {
        self.send(format!("{line}\r\n").as_bytes());
        self.answer()
    }

    /// The next answer, lines joined; empty if there is none any more.
    pub(super) fn answer(&mut self) -> String {
        self.try_answer().unwrap_or_default()
    }

    pub(super) fn try_answer(&mut self) -> io::Result<String> {
        let mut lines = Vec::new();
        loop {
            let mut line = String::new();
            if self.stream.read_line(&mut line)? == 0 {
                return Ok(lines.join("\n"));
            }
            let goes_on = line.as_bytes().get(3) == Some(&b'-');
            lines.push(line.trim_end().to_owned());
            if !goes_on {
                return Ok(lines.join("\n"));
            }
        }
    }

    /// Whether the server has said nothing for so long and the connection is open.
    pub(super) fn is_left_waiting(&mut self, time: Duration) -> bool {
        self.plain.set_read_timeout(Some(time)).unwrap();
        let error = self.try_answer();
        error.is_err_and(|error| matches!(error.kind(), io::ErrorKind::WouldBlock | io::ErrorKind::TimedOut))
    }

    /// A whole mail, and the last answer.
    pub(super) fn mail(&mut self, to: &str, content: &str) -> String {
        for (line, code) in [("MAIL FROM:<a@example.com>", "250"), (&format!("RCPT TO:<{to}>"), "250"), ("DATA", "354")]
        {
            let answer = self.ask(line);
            if !answer.starts_with(code) {
                return answer;
            }
        }
        self.ask(&format!("{content}\r\n."))
    }

    pub(super) fn log_in_plain(&mut self, user: &str, password: &str) -> String {
        self.ask(&format!("AUTH PLAIN {}", STANDARD.encode(format!("\0{user}\0{password}"))))
    }
}

fn connector(server: &SandboxSmtp) -> TlsConnector {
    let pem = std::fs::read(server.ca_file()).unwrap();
    TlsConnector::builder().add_root_certificate(Certificate::from_pem(&pem).unwrap()).build().unwrap()
}

//! `echodesk callbacks serve` as a process.

use std::io::{BufRead as _, BufReader};
use std::process::{Child, Command};
use std::sync::mpsc;
use std::time::Duration;

use super::world::PaymentWorld;
use crate::support::PATIENCE;

/// A running server; it is ended when dropped.
pub(super) struct CallbackServer {
    child: Child,
    address: String,
    log: mpsc::Receiver<String>,
}

impl CallbackServer {
    /// On a free port, with the key of the world's bank.
    pub(super) fn start(world: &PaymentWorld) -> Self {
        let key = world.world.installation.folder.join("bank.pem");
        std::fs::write(&key, world.bank.public_key_pem()).unwrap();
        let mut command = world.command("echodesk", &["callbacks", "serve", "--listen", "127.0.0.1:0"]);
        let mut child = command.env("BOG_PUBLIC_KEY_FILE", &key).spawn().unwrap();
        let (send, log) = mpsc::channel();
        let lines = BufReader::new(child.stderr.take().unwrap()).lines();
        // Read on, or the server would wait for room in the pipe.
        std::thread::spawn(move || lines.map_while(Result::ok).try_for_each(|line| send.send(line)));
        // Whole before anything can fail, so that the process ends with it.
        let mut server = Self { child, address: String::new(), log };
        while server.address.is_empty() {
            let line = server.log.recv_timeout(PATIENCE).unwrap();
            if let Some((_, address)) = line.split_once("address=") {
                server.address = address.split_whitespace().next().unwrap().to_owned();
            }
        }
        server
    }

    pub(super) fn url(&self) -> String {
        format!("http://{}/api/payments/webhook/", self.address)
    }

    /// Sends it a callback, and returns the status of its answer.
    pub(super) fn post(&self, body: Vec<u8>, signature: Option<&str>) -> u16 {
        let client = reqwest::blocking::Client::builder().no_proxy().timeout(PATIENCE).build().unwrap();
        let mut request = client.post(self.url()).body(body);
        if let Some(signature) = signature {
            request = request.header("Callback-Signature", signature);
        }
        request.send().unwrap().status().as_u16()
    }

    /// What it has logged since this was asked last.
    pub(super) fn logged(&self) -> String {
        let mut text = String::new();
        while let Ok(line) = self.log.recv_timeout(Duration::from_millis(200)) {
            text.push_str(&line);
            text.push('\n');
        }
        text
    }

    /// Asks it to stop, and returns its exit code.
    pub(super) fn stop(&mut self) -> Option<i32> {
        let kill = format!("kill -s TERM {}", self.child.id());
        assert!(Command::new("sh").args(["-c", &kill]).status().unwrap().success());
        self.child.wait().unwrap().code()
    }
}

impl Drop for CallbackServer {
    fn drop(&mut self) {
        // One that has ended already cannot be killed any more.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

//! The server on a real socket.

mod requests;
mod signed;
mod strangers;

use std::io::{ErrorKind, Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;
use std::time::Duration;

use echodesk_core::StopToken;

use super::endpoint::{Backend, router};
use super::limits::Limits;
use super::reply::Reply;
use super::server::serve;

/// What a backend was asked, and what it answers.
struct Double {
    reply: Reply,
    well: bool,
    takes: Duration,
    asked: Mutex<Vec<(usize, Option<String>)>>,
}

impl Double {
    fn new(reply: Reply) -> Self {
        Self { reply, well: true, takes: Duration::ZERO, asked: Mutex::default() }
    }

    fn asked(&self) -> Vec<(usize, Option<String>)> {
        self.asked.lock().unwrap().clone()
    }
}

impl Backend for Double {
    fn apply(&self, body: &[u8], signature: Option<&str>) -> Reply {
        std::thread::sleep(self.takes);
        assert_ne!(body, b"panic", "a bug");
        self.asked.lock().unwrap().push((body.len(), signature.map(str::to_owned)));
        self.reply
    }

    fn is_well(&self) -> bool {
        self.well
    }
}

/// A server that runs until it is dropped.
struct Running {
    address: SocketAddr,
    stop: StopToken,
    thread: Option<JoinHandle<()>>,
}

impl Running {
    fn start(backend: Arc<dyn Backend>, limits: Limits) -> Self {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        listener.set_nonblocking(true).unwrap();
        let address = listener.local_addr().unwrap();
        let stop = StopToken::new();
        let asked_to_stop = stop.clone();
        let thread = std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
            runtime.block_on(async {
                let listener = tokio::net::TcpListener::from_std(listener).unwrap();
                serve(listener, router(backend, &limits), &limits, &asked_to_stop).await;
            });
        });
        Self { address, stop, thread: Some(thread) }
    }

    fn connect(&self) -> TcpStream {
        let stream = TcpStream::connect(self.address).unwrap();
        stream.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
        stream
    }

    /// Sends bytes as they are and reads the answer to its end.
    fn ask(&self, request: &[u8]) -> String {
        let mut stream = self.connect();
        stream.write_all(request).unwrap();
        answer(&mut stream)
    }

    /// Waits until the server has ended.
    fn join(&mut self) {
        self.thread.take().unwrap().join().unwrap();
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.stop.stop();
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

/// All that comes until the server ends the connection.
fn answer(stream: &mut TcpStream) -> String {
    let mut bytes = Vec::new();
    match stream.read_to_end(&mut bytes) {
        Ok(_) => {}
        Err(error) if error.kind() == ErrorKind::ConnectionReset => {}
        Err(error) => panic!("{error}"),
    }
    String::from_utf8(bytes).unwrap()
}

fn post(path: &str, headers: &str, body: &[u8]) -> Vec<u8> {
    let head = format!("POST {path} HTTP/1.1\r\nHost: x\r\nContent-Length: {}\r\n{headers}\r\n", body.len());
    [head.as_bytes(), body].concat()
}

fn status(answer: &str) -> u16 {
    answer.split(' ').nth(1).and_then(|word| word.parse().ok()).unwrap_or_default()
}

const WEBHOOK: &str = "/api/payments/webhook/";

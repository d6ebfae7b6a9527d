//! Bytes in and out, plain or under TLS.

use std::io::{self, ErrorKind, Read, Write};
use std::net::TcpStream;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

use native_tls::{TlsAcceptor, TlsStream};

use super::command::{Command, literal, parse};

/// Nobody sends a command or literal longer than this.
const LIMIT: usize = 1 << 20;

/// How much is collected before it is sent, so that answers to pipelined commands share packets.
const CHUNK: usize = 64 << 10;

#[derive(Debug)]
enum Stream {
    Plain(TcpStream),
    Tls(Box<TlsStream<TcpStream>>),
    /// Between the two.
    Gone,
}

/// One client's connection.
#[derive(Debug)]
pub(super) struct Connection {
    stream: Stream,
    input: Vec<u8>,
    output: Vec<u8>,
    /// A byte a second.
    pub(super) trickle: bool,
    stop: Arc<AtomicBool>,
}

impl Connection {
    pub(super) fn new(stream: TcpStream, stop: Arc<AtomicBool>) -> io::Result<Self> {
        stream.set_nodelay(true)?;
        stream.set_read_timeout(Some(Duration::from_secs(300)))?;
        Ok(Self { stream: Stream::Plain(stream), input: Vec::new(), output: Vec::new(), trickle: false, stop })
    }

    /// The server's side of the TLS handshake.
    pub(super) fn secure(&mut self, acceptor: &TlsAcceptor) -> io::Result<()> {
        self.input.clear();
        if let Stream::Plain(stream) = std::mem::replace(&mut self.stream, Stream::Gone) {
            self.stream = Stream::Tls(Box::new(acceptor.accept(stream).map_err(io::Error::other)?));
        }
        Ok(())
    }

    pub(super) fn is_secure(&self) -> bool {
        matches!(self.stream, Stream::Tls(_))
    }

    /// Queues bytes; sends them when enough have come together.
    pub(super) fn send(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.output.extend_from_slice(bytes);
        if self.output.len() >= CHUNK { self.flush() } else { Ok(()) }
    }

    /// Queues a line.
    pub(super) fn line(&mut self, text: &str) -> io::Result<()> {
        self.send(text.as_bytes())?;
        self.send(b"\r\n")
    }

    pub(super) fn flush(&mut self) -> io::Result<()> {
        let output = std::mem::take(&mut self.output);
        let step = if self.trickle { 1 } else { CHUNK };
        for chunk in output.chunks(step) {
            match &mut self.stream {
                Stream::Plain(stream) => stream.write_all(chunk)?,
                Stream::Tls(stream) => stream.write_all(chunk)?,
                Stream::Gone => return Err(ErrorKind::NotConnected.into()),
            }
            if self.trickle {
                self.pause(Duration::from_secs(1))?;
            }
        }
        Ok(())
    }

    /// Says nothing for a while; an error once the server is being stopped.
    pub(super) fn pause(&self, time: Duration) -> io::Result<()> {
        const STEP: Duration = Duration::from_millis(20);
        for _ in 0..time.as_millis() / STEP.as_millis() {
            if self.stop.load(Ordering::Relaxed) {
                return Err(ErrorKind::Interrupted.into());
            }
            thread::sleep(STEP);
        }
        Ok(())
    }

    /// Says nothing until the client goes.
    pub(super) fn stall(&mut self) -> io::Result<()> {
        self.flush()?;
        loop {
            self.fill()?;
            self.input.clear();
        }
    }

    /// The next command; `Ok(None)` for one that cannot be understood.
    pub(super) fn command(&mut self) -> io::Result<Option<Command>> {
        let mut parts = Vec::new();
        loop {
            let line = self.read_line()?;
            let Some((length, waits)) = literal(&line) else {
                parts.push((line, None));
                return Ok(parse(&parts));
            };
            if length > LIMIT {
                return Err(ErrorKind::InvalidData.into());
            }
            if waits {
                self.line("+ go ahead")?;
                self.flush()?;
            }
            while self.input.len() < length {
                self.fill()?;
            }
            let bytes = self.input.drain(..length).collect();
            parts.push((line, Some(bytes)));
        }
    }

    /// The next line, without its end.
    pub(super) fn read_line(&mut self) -> io::Result<Vec<u8>> {
        loop {
            if let Some(end) = self.input.iter().position(|byte| *byte == b'\n') {
                let mut line: Vec<u8> = self.input.drain(..=end).collect();
                line.truncate(line.trim_ascii_end().len());
                return Ok(line);
            }
            if self.input.len() > LIMIT {
                return Err(ErrorKind::InvalidData.into());
            }
            // Everything that has been answered goes out before we wait for more.
            self.flush()?;
            self.fill()?;
        }
    }

    fn fill(&mut self) -> io::Result<()> {
        let mut buffer = [0; 8 << 10];
        let read = match &mut self.stream {
            Stream::Plain(stream) => stream.read(&mut buffer)?,
            Stream::Tls(stream) => stream.read(&mut buffer)?,
            Stream::Gone => 0,
        };
        if read == 0 {
            return Err(ErrorKind::UnexpectedEof.into());
        }
        self.input.extend_from_slice(&buffer[..read]);
        Ok(())
    }
}

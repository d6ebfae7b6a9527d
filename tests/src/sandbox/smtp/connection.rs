//! Bytes in and out, plain or under TLS.

use std::io::{self, ErrorKind, Read, Write};
use std::net::TcpStream;
use std::time::Duration;

use native_tls::{TlsAcceptor, TlsStream};

use super::content::{end_of_content, unstuffed};

/// Nobody sends a longer line (RFC 5321, 4.5.3.1.4 has 512 bytes).
const LONGEST_LINE: usize = 8 << 10;

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
    /// Up to here the input was used.
    used: usize,
    output: Vec<u8>,
}

impl Connection {
    pub(super) fn new(stream: TcpStream) -> io::Result<Self> {
        stream.set_nodelay(true)?;
        stream.set_read_timeout(Some(Duration::from_secs(300)))?;
        Ok(Self { stream: Stream::Plain(stream), input: Vec::new(), used: 0, output: Vec::new() })
    }

    /// The server's side of the TLS handshake. What was sent before it, in plain text, is forgotten (RFC 3207, 4.2).
    pub(super) fn secure(&mut self, acceptor: &TlsAcceptor) -> io::Result<()> {
        self.flush()?;
        (self.input, self.used) = (Vec::new(), 0);
        if let Stream::Plain(stream) = std::mem::replace(&mut self.stream, Stream::Gone) {
            self.stream = Stream::Tls(Box::new(acceptor.accept(stream).map_err(io::Error::other)?));
        }
        Ok(())
    }

    pub(super) fn is_secure(&self) -> bool {
        matches!(self.stream, Stream::Tls(_))
    }

    /// Queues a line; it goes out before more is waited for.
    pub(super) fn line(&mut self, text: &str) {
        self.output.extend_from_slice(text.as_bytes());
        self.output.extend_from_slice(b"\r\n");
    }

    pub(super) fn flush(&mut self) -> io::Result<()> {
        if self.output.is_empty() {
            return Ok(());
        }
        match &mut self.stream {
            Stream::Plain(stream) => stream.write_all(&self.output)?,
            Stream::Tls(stream) => stream.write_all(&self.output)?,
            Stream::Gone => return Err(ErrorKind::NotConnected.into()),
        }
        self.output.clear();
        Ok(())
    }

    /// Says nothing until the client goes.
    pub(super) fn stall(&mut self) -> io::Result<()> {
        self.flush()?;
        loop {
            self.input.clear();
            self.used = 0;
            self.fill()?;
        }
    }

    /// The next line, without its end.
    pub(super) fn read_line(&mut self) -> io::Result<Vec<u8>> {
        let mut looked = self.used;
        loop {
            if let Some(end) = memchr::memchr(b'\n', &self.input[looked..]) {
                let line = &self.input[self.used..looked + end];
                let line = line.strip_suffix(b"\r").unwrap_or(line).to_vec();
                self.used = looked + end + 1;
                return Ok(line);
            }
            if self.input.len() - self.used > LONGEST_LINE {
                return Err(ErrorKind::InvalidData.into());
            }
            self.forget_used();
            looked = self.input.len();
            self.fill()?;
        }
    }

    /// Waits until something has arrived that was not used yet.
    pub(super) fn wait(&mut self) -> io::Result<()> {
        if self.used < self.input.len() { self.flush() } else { self.fill() }
    }

    /// The content of a mail up to the line with nothing but a dot, without the dots that were put before
    /// others; `None` if it is longer than `limit`, in which case it was read all the same.
    pub(super) fn read_content(&mut self, limit: usize) -> io::Result<Option<Vec<u8>>> {
        self.forget_used();
        let (mut looked, mut too_long) = (0, false);
        loop {
            if let Some((length, next)) = end_of_content(&self.input, looked) {
                let content = (!too_long && length <= limit).then(|| unstuffed(&self.input[..length]));
                self.used = next;
                return Ok(content);
            }
            if self.input.len() > limit + 5 {
                // What may be the beginning of the end is kept.
                self.input.drain(..self.input.len() - 5);
                too_long = true;
            }
            // The end may have begun in what is there.
            looked = self.input.len().saturating_sub(4);
            self.fill()?;
        }
    }

    fn forget_used(&mut self) {
        self.input.drain(..self.used);
        self.used = 0;
    }

    /// Waits for more. Everything that has been answered goes out before.
    fn fill(&mut self) -> io::Result<()> {
        self.flush()?;
        let mut buffer = [0; 32 << 10];
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

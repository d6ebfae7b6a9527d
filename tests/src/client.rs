//! A client that knows just enough IMAP to measure a server, or to look at one.

use std::io::{self, BufRead, BufReader, ErrorKind, Read, Write};
use std::net::TcpStream;
use std::path::Path;
use std::time::Duration;

use native_tls::{Certificate, TlsConnector, TlsStream};

/// A connection under TLS.
#[derive(Debug)]
pub struct Client {
    stream: BufReader<TlsStream<TcpStream>>,
    tag: u32,
}

impl Client {
    /// Connects to a port of `localhost` that speaks TLS from the first byte.
    ///
    /// # Errors
    /// The connection or its handshake fails.
    pub fn connect(port: u16, ca_file: &Path) -> io::Result<Self> {
        let authority = Certificate::from_pem(&std::fs::read(ca_file)?).map_err(io::Error::other)?;
        let connector = TlsConnector::builder().add_root_certificate(authority).build().map_err(io::Error::other)?;
        let stream = TcpStream::connect(("127.0.0.1", port))?;
        stream.set_nodelay(true)?;
        stream.set_read_timeout(Some(Duration::from_secs(60)))?;
        let stream = connector.connect("localhost", stream).map_err(io::Error::other)?;
        let mut client = Self { stream: BufReader::with_capacity(64 << 10, stream), tag: 0 };
        client.read_line()?;
        Ok(client)
    }

    /// Logs in; the password must need no quoting.
    ///
    /// # Errors
    /// The connection is lost.
    pub fn login(&mut self, user: &str, password: &str) -> io::Result<String> {
        self.command(&format!("LOGIN \"{user}\" \"{password}\""))
    }

    /// Sends a command and returns everything up to its tagged answer.
    ///
    /// # Errors
    /// The connection is lost.
    pub fn command(&mut self, command: &str) -> io::Result<String> {
        let tag = self.send(command)?;
        let mut answer = Vec::new();
        loop {
            let line = self.read_line()?;
            answer.extend_from_slice(&line);
            if line.starts_with(tag.as_bytes()) {
                return Ok(String::from_utf8_lossy(&answer).into_owned());
            }
            if let Some(length) = literal(&line) {
                let start = answer.len();
                answer.resize(start + length, 0);
                self.stream.read_exact(&mut answer[start..])?;
            }
        }
    }

    /// Puts a message into a folder (APPEND), marked as read.
    ///
    /// # Errors
    /// The connection is lost, or the server refuses.
    pub fn append(&mut self, folder: &str, message: &[u8]) -> io::Result<()> {
        let tag = self.send(&format!("APPEND \"{folder}\" (\\Seen) {{{}}}", message.len()))?;
        while !self.read_line()?.starts_with(b"+") {}
        self.stream.get_mut().write_all(message)?;
        self.stream.get_mut().write_all(b"\r\n")?;
        loop {
            let line = self.read_line()?;
            if let Some(answer) = line.strip_prefix(tag.as_bytes()) {
                let refused = || io::Error::other(String::from_utf8_lossy(answer).into_owned());
                return if answer.starts_with(b"OK") { Ok(()) } else { Err(refused()) };
            }
        }
    }

    /// Sends a command and reads past its answer as fast as the machine can; returns its length.
    ///
    /// # Errors
    /// The connection is lost.
    pub fn drain(&mut self, command: &str) -> io::Result<u64> {
        let tag = self.send(command)?;
        let (mut bytes, mut buffer) = (0, vec![0; 64 << 10]);
        loop {
            let line = self.read_line()?;
            bytes += line.len() as u64;
            if line.starts_with(tag.as_bytes()) {
                return Ok(bytes);
            }
            let mut left = literal(&line).unwrap_or(0);
            bytes += left as u64;
            while left > 0 {
                let step = left.min(buffer.len());
                let read = self.stream.read(&mut buffer[..step])?;
                if read == 0 {
                    return Err(ErrorKind::UnexpectedEof.into());
                }
                left -= read;
            }
        }
    }

    fn send(&mut self, command: &str) -> io::Result<String> {
        self.tag += 1;
        let tag = format!("t{} ", self.tag);
        self.stream.get_mut().write_all(format!("{tag}{command}\r\n").as_bytes())?;
        Ok(tag)
    }

    fn read_line(&mut self) -> io::Result<Vec<u8>> {
        let mut line = Vec::new();
        if self.stream.read_until(b'\n', &mut line)? == 0 {
            return Err(ErrorKind::UnexpectedEof.into());
        }
        Ok(line)
    }
}

/// The length of the literal that a line announces.
fn literal(line: &[u8]) -> Option<usize> {
    let line = line.trim_ascii_end().strip_suffix(b"}")?;
    let start = line.iter().rposition(|byte| *byte == b'{')? + 1;
    std::str::from_utf8(&line[start..]).ok()?.parse().ok()
}

//! The decrypted connection: buffered, counted, and with a name for what is going on.

use std::io::{self, Read, Write};
use std::sync::Arc;

use native_tls::TlsStream;

use super::socket::{Hit, LimitedTcp, Limits};
use crate::ports::MailServerError;

/// Large enough that a read takes several TLS records' worth from a plain socket and always a whole
/// one (16 kB) from TLS.
const BUFFER: usize = 64 << 10;

/// Clear until STARTTLS, encrypted ever after.
pub(super) enum Socket {
    /// Only for the few lines before STARTTLS.
    Clear(LimitedTcp),
    /// The rest.
    Tls(Box<TlsStream<LimitedTcp>>),
}

impl Socket {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        match self {
            Self::Clear(tcp) => tcp.read(buf),
            Self::Tls(tls) => tls.read(buf),
        }
    }

    fn write_all(&mut self, bytes: &[u8]) -> io::Result<()> {
        match self {
            Self::Clear(tcp) => tcp.write_all(bytes),
            Self::Tls(tls) => tls.write_all(bytes).and_then(|()| tls.flush()),
        }
    }
}

/// A connection to a server.
pub(super) struct Stream {
    socket: Socket,
    limits: Arc<Limits>,
    buffer: Vec<u8>,
    start: usize,
    end: usize,
    /// Names the phase in errors.
    pub(super) doing: &'static str,
    bytes: u64,
    round_trips: u32,
    /// Whether the next byte is one that we have to wait for: the greeting, or the answer to what
    /// was sent while nothing else was under way.
    waiting: bool,
}

impl Stream {
    /// A connection on which the server has not spoken yet.
    pub(super) fn new(socket: Socket, limits: Arc<Limits>) -> Self {
        Self {
            socket,
            limits,
            buffer: vec![0; BUFFER],
            start: 0,
            end: 0,
            doing: super::greeting::GREETING,
            bytes: 0,
            round_trips: 0,
            waiting: true,
        }
    }

    /// The same connection after the handshake that `secure` makes on its socket. The counts go on.
    ///
    /// # Errors
    /// What `secure` returns.
    pub(super) fn secured(
        self,
        secure: impl FnOnce(LimitedTcp) -> Result<Box<TlsStream<LimitedTcp>>, MailServerError>,
    ) -> Result<Self, MailServerError> {
        let socket = match self.socket {
            Socket::Clear(tcp) => Socket::Tls(secure(tcp)?),
            tls @ Socket::Tls(_) => tls,
        };
        Ok(Self { socket, ..self })
    }

    /// Whether the server has sent more than was read.
    pub(super) fn has_buffered(&self) -> bool {
        self.start < self.end
    }

    /// Waits no longer than a second from now on: the server has said that it hangs up.
    pub(super) fn expect_close(&self) {
        self.limits.expect_close();
    }

    /// Bytes received so far, decrypted.
    pub(super) fn bytes(&self) -> u64 {
        self.bytes
    }

    /// Waits for the server so far.
    pub(super) fn round_trips(&self) -> u32 {
        self.round_trips
    }

    /// Sends `bytes`. `idle` says that no other command is under way, so that the client will have
    /// to wait for the answer: a turnaround. What is sent while an earlier answer is still being
    /// read costs none.
    ///
    /// # Errors
    /// The connection broke or a limit was hit.
    pub(super) fn send(&mut self, bytes: &[u8], idle: bool) -> Result<(), MailServerError> {
        self.waiting |= idle;
        self.socket.write_all(bytes).map_err(|error| self.failure(error))
    }

    /// Appends the rest of a line to `line`, its line feed included.
    ///
    /// # Errors
    /// `line` grows over `limit` bytes, the connection broke, or a limit was hit.
    pub(super) fn read_line(&mut self, line: &mut Vec<u8>, limit: usize) -> Result<(), MailServerError> {
        loop {
            if self.start == self.end {
                self.fill()?;
            }
            let available = &self.buffer[self.start..self.end];
            let feed = available.iter().position(|byte| *byte == b'\n');
            let part = &available[..feed.map_or(available.len(), |at| at + 1)];
            if line.len() + part.len() > limit {
                return Err(MailServerError::Protocol { problem: format!("a line of more than {limit} bytes") });
            }
            line.extend_from_slice(part);
            self.start += part.len();
            if feed.is_some() {
                return Ok(());
            }
        }
    }

    /// Fills `into`. Large parts go straight from TLS into place.
    ///
    /// # Errors
    /// The connection broke or a limit was hit.
    pub(super) fn read_exact(&mut self, into: &mut [u8]) -> Result<(), MailServerError> {
        let mut filled = 0;
        while filled < into.len() {
            if self.start == self.end {
                if into.len() - filled >= BUFFER {
                    filled += self.receive(&mut into[filled..])?;
                    continue;
                }
                self.fill()?;
            }
            let count = (self.end - self.start).min(into.len() - filled);
            into[filled..filled + count].copy_from_slice(&self.buffer[self.start..self.start + count]);
            self.start += count;
            filled += count;
        }
        Ok(())
    }

    /// Reads `count` bytes and forgets them.
    ///
    /// # Errors
    /// The connection broke or a limit was hit.
    pub(super) fn discard(&mut self, mut count: u64) -> Result<(), MailServerError> {
        while count > 0 {
            if self.start == self.end {
                self.fill()?;
            }
            let available = self.end - self.start;
            let taken = usize::try_from(count).map_or(available, |count| count.min(available));
            self.start += taken;
            count -= taken as u64;
        }
        Ok(())
    }

    fn fill(&mut self) -> Result<(), MailServerError> {
        let mut buffer = std::mem::take(&mut self.buffer);
        let received = self.receive(&mut buffer);
        self.buffer = buffer;
        (self.start, self.end) = (0, received?);
        Ok(())
    }

    fn receive(&mut self, into: &mut [u8]) -> Result<usize, MailServerError> {
        if std::mem::take(&mut self.waiting) {
            self.round_trips += 1;
        }
        (self.start, self.end) = (0, 0);
        match self.socket.read(into) {
            Ok(0) => Err(self.failure(io::ErrorKind::UnexpectedEof.into())),
            Ok(count) => {
                self.bytes += count as u64;
                Ok(count)
            }
            Err(error) => Err(self.failure(error)),
        }
    }

    fn failure(&self, source: io::Error) -> MailServerError {
        failure(&self.limits, self.doing, source)
    }
}

/// The typed error of a failed read or write.
pub(super) fn failure(limits: &Limits, doing: &'static str, source: io::Error) -> MailServerError {
    match limits.take_hit() {
        // Whoever used up the time before it let us in has kept us from everything: that is no
        // progress to be gone on from.
        Some(Hit::Deadline) if !limits.is_logged_in() => MailServerError::Timeout { doing, after: limits.lasted() },
        Some(Hit::Deadline | Hit::Stop) => MailServerError::OutOfTime,
        Some(Hit::Timeout) => MailServerError::Timeout { doing, after: limits.io_timeout() },
        None => MailServerError::Lost { doing, source },
    }
}

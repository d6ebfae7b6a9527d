//! A TCP socket on which every single wait is bounded.
//!
//! The limits sit below TLS, not above it: OpenSSL may read a socket many times to complete one
//! record, so a server that trickles a byte a second would pass any limit that is set only once per
//! read of decrypted data.

use std::io::{self, Read, Write};
use std::net::TcpStream;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU8, Ordering};
use std::time::Duration;

use echodesk_core::Clock;

/// How long one wait, and all of them together, may take.
pub(super) struct Limits {
    clock: Arc<dyn Clock>,
    io_timeout: Duration,
    /// By [`Clock::elapsed`].
    deadline: Duration,
    /// The last limit that was hit. The TLS layers wrap and reword errors on their way up, so the
    /// reason travels beside them.
    hit: AtomicU8,
    /// Set once the server has said goodbye.
    closing: AtomicBool,
}

/// Which limit a wait ran into.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Hit {
    /// The time-out of one wait.
    Timeout,
    /// The session's time budget.
    Deadline,
}

/// How long to wait for what may still come after a goodbye.
const AFTER_BYE: Duration = Duration::from_secs(1);

/// The shortest time-out that is handed to the system, for which zero means none at all.
const SHORTEST: Duration = Duration::from_millis(1);

impl Limits {
    /// Limits that start now.
    pub(super) fn new(clock: Arc<dyn Clock>, io_timeout: Duration, time_left: Duration) -> Self {
        let deadline = clock.elapsed().saturating_add(time_left);
        Self {
            clock,
            io_timeout: io_timeout.max(SHORTEST),
            deadline,
            hit: AtomicU8::new(0),
            closing: AtomicBool::new(false),
        }
    }

    /// How long a single wait may take.
    pub(super) fn io_timeout(&self) -> Duration {
        if self.closing.load(Ordering::Relaxed) { AFTER_BYE.min(self.io_timeout) } else { self.io_timeout }
    }

    /// Waits no longer than a second from now on: the server has said that it hangs up.
    pub(super) fn expect_close(&self) {
        self.closing.store(true, Ordering::Relaxed);
    }

    /// What is left of the budget; none if nothing is.
    pub(super) fn time_left(&self) -> Option<Duration> {
        self.deadline.checked_sub(self.clock.elapsed()).filter(|left| !left.is_zero())
    }

    /// By [`Clock::elapsed`].
    pub(super) fn elapsed(&self) -> Duration {
        self.clock.elapsed()
    }

    /// Which limit was hit since the last call.
    pub(super) fn take_hit(&self) -> Option<Hit> {
        match self.hit.swap(0, Ordering::Relaxed) {
            1 => Some(Hit::Timeout),
            2 => Some(Hit::Deadline),
            _ => None,
        }
    }

    fn fail(&self, hit: Hit) -> io::Error {
        self.hit.store(if hit == Hit::Timeout { 1 } else { 2 }, Ordering::Relaxed);
        io::ErrorKind::TimedOut.into()
    }

    /// How long the next wait may take, and which limit that is.
    fn next_wait(&self) -> io::Result<(Duration, Hit)> {
        let left = self.time_left().ok_or_else(|| self.fail(Hit::Deadline))?;
        let io_timeout = self.io_timeout();
        Ok(if left < io_timeout { (left.max(SHORTEST), Hit::Deadline) } else { (io_timeout, Hit::Timeout) })
    }
}

/// The socket.
pub(super) struct LimitedTcp {
    tcp: TcpStream,
    limits: Arc<Limits>,
    /// What the system was last told, so that it is told only when something changes.
    read_timeout: Option<Duration>,
    write_timeout: Option<Duration>,
}

impl LimitedTcp {
    pub(super) fn new(tcp: TcpStream, limits: Arc<Limits>) -> Self {
        Self { tcp, limits, read_timeout: None, write_timeout: None }
    }
}

impl Read for LimitedTcp {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        loop {
            let (wait, limit) = self.limits.next_wait()?;
            if self.read_timeout != Some(wait) {
                self.tcp.set_read_timeout(Some(wait))?;
                self.read_timeout = Some(wait);
            }
            match self.tcp.read(buf) {
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                result => return result.map_err(|error| self.limits.explain(error, limit)),
            }
        }
    }
}

impl Write for LimitedTcp {
    fn write(&mut self, buf: &[u8]) -> io::Result<usize> {
        loop {
            let (wait, limit) = self.limits.next_wait()?;
            if self.write_timeout != Some(wait) {
                self.tcp.set_write_timeout(Some(wait))?;
                self.write_timeout = Some(wait);
            }
            match self.tcp.write(buf) {
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                result => return result.map_err(|error| self.limits.explain(error, limit)),
            }
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        self.tcp.flush()
    }
}

impl Limits {
    fn explain(&self, error: io::Error, limit: Hit) -> io::Error {
        match error.kind() {
            // Which of the two a time-out is reported as depends on the system.
            io::ErrorKind::WouldBlock | io::ErrorKind::TimedOut => self.fail(limit),
            _ => error,
        }
    }
}

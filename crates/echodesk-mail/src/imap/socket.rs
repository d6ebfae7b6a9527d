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

use echodesk_core::{Clock, StopToken};

/// How long one wait, and all of them together, may take.
pub(super) struct Limits {
    clock: Arc<dyn Clock>,
    stop: Option<StopToken>,
    io_timeout: Duration,
    /// By [`Clock::elapsed`].
    started: Duration,
    /// By [`Clock::elapsed`].
    deadline: Duration,
    /// The last limit that was hit. The TLS layers wrap and reword errors on their way up, so the
    /// reason travels beside them.
    hit: AtomicU8,
    /// Set once the server has said goodbye.
    closing: AtomicBool,
    /// Set once the server has let us in.
    logged_in: AtomicBool,
}

/// Which limit a wait ran into.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Hit {
    /// The time-out of one wait.
    Timeout,
    /// The session's time budget.
    Deadline,
    /// Somebody asked the run to stop.
    Stop,
}

/// How long to wait for what may still come after a goodbye.
const AFTER_BYE: Duration = Duration::from_secs(1);

/// How long the system waits at a time, so that somebody who asks to stop is heard.
pub(super) const SLICE: Duration = Duration::from_millis(500);

/// The shortest time-out that is handed to the system, for which zero means none at all.
const SHORTEST: Duration = Duration::from_millis(1);

impl Limits {
    /// Limits that start now.
    pub(super) fn new(
        clock: Arc<dyn Clock>,
        stop: Option<StopToken>,
        io_timeout: Duration,
        time_left: Duration,
    ) -> Self {
        let started = clock.elapsed();
        Self {
            clock,
            stop,
            io_timeout: io_timeout.max(SHORTEST),
            started,
            deadline: started.saturating_add(time_left),
            hit: AtomicU8::new(0),
            closing: AtomicBool::new(false),
            logged_in: AtomicBool::new(false),
        }
    }

    /// Notes that the server has let us in.
    pub(super) fn set_logged_in(&self) {
        self.logged_in.store(true, Ordering::Relaxed);
    }

    /// Whether the server has let us in.
    pub(super) fn is_logged_in(&self) -> bool {
        self.logged_in.load(Ordering::Relaxed)
    }

    /// Whether somebody asked to stop.
    pub(super) fn is_stopped(&self) -> bool {
        self.stop.as_ref().is_some_and(StopToken::is_stopped)
    }

    /// How long the session has lasted.
    pub(super) fn lasted(&self) -> Duration {
        self.clock.elapsed().saturating_sub(self.started)
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
            3 => Some(Hit::Stop),
            _ => None,
        }
    }

    fn fail(&self, hit: Hit) -> io::Error {
        let code = match hit {
            Hit::Timeout => 1,
            Hit::Deadline => 2,
            Hit::Stop => 3,
        };
        self.hit.store(code, Ordering::Relaxed);
        io::ErrorKind::TimedOut.into()
    }

    /// How long the system may wait next, after it has waited for `waited` in vain.
    fn next_wait(&self, waited: Duration) -> io::Result<Duration> {
        let left = self.time_left().ok_or_else(|| self.fail(Hit::Deadline))?;
        let of_this_wait = self.io_timeout().saturating_sub(waited);
        if of_this_wait.is_zero() {
            return Err(self.fail(Hit::Timeout));
        }
        Ok(left.min(of_this_wait).min(SLICE).max(SHORTEST))
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
        let mut waited = Duration::ZERO;
        loop {
            // Before every wait, not only after one in vain: a server that trickles never lets the
            // client wait for a whole slice.
            if self.limits.is_stopped() {
                return Err(self.limits.fail(Hit::Stop));
            }
            let wait = self.limits.next_wait(waited)?;
            if self.read_timeout != Some(wait) {
                self.tcp.set_read_timeout(Some(wait))?;
                self.read_timeout = Some(wait);
            }
            match self.tcp.read(buf) {
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) if is_time_out(&error) => waited += wait,
                result => return result,
            }
        }
    }
}

impl Write for LimitedTcp {
    fn write(&mut self, buf: &[u8]) -> io::Result<usize> {
        let mut waited = Duration::ZERO;
        loop {
            let wait = self.limits.next_wait(waited)?;
            if self.write_timeout != Some(wait) {
                self.tcp.set_write_timeout(Some(wait))?;
                self.write_timeout = Some(wait);
            }
            match self.tcp.write(buf) {
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) if is_time_out(&error) => {
                    // Only here: a goodbye that the server takes at once is said even then.
                    if self.limits.is_stopped() {
                        return Err(self.limits.fail(Hit::Stop));
                    }
                    waited += wait;
                }
                result => return result,
            }
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        self.tcp.flush()
    }
}

/// Which of the two a time-out is reported as depends on the system.
fn is_time_out(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::WouldBlock | io::ErrorKind::TimedOut)
}

//! A line that is drawn again and again, for whoever watches.

use std::io::{self, IsTerminal as _, Write as _};
use std::time::Duration;

use echodesk_core::{Clock as _, SystemClock};

/// How long a line stands.
const STANDS: Duration = Duration::from_millis(100);

/// Shows how far something has come on standard error, if that is a terminal.
#[derive(Debug)]
pub(crate) struct Meter {
    clock: SystemClock,
    is_watched: bool,
    shown_at: Option<Duration>,
}

impl Meter {
    /// One that measures from now on.
    pub(crate) fn start() -> Self {
        Self { clock: SystemClock::new(), is_watched: io::stderr().is_terminal(), shown_at: None }
    }

    /// Shows a line, which may want to know how many seconds have passed, unless one has just been shown.
    pub(crate) fn show(&mut self, line: impl FnOnce(f64) -> String) {
        let now = self.clock.elapsed();
        if !self.is_watched || self.shown_at.is_some_and(|at| now < at + STANDS) {
            return;
        }
        self.shown_at = Some(now);
        let _ = write!(io::stderr(), "\r{}\x1b[K", line(self.seconds()));
    }

    /// Takes the line away.
    pub(crate) fn clear(&mut self) {
        if self.shown_at.take().is_some() {
            let _ = write!(io::stderr(), "\r\x1b[K");
        }
    }

    /// How long it took so far.
    pub(crate) fn seconds(&self) -> f64 {
        self.clock.elapsed().as_secs_f64().max(0.001)
    }
}

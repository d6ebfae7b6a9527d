//! SIGINT and SIGTERM: the first asks the run to stop, the second ends the process.

use std::io;
use std::sync::{Arc, OnceLock};

use echodesk_core::StopToken;
use tokio::signal::unix::{self, SignalKind};

use crate::exit::{ExitStatus, Signal};
use crate::terminal::Terminal;

/// Listens for signals while it and the runtime live.
#[derive(Debug)]
pub struct Signals {
    first: Arc<OnceLock<Signal>>,
}

impl Signals {
    /// Starts to listen. The first signal sets `stop`; the second ends the process at once, with the
    /// second one's exit code. Call within a runtime.
    ///
    /// # Errors
    /// The system gives no signal handlers.
    pub fn listen(stop: StopToken, terminal: Terminal) -> io::Result<Self> {
        let mut interrupts = unix::signal(SignalKind::interrupt())?;
        let mut terminations = unix::signal(SignalKind::terminate())?;
        let first = Arc::new(OnceLock::new());
        let seen = Arc::clone(&first);
        tokio::spawn(async move {
            loop {
                let signal = tokio::select! {
                    Some(()) = interrupts.recv() => Signal::Interrupt,
                    Some(()) = terminations.recv() => Signal::Terminate,
                    else => return,
                };
                if seen.set(signal).is_err() {
                    terminal.show("");
                    tracing::warn!(
                        signal = signal.name(),
                        "stopped at once: what was in flight is left to the next run"
                    );
                    std::process::exit(i32::from(ExitStatus::Stopped(signal).code()));
                }
                tracing::warn!(signal = signal.name(), "stopping: finishing what is in flight (again to stop at once)");
                stop.stop();
            }
        });
        Ok(Self { first })
    }

    /// The signal that asked the run to stop, if one did.
    #[must_use]
    pub fn received(&self) -> Option<Signal> {
        self.first.get().copied()
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    // One test only: signals go to the whole process, and the second one would end it.
    #[tokio::test]
    async fn the_first_signal_asks_to_stop_and_is_remembered() {
        let stop = StopToken::new();
        let terminal = Terminal::new(Box::new(io::sink()), false);
        let signals = Signals::listen(stop.clone(), terminal).unwrap();
        assert_eq!(signals.received(), None);

        // The shell's own kill: not every machine has the program.
        let kill = format!("kill -TERM {}", std::process::id());
        assert!(std::process::Command::new("sh").args(["-c", &kill]).status().unwrap().success());
        let stopped = async {
            while !stop.is_stopped() {
                tokio::time::sleep(Duration::from_millis(2)).await;
            }
        };
        tokio::time::timeout(Duration::from_secs(10), stopped).await.unwrap();
        assert_eq!(signals.received(), Some(Signal::Terminate));
    }
}

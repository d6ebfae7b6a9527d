//! What every binary does first, and how it survives a bug.

use std::panic::AssertUnwindSafe;
use std::path::Path;
use std::sync::Arc;

use echodesk_core::{Clock, Environment, SystemClock};

use crate::args::GlobalArgs;
use crate::error::JobError;
use crate::exit::ExitStatus;
use crate::logging::{self, LogSettings};
use crate::terminal::Terminal;

/// A process that has started: it knows the time, logs, and has read its environment.
pub struct Process {
    /// The clock of the machine.
    pub clock: Arc<dyn Clock>,
    /// Standard error.
    pub terminal: Terminal,
    environment: Result<Environment, JobError>,
}

impl Process {
    /// Reads the environment over `.env` in the working folder and starts logging.
    #[must_use]
    pub fn start(args: &GlobalArgs) -> Self {
        let clock: Arc<dyn Clock> = Arc::new(SystemClock::new());
        let environment = Environment::load(Path::new(".env"));
        let known = environment.as_ref().ok();
        let terminal = Terminal::stderr(known.and_then(|environment| environment.get("TERM")));
        let no_color = known.is_some_and(|environment| environment.get("NO_COLOR").is_some());
        let log = LogSettings::new(args, no_color, &terminal);
        logging::start(&log, terminal.clone(), Arc::clone(&clock));
        Self { clock, terminal, environment: environment.map_err(JobError::from) }
    }

    /// Does the work, if the environment could be read. A panic in it becomes an error: the panic
    /// hook has told what and where, and the exit code is that of a failure.
    ///
    /// # Errors
    /// The environment could not be read, the work failed or panicked.
    pub fn work<E: From<JobError>>(
        self,
        work: impl FnOnce(Environment) -> Result<ExitStatus, E>,
    ) -> Result<ExitStatus, E> {
        let environment = self.environment?;
        std::panic::catch_unwind(AssertUnwindSafe(|| work(environment))).unwrap_or_else(|panic| {
            // As in the log: what was put together at run time may quote somebody's mail.
            let text = panic.downcast_ref::<&'static str>().copied();
            Err(JobError::Panicked { message: text.unwrap_or("see the log for the place").to_owned() }.into())
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn process(environment: Result<Environment, JobError>) -> Process {
        let clock = Arc::new(SystemClock::new());
        Process { clock, terminal: Terminal::new(Box::new(std::io::sink()), false), environment }
    }

    #[test]
    fn a_panic_is_a_failure_and_not_silence() {
        let error = process(Ok(Environment::default())).work::<JobError>(|_| panic!("lost count")).unwrap_err();
        assert_eq!(error.status(), ExitStatus::DoneWithFailures);
        assert_eq!(error.to_string(), "the job failed because of a bug: lost count");
    }

    #[test]
    fn nothing_is_started_on_an_environment_that_cannot_be_read() {
        let unreadable = echodesk_core::EnvironmentError::Malformed { path: ".env".into(), line: 1 };
        let error = process(Err(unreadable.into())).work::<JobError>(|_| panic!("started")).unwrap_err();
        assert_eq!(error.status(), ExitStatus::Usage);
    }
}

//! How a process ends.

use std::process::ExitCode;

/// The exit code of a job, by meaning.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ExitStatus {
    /// 0: everything was done.
    Done,
    /// 1: the work was done, with failures that are listed.
    DoneWithFailures,
    /// 2: wrong usage or settings, or the database is bound to another installation; nothing was started.
    Usage,
    /// 75 (`EX_TEMPFAIL` of sysexits.h): the database is away; the next run may succeed.
    TryAgainLater,
    /// 128 + the signal's number: stopped by a signal, after finishing what was in flight.
    Stopped(Signal),
}

/// A signal that asks a job to stop.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Signal {
    /// SIGINT, usually Ctrl-C.
    Interrupt,
    /// SIGTERM, usually systemd or a container runtime.
    Terminate,
}

impl Signal {
    /// Its number on every Unix.
    #[must_use]
    pub fn number(self) -> u8 {
        match self {
            Self::Interrupt => 2,
            Self::Terminate => 15,
        }
    }

    /// Its name.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Interrupt => "SIGINT",
            Self::Terminate => "SIGTERM",
        }
    }
}

impl ExitStatus {
    /// The number that the shell sees.
    #[must_use]
    pub fn code(self) -> u8 {
        match self {
            Self::Done => 0,
            Self::DoneWithFailures => 1,
            Self::Usage => 2,
            Self::TryAgainLater => 75,
            Self::Stopped(signal) => 128 + signal.number(),
        }
    }
}

impl From<ExitStatus> for ExitCode {
    fn from(status: ExitStatus) -> Self {
        Self::from(status.code())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_are_the_documented_ones() {
        let table = [
            (ExitStatus::Done, 0),
            (ExitStatus::DoneWithFailures, 1),
            (ExitStatus::Usage, 2),
            (ExitStatus::TryAgainLater, 75),
            (ExitStatus::Stopped(Signal::Interrupt), 130),
            (ExitStatus::Stopped(Signal::Terminate), 143),
        ];
        for (status, code) in table {
            assert_eq!(status.code(), code, "{status:?}");
        }
    }
}

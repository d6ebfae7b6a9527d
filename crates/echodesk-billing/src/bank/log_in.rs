//! Why the bank gives us no token, by what somebody could do about it.

use std::fmt;
use std::time::Duration;

use super::BogBank;
use super::exchange::{Obstacle, Unconnected};

/// Why the bank gives us no token. Its words never hold what was sent.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum LogInError {
    /// It does not accept our id or secret.
    #[error("it refuses our client id or secret (HTTP {status}{})", code.map(|code| format!(", {code}")).unwrap_or_default())]
    Refused {
        /// The status of its answer.
        status: u16,
        /// Its error code (RFC 6749), if that is one.
        code: Option<&'static str>,
    },
    /// The host of the address cannot be found.
    #[error("{0}")]
    Resolve(String),
    /// There is no connection to the address.
    #[error("{0}")]
    Connect(String),
    /// There is a connection, and no TLS over it that can be trusted.
    #[error("{0}")]
    Tls(String),
    /// The connection broke.
    #[error("{0}")]
    Lost(String),
    /// It took too long.
    #[error("no answer within {0:?}")]
    TimedOut(Duration),
    /// It answers that it cannot answer now.
    #[error("HTTP {status}")]
    Unavailable {
        /// The status of its answer.
        status: u16,
    },
    /// What answers does not speak as the bank's token address does.
    #[error("{0}")]
    NotTheBank(String),
}

impl BogBank {
    /// Logs in: fetches a token, unless one is there that is still good. Nothing else is called, and
    /// nothing can be charged by it.
    ///
    /// # Errors
    /// See [`LogInError`]. Failures that pass are tried again as often as [`BankLimits`](super::BankLimits)
    /// says.
    pub async fn log_in(&self) -> Result<(), LogInError> {
        self.token().await.map(drop).map_err(|no| no.error)
    }
}

/// Why there is no token, and after how many tries that was accepted.
#[derive(Clone, Debug)]
pub(super) struct NoToken {
    pub(super) error: LogInError,
    /// None where another try could not have helped.
    pub(super) tries: Option<u32>,
}

impl From<LogInError> for NoToken {
    fn from(error: LogInError) -> Self {
        Self { error, tries: None }
    }
}

impl fmt::Display for NoToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the bank gives us no token: {}", self.error)?;
        self.tries.map_or(Ok(()), |tries| write!(f, ", after {tries} tries"))
    }
}

impl From<Unconnected> for LogInError {
    fn from(Unconnected { obstacle, why }: Unconnected) -> Self {
        match obstacle {
            Obstacle::Name => Self::Resolve(why),
            Obstacle::Tls => Self::Tls(why),
            Obstacle::Other => Self::Connect(why),
        }
    }
}

//! How long a mail server's answers are waited for.

use std::future::Future;
use std::time::Duration;

/// Time limits. RFC 5321, section 4.5.3.2, allows servers minutes for each answer; a job that is run again soon
/// need not wait that long, except for the answer to a whole mail: whoever stops waiting for that sends mails twice
/// (section 4.5.3.2.6).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SmtpLimits {
    /// For connecting to one address, and for the TLS handshake.
    pub connect: Duration,
    /// For the answer to a command.
    pub command: Duration,
    /// For sending a mail's content and the answer to it.
    pub message: Duration,
}

impl Default for SmtpLimits {
    fn default() -> Self {
        Self { connect: Duration::from_secs(30), command: Duration::from_mins(1), message: Duration::from_mins(10) }
    }
}

impl SmtpLimits {
    /// This limit for connecting and for each command. The answer to a whole mail is never waited for less than by
    /// default.
    #[must_use]
    pub fn answering_within(limit: Duration) -> Self {
        Self { connect: limit, command: limit, message: limit.max(Self::default().message) }
    }
}

/// Waits for `work`, but no longer than `limit`.
pub(super) async fn within<T>(limit: Duration, work: impl Future<Output = T>) -> Result<T, String> {
    tokio::time::timeout(limit, work).await.map_err(|_| format!("no answer within {limit:?}"))
}

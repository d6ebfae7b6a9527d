//! Whether mails could go: everything up to the log-in, and no mail.

use super::SmtpTransport;
use super::open;
use super::session::SmtpSession;
use crate::ports::Session as _;

/// What stood in the way of a connection that mails can go over.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum SmtpObstacle {
    /// The address of the host cannot be found.
    Resolve,
    /// Nothing can be connected to there.
    Connect,
    /// TLS: the certificate is not trusted, or the port speaks none.
    Tls,
    /// STARTTLS is asked for and not offered.
    NoStartTls,
    /// The server does not greet as a mail server does, or not us, or not in time.
    Greeting,
    /// The server does not accept user or password, or offers no way to log in.
    LogIn,
}

/// Why no mail could go.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{why}")]
pub struct SmtpProbeError {
    /// By what somebody could do about it.
    pub obstacle: SmtpObstacle,
    /// In words, on one line, without user and password.
    pub why: String,
}

impl SmtpObstacle {
    /// For a problem with `self` in its way.
    pub(super) fn because(self) -> impl Fn(String) -> SmtpProbeError {
        move |why| SmtpProbeError { obstacle: self, why }
    }
}

impl SmtpTransport {
    /// Connects as for mails (EHLO, STARTTLS or TLS, log-in, as the settings say), sends none and says goodbye.
    ///
    /// # Errors
    /// What stood in the way. Each step is waited for as [`SmtpLimits`](super::SmtpLimits) say.
    pub async fn probe(&self) -> Result<(), SmtpProbeError> {
        let connection = open::open(&self.settings, &self.tls).await?;
        SmtpSession::new(connection, self.settings.limits).quit().await;
        Ok(())
    }
}

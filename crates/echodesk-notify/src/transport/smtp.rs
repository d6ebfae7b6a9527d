//! A mail server over SMTP (RFC 5321): one connection, many mails, stage by stage, so that each refusal is known
//! for what it is.

mod answer;
mod limits;
mod open;
mod preface;
mod probe;
mod session;
mod tls;
mod wire;

pub use limits::SmtpLimits;
pub use probe::{SmtpObstacle, SmtpProbeError};
pub use session::SmtpSession;

use native_tls::TlsConnector;

use crate::ports::{Transport, TransportDown};
use crate::settings::{EmailSettingsError, SmtpSettings};

/// A mail server.
#[derive(Clone, Debug)]
pub struct SmtpTransport {
    settings: SmtpSettings,
    tls: TlsConnector,
}

impl SmtpTransport {
    /// A mail server, which is not called yet.
    ///
    /// # Errors
    /// The file of certificate authorities cannot be used, or TLS cannot be set up.
    pub fn new(settings: SmtpSettings) -> Result<Self, EmailSettingsError> {
        let tls = tls::connector(settings.ca_file.as_deref())?;
        Ok(Self { settings, tls })
    }
}

impl Transport for SmtpTransport {
    type Session = SmtpSession;

    async fn connect(&self) -> Result<SmtpSession, TransportDown> {
        let settings = &self.settings;
        let opened = open::open(settings, &self.tls).await;
        let connection =
            opened.map_err(|why| TransportDown(format!("mail server {}:{}: {why}", settings.host, settings.port)))?;
        Ok(SmtpSession::new(connection, settings.limits))
    }
}

#[cfg(test)]
mod tests;

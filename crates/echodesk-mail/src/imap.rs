//! Reading mail from IMAP servers (RFC 9051, and RFC 3501 before it).
//!
//! The session begins with the `imap` crate's client, which logs in; everything after that is read
//! by a reader of our own on the same connection. The crate starts its grammar again after every
//! line of a message, cannot have two commands under way, and takes the session down over answers
//! that real servers give. The reader here copies each message once, pairs answers with commands by
//! tag, name and UID, and passes over an answer that it does not understand, counting it.
//!
//! Layers, from the wire up: `socket` (time limits), `stream` (buffer, counts), `reader` (a response
//! with its literals), `response` and `tokens` (what it is made of), `wire` (commands under way),
//! `session` (what is asked and what the answers mean).

mod answer;
mod capabilities;
mod check;
mod command;
mod connect;
mod examine;
mod fetch;
mod folders;
mod greeting;
mod login;
mod names;
mod reader;
mod response;
mod search;
mod session;
mod socket;
mod stream;
mod tls;
mod tls_problem;
mod tokens;
pub mod utf7;
mod wire;

#[cfg(test)]
mod tests;

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use echodesk_core::{Clock, Secret, StopToken};
use native_tls::TlsConnector;

pub use check::{CheckFailure, CheckStep, check_mailbox};
pub use tls::{ExtraCa, ImapSettingsError};

use self::connect::{Connected, connect};
use self::session::ImapSession;
use self::socket::Limits;
use self::stream::{Socket, Stream};
use self::wire::Wire;
use crate::model::{Endpoint, Security};
use crate::ports::{MailServer, MailServerError, MailSession};

/// How servers are reached.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ImapSettings {
    /// Certificate authorities to trust beside those of the system.
    pub extra_ca: Option<ExtraCa>,
    /// How long finding the host and connecting to one of its addresses may take together.
    pub connect_timeout: Duration,
    /// How long the server may say nothing, or take nothing, once it is connected.
    pub io_timeout: Duration,
}

impl Default for ImapSettings {
    fn default() -> Self {
        Self { extra_ca: None, connect_timeout: Duration::from_secs(10), io_timeout: Duration::from_secs(30) }
    }
}

/// IMAP servers, over TLS.
pub struct ImapServer {
    connector: TlsConnector,
    settings: ImapSettings,
    clock: Arc<dyn Clock>,
    stop: Option<StopToken>,
}

impl ImapServer {
    /// Prepares TLS; connects to nobody.
    ///
    /// # Errors
    /// The file of extra certificate authorities cannot be used.
    pub fn new(settings: ImapSettings, clock: Arc<dyn Clock>) -> Result<Self, ImapSettingsError> {
        Ok(Self { connector: tls::connector(settings.extra_ca.as_ref())?, settings, clock, stop: None })
    }

    /// Ends every wait for a server within a second once `stop` is set, with
    /// [`MailServerError::OutOfTime`]: what was read is kept and the next run goes on. Only a TCP
    /// connection that is being made is waited for, for as long as `connect_timeout` says.
    #[must_use]
    pub fn with_stop(self, stop: StopToken) -> Self {
        Self { stop: Some(stop), ..self }
    }
}

impl fmt::Debug for ImapServer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ImapServer").field("settings", &self.settings).finish_non_exhaustive()
    }
}

impl MailServer for ImapServer {
    fn open(
        &self,
        endpoint: &Endpoint,
        username: &str,
        password: &Secret,
        time_left: Duration,
    ) -> Result<Box<dyn MailSession>, MailServerError> {
        let (clock, stop) = (Arc::clone(&self.clock), self.stop.clone());
        let limits = Arc::new(Limits::new(clock, stop, self.settings.io_timeout, time_left));
        let Connected { tcp, round_trip } = connect(endpoint, self.settings.connect_timeout, &limits)?;
        let secure = |tcp| tls::secure(&self.connector, endpoint, tcp, &limits);
        let (mut stream, greeting) = match endpoint.security {
            Security::Tls => {
                let mut stream = Stream::new(Socket::Tls(secure(tcp)?), Arc::clone(&limits));
                let greeting = greeting::read_greeting(&mut stream)?;
                (stream, greeting)
            }
            Security::StartTls => {
                let mut stream = Stream::new(Socket::Clear(tcp), Arc::clone(&limits));
                greeting::start_tls(&mut stream, endpoint)?;
                // What it said in the clear anyone may have said: nothing of it is kept.
                (stream.secured(secure)?, greeting::Greeting { logged_in: false, capabilities: None })
            }
        };
        let capabilities = if greeting.logged_in {
            greeting.capabilities
        } else {
            login::log_in(&mut stream, greeting.capabilities.as_ref(), username, password)?
        };
        limits.set_logged_in();
        Ok(Box::new(ImapSession::new(Wire::new(stream, capabilities), round_trip)))
    }
}

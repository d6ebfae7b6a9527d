//! Whether the address that the bank is to call back answers.

use std::time::Duration;

use echodesk_core::Clock;
use reqwest::header;
use url::Url;

use super::exchange::{self, Obstacle, Reply, Unconnected};
use super::{BankLimits, BankSettings};

/// Why an address of callbacks does not answer.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum WebHookError {
    /// Its host cannot be found.
    #[error("{0}")]
    Resolve(String),
    /// There is no connection to it.
    #[error("{0}")]
    Connect(String),
    /// There is a connection, and no TLS over it that the bank could trust.
    #[error("{0}")]
    Tls(String),
    /// The connection broke.
    #[error("{0}")]
    Lost(String),
    /// It took too long.
    #[error("no answer within {0:?}")]
    TimedOut(Duration),
    /// The client cannot be made.
    #[error("no HTTPS client: {0}")]
    Client(String),
}

impl BankSettings {
    /// Where the bank is to call back, if that is set.
    #[must_use]
    pub fn callback_url(&self) -> Option<&Url> {
        self.callback_url.as_ref()
    }
}

/// Calls an address of callbacks with an empty POST that carries no signature, and returns the HTTP
/// status of the answer. Whoever verifies callbacks refuses it, so that it changes nothing anywhere. Redirects
/// are not followed, and certificates are trusted by the system's authorities only. One try, within
/// [`BankLimits::request_timeout`].
///
/// # Errors
/// There is no answer.
pub async fn call_web_hook(url: &Url, limits: &BankLimits, clock: &dyn Clock) -> Result<u16, WebHookError> {
    let client = exchange::client_for([url], limits).map_err(|error| WebHookError::Client(error.to_string()))?;
    let request = client.post(url.clone()).header(header::CONTENT_TYPE, "application/json").body("");
    match exchange::exchange(request, limits, clock).await {
        Reply::Answer(answer) => Ok(answer.status),
        Reply::NotConnected(Unconnected { obstacle: Obstacle::Name, why }) => Err(WebHookError::Resolve(why)),
        Reply::NotConnected(Unconnected { obstacle: Obstacle::Tls, why }) => Err(WebHookError::Tls(why)),
        Reply::NotConnected(Unconnected { obstacle: Obstacle::Other, why }) => Err(WebHookError::Connect(why)),
        Reply::Lost(why) => Err(WebHookError::Lost(why)),
        Reply::TimedOut => Err(WebHookError::TimedOut(limits.request_timeout)),
    }
}

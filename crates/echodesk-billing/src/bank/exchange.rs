//! One try of one HTTP call: a request, and what came of it.

use std::error::Error as _;
use std::time::Duration;

use echodesk_core::Clock;
use reqwest::header::RETRY_AFTER;
use reqwest::redirect::Policy;
use reqwest::{Client, RequestBuilder, Response};
use url::Url;

use super::{BankLimits, BankSettings, settings};

/// What came of a try.
#[derive(Debug)]
pub(super) enum Reply {
    /// An HTTP answer, whoever gave it.
    Answer(Answer),
    /// There was no connection, so nothing was sent.
    NotConnected(Unconnected),
    /// The connection broke after the request, or a part of it, may have arrived.
    Lost(String),
    /// It took too long; the request may have arrived.
    TimedOut,
}

/// Why there was no connection.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Unconnected {
    pub(super) obstacle: Obstacle,
    /// In words.
    pub(super) why: String,
}

/// What stood in the way of a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Obstacle {
    /// The host's name is not known.
    Name,
    /// Nobody could be trusted, or nobody spoke TLS.
    Tls,
    Other,
}

/// An HTTP answer.
#[derive(Debug)]
pub(super) struct Answer {
    /// The status.
    pub(super) status: u16,
    /// How long the other side wants us to wait.
    pub(super) retry_after: Option<Duration>,
    /// The body; none if it is over the limit or was not read, since its status says all.
    pub(super) body: Option<Vec<u8>>,
}

impl Answer {
    /// Whether another try may get another answer: what proxies and overloaded servers say. A redirect
    /// is no answer of an API.
    pub(super) fn passes(&self) -> bool {
        passes(self.status)
    }
}

fn passes(status: u16) -> bool {
    matches!(status, 300..=399 | 500.. | 408 | 409 | 425 | 429)
}

/// A client for one bank.
///
/// # Errors
/// TLS cannot be set up.
pub(super) fn client(settings: &BankSettings, limits: &BankLimits) -> reqwest::Result<Client> {
    client_for([&settings.api_base_url, &settings.auth_url], limits)
}

/// A client for these addresses.
///
/// # Errors
/// TLS cannot be set up.
pub(super) fn client_for<const N: usize>(addresses: [&Url; N], limits: &BankLimits) -> reqwest::Result<Client> {
    let client = Client::builder()
        .user_agent(concat!("echodesk-jobs/", env!("CARGO_PKG_VERSION")))
        .connect_timeout(limits.connect_timeout)
        .timeout(limits.request_timeout)
        .http1_only()
        // Nothing in a redirect tells the bank from somebody in between, who would get the token.
        .redirect(Policy::none());
    // A proxy is for the way out of this machine.
    let is_local = addresses.into_iter().all(settings::is_loopback);
    if is_local { client.no_proxy() } else { client }.build()
}

/// Sends a request and reads its answer.
pub(super) async fn exchange(request: RequestBuilder, limits: &BankLimits, clock: &dyn Clock) -> Reply {
    let response = match request.send().await {
        Ok(response) => response,
        Err(error) => return reply_of_error(error),
    };
    let status = response.status().as_u16();
    let retry_after = retry_after(&response, clock);
    let body = if passes(status) { Ok(None) } else { body(response, limits.body).await };
    match body {
        Ok(body) => Reply::Answer(Answer { status, retry_after, body }),
        Err(error) => reply_of_error(error),
    }
}

/// None if it is longer than `limit`.
async fn body(mut response: Response, limit: usize) -> reqwest::Result<Option<Vec<u8>>> {
    let mut body = Vec::new();
    while let Some(chunk) = response.chunk().await? {
        if chunk.len() > limit - body.len() {
            return Ok(None);
        }
        body.extend_from_slice(&chunk);
    }
    Ok(Some(body))
}

fn reply_of_error(error: reqwest::Error) -> Reply {
    let error = error.without_url();
    if error.is_connect() {
        let why = format!("cannot connect{}", cause(&error));
        return Reply::NotConnected(Unconnected { obstacle: obstacle(&error), why });
    }
    if error.is_timeout() {
        return Reply::TimedOut;
    }
    Reply::Lost(format!("the connection was lost{}", cause(&error)))
}

/// By what the libraries under reqwest say: hyper-util of names, OpenSSL of TLS. They give it no type.
fn obstacle(error: &reqwest::Error) -> Obstacle {
    let mut cause = error.source();
    while let Some(error) = cause {
        let text = error.to_string();
        if text.contains("dns error") {
            return Obstacle::Name;
        }
        if error.is::<openssl::ssl::Error>() || text.contains("SSL routines") || text.contains("certificate") {
            return Obstacle::Tls;
        }
        cause = error.source();
    }
    Obstacle::Other
}

/// The innermost cause, which says what happened; the others only say where.
fn cause(error: &reqwest::Error) -> String {
    let mut cause = error.source();
    while let Some(deeper) = cause.and_then(|cause| cause.source()) {
        cause = Some(deeper);
    }
    cause.map(|cause| format!(" ({cause})")).unwrap_or_default()
}

fn retry_after(response: &Response, clock: &dyn Clock) -> Option<Duration> {
    let text = response.headers().get(RETRY_AFTER)?.to_str().ok()?.trim();
    if let Ok(seconds) = text.parse() {
        return Some(Duration::from_secs(seconds));
    }
    let date = jiff::fmt::rfc2822::parse(text).ok()?.timestamp();
    // A date that is past asks for nothing.
    Some(date.duration_since(clock.now()).try_into().unwrap_or_default())
}

//! The token endpoint, as Keycloak has it.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use jiff::Timestamp;
use uuid::Uuid;

use super::answer::Answer;
use super::behaviour::ExpiresIn;

/// `BOG_CLIENT_ID` of the sandbox.
pub const CLIENT_ID: &str = "sandbox-client";

/// `BOG_CLIENT_SECRET` of the sandbox. Holds what a form or a URL would have to escape.
pub(crate) const CLIENT_SECRET: &str = "sandbox secret+/=&%";

/// The tokens that are good, and until when.
#[derive(Debug, Default)]
pub(crate) struct Tokens(Mutex<Issued>);

#[derive(Debug, Default)]
struct Issued {
    good: HashMap<String, Duration>,
    number: usize,
}

/// Whether an `Authorization` header has the client's credentials.
pub(crate) fn is_client(authorization: Option<&str>) -> bool {
    let good = format!("{CLIENT_ID}:{CLIENT_SECRET}");
    authorization.and_then(|header| header.strip_prefix("Basic ")).and_then(|text| STANDARD.decode(text).ok())
        == Some(good.into_bytes())
}

/// Why no token is given, if none is.
pub(crate) fn refusal(authorization: Option<&str>, form: &[u8]) -> Option<Answer> {
    let refused = |status, error: &str, description: &str| {
        let body = serde_json::json!({ "error": error, "error_description": description });
        Some(Answer::json(status, body.to_string()))
    };
    if authorization.is_none() {
        return refused(401, "invalid_client", "Client authentication with client credentials was not provided");
    }
    if !is_client(authorization) {
        return refused(401, "unauthorized_client", "Invalid client or Invalid client credentials");
    }
    match url::form_urlencoded::parse(form).find(|(name, _)| name == "grant_type") {
        None => refused(400, "invalid_request", "Missing form parameter: grant_type"),
        Some((_, kind)) if kind != "client_credentials" => {
            refused(400, "unsupported_grant_type", "Unsupported grant_type")
        }
        Some(_) => None,
    }
}

impl Tokens {
    /// Issues a token.
    pub(crate) fn issue(&self, now: (Timestamp, Duration), lifetime: Duration, expires_in: ExpiresIn) -> Answer {
        let token = format!("sandbox.{}.{}", Uuid::new_v4().simple(), Uuid::new_v4().simple());
        let mut issued = self.lock();
        issued.number += 1;
        issued.good.retain(|_, until| *until > now.1);
        issued.good.insert(token.clone(), now.1 + lifetime);
        let expires = match expires_in {
            ExpiresIn::Seconds => lifetime.as_secs().to_string(),
            ExpiresIn::EpochMilliseconds => (now.0 + lifetime).as_millisecond().to_string(),
        };
        Answer::json(
            200,
            format!(
                "{{\"access_token\":\"{token}\",\"expires_in\":{expires},\"refresh_expires_in\":0,\
                 \"token_type\":\"Bearer\",\"not-before-policy\":0,\"scope\":\"corp bog.scope\"}}"
            ),
        )
    }

    /// Whether an `Authorization` header has a token that is good.
    pub(crate) fn is_good(&self, authorization: Option<&str>, now: Duration) -> bool {
        let token = authorization.and_then(|header| header.strip_prefix("Bearer "));
        token.is_some_and(|token| self.lock().good.get(token).is_some_and(|until| now < *until))
    }

    pub(crate) fn revoke(&self) {
        self.lock().good.clear();
    }

    pub(crate) fn issued(&self) -> usize {
        self.lock().number
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Issued> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

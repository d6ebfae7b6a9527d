//! What the token address says.

use std::time::Duration;

use echodesk_core::Secret;
use jiff::Timestamp;
use serde_json::Value;

use super::exchange::Answer;
use super::log_in::LogInError;
use super::words;

/// A token, and how long it is good for.
pub(super) struct Granted {
    pub(super) token: Secret,
    pub(super) lifetime: Duration,
}

/// Assumed where the bank does not say. A wrong guess costs one refused call.
const UNSAID: Duration = Duration::from_secs(60);

/// A token is not fetched again sooner, whatever the bank says of its life: our clock may be wrong.
const SHORTEST: Duration = Duration::from_secs(10);

/// How long before its end a token is replaced.
const EARLY: Duration = Duration::from_secs(60);

/// Error codes of OAuth (RFC 6749). Nothing else of an error is repeated: it may hold what we sent.
const ERRORS: [&str; 9] = [
    "invalid_request",
    "invalid_client",
    "invalid_grant",
    "unauthorized_client",
    "unsupported_grant_type",
    "invalid_scope",
    "access_denied",
    "server_error",
    "temporarily_unavailable",
];

/// Reads an answer.
pub(super) fn read(answer: &Answer, now: Timestamp) -> Result<Granted, LogInError> {
    let status = answer.status;
    let strange = |what: &str| Err(LogInError::NotTheBank(format!("{what} (HTTP {status})")));
    let Some(body) = &answer.body else { return strange("its answer is too long") };
    if !(200..300).contains(&status) {
        let object = words::object(Some(body)).unwrap_or_default();
        let code = ERRORS.into_iter().find(|known| object.get("error").is_some_and(|error| error == known));
        return Err(match status {
            400 | 401 | 403 => LogInError::Refused { status, code },
            _ => {
                let code = code.map(|code| format!(", {code}")).unwrap_or_default();
                LogInError::NotTheBank(format!("HTTP {status}{code}"))
            }
        });
    }
    let body = words::object(Some(body)).unwrap_or_default();
    let Some(token) = body.get("access_token").and_then(Value::as_str) else {
        return strange("no token in its answer");
    };
    if token.is_empty() || !token.bytes().all(|byte| byte.is_ascii_graphic()) {
        return strange("what it calls a token cannot be one");
    }
    let lifetime = body.get("expires_in").and_then(number).map_or(UNSAID, |number| lifetime(number, now));
    Ok(Granted { token: Secret::new(token), lifetime })
}

fn number(value: &Value) -> Option<f64> {
    value.as_f64().or_else(|| value.as_str()?.trim().parse().ok()).filter(|number| number.is_finite())
}

/// The bank's documentation says seconds and shows a moment in milliseconds since 1970. Both are read,
/// and such a moment in seconds.
fn lifetime(number: f64, now: Timestamp) -> Duration {
    #[expect(clippy::cast_precision_loss, reason = "a moment of this age is exact to the microsecond")]
    let now = now.as_millisecond() as f64 / 1e3;
    let seconds = if number > 1e12 {
        number / 1e3 - now
    } else if number > 1e9 {
        number - now
    } else {
        number
    };
    Duration::try_from_secs_f64(seconds.max(0.0)).unwrap_or(Duration::MAX)
}

/// How long a token is used that is good for `lifetime`: a minute less, so that none ends under way, but
/// at least half of it, and at most `bound`.
pub(super) fn use_for(lifetime: Duration, bound: Duration) -> Duration {
    (lifetime - EARLY.min(lifetime / 2)).max(SHORTEST).min(bound)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answer(status: u16, body: &str) -> Answer {
        Answer { status, retry_after: None, body: Some(body.as_bytes().to_vec()) }
    }

    fn now() -> Timestamp {
        "2026-11-22T10:00:00Z".parse().unwrap()
    }

    fn lifetime_of(expires_in: &str) -> u64 {
        let body = format!(r#"{{"access_token":"t","token_type":"Bearer","expires_in":{expires_in},"scope":"x"}}"#);
        read(&answer(200, &body), now()).unwrap().lifetime.as_secs()
    }

    #[test]
    fn the_end_of_a_token_is_read_in_all_its_forms() {
        let then = now().as_second() + 300;
        for (expires_in, seconds) in [
            ("300".to_owned(), 300),
            ("\"300\"".to_owned(), 300),
            ("300.0".to_owned(), 300),
            (then.to_string(), 300),
            (format!("{then}000"), 300),
            (format!("\"{then}000\""), 300),
            ("0".to_owned(), 0),
            ("-5".to_owned(), 0),
            ((then - 1000).to_string(), 0),
            ("null".to_owned(), 60),
            ("\"soon\"".to_owned(), 60),
            ("{}".to_owned(), 60),
        ] {
            assert_eq!(lifetime_of(&expires_in), seconds, "{expires_in}");
        }
        assert_eq!(read(&answer(200, r#"{"access_token":"t"}"#), now()).unwrap().lifetime, UNSAID);
        assert!(lifetime_of("1e300") > 1_000_000_000);
    }

    #[test]
    fn a_token_is_replaced_early_and_never_kept_long() {
        let bound = Duration::from_secs(45 * 60);
        for (lifetime, used) in [(0, 10), (10, 10), (40, 20), (120, 60), (300, 240), (3600, 2700), (86_400, 2700)] {
            assert_eq!(use_for(Duration::from_secs(lifetime), bound).as_secs(), used, "{lifetime}");
        }
        assert_eq!(use_for(Duration::MAX, bound), bound);
    }

    #[test]
    fn an_error_says_its_code_if_it_is_one_and_nothing_more() {
        let said = |status, body: &str| read(&answer(status, body), now()).err().unwrap().to_string();
        let known = said(401, r#"{"error":"invalid_client","error_description":"hunter2"}"#);
        assert_eq!(known, "it refuses our client id or secret (HTTP 401, invalid_client)");
        for body in [r#"{"error":"hunter2"}"#, "hunter2", "<html>hunter2</html>", ""] {
            assert_eq!(said(403, body), "it refuses our client id or secret (HTTP 403)");
        }
        for body in [r#"{"access_token":"hunter2"#, r#"{"access_token":{"hunter2":1}}"#, r#"{"access_token":""}"#] {
            assert!(!said(200, body).contains("hunter2"));
        }
        assert!(read(&answer(200, "{\"access_token\":\"a\\r\\nb: c\"}"), now()).is_err(), "it would add a header");
    }
}

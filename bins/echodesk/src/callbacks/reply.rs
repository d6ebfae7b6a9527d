//! What the caller is answered: a status and a word that says nothing secret.

use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};

/// An answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Reply {
    /// The callback was applied, or there was nothing to apply.
    Done,
    /// No signature, or not the bank's.
    Unauthorized,
    /// Signed by the bank, and not a callback that can be read.
    Unreadable,
    /// About an order that we do not have.
    UnknownOrder,
    /// No such page.
    NotFound,
    /// Not by this method.
    MethodNotAllowed,
    /// The body took too long.
    TooSlow,
    /// The body is too long.
    TooLarge,
    /// The database is away, or too many are waiting for it.
    TryAgain,
    /// A bug, or tables that are not as they should be.
    Failed,
}

/// Seconds after which a caller who is told to come again may do so.
const RETRY_AFTER: &str = "30";

impl Reply {
    fn parts(self) -> (StatusCode, &'static str) {
        match self {
            Self::Done => (StatusCode::OK, r#"{"status":"ok"}"#),
            Self::Unauthorized => (StatusCode::UNAUTHORIZED, r#"{"error":"the signature is missing or wrong"}"#),
            Self::Unreadable => (StatusCode::BAD_REQUEST, r#"{"error":"not a callback that can be read"}"#),
            Self::UnknownOrder => (StatusCode::NOT_FOUND, r#"{"error":"unknown order"}"#),
            Self::NotFound => (StatusCode::NOT_FOUND, r#"{"error":"not found"}"#),
            Self::MethodNotAllowed => (StatusCode::METHOD_NOT_ALLOWED, r#"{"error":"method not allowed"}"#),
            Self::TooSlow => (StatusCode::REQUEST_TIMEOUT, r#"{"error":"the body took too long"}"#),
            Self::TooLarge => (StatusCode::PAYLOAD_TOO_LARGE, r#"{"error":"the body is too long"}"#),
            Self::TryAgain => (StatusCode::SERVICE_UNAVAILABLE, r#"{"error":"try again later"}"#),
            Self::Failed => (StatusCode::INTERNAL_SERVER_ERROR, r#"{"error":"internal error"}"#),
        }
    }
}

impl IntoResponse for Reply {
    fn into_response(self) -> Response {
        let (status, body) = self.parts();
        let mut response = (status, [(header::CONTENT_TYPE, "application/json")], body).into_response();
        if self == Self::TryAgain {
            response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from_static(RETRY_AFTER));
        }
        response
    }
}

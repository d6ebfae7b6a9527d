//! Answers, and what faults make of them on the wire.

use std::convert::Infallible;
use std::io::{self, Write as _};
use std::time::Duration;

use axum::body::{Body, Bytes};
use axum::http::header::{CONTENT_ENCODING, CONTENT_TYPE, RETRY_AFTER};
use axum::response::Response;
use flate2::Compression;
use flate2::write::GzEncoder;
use futures_util::stream;

use super::fault::{Alteration, Wrong};

const JSON: &str = "application/json";

/// A status and a body.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) body: Bytes,
    content_type: &'static str,
    retry_after: Option<u64>,
}

/// What goes onto the wire.
#[derive(Debug)]
pub(crate) enum Sent {
    Response(Response),
    /// Nothing, while the client waits.
    Nothing,
    /// The end of the connection.
    Close,
}

impl Answer {
    pub(crate) fn json(status: u16, body: impl Into<Bytes>) -> Self {
        // The bank says hal+json where all went well.
        let content_type = if status < 300 { "application/hal+json" } else { JSON };
        Self { status, body: body.into(), content_type, retry_after: None }
    }

    /// An error in the bank's words.
    pub(crate) fn error(status: u16, message: &str) -> Self {
        Self::json(status, serde_json::json!({ "message": message }).to_string())
    }

    pub(crate) fn empty(status: u16) -> Self {
        Self::json(status, "")
    }

    pub(crate) fn sent(self) -> Sent {
        let body = Body::from(self.body.clone());
        self.with_body(body, None)
    }

    fn with_body(self, body: Body, encoding: Option<&str>) -> Sent {
        let mut response = Response::builder().status(self.status).header(CONTENT_TYPE, self.content_type);
        if let Some(seconds) = self.retry_after {
            response = response.header(RETRY_AFTER, seconds);
        }
        if let Some(encoding) = encoding {
            response = response.header(CONTENT_ENCODING, encoding);
        }
        Sent::Response(response.body(body).expect("a fault has a status from 100 to 999"))
    }

    /// The answer as it arrives.
    pub(crate) async fn altered(mut self, alteration: Alteration) -> Sent {
        match alteration {
            Alteration::Late(by) => {
                tokio::time::sleep(by).await;
                self.sent()
            }
            Alteration::Dribbled(pause) => {
                let body = Body::from_stream(pieces(self.body.clone(), pause));
                self.with_body(body, None)
            }
            Alteration::CutShort => {
                let body = Body::from_stream(cut_short(self.body.clone()));
                self.with_body(body, None)
            }
            Alteration::Truncated => {
                self.body.truncate(self.body.len() / 2);
                self.sent()
            }
            Alteration::WithoutId => {
                if let Ok(serde_json::Value::Object(mut object)) = serde_json::from_slice(&self.body) {
                    object.remove("id");
                    object.remove("order_id");
                    self.body = serde_json::Value::Object(object).to_string().into();
                }
                self.sent()
            }
            Alteration::Gzip => {
                let body = Body::from(gzip(&self.body));
                self.with_body(body, Some("gzip"))
            }
            Alteration::WithStatus(status) => Self { status, ..self }.sent(),
        }
    }
}

impl Wrong {
    /// What it is as an answer; none where there is no answer.
    pub(crate) fn answer(&self) -> Option<Answer> {
        Some(match self {
            Self::Status(status) => Answer::error(*status, "sandbox: refused on demand"),
            Self::RetryAfter(status, seconds) => {
                Answer { retry_after: Some(*seconds), ..Answer::error(*status, "sandbox: too many requests") }
            }
            Self::Body(status, body) => Answer::json(*status, body.clone()),
            Self::Html(status) => Answer {
                content_type: "text/html; charset=utf-8",
                ..Answer::json(*status, format!("<html><head><title>{status}</title></head><body>Sorry.</body></html>"))
            },
            Self::Empty(status) => Answer::empty(*status),
            Self::Huge(bytes) => Answer::json(200, format!("{{\"message\":\"{}\"}}", "x".repeat(*bytes))),
            Self::Hang | Self::Close => return None,
        })
    }

    pub(crate) fn sent(&self) -> Sent {
        match (self, self.answer()) {
            (_, Some(answer)) => answer.sent(),
            (Self::Close, None) => Sent::Close,
            (_, None) => Sent::Nothing,
        }
    }
}

fn pieces(body: Bytes, pause: Duration) -> impl futures_util::Stream<Item = Result<Bytes, Infallible>> {
    let size = body.len().div_ceil(8).max(1);
    stream::unfold(body, move |mut rest| async move {
        if rest.is_empty() {
            return None;
        }
        tokio::time::sleep(pause).await;
        let piece = rest.split_to(size.min(rest.len()));
        Some((Ok(piece), rest))
    })
}

/// Half of the body, and then an error, at which the server closes the connection.
fn cut_short(body: Bytes) -> impl futures_util::Stream<Item = io::Result<Bytes>> {
    let half = body.slice(..body.len() / 2);
    stream::unfold(Some(half), |half| async move {
        if half.is_none() {
            // What went before is to be on the wire first.
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        Some((half.ok_or_else(|| io::ErrorKind::ConnectionReset.into()), None))
    })
}

fn gzip(body: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(body).and_then(|()| encoder.finish()).expect("memory can be written to")
}

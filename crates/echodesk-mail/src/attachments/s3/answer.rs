//! What a service's answer means.

use std::error::Error as _;
use std::io::Read as _;

use reqwest::StatusCode;
use reqwest::blocking::Response;

/// How much of an error's body is looked at.
const LOOKED_AT: u64 = 4096;

/// The outcome of one attempt.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Answer {
    /// The object is there.
    Kept,
    /// It will not be kept however often it is tried.
    Refused(String),
    /// It may work in a moment.
    TryAgain(String),
}

impl Answer {
    /// Reads an answer. Its words never hold the address, which carries the signature.
    pub(super) fn of(answer: reqwest::Result<Response>) -> Self {
        match answer {
            Ok(response) => Self::of_response(response),
            Err(error) => Self::TryAgain(problem(error)),
        }
    }

    fn of_response(response: Response) -> Self {
        let status = response.status();
        if status.is_success() {
            return Self::Kept;
        }
        let mut body = Vec::new();
        // Half a body says less, and that is all.
        let _ = response.take(LOOKED_AT).read_to_end(&mut body);
        let code = code(&String::from_utf8_lossy(&body)).map(|code| format!(" {code}")).unwrap_or_default();
        let problem = format!("it answered {}{code}", status.as_u16());
        let passes = status.is_server_error()
            || matches!(status, StatusCode::TOO_MANY_REQUESTS | StatusCode::REQUEST_TIMEOUT)
            || code == " RequestTimeout";
        if passes { Self::TryAgain(problem) } else { Self::Refused(problem) }
    }
}

/// S3's own name for an error. The rest of the body may hold the key id and what was signed.
fn code(body: &str) -> Option<&str> {
    let (code, _) = body.split_once("<Code>")?.1.split_once("</Code>")?;
    (code.len() <= 64 && code.bytes().all(|byte| byte.is_ascii_alphanumeric())).then_some(code)
}

fn problem(error: reqwest::Error) -> String {
    let error = error.without_url();
    if error.is_timeout() {
        return "it did not answer in time".to_owned();
    }
    let what = if error.is_connect() { "cannot connect" } else { "the connection was lost" };
    let mut cause = error.source();
    while let Some(deeper) = cause.and_then(|cause| cause.source()) {
        cause = Some(deeper);
    }
    cause.map_or_else(|| what.to_owned(), |cause| format!("{what} ({cause})"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_name_of_an_error_is_taken_from_its_body() {
        let body = "<Error><Code>SignatureDoesNotMatch</Code><AWSAccessKeyId>AKIA</AWSAccessKeyId></Error>";
        assert_eq!(code(body), Some("SignatureDoesNotMatch"));
        assert_eq!(code("<Code>a b</Code>"), None);
        assert_eq!(code("<html>"), None);
    }
}

//! Logging in and calling a web hook, to see whether both work: what keeps them from it is told by its kind.

use std::time::Duration;

use echodesk_billing::bank::{BankLimits, LogInError, WebHookError, call_web_hook};

use crate::client::{SECRET, bank, bank_by, json, limits, manual_clock, settings};
use crate::stub::{Step, Stub};

fn once() -> BankLimits {
    BankLimits { tries: 1, ..limits() }
}

async fn log_in(steps: impl IntoIterator<Item = Step>) -> Result<(), LogInError> {
    let stub = Stub::start();
    stub.then_token(steps);
    let result = bank_by(settings(&stub), once(), manual_clock()).log_in().await;
    assert_eq!(stub.token_requests().len(), 1);
    result
}

/// The address of a server that greets everybody with bytes that are no TLS.
fn no_tls() -> String {
    use std::io::Write as _;
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    std::thread::spawn(move || {
        for mut stream in listener.incoming().map_while(Result::ok) {
            let _ = stream.write_all(b"HTTP/1.1 400 Bad Request\r\n\r\n");
        }
    });
    format!("https://127.0.0.1:{port}/")
}

#[tokio::test]
async fn logging_in_fetches_a_token_and_calls_nothing_else() {
    let stub = Stub::start();
    bank(&stub).log_in().await.unwrap();
    assert_eq!((stub.token_requests().len(), stub.calls().len()), (1, 0));
}

#[tokio::test]
async fn why_there_is_no_token_is_told_by_its_kind() {
    let refused = json(401, &format!(r#"{{"error":"invalid_client","error_description":"{SECRET}"}}"#));
    assert_eq!(log_in([refused]).await, Err(LogInError::Refused { status: 401, code: Some("invalid_client") }));
    assert_eq!(log_in([json(503, "")]).await, Err(LogInError::Unavailable { status: 503 }));
    for strange in [json(404, "<html>"), json(200, "<html>"), json(200, "{}")] {
        let error = log_in([strange]).await.unwrap_err();
        assert!(matches!(error, LogInError::NotTheBank(_)), "{error:?}");
    }
    let slow = Step::Slow(Duration::from_secs(2), 200, Vec::new());
    assert_eq!(log_in([slow]).await, Err(LogInError::TimedOut(once().request_timeout)));
    let error = log_in([Step::HangUp]).await.unwrap_err();
    assert!(matches!(error, LogInError::Lost(_)), "{error:?}");
}

#[tokio::test]
async fn why_there_is_no_connection_is_told_by_its_kind() {
    let stub = Stub::start();
    let to = |url: &str| bank_by(settings(&stub).with_auth_url(url).unwrap(), once(), manual_clock());
    let error = to("http://127.0.0.1:1/token").log_in().await.unwrap_err();
    assert!(matches!(error, LogInError::Connect(_)), "{error:?}");
    let error = to("https://bank.invalid/token").log_in().await.unwrap_err();
    assert!(matches!(error, LogInError::Resolve(_)), "{error:?}");
    let error = to(&no_tls()).log_in().await.unwrap_err();
    assert!(matches!(error, LogInError::Tls(_)), "{error:?}");
}

#[tokio::test]
async fn a_web_hook_is_called_once_without_a_signature_and_its_status_is_told() {
    for status in [200, 301, 401, 404, 500] {
        let stub = Stub::start();
        stub.then([json(status, "")]);
        let url = format!("{}/api/payments/webhook/", stub.address).parse().unwrap();
        assert_eq!(call_web_hook(&url, &once(), manual_clock().as_ref()).await, Ok(status));
        let [request] = &stub.calls()[..] else { panic!("one request") };
        assert!(request.line.starts_with("POST /api/payments/webhook/"), "{}", request.line);
        assert_eq!((request.header("callback-signature"), request.body.as_str()), ("", ""));
    }
}

#[tokio::test]
async fn a_web_hook_that_does_not_answer_is_told_by_its_kind() {
    let call = async |url: &str| {
        let clock = manual_clock();
        call_web_hook(&url.parse().unwrap(), &once(), clock.as_ref()).await.unwrap_err()
    };
    assert!(matches!(call("http://127.0.0.1:1/").await, WebHookError::Connect(_)));
    assert!(matches!(call("https://bank.invalid/").await, WebHookError::Resolve(_)));
    assert!(matches!(call(&no_tls()).await, WebHookError::Tls(_)));
}

//! Requests that are as they should be, and how each outcome is answered.

use super::*;

#[test]
fn the_body_arrives_as_it_was_sent_with_its_signature_with_and_without_the_slash() {
    let double = Arc::new(Double::new(Reply::Done));
    let server = Running::start(double.clone(), Limits::default());
    let body = "{\"event\": \"order_payment\" }\n".as_bytes();
    for path in [WEBHOOK, "/api/payments/webhook"] {
        let answer = server.ask(&post(path, "Callback-Signature: c2ln\r\nContent-Type: text/odd\r\n", body));
        assert_eq!(status(&answer), 200, "{answer}");
        assert!(answer.ends_with(r#"{"status":"ok"}"#), "{answer}");
        assert!(answer.to_ascii_lowercase().contains("content-type: application/json"), "{answer}");
    }
    assert_eq!(status(&server.ask(&post(WEBHOOK, "", body))), 200);
    let signed = Some("c2ln".to_owned());
    assert_eq!(double.asked(), [(body.len(), signed.clone()), (body.len(), signed), (body.len(), None)]);
}

#[test]
fn a_body_without_an_announced_length_is_read_too() {
    let double = Arc::new(Double::new(Reply::Done));
    let server = Running::start(double.clone(), Limits::default());
    let chunked = "POST /api/payments/webhook/ HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n\
                   3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n";
    assert_eq!(status(&server.ask(chunked.as_bytes())), 200);
    assert_eq!(double.asked(), [(5, None)]);
}

#[test]
fn each_outcome_has_its_status() {
    let table = [
        (Reply::Done, 200),
        (Reply::Unreadable, 400),
        (Reply::Unauthorized, 401),
        (Reply::UnknownOrder, 404),
        (Reply::TryAgain, 503),
        (Reply::Failed, 500),
    ];
    for (reply, code) in table {
        let server = Running::start(Arc::new(Double::new(reply)), Limits::default());
        let answer = server.ask(&post(WEBHOOK, "", b"{}"));
        assert_eq!(status(&answer), code, "{answer}");
        assert_eq!(answer.to_ascii_lowercase().contains("retry-after: 30"), code == 503, "{answer}");
    }
}

#[test]
fn health_is_that_of_the_database() {
    for (well, code) in [(true, 200), (false, 503)] {
        let server = Running::start(Arc::new(Double { well, ..Double::new(Reply::Done) }), Limits::default());
        assert_eq!(status(&server.ask(b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n")), code);
    }
}

#[test]
fn other_pages_and_methods_are_refused() {
    let double = Arc::new(Double::new(Reply::Done));
    let server = Running::start(double.clone(), Limits::default());
    assert_eq!(status(&server.ask(&post("/", "", b"{}"))), 404);
    assert_eq!(status(&server.ask(b"GET /api/payments/webhook/ HTTP/1.1\r\nHost: x\r\n\r\n")), 405);
    assert_eq!(status(&server.ask(&post("/healthz", "", b"{}"))), 405);
    assert_eq!(status(&server.ask(b"nonsense\r\n\r\n")), 400);
    assert!(double.asked().is_empty());
}

#[test]
fn a_bug_costs_one_answer_and_not_the_server() {
    let server = Running::start(Arc::new(Double::new(Reply::Done)), Limits::default());
    assert_eq!(status(&server.ask(&post(WEBHOOK, "", b"panic"))), 500);
    assert_eq!(status(&server.ask(&post(WEBHOOK, "", b"{}"))), 200);
}

//! What is sent to charge a card, and what is concluded from each answer.

use echodesk_billing::model::Refusal;
use echodesk_billing::ports::{Bank as _, ChargeAnswer, ChargeRequest};
use std::io::Write as _;

use crate::client::{KEY, bank, bank_by, charge, json, limits, manual_clock, order, settings};
use crate::stub::{Step, Stub};

#[tokio::test]
async fn a_charge_is_sent_as_the_bank_documents_it() {
    let stub = Stub::start();
    assert_eq!(bank(&stub).charge(&charge()).await, ChargeAnswer::Accepted(order("bank-1")));
    let [call] = &stub.calls()[..] else { panic!("one call") };
    assert_eq!(call.line, "POST /payments/v1/ecommerce/orders/parent-1/subscribe");
    assert_eq!(call.header("authorization"), "Bearer token-1");
    assert_eq!(call.header("idempotency-key"), KEY);
    assert_eq!(call.header("content-type"), "application/json");
    assert_eq!(call.body, r#"{"external_order_id":"REC-0123456789AB"}"#);
}

#[tokio::test]
async fn callbacks_are_asked_for_where_there_is_an_address() {
    let stub = Stub::start();
    let settings = settings(&stub).with_callback_url("https://desk.example/api/payments/webhook/").unwrap();
    bank_by(settings, limits(), manual_clock()).charge(&charge()).await;
    let body: serde_json::Value = serde_json::from_str(&stub.calls()[0].body).unwrap();
    assert_eq!(body["callback_url"], "https://desk.example/api/payments/webhook/");
    assert_eq!(body["external_order_id"], "REC-0123456789AB");
}

#[tokio::test]
async fn a_parent_order_cannot_lead_to_another_address() {
    let stub = Stub::start();
    let bank = bank(&stub);
    bank.charge(&ChargeRequest { parent: order("../a?b#c"), ..charge() }).await;
    assert_eq!(stub.calls()[0].line, "POST /payments/v1/ecommerce/orders/..%2Fa%3Fb%23c/subscribe");
    for name in ["", ".", "..", "a b"] {
        let answer = bank.charge(&ChargeRequest { parent: order(name), ..charge() }).await;
        assert!(matches!(answer, ChargeAnswer::NotSent(_)), "{name}: {answer:?}");
    }
    assert_eq!(stub.calls().len(), 1);
}

#[tokio::test]
async fn every_success_with_a_name_is_accepted() {
    for status in [200, 201, 202] {
        let stub = Stub::start();
        stub.then([json(status, r#"{"id":"bank-2","_links":{"details":{"href":"x"}}}"#)]);
        assert_eq!(bank(&stub).charge(&charge()).await, ChargeAnswer::Accepted(order("bank-2")));
    }
    let stub = Stub::start();
    let hal = "application/hal+json;charset=UTF-8".to_owned();
    stub.then([Step::Header(200, "Content-Type", hal, br#"{"id":"bank-3"}"#.to_vec())]);
    assert_eq!(bank(&stub).charge(&charge()).await, ChargeAnswer::Accepted(order("bank-3")));
}

#[tokio::test]
async fn a_success_that_names_no_order_is_unknown_and_not_repeated() {
    for body in ["", "<html>ok</html>", "{}", r#"{"id":"ban"#, r#"{"id":null}"#] {
        let stub = Stub::start();
        stub.then([json(200, body)]);
        let answer = bank(&stub).charge(&charge()).await;
        assert!(matches!(answer, ChargeAnswer::Unknown(_)), "{body}: {answer:?}");
        assert_eq!(stub.calls().len(), 1);
    }
}

#[tokio::test]
async fn the_bank_refuses_in_json_and_is_not_asked_again() {
    for status in [400, 402, 403, 404, 422] {
        let stub = Stub::start();
        stub.then([json(status, r#"{"message":"No such card","payment_detail":{"code":"102"}}"#)]);
        let refusal = Refusal::Http { status, code: Some("102".to_owned()), message: "No such card".to_owned() };
        assert_eq!(bank(&stub).charge(&charge()).await, ChargeAnswer::Refused(refusal));
        assert_eq!(stub.calls().len(), 1);
    }
}

#[tokio::test]
async fn what_something_in_between_says_refuses_nothing() {
    for status in [400, 403, 404, 422] {
        let stub = Stub::start();
        stub.then([json(status, "<html>blocked</html>")]);
        let answer = bank(&stub).charge(&charge()).await;
        assert!(matches!(answer, ChargeAnswer::Unknown(_)), "{status}: {answer:?}");
    }
}

#[tokio::test]
async fn compressed_answers_are_read() {
    let stub = Stub::start();
    stub.then([Step::Header(200, "Content-Encoding", "gzip".to_owned(), gzip(br#"{"id":"bank-4"}"#))]);
    assert_eq!(bank(&stub).charge(&charge()).await, ChargeAnswer::Accepted(order("bank-4")));
    assert!(stub.calls()[0].header("accept-encoding").contains("gzip"));
}

#[tokio::test]
async fn no_answer_is_read_beyond_its_bound() {
    let padded = |length: usize| format!(r#"{{"id":"bank-5","padding":"{}"}}"#, "x".repeat(length)).into_bytes();
    let stub = Stub::start();
    let bank = bank(&stub);
    stub.then([Step::Answer(200, padded(200 * 1024))]);
    assert_eq!(bank.charge(&charge()).await, ChargeAnswer::Accepted(order("bank-5")));
    let small_when_sent = gzip(&padded(8 << 20));
    assert!(small_when_sent.len() < 100 * 1024);
    for long in [
        Step::Answer(200, padded(256 * 1024)),
        Step::Answer(400, padded(1 << 20)),
        Step::Header(200, "Content-Encoding", "gzip".to_owned(), small_when_sent),
    ] {
        stub.then([long]);
        let answer = bank.charge(&charge()).await;
        assert!(matches!(answer, ChargeAnswer::Unknown(_)), "{answer:?}");
    }
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

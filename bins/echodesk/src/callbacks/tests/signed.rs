//! Callbacks that the bank has signed, or somebody else, down to the ledger.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use echodesk_billing::callback::CallbackKeys;
use echodesk_billing::model::{Attempt, AttemptState};
use jiff::tz::TimeZone;
use openssl::hash::MessageDigest;
use openssl::pkey::{PKey, Private};
use openssl::rsa::Rsa;
use openssl::sign::Signer;

use super::super::backend::Ledger;
use super::*;
use crate::testing::Bench;

/// A key that is thrown away.
struct Bank(PKey<Private>);

impl Bank {
    fn new() -> Self {
        Self(PKey::from_rsa(Rsa::generate(2048).unwrap()).unwrap())
    }

    fn serve(&self, bench: &Bench) -> Running {
        let pem = String::from_utf8(self.0.public_key_to_pem().unwrap()).unwrap();
        let keys = CallbackKeys::from_pem(&pem).unwrap();
        let (store, clock) = (bench.store.clone(), Arc::clone(&bench.world.clock));
        Running::start(Arc::new(Ledger { store, keys, clock, time_zone: TimeZone::UTC }), Limits::default())
    }

    fn signed(&self, body: &str) -> Vec<u8> {
        let mut signer = Signer::new(MessageDigest::sha256(), &self.0).unwrap();
        let signature = STANDARD.encode(signer.sign_oneshot_to_vec(body.as_bytes()).unwrap());
        post(WEBHOOK, &format!("Callback-Signature: {signature}\r\n"), body.as_bytes())
    }
}

fn body(order: &str, bank_order: &str, status: &str) -> String {
    format!(
        r#"{{"event":"order_payment","zoned_request_time":"2026-11-22T10:00:00.000000Z","body":{{"order_id":"{bank_order}","external_order_id":"{order}","order_status":{{"key":"{status}","value":"x"}},"purchase_units":{{"request_amount":"50.0","transfer_amount":"50.0","currency_code":"GEL"}},"payment_detail":{{"code":null,"parent_order_id":"card-1"}}}}}}"#
    )
}

fn completed(attempt: &Attempt) -> String {
    body(attempt.order.as_str(), "b-1", "completed")
}

#[test]
fn a_payment_that_the_bank_has_signed_is_applied_once_however_often_it_comes() {
    let (bank, bench) = (Bank::new(), Bench::subscribed());
    let server = bank.serve(&bench);
    let attempt = bench.accepted("b-1");
    let expires = || bench.run("orders list --all --json").unwrap().text;
    for round in 0..3 {
        let answer = server.ask(&bank.signed(&completed(&attempt)));
        assert_eq!(status(&answer), 200, "round {round}: {answer}");
        assert_eq!(bench.state(&attempt), AttemptState::Paid);
    }
    let once = expires();
    // Out of order: a rejection after the payment.
    let rejected = body(attempt.order.as_str(), "b-1", "rejected");
    assert_eq!(status(&server.ask(&bank.signed(&rejected))), 200);
    assert_eq!(expires(), once);
}

#[test]
fn what_the_bank_has_not_signed_changes_nothing() {
    let (bank, bench) = (Bank::new(), Bench::subscribed());
    let server = bank.serve(&bench);
    let attempt = bench.accepted("b-1");
    let genuine = completed(&attempt);
    let unsigned = post(WEBHOOK, "", genuine.as_bytes());
    let forged = Bank::new().signed(&genuine);
    let mut tampered = bank.signed(&genuine);
    let at = tampered.len() - 3;
    tampered[at] = b' ';
    let odd = post(WEBHOOK, "Callback-Signature: \u{e9}\r\n", genuine.as_bytes());
    for request in [unsigned, forged, tampered, odd] {
        assert_eq!(status(&server.ask(&request)), 401);
    }
    assert_eq!(bench.state(&attempt), AttemptState::Accepted);
}

#[test]
fn what_is_signed_and_cannot_be_used_is_told_apart() {
    let (bank, bench) = (Bank::new(), Bench::subscribed());
    let server = bank.serve(&bench);
    assert_eq!(status(&server.ask(&bank.signed("not JSON"))), 400);
    let answer = server.ask(&bank.signed(&body("REC-NOBODY", "b-9", "completed")));
    assert_eq!(status(&answer), 404);
    assert!(!answer.contains("REC-NOBODY"), "{answer}");
    assert_eq!(status(&server.ask(b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n")), 200);
}

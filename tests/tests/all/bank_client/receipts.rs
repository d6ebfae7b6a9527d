//! Receipts: every fault, and what is concluded from it.

use std::time::Duration;

use echodesk_billing::model::{BankOrderId, Receipt, ReceiptStatus};
use echodesk_billing::ports::{Bank as _, ChargeAnswer, ReceiptError};
use echodesk_tests::sandbox::bank::{Alteration, Behaviour, Card, Endpoint, Fault, Outcome, SandboxBank, Wrong};
use rust_decimal::Decimal;

use super::{TIME_OUT, client, request, runtime};
use crate::renewal::{self, PARENT};

/// What is concluded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Read {
    Receipt,
    UnknownOrder,
    Unavailable,
}

use Read::{Receipt as Got, Unavailable, UnknownOrder};

fn read(answer: &Result<Receipt, ReceiptError>) -> Read {
    match answer {
        Ok(_) => Got,
        Err(ReceiptError::UnknownOrder { .. }) => UnknownOrder,
        Err(ReceiptError::Unavailable { .. }) => Unavailable,
    }
}

/// A bank with one charge, which is settled, and the charge's order.
fn charged(outcome: Outcome) -> (SandboxBank, BankOrderId) {
    let bank = renewal::bank(Behaviour::default(), Card::with(&[outcome]));
    let answer = runtime().block_on(client(&bank, 1).charge(&request()));
    let ChargeAnswer::Accepted(order) = answer else { panic!("{answer:?}") };
    (bank, order)
}

#[test]
fn every_fault_says_what_may_be_concluded_and_the_next_receipt_is_read() {
    let (bank, order) = charged(Outcome::Pays);
    let runtime = runtime();
    let client = client(&bank, 1);
    let wrong = |wrong: Wrong, read: Read| (Fault::Before(wrong), read);
    let altered = |alteration: Alteration, read: Read| (Fault::Altered(alteration), read);
    let html = [200, 400, 403, 404, 502].map(|status| wrong(Wrong::Html(status), Unavailable));
    let statuses =
        [402, 403, 408, 409, 410, 422, 425, 429, 500, 502, 503].map(|status| wrong(Wrong::Status(status), Unavailable));
    let others = [
        // The bank says 400 of an order that it does not know.
        wrong(Wrong::Status(400), UnknownOrder),
        wrong(Wrong::Status(404), UnknownOrder),
        wrong(Wrong::Status(401), Got),
        wrong(Wrong::RetryAfter(429, 1), Unavailable),
        wrong(Wrong::Empty(200), Unavailable),
        wrong(Wrong::Empty(404), Unavailable),
        wrong(Wrong::Body(200, "[1".to_owned()), Unavailable),
        wrong(Wrong::Body(200, "{}".to_owned()), Unavailable),
        wrong(Wrong::Body(200, r#"{"order_id":"x","order_status":{"key":"completed"}}"#.to_owned()), Unavailable),
        wrong(Wrong::Huge(3_000_000), Unavailable),
        wrong(Wrong::Hang, Unavailable),
        wrong(Wrong::Close, Unavailable),
        altered(Alteration::Late(TIME_OUT / 4), Got),
        altered(Alteration::Late(TIME_OUT * 2), Unavailable),
        altered(Alteration::Dribbled(Duration::from_millis(10)), Got),
        altered(Alteration::CutShort, Unavailable),
        altered(Alteration::Truncated, Unavailable),
        altered(Alteration::WithoutId, Unavailable),
        altered(Alteration::Gzip, Got),
        altered(Alteration::WithStatus(201), Got),
        altered(Alteration::WithStatus(500), Unavailable),
    ];
    for (fault, concluded) in html.into_iter().chain(statuses).chain(others) {
        bank.fail_next(Endpoint::Receipt, 1, &fault);
        let seen = [(); 2].map(|()| read(&runtime.block_on(client.receipt(&order))));
        assert_eq!(seen, [concluded, Got], "{fault:?}");
    }
    assert_eq!(bank.captures().len(), 1, "asking changes nothing");
}

#[test]
fn a_receipt_says_what_the_ledger_says() {
    for (outcome, status, transferred, code) in [
        (Outcome::Pays, ReceiptStatus::Completed, Some(Decimal::new(255, 1)), Some("100")),
        (Outcome::PaysOther("1".to_owned()), ReceiptStatus::Completed, Some(Decimal::ONE), Some("100")),
        (Outcome::rejected("107"), ReceiptStatus::Rejected, None, Some("107")),
        (Outcome::rejected_without_code("unknown"), ReceiptStatus::Rejected, None, None),
        (Outcome::Stuck, ReceiptStatus::Processing, None, None),
    ] {
        let (bank, order) = charged(outcome.clone());
        let receipt = runtime().block_on(client(&bank, 1).receipt(&order)).unwrap();
        assert_eq!((receipt.status, receipt.transferred, receipt.code.as_deref()), (status, transferred, code));
        assert_eq!(receipt.requested, Some(Decimal::new(255, 1)), "{outcome:?}");
        assert_eq!(receipt.currency.as_deref(), Some("GEL"));
        assert_eq!(receipt.parent, Some(BankOrderId(PARENT.to_owned())));
        assert_eq!(receipt.order, order);
        let captured = bank.captures().pop().map(|capture| capture.amount);
        assert_eq!(captured, transferred, "{outcome:?}");
    }
}

#[test]
fn an_order_that_was_never_made_is_unknown() {
    let (bank, _) = charged(Outcome::Pays);
    let missing = BankOrderId("33333333-3333-4333-8333-333333333333".to_owned());
    let error = runtime().block_on(client(&bank, 3).receipt(&missing)).unwrap_err();
    let message = "Invalid order_id".to_owned();
    assert_eq!(error, ReceiptError::UnknownOrder { order: missing, message });
    assert_eq!(bank.count(Endpoint::Receipt), 1, "another try would not change it");
}

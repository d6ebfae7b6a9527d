//! Receipts over the wire.

use echodesk_billing::model::ReceiptStatus;
use echodesk_billing::ports::{Bank as _, ReceiptError};

use crate::client::{bank, json, order};
use crate::stub::{Step, Stub};

const COMPLETED: &str = include_str!("../fixtures/receipt-completed.json");
const ORDER: &str = "0a51ce00-7c1d-4b02-9f6e-5d2f1f6f0001";

async fn receipt(steps: impl IntoIterator<Item = Step>) -> (Result<ReceiptStatus, ReceiptError>, Stub) {
    let stub = Stub::start();
    stub.then(steps);
    let receipt = bank(&stub).receipt(&order(ORDER)).await;
    (receipt.map(|receipt| receipt.status), stub)
}

#[tokio::test]
async fn a_receipt_is_asked_for_by_the_banks_name() {
    let (status, stub) = receipt([json(200, COMPLETED)]).await;
    assert_eq!(status, Ok(ReceiptStatus::Completed));
    let [call] = &stub.calls()[..] else { panic!("one call") };
    assert_eq!(call.line, format!("GET /payments/v1/receipt/{ORDER}"));
    assert_eq!((call.header("authorization"), call.header("idempotency-key")), ("Bearer token-1", ""));
}

#[tokio::test]
async fn an_order_that_the_bank_does_not_know_is_told_from_a_bank_that_cannot_say() {
    for status in [400, 404] {
        let (receipt, _) = receipt([json(status, r#"{"message":"Invalid order_id"}"#)]).await;
        let message = "Invalid order_id".to_owned();
        assert_eq!(receipt, Err(ReceiptError::UnknownOrder { order: order(ORDER), message }));
    }
    for (status, body) in [(404, "<html>"), (400, ""), (403, "{}"), (200, ""), (200, "{}"), (204, ""), (200, "<html>")]
    {
        let (receipt, stub) = receipt([json(status, body)]).await;
        assert!(matches!(receipt, Err(ReceiptError::Unavailable { .. })), "{status} {body}: {receipt:?}");
        assert_eq!(stub.calls().len(), 1);
    }
}

#[tokio::test]
async fn what_passes_is_tried_again() {
    let (status, stub) = receipt([json(503, ""), Step::HangUp, json(200, COMPLETED)]).await;
    assert_eq!((status, stub.calls().len()), (Ok(ReceiptStatus::Completed), 3));
    let (status, stub) = receipt([json(401, "{}"), json(200, COMPLETED)]).await;
    assert_eq!((status, stub.token_requests().len()), (Ok(ReceiptStatus::Completed), 2));
    for faults in [[429; 3], [500; 3], [401; 3]] {
        let (receipt, _) = receipt(faults.map(|status| json(status, "{}"))).await;
        assert!(matches!(receipt, Err(ReceiptError::Unavailable { .. })), "{receipt:?}");
    }
}

#[tokio::test]
async fn the_receipt_of_another_order_is_none() {
    let (receipt, _) = receipt([json(200, &COMPLETED.replace("6f0001", "6f0002"))]).await;
    assert!(matches!(receipt, Err(ReceiptError::Unavailable { .. })), "{receipt:?}");
}

#[tokio::test]
async fn an_amount_that_cannot_be_read_is_no_receipt() {
    let (receipt, _) =
        receipt([json(200, &COMPLETED.replace("\"transfer_amount\":\"25.5\"", "\"transfer_amount\":\"a lot\""))]).await;
    let error = receipt.unwrap_err().to_string();
    assert!(error.contains("purchase_units.transfer_amount"), "{error}");
}

#[tokio::test]
async fn a_name_that_is_no_name_is_not_asked_for() {
    let stub = Stub::start();
    for name in ["", ".."] {
        assert!(matches!(bank(&stub).receipt(&order(name)).await, Err(ReceiptError::Unavailable { .. })));
    }
    assert_eq!(stub.calls().len(), 0);
}

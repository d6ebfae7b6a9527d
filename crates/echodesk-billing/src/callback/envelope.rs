//! Reads the body of a callback.

use serde::Deserialize;
use serde_json::value::RawValue;

use crate::bank::ReceiptBodyError;
use crate::bank::receipt_body::{is_object, not_json, read_raw};
use crate::model::Receipt;

/// What the bank tells by a callback.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Callback {
    /// What happened, in the bank's word, which is `order_payment` for all that is known. Nothing follows
    /// from it: the receipt says what there is to know.
    pub event: Option<String>,
    /// The order as it is.
    pub receipt: Receipt,
}

#[derive(Deserialize)]
struct Envelope {
    #[serde(default)]
    event: Option<Box<RawValue>>,
    #[serde(default)]
    body: Option<Box<RawValue>>,
}

/// Reads a callback. Its signature must have been verified before.
///
/// # Errors
/// It is not JSON, or there is no receipt in it that can be read.
pub fn parse(raw: &[u8]) -> Result<Callback, ReceiptBodyError> {
    let raw: &RawValue = serde_json::from_slice(raw).map_err(|error| not_json(&error))?;
    if !is_object(raw) {
        return Err(ReceiptBodyError::NotJson { problem: "another kind of JSON".to_owned() });
    }
    let envelope: Envelope = serde_json::from_str(raw.get()).map_err(|error| not_json(&error))?;
    let body = envelope.body.ok_or(ReceiptBodyError::Missing { field: "body" })?;
    let event = envelope.event.and_then(|event| serde_json::from_str(event.get()).ok());
    Ok(Callback { event, receipt: read_raw(&body)? })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use rust_decimal::Decimal;

    use super::*;
    use crate::model::ReceiptStatus;

    const COMPLETED: &str = include_str!("../../tests/fixtures/callback-completed.json");
    const NUMBERS: &str = include_str!("../../tests/fixtures/callback-numbers.json");
    const REJECTED: &str = include_str!("../../tests/fixtures/callback-rejected.json");
    const NULL_CODE: &str = include_str!("../../tests/fixtures/callback-rejected-null-code.json");
    const RECEIPT: &str = include_str!("../../tests/fixtures/receipt-completed.json");

    fn receipt(raw: &str) -> Receipt {
        parse(raw.as_bytes()).unwrap().receipt
    }

    #[test]
    fn a_callback_carries_the_receipt() {
        let callback = parse(COMPLETED.as_bytes()).unwrap();
        assert_eq!(callback.event.as_deref(), Some("order_payment"));
        assert_eq!(callback.receipt, crate::bank::receipt_body::read(RECEIPT.as_bytes()).unwrap());
        assert_eq!(callback.receipt.transferred, Some(Decimal::new(255, 1)));
    }

    #[test]
    fn numbers_unknown_fields_and_missing_ones_make_no_difference() {
        assert_eq!(receipt(NUMBERS), receipt(COMPLETED));
    }

    #[test]
    fn a_rejection_may_have_a_code_or_none() {
        let with_code = receipt(REJECTED);
        assert_eq!(with_code.status, ReceiptStatus::Rejected);
        assert_eq!((with_code.code.as_deref(), with_code.transferred), (Some("107"), None));
        let without = receipt(NULL_CODE);
        assert_eq!((without.code, without.reject_reason.as_deref()), (None, Some("unknown")));
    }

    #[test]
    fn what_is_no_callback_is_an_error() {
        for not in
            ["", "x", "[]", "{}", "null", "[\"order_payment\",{}]", r#"{"body":null}"#, r#"{"body":[]}"#, RECEIPT]
        {
            assert!(parse(not.as_bytes()).is_err(), "{not}");
        }
        let twice = COMPLETED.replacen("\"body\":", "\"body\":{},\"body\":", 1);
        assert!(parse(twice.as_bytes()).is_err(), "which of the two would be the one that counts?");
    }

    #[test]
    fn ten_megabytes_are_read_like_ten_kilobytes() {
        let long = COMPLETED.replacen("REC-", &"A".repeat(10 << 20), 1);
        assert_eq!(receipt(&long).external.unwrap().len(), (10 << 20) + 12);
        assert!(parse("[".repeat(10 << 20).as_bytes()).is_err());
        let deep = format!(r#"{{"body":{{"a":{}"#, r#"{"a":"#.repeat(1 << 20));
        assert!(parse(deep.as_bytes()).is_err());
    }

    proptest! {
        #[test]
        fn nothing_makes_it_panic(bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
            let _ = parse(&bytes);
        }

        #[test]
        fn nor_does_a_callback_with_a_byte_changed(at in 0..COMPLETED.len(), byte in any::<u8>()) {
            let mut changed = COMPLETED.as_bytes().to_vec();
            changed[at] = byte;
            let _ = parse(&changed);
        }
    }
}

use proptest::prelude::*;
use serde_json::{Value, json};

use super::*;

const COMPLETED: &str = include_str!("../../../tests/fixtures/receipt-completed.json");
const CREATED: &str = include_str!("../../../tests/fixtures/receipt-created.json");

/// The completed receipt with the field at `pointer` put in place of what is there.
fn with(pointer: &str, value: Value) -> Result<Receipt, ReceiptBodyError> {
    let mut body: Value = serde_json::from_str(COMPLETED).unwrap();
    *body.pointer_mut(pointer).unwrap() = value;
    read(body.to_string().as_bytes())
}

/// The same with a number or another text that a JSON library would not write as it is.
fn with_raw(field: &str, raw: &str) -> Result<Receipt, ReceiptBodyError> {
    let (before, after) = COMPLETED.split_once(&format!("\"{field}\":\"25.5\"")).unwrap();
    read(format!("{before}\"{field}\":{raw}{after}").as_bytes())
}

fn decimal_of(text: &str) -> Option<Decimal> {
    Some(text.parse().unwrap())
}

#[test]
fn a_receipt_in_the_banks_wire_form_is_read() {
    let receipt = Receipt {
        order: BankOrderId("0a51ce00-7c1d-4b02-9f6e-5d2f1f6f0001".to_owned()),
        external: Some("REC-0123456789AB".to_owned()),
        status: ReceiptStatus::Completed,
        requested: decimal_of("25.50"),
        transferred: decimal_of("25.5"),
        currency: Some("GEL".to_owned()),
        parent: Some(BankOrderId("0a51ce00-7c1d-4b02-9f6e-5d2f1f6f00aa".to_owned())),
        code: Some("100".to_owned()),
        reject_reason: None,
    };
    assert_eq!(read(COMPLETED.as_bytes()).unwrap(), receipt);
    let created = read(CREATED.as_bytes()).unwrap();
    assert_eq!((created.status, created.transferred, created.code), (ReceiptStatus::Created, None, None));
}

#[test]
fn only_order_and_status_must_be_there() {
    let least = read(br#"{"order_id":"b","order_status":{"key":"tomorrow"}}"#).unwrap();
    let expected = Receipt {
        order: BankOrderId("b".to_owned()),
        external: None,
        status: ReceiptStatus::Other("tomorrow".to_owned()),
        requested: None,
        transferred: None,
        currency: None,
        parent: None,
        code: None,
        reject_reason: None,
    };
    assert_eq!(least, expected);
    let nulls = br#"{"order_id":"b","external_order_id":null,"order_status":{"key":"tomorrow","value":7},
        "purchase_units":null,"payment_detail":{"parent_order_id":"","code":" "},"reject_reason":"","new":[{}]}"#;
    assert_eq!(read(nulls).unwrap(), expected);
    for (field, without) in [
        ("order_id", r#"{"order_status":{"key":"created"}}"#),
        ("order_id", r#"{"order_id":" ","order_status":{"key":"created"}}"#),
        ("order_id", r#"{"order_id":null,"order_status":{"key":"created"}}"#),
        ("order_status.key", r#"{"order_id":"b"}"#),
        ("order_status.key", r#"{"order_id":"b","order_status":null}"#),
        ("order_status.key", r#"{"order_id":"b","order_status":{}}"#),
        ("order_status.key", r#"{"order_id":"b","order_status":{"key":""}}"#),
    ] {
        assert_eq!(read(without.as_bytes()), Err(ReceiptBodyError::Missing { field }), "{without}");
    }
}

#[test]
fn amounts_and_codes_are_text_or_numbers() {
    for raw in ["25.5", "25.50", "\"25.5\"", "\" 25.500 \"", "2.55e1", "255E-1", "0.255e+2", "\"2550e-2\""] {
        assert_eq!(with_raw("request_amount", raw).unwrap().requested, decimal_of("25.5"), "{raw}");
        assert_eq!(with_raw("transfer_amount", raw).unwrap().transferred, decimal_of("25.5"), "{raw}");
    }
    for (raw, exact) in [
        ("0.1", "0.1"),
        ("0.10000000000000000001", "0.10000000000000000001"),
        ("9007199254740993", "9007199254740993"),
        ("1e3", "1000"),
        ("0", "0"),
        ("-1.5", "-1.5"),
    ] {
        assert_eq!(with_raw("request_amount", raw).unwrap().requested, decimal_of(exact), "{raw}");
    }
    assert_eq!(with("/payment_detail/code", json!(107)).unwrap().code.as_deref(), Some("107"));
    assert_eq!(with("/external_order_id", json!(12)).unwrap().external.as_deref(), Some("12"));
}

#[test]
fn an_amount_that_cannot_be_read_is_an_error() {
    let field = "purchase_units.request_amount";
    for raw in [
        "\"25,5\"",
        "\"25.5 GEL\"",
        "\"1_000\"",
        "\"NaN\"",
        "\"25.5.5\"",
        "1e99",
        "1e-99",
        "\"1e2147483648\"",
        "\"-1e-2147483648\"",
        "99999999999999999999999999999999",
        "0.12345678901234567890123456789012345",
        "\"-\"",
        "\"e\"",
    ] {
        assert_eq!(with_raw("request_amount", raw), Err(ReceiptBodyError::NotAmount { field }), "{raw}");
    }
    for raw in ["true", "[25.5]", "{\"a\":1}"] {
        assert_eq!(with_raw("request_amount", raw), Err(ReceiptBodyError::NotScalar { field }), "{raw}");
    }
}

#[test]
fn what_is_of_another_kind_is_named() {
    for (pointer, field) in [
        ("/purchase_units", "purchase_units"),
        ("/payment_detail", "payment_detail"),
        ("/order_status", "order_status"),
    ] {
        for value in [json!([]), json!("x"), json!(1)] {
            assert_eq!(with(pointer, value), Err(ReceiptBodyError::NotObject { field }));
        }
    }
    let field = "payment_detail.parent_order_id";
    assert_eq!(with("/payment_detail/parent_order_id", json!({})), Err(ReceiptBodyError::NotScalar { field }));
    for not in ["", "{", "[]", "null", "1", "\"x\"", "<html>", "{\"order_id\":\"a\",\"order_id\":\"b\"}"] {
        assert!(matches!(read(not.as_bytes()), Err(ReceiptBodyError::NotJson { .. })), "{not}");
    }
}

#[test]
fn errors_repeat_nothing_that_was_read() {
    for body in [r#"{"order_id":"4000120000000001"#, r#""4000120000000001""#, r#"{"order_id":"b" 4000120000000001}"#] {
        assert!(!read(body.as_bytes()).unwrap_err().to_string().contains("4000"), "{body}");
    }
}

proptest! {
    #[test]
    fn nothing_makes_it_panic(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
        let _ = read(&bytes);
    }

    #[test]
    fn nor_does_a_receipt_that_was_cut_or_changed(at in 0..COMPLETED.len(), byte in any::<u8>()) {
        let _ = read(&COMPLETED.as_bytes()[..at]);
        let mut changed = COMPLETED.as_bytes().to_vec();
        changed[at] = byte;
        let _ = read(&changed);
    }

    #[test]
    fn an_amount_is_what_is_written(units in 0..10_000_000_000_i64, decimals in 0..6_u32) {
        let amount = Decimal::new(units, decimals);
        let raw = amount.to_string();
        prop_assert_eq!(with_raw("request_amount", &raw).unwrap().requested, Some(amount));
        prop_assert_eq!(with_raw("request_amount", &format!("\"{raw}\"")).unwrap().requested, Some(amount));
        let scientific = with_raw("request_amount", &format!("{units}e-{decimals}")).unwrap();
        prop_assert_eq!(scientific.requested, Some(amount));
    }

    #[test]
    fn no_amount_makes_it_panic(text in "[0-9eE.+-]{0,40}") {
        let _ = decimal(&text);
    }
}

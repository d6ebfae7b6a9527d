//! The callbacks of the sandbox bank.

use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use echodesk_tests::sandbox::bank::{Behaviour, Callbacks, Card, Says, Signature};
use openssl::hash::MessageDigest;
use openssl::pkey::PKey;
use openssl::sign::Verifier;

use super::client::{Desk, Ear, Heard};

fn verifies(pem: &str, signature: &str, body: &[u8]) -> bool {
    let key = PKey::public_key_from_pem(pem.as_bytes()).unwrap();
    let mut verifier = Verifier::new(MessageDigest::sha256(), &key).unwrap();
    verifier.verify_oneshot(&STANDARD.decode(signature).unwrap(), body).unwrap_or(false)
}

fn desk(ear: &Ear, callbacks: Callbacks, card: Card) -> Desk {
    let callbacks = Callbacks { url: Some(ear.url.clone()), ..callbacks };
    Desk::new(Behaviour { callbacks, ..Behaviour::default() }, card)
}

#[test]
fn go_to_the_orders_own_address_and_say_what_the_receipt_says() {
    let ear = Ear::open();
    let desk = Desk::new(Behaviour::default(), Card::pays());
    let body = format!("{{\"external_order_id\":\"a\",\"callback_url\":\"{}\"}}", ear.url);
    let path = format!("/ecommerce/orders/{}/subscribe", super::client::PARENT);
    let order = super::client::id(&desk.call("POST", &path, None, &body).unwrap().1);
    let Heard { signature, body } = ear.next();
    assert!(verifies(&desk.bank.public_key_pem(), &signature.unwrap(), &body));
    let text = String::from_utf8(body).unwrap();
    assert!(text.starts_with("{\"event\":\"order_payment\",\"request_time\":\"2"), "{text}");
    let (_, receipt) = desk.call("GET", &format!("/receipt/{order}"), None, "").unwrap();
    assert!(text.ends_with(&format!("Z\",\"body\":{receipt}}}")), "{text}");
    let (made, signature) = desk.bank.callback_for(&order);
    assert!(verifies(&desk.bank.public_key_pem(), &signature, &made));
    assert!(String::from_utf8(made).unwrap().ends_with(&format!("\"body\":{receipt}}}")));
}

#[test]
fn are_signed_as_was_asked_for() {
    for (signature, tampered, good, forged) in [
        (Signature::Good, false, true, false),
        (Signature::Good, true, false, false),
        (Signature::OtherKey, false, false, true),
        (Signature::Garbage, false, false, false),
    ] {
        let ear = Ear::open();
        let desk = desk(&ear, Callbacks { signature, tampered, ..Callbacks::default() }, Card::pays());
        desk.charged("a", None);
        let heard = ear.next();
        let sent = heard.signature.unwrap();
        assert_eq!(verifies(&desk.bank.public_key_pem(), &sent, &heard.body), good, "{signature:?} {tampered}");
        assert_eq!(verifies(&desk.bank.other_public_key_pem(), &sent, &heard.body), forged, "{signature:?}");
        assert_eq!(String::from_utf8(heard.body).unwrap().contains("\"925.5\""), tampered);
    }
    let ear = Ear::open();
    let desk = desk(&ear, Callbacks { signature: Signature::Missing, ..Callbacks::default() }, Card::pays());
    desk.charged("a", None);
    assert!(ear.next().signature.is_none());
}

#[test]
fn are_lost_doubled_and_reordered() {
    for (says, heard) in [
        (vec![], vec![]),
        (vec![Says::Truth, Says::Truth], vec!["completed", "completed"]),
        (vec![Says::Rejected, Says::Truth], vec!["rejected", "completed"]),
        (vec![Says::Truth, Says::Processing, Says::Created], vec!["completed", "processing", "created"]),
    ] {
        let ear = Ear::open();
        let desk = desk(&ear, Callbacks::saying(&says), Card::pays());
        let order = desk.charged("a", None);
        for status in &heard {
            let next = ear.next();
            assert_eq!(next.status(), *status, "{says:?}");
            assert!(verifies(&desk.bank.public_key_pem(), &next.signature.unwrap(), &next.body));
        }
        assert!(ear.is_quiet(), "{says:?}");
        assert_eq!(desk.bank.deliveries().len(), heard.len());
        assert!(desk.bank.deliveries().iter().all(|one| one.order_id == order && one.status == Some(200)));
        assert_eq!(desk.bank.captures().len(), 1, "whatever they say");
    }
}

#[test]
fn come_before_the_answer_or_late() {
    let ear = Ear::open();
    let before = Callbacks { before_answer: true, ..Callbacks::default() };
    let one = desk(&ear, before, Card::rejected("107"));
    one.charged("a", None);
    assert_eq!(one.bank.deliveries().len(), 1, "it was answered before subscribe was");
    assert_eq!(ear.next().status(), "rejected");

    let late = Callbacks { delay: Duration::from_millis(300), ..Callbacks::default() };
    let two = desk(&ear, late, Card::pays());
    two.charged("a", None);
    assert!(ear.is_quiet());
    assert_eq!(ear.next().status(), "completed");
}

#[test]
fn can_be_made_with_anything_in_them() {
    let desk = Desk::new(Behaviour::default(), Card::pays());
    let mut receipt = desk.bank.receipt(&desk.charged("a", None)).unwrap();
    receipt.purchase_units.currency_code = "USD".to_owned();
    receipt.purchase_units.transfer_amount = Some("1".to_owned());
    receipt.external_order_id = None;
    let (body, signature) = desk.bank.callback_with(&receipt);
    assert!(verifies(&desk.bank.public_key_pem(), &signature, &body));
    assert_eq!(desk.bank.sign(&body), signature, "the same every time");
    assert!(verifies(&desk.bank.other_public_key_pem(), &desk.bank.forge(&body), &body));
    assert!(String::from_utf8(body).unwrap().contains("\"currency_code\":\"USD\""));
}

//! Callbacks as they come, applied to a ledger: what is believed, and what it changes.

use std::sync::LazyLock;

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use echodesk_billing::callback::{Applied, CallbackError, CallbackKeys, Effect, LARGEST, apply};
use echodesk_billing::model::{AttemptState, BankOrderId, Refusal};
use echodesk_billing::ports::Settled;
use jiff::tz::TimeZone;
use openssl::hash::MessageDigest;
use openssl::pkey::{PKey, Private};
use openssl::rsa::{Padding, Rsa};
use openssl::sign::{RsaPssSaltlen, Signer};

use crate::client::NOW;
use crate::ledger::Ledger;

const COMPLETED: &str = include_str!("../fixtures/callback-completed.json");
const NUMBERS: &str = include_str!("../fixtures/callback-numbers.json");
const REJECTED: &str = include_str!("../fixtures/callback-rejected.json");
const NULL_CODE: &str = include_str!("../fixtures/callback-rejected-null-code.json");
const REFUNDED: &str = include_str!("../fixtures/callback-refunded.json");
const BANK_ORDER: &str = "0a51ce00-7c1d-4b02-9f6e-5d2f1f6f0001";

static BANK: LazyLock<PKey<Private>> = LazyLock::new(key);
static SOMEBODY: LazyLock<PKey<Private>> = LazyLock::new(key);

fn key() -> PKey<Private> {
    PKey::from_rsa(Rsa::generate(2048).unwrap()).unwrap()
}

fn sign(key: &PKey<Private>, digest: MessageDigest, raw: &[u8]) -> String {
    BASE64_STANDARD.encode(Signer::new(digest, key).unwrap().sign_oneshot_to_vec(raw).unwrap())
}

fn signed(raw: &str) -> String {
    sign(&BANK, MessageDigest::sha256(), raw.as_bytes())
}

fn given(ledger: &Ledger, raw: &str, signature: Option<&str>) -> Result<Applied, CallbackError> {
    let keys = CallbackKeys::from_pem(&String::from_utf8(BANK.public_key_to_pem().unwrap()).unwrap()).unwrap();
    apply(ledger, &keys, raw.as_bytes(), signature, NOW.parse().unwrap(), &TimeZone::UTC)
}

fn receive(ledger: &Ledger, raw: &str) -> Effect {
    given(ledger, raw, Some(&signed(raw))).unwrap().effect
}

fn accepted() -> Ledger {
    Ledger::with(AttemptState::Accepted, Some(BANK_ORDER))
}

fn paid() -> Effect {
    Effect::Settled(Settled::Paid { until: None, extended: true, reactivated: false })
}

#[test]
fn a_signed_callback_settles() {
    for raw in [COMPLETED, NUMBERS] {
        for ledger in
            [accepted(), Ledger::with(AttemptState::Prepared, None), Ledger::with(AttemptState::Unknown, None)]
        {
            let applied = given(&ledger, raw, Some(&signed(raw))).unwrap();
            assert_eq!(applied.effect, paid());
            assert_eq!(
                applied.to_string(),
                format!("order REC-0123456789AB (the bank's {BANK_ORDER}): paid, and the subscription extended")
            );
            assert_eq!((ledger.attempt().state, ledger.extended()), (AttemptState::Paid, 1));
            assert_eq!(ledger.attempt().bank_order, Some(BankOrderId(BANK_ORDER.to_owned())));
        }
    }
}

#[test]
fn a_rejection_settles_with_a_code_and_without() {
    for (raw, code) in [(REJECTED, Some("107")), (NULL_CODE, None)] {
        let ledger = accepted();
        assert!(matches!(receive(&ledger, raw), Effect::Settled(Settled::Failed(_))));
        let Some(Refusal::Rejected { code: said, .. }) = ledger.attempt().refusal else { panic!("no refusal") };
        assert_eq!(said.as_deref(), code);
        assert_eq!((ledger.attempt().state, ledger.extended()), (AttemptState::Failed, 0));
    }
}

#[test]
fn what_is_not_signed_by_the_bank_changes_nothing() {
    let good = signed(COMPLETED);
    let tampered = COMPLETED.replacen("25.5", "25.6", 1);
    let pss = {
        let mut signer = Signer::new(MessageDigest::sha256(), &BANK).unwrap();
        signer.set_rsa_padding(Padding::PKCS1_PSS).unwrap();
        signer.set_rsa_pss_saltlen(RsaPssSaltlen::DIGEST_LENGTH).unwrap();
        BASE64_STANDARD.encode(signer.sign_oneshot_to_vec(COMPLETED.as_bytes()).unwrap())
    };
    let body = COMPLETED.split_once("\"body\":").unwrap().1.strip_suffix('}').unwrap();
    for (raw, signature) in [
        (COMPLETED, None),
        (COMPLETED, Some("")),
        (COMPLETED, Some("undefined")),
        (COMPLETED, Some(&good[..good.len() - 8])),
        (COMPLETED, Some(&format!("{good}AAAA")[..])),
        (COMPLETED, Some(&sign(&SOMEBODY, MessageDigest::sha256(), COMPLETED.as_bytes())[..])),
        (COMPLETED, Some(&sign(&BANK, MessageDigest::sha1(), COMPLETED.as_bytes())[..])),
        (COMPLETED, Some(&pss[..])),
        (COMPLETED, Some(&signed(body)[..])),
        (&tampered, Some(&good[..])),
        (&COMPLETED[..COMPLETED.len() - 1], Some(&good[..])),
        (&format!("{COMPLETED}\n"), Some(&good[..])),
        (REJECTED, Some(&good[..])),
        // Not even looked at.
        ("not JSON", Some(&good[..])),
    ] {
        let ledger = accepted();
        let error = given(&ledger, raw, signature).unwrap_err();
        assert!(matches!(error, CallbackError::BadSignature), "{signature:?}: {error:?}");
        assert_eq!(ledger.attempt(), accepted().attempt());
    }
}

#[test]
fn every_changed_byte_is_noticed() {
    let signature = signed(COMPLETED);
    for at in 0..COMPLETED.len() {
        let mut raw = COMPLETED.as_bytes().to_vec();
        raw[at] ^= 1;
        let keys = CallbackKeys::from_pem(&String::from_utf8(BANK.public_key_to_pem().unwrap()).unwrap()).unwrap();
        assert!(!keys.verify(&raw, &signature), "byte {at}");
    }
}

#[test]
fn a_signature_may_have_passed_a_proxy() {
    let good = signed(COMPLETED);
    let encoded = good.replace('+', "%2B").replace('/', "%2F").replace('=', "%3d");
    let folded = format!(" {}\r\n {} ", &good[..70], &good[70..]);
    for signature in [encoded, folded, good.trim_end_matches('=').to_owned()] {
        assert_eq!(given(&accepted(), COMPLETED, Some(&signature)).unwrap().effect, paid(), "{signature}");
    }
}

#[test]
fn any_of_several_keys_may_have_signed() {
    let pem = [&SOMEBODY, &BANK].map(|key| String::from_utf8(key.public_key_to_pem().unwrap()).unwrap()).concat();
    let keys = CallbackKeys::from_pem(&pem).unwrap();
    assert!(keys.verify(COMPLETED.as_bytes(), &signed(COMPLETED)));
}

#[test]
fn repeated_and_reordered_callbacks_extend_once() {
    let orders: [(&[&str], AttemptState); 6] = [
        (&[COMPLETED, COMPLETED, COMPLETED], AttemptState::Paid),
        (&[COMPLETED, REJECTED], AttemptState::Paid),
        (&[REJECTED, COMPLETED], AttemptState::Paid),
        (&[REJECTED, COMPLETED, REJECTED, COMPLETED], AttemptState::Paid),
        (&[COMPLETED, REFUNDED], AttemptState::Paid),
        (&[REJECTED, REJECTED, NULL_CODE], AttemptState::Failed),
    ];
    for (callbacks, state) in orders {
        let ledger = accepted();
        for raw in callbacks {
            receive(&ledger, raw);
        }
        assert_eq!(ledger.attempt().state, state);
        assert_eq!(ledger.extended(), u32::from(state == AttemptState::Paid));
        assert_eq!(ledger.attempt().trouble, None);
    }
}

#[test]
fn a_callback_that_is_not_final_tells_the_banks_name() {
    let processing = COMPLETED.replace("\"key\":\"completed\"", "\"key\":\"processing\"");
    let ledger = Ledger::with(AttemptState::Unknown, None);
    assert_eq!(receive(&ledger, &processing), Effect::Recorded);
    assert_eq!(ledger.attempt().bank_order, Some(BankOrderId(BANK_ORDER.to_owned())));
    assert!(matches!(receive(&ledger, &processing), Effect::Nothing(_)));
    assert_eq!(receive(&ledger, COMPLETED), paid());
}

#[test]
fn wrong_money_and_second_captures_are_for_a_person() {
    for wrong in [
        COMPLETED.replace("\"transfer_amount\":\"25.5\"", "\"transfer_amount\":\"25.49\""),
        COMPLETED.replace("\"GEL\"", "\"USD\""),
        COMPLETED.replace(BANK_ORDER, "0a51ce00-7c1d-4b02-9f6e-5d2f1f6f0002"),
    ] {
        let ledger = accepted();
        assert!(matches!(receive(&ledger, &wrong), Effect::Trouble(_)));
        assert!(ledger.attempt().trouble.is_some());
        assert_eq!((ledger.attempt().state, ledger.extended()), (AttemptState::Accepted, 0));
    }
    let ledger = accepted();
    receive(&ledger, COMPLETED);
    receive(&ledger, &COMPLETED.replace(BANK_ORDER, "0a51ce00-7c1d-4b02-9f6e-5d2f1f6f0002"));
    let trouble = ledger.attempt().trouble.unwrap();
    assert!(trouble.contains("0a51ce00-7c1d-4b02-9f6e-5d2f1f6f0002"), "{trouble}");
}

#[test]
fn an_order_of_somebody_else_under_our_name_changes_nothing() {
    let strange = COMPLETED.replace(crate::ledger::PARENT, "0a51ce00-7c1d-4b02-9f6e-5d2f1f6f00ff");
    let ledger = Ledger::with(AttemptState::Unknown, None);
    assert!(matches!(receive(&ledger, &strange), Effect::Nothing(_)));
    assert_eq!(ledger.attempt(), Ledger::with(AttemptState::Unknown, None).attempt());
}

#[test]
fn an_order_that_is_not_ours_is_unknown() {
    let other = COMPLETED.replace(crate::ledger::ORDER, "RETRY-1\\n");
    let ledger = Ledger::with(AttemptState::Unknown, None);
    let error = given(&ledger, &other, Some(&signed(&other))).unwrap_err();
    let CallbackError::UnknownOrder { .. } = &error else { panic!("{error:?}") };
    assert!(error.to_string().ends_with(r#"named Some("RETRY-1\n")"#), "a log stays a log: {error}");
}

#[test]
fn what_the_bank_has_signed_and_cannot_be_read_is_malformed() {
    let amount = COMPLETED.replace("\"transfer_amount\":\"25.5\"", "\"transfer_amount\":\"25,5\"");
    let unnamed = COMPLETED.replace("\"order_id\":", "\"id\":");
    for raw in ["", "x", "[]", "{}", "{\"event\":\"order_payment\"}", &amount, &unnamed] {
        let error = given(&accepted(), raw, Some(&signed(raw))).unwrap_err();
        assert!(matches!(error, CallbackError::Malformed(_)), "{raw}: {error:?}");
    }
}

#[test]
fn ten_megabytes_are_refused_before_anything_else() {
    let long = COMPLETED.replacen("REC-", &"A".repeat(10 << 20), 1);
    let error = given(&accepted(), &long, Some(&signed(&long))).unwrap_err();
    assert!(matches!(error, CallbackError::TooLarge { bytes } if bytes > LARGEST), "{error:?}");
}

#[test]
fn a_database_that_is_away_is_said() {
    let mut ledger = accepted();
    ledger.is_away = true;
    let error = given(&ledger, COMPLETED, Some(&signed(COMPLETED))).unwrap_err();
    assert!(matches!(error, CallbackError::Store(_)), "{error:?}");
}

//! Servers and networks that fail: what is tried again, with which key, and what is concluded.

use std::net::TcpListener;
use std::time::Duration;

use echodesk_billing::bank::BankLimits;
use echodesk_billing::ports::{Bank as _, BankDown, ChargeAnswer};
use echodesk_core::{Clock as _, SystemClock};

use crate::client::{KEY, bank, bank_by, charge, json, limits, manual_clock, order, settings};
use crate::stub::{Step, Stub};

const PASSING: [u16; 12] = [300, 302, 307, 408, 409, 425, 429, 500, 501, 502, 503, 504];

fn accepted() -> ChargeAnswer {
    ChargeAnswer::Accepted(order("bank-1"))
}

fn is_unknown(answer: &ChargeAnswer) -> bool {
    matches!(answer, ChargeAnswer::Unknown(_))
}

fn is_not_sent(answer: &ChargeAnswer) -> bool {
    matches!(answer, ChargeAnswer::NotSent(_))
}

/// Each call was the same request, key included.
fn same_calls(stub: &Stub, count: usize) {
    let calls = stub.calls();
    assert_eq!(calls.len(), count);
    for call in &calls {
        assert_eq!((&call.line, &call.body, call.header("idempotency-key")), (&calls[0].line, &calls[0].body, KEY));
    }
}

/// An address at which nobody listens.
fn nowhere() -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    format!("http://{}", listener.local_addr().unwrap())
}

#[tokio::test]
async fn what_passes_is_tried_again_with_the_same_key() {
    for status in PASSING {
        // A body of JSON makes no refusal of it.
        let fault = || json(status, r#"{"message":"busy"}"#);
        let stub = Stub::start();
        stub.then([fault(), fault()]);
        assert_eq!(bank(&stub).charge(&charge()).await, accepted(), "{status}");
        same_calls(&stub, 3);

        let stub = Stub::start();
        stub.then([fault(), fault(), fault(), fault()]);
        let answer = bank(&stub).charge(&charge()).await;
        assert_eq!(answer, ChargeAnswer::Unknown(format!("HTTP {status}, after 3 tries")));
        same_calls(&stub, 3);
    }
}

#[tokio::test]
async fn redirects_are_not_followed() {
    let stub = Stub::start();
    stub.then((0..3).map(|_| Step::Header(307, "Location", format!("{}/elsewhere", stub.address), Vec::new())));
    assert!(is_unknown(&bank(&stub).charge(&charge()).await));
    same_calls(&stub, 3);
}

#[tokio::test]
async fn a_lost_connection_is_tried_again_and_never_counts_as_not_sent() {
    let truncated = || Step::Raw(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{\"id\":\"bank-1\"}".to_vec());
    let noise = || Step::Raw(b"SSH-2.0-OpenSSH_9.9\r\n".to_vec());
    let faults: [&dyn Fn() -> Step; 4] = [&|| Step::HangUp, &|| Step::HangUpUnread, &truncated, &noise];
    for fault in faults {
        let stub = Stub::start();
        let bank = bank(&stub);
        bank.ready().await.unwrap();
        stub.then([fault()]);
        assert_eq!(bank.charge(&charge()).await, accepted(), "{:?}", fault());
        stub.then([fault(), fault(), fault()]);
        let answer = bank.charge(&charge()).await;
        assert!(is_unknown(&answer), "{:?}: {answer:?}", fault());
        assert!(stub.calls().iter().all(|call| call.header("idempotency-key") == KEY));
    }
}

#[tokio::test]
async fn without_a_connection_nothing_was_sent() {
    let stub = Stub::start();
    let settings = settings(&stub).with_api_base_url(&nowhere()).unwrap();
    let answer = bank_by(settings, limits(), manual_clock()).charge(&charge()).await;
    let ChargeAnswer::NotSent(why) = answer else { panic!("{answer:?}") };
    assert!(why.starts_with("cannot connect (") && why.ends_with("), after 3 tries"), "{why}");
}

#[tokio::test]
async fn one_try_that_may_have_arrived_makes_the_rest_unknown() {
    let stub = Stub::start();
    let bank = bank(&stub);
    bank.ready().await.unwrap();
    stub.then([Step::Last(503, Vec::new())]);
    let answer = bank.charge(&charge()).await;
    let ChargeAnswer::Unknown(why) = answer else { panic!("{answer:?}") };
    assert!(why.starts_with("cannot connect"), "{why}");
    assert_eq!(stub.calls().len(), 1);
}

#[tokio::test]
async fn a_refusal_after_an_uncertain_try_counts_only_with_a_code_of_the_payment() {
    for (body, is_refused) in [(r#"{"message":"no"}"#, false), (r#"{"message":"no","code":"105"}"#, true)] {
        let stub = Stub::start();
        stub.then([Step::HangUp, json(400, body)]);
        let answer = bank(&stub).charge(&charge()).await;
        assert_eq!(matches!(answer, ChargeAnswer::Refused(_)), is_refused, "{answer:?}");
        assert_eq!(matches!(answer, ChargeAnswer::Unknown(_)), !is_refused, "{answer:?}");
        same_calls(&stub, 2);
    }
}

#[tokio::test]
async fn no_answer_in_time_is_unknown_at_once() {
    let late = Duration::from_secs(3);
    let id = br#"{"id":"bank-1"}"#.to_vec();
    for slow in [Step::Slow(late, 200, id.clone()), Step::SlowBody(late, id)] {
        let stub = Stub::start();
        stub.then([slow]);
        assert_eq!(bank(&stub).charge(&charge()).await, ChargeAnswer::Unknown("no answer within 500ms".to_owned()));
        same_calls(&stub, 1);
    }
}

#[tokio::test]
async fn a_pause_that_is_asked_for_is_made_up_to_a_bound() {
    let clock = SystemClock::new();
    let in_an_hour = "Sun, 22 Nov 2026 11:00:00 GMT".to_owned();
    for (retry_after, longest, at_least) in [
        ("1".to_owned(), 5000, 1000),
        ("3600".to_owned(), 300, 300),
        (in_an_hour, 300, 300),
        ("soon".to_owned(), 300, 0),
    ] {
        let stub = Stub::start();
        stub.then([Step::Header(429, "Retry-After", retry_after.clone(), Vec::new())]);
        let limits = BankLimits { longest_pause: Duration::from_millis(longest), ..limits() };
        let bank = bank_by(settings(&stub), limits, manual_clock());
        let before = clock.elapsed();
        assert_eq!(bank.charge(&charge()).await, accepted());
        let waited = clock.elapsed() - before;
        assert!(waited >= Duration::from_millis(at_least), "{retry_after}: {waited:?}");
        assert!(waited < Duration::from_millis(longest + 1500), "{retry_after}: {waited:?}");
    }
}

#[tokio::test]
async fn a_refused_token_is_replaced_once_and_the_call_repeated() {
    let stub = Stub::start();
    stub.then([json(401, "{}")]);
    assert_eq!(bank(&stub).charge(&charge()).await, accepted());
    same_calls(&stub, 2);
    assert_eq!(
        stub.calls().iter().map(|call| call.header("authorization").to_owned()).collect::<Vec<_>>(),
        ["Bearer token-1", "Bearer token-2"]
    );
}

#[tokio::test]
async fn a_token_that_is_refused_twice_was_not_looked_at() {
    let stub = Stub::start();
    stub.then([json(401, "{}"), json(401, "{}")]);
    let answer = bank(&stub).charge(&charge()).await;
    assert_eq!(answer, ChargeAnswer::NotSent("the bank refuses our token (HTTP 401)".to_owned()));
    same_calls(&stub, 2);

    // Unless an earlier try may have been.
    let stub = Stub::start();
    stub.then([json(503, ""), json(401, "{}"), json(401, "{}")]);
    assert!(is_unknown(&bank(&stub).charge(&charge()).await));
}

#[tokio::test]
async fn without_a_token_nothing_is_sent() {
    let refused = || json(401, r#"{"error":"invalid_client","error_description":"hunter2"}"#);
    let stub = Stub::start();
    stub.then_token([refused(), refused()]);
    let bank = bank(&stub);
    let words = "the bank gives us no token: it refuses our client id or secret (HTTP 401, invalid_client)".to_owned();
    assert_eq!(bank.ready().await, Err(BankDown(words.clone())));
    assert_eq!(bank.charge(&charge()).await, ChargeAnswer::NotSent(words));
    assert_eq!(stub.calls().len(), 0);

    let settings = settings(&stub).with_auth_url(&nowhere()).unwrap();
    let bank = bank_by(settings, limits(), manual_clock());
    assert!(is_not_sent(&bank.charge(&charge()).await));
    assert_eq!(stub.calls().len(), 0);
}

#[tokio::test]
async fn a_token_lost_on_the_way_leaves_what_was_sent_unknown() {
    for (first, is_expected) in [(json(503, ""), is_unknown as fn(&_) -> _), (json(401, "{}"), is_not_sent)] {
        let stub = Stub::start();
        let bank = bank(&stub);
        bank.ready().await.unwrap();
        stub.then([first, json(401, "{}")]);
        stub.then_token([json(403, "")]);
        let answer = bank.charge(&charge()).await;
        assert!(is_expected(&answer), "{answer:?}");
    }
}

//! How tokens are fetched, kept and replaced.

use std::sync::Arc;
use std::time::Duration;

use echodesk_billing::bank::BogBank;
use echodesk_billing::ports::{Bank as _, ChargeAnswer};
use echodesk_core::Clock as _;
use tokio::task::JoinSet;

use crate::client::{bank, bank_by, charge, json, limits, manual_clock, settings};
use crate::stub::{Step, Stub};

/// Runs 50 of them at once; on the one thread of a test all have begun before any ends.
async fn fifty_times<F: Future<Output: Send> + Send + 'static>(
    each: impl Fn(Arc<BogBank>) -> F,
    bank: BogBank,
) -> Vec<F::Output> {
    let bank = Arc::new(bank);
    (0..50).map(|_| each(bank.clone())).collect::<JoinSet<_>>().join_all().await
}

async fn charged(bank: Arc<BogBank>) -> ChargeAnswer {
    bank.charge(&charge()).await
}

#[tokio::test]
async fn a_token_is_asked_for_as_the_bank_documents_it() {
    let stub = Stub::start();
    bank(&stub).ready().await.unwrap();
    let [request] = &stub.token_requests()[..] else { panic!("one request") };
    // base64 of shop-1:hunter2
    assert_eq!(request.header("authorization"), "Basic c2hvcC0xOmh1bnRlcjI=");
    assert_eq!(request.header("content-type"), "application/x-www-form-urlencoded");
    assert_eq!(request.body, "grant_type=client_credentials");
}

#[tokio::test]
async fn a_token_is_kept_until_a_minute_before_its_end_however_that_is_written() {
    let clock = manual_clock();
    let end = clock.now().as_second() + 300;
    for expires_in in ["300".to_owned(), "\"300\"".to_owned(), end.to_string(), format!("{end}000")] {
        let stub = Stub::start();
        let clock = manual_clock();
        let bank = bank_by(settings(&stub), limits(), clock.clone());
        stub.then_token([json(
            200,
            &format!(r#"{{"access_token":"t","expires_in":{expires_in},"not-before-policy":0}}"#),
        )]);
        for (pass, fetched) in [(0, 1), (239, 1), (2, 2)] {
            clock.advance(Duration::from_secs(pass));
            bank.ready().await.unwrap();
            assert_eq!(stub.token_requests().len(), fetched, "{expires_in}, {pass} s later");
        }
    }
}

#[tokio::test]
async fn no_token_is_kept_longer_than_45_minutes() {
    let (stub, clock) = (Stub::start(), manual_clock());
    let bank = bank_by(settings(&stub), limits(), clock.clone());
    stub.then_token([json(200, r#"{"access_token":"t","expires_in":86400}"#)]);
    for (pass, fetched) in [(0, 1), (2699, 1), (2, 2)] {
        clock.advance(Duration::from_secs(pass));
        bank.ready().await.unwrap();
        assert_eq!(stub.token_requests().len(), fetched, "{pass} s later");
    }
}

#[tokio::test]
async fn fifty_calls_at_once_fetch_one_token() {
    let stub = Stub::start();
    let granted = br#"{"access_token":"t","expires_in":300}"#.to_vec();
    stub.then_token([Step::Slow(Duration::from_millis(100), 200, granted)]);
    let answers = fifty_times(charged, bank(&stub)).await;
    assert!(answers.iter().all(|answer| matches!(answer, ChargeAnswer::Accepted(_))), "{answers:?}");
    assert_eq!((answers.len(), stub.calls().len(), stub.token_requests().len()), (50, 50, 1));
}

#[tokio::test]
async fn fifty_calls_at_once_share_one_failure() {
    let stub = Stub::start();
    stub.then_token([Step::Slow(Duration::from_millis(100), 403, Vec::new())]);
    let answers = fifty_times(|bank| async move { bank.ready().await }, bank(&stub)).await;
    assert!(answers.iter().all(Result::is_err), "{answers:?}");
    assert_eq!(stub.token_requests().len(), 1);
}

#[tokio::test]
async fn after_a_failure_the_next_call_asks_again() {
    let stub = Stub::start();
    stub.then_token([json(403, "")]);
    let bank = bank(&stub);
    bank.ready().await.unwrap_err();
    bank.ready().await.unwrap();
}

#[tokio::test]
async fn fifty_refusals_of_one_token_fetch_one_other() {
    let stub = Stub::start();
    let bank = bank(&stub);
    bank.ready().await.unwrap();
    stub.refuse_token("token-1");
    let answers = fifty_times(charged, bank).await;
    assert!(answers.iter().all(|answer| matches!(answer, ChargeAnswer::Accepted(_))), "{answers:?}");
    assert_eq!((stub.calls().len(), stub.token_requests().len()), (100, 2));
}

#[tokio::test]
async fn a_token_address_that_fails_in_passing_is_tried_again() {
    let stub = Stub::start();
    stub.then_token([json(503, ""), Step::HangUp]);
    bank(&stub).ready().await.unwrap();
    assert_eq!(stub.token_requests().len(), 3);

    let stub = Stub::start();
    stub.then_token([json(502, ""), json(502, ""), json(502, "")]);
    let down = bank(&stub).ready().await.unwrap_err();
    assert_eq!(down.to_string(), "the bank gives us no token: HTTP 502, after 3 tries");
}

#[tokio::test]
async fn what_is_no_token_is_none() {
    for body in ["", "<html></html>", "{}", r#"{"access_token":""}"#, r#"{"access_token":"a\r\nx: y"}"#, "[\"t\",300]"]
    {
        let stub = Stub::start();
        stub.then_token([json(200, body)]);
        assert!(bank(&stub).ready().await.is_err(), "{body}");
        assert_eq!(stub.token_requests().len(), 1);
    }
}

//! Idempotency-Keys: a repeat while the first call is in progress, at banks of either kind.

use std::sync::Arc;
use std::time::Duration;

use echodesk_billing::bank::BogBank;
use echodesk_billing::ports::{Bank as _, ChargeAnswer};
use echodesk_tests::sandbox::bank::{Behaviour, Endpoint, InProgress, SandboxBank};

use super::{Unknown, bank, client, conclusion, request, runtime};

const LATENCY: Duration = Duration::from_millis(150);

fn slow(in_progress: InProgress) -> SandboxBank {
    bank(Behaviour { latency: LATENCY, in_progress, ..Behaviour::default() })
}

/// A charge, and the same one again while it is in progress.
fn overlapping(client: &Arc<BogBank>) -> (ChargeAnswer, ChargeAnswer) {
    let request = request();
    runtime().block_on(async {
        client.ready().await.unwrap();
        let again = async {
            tokio::time::sleep(LATENCY / 5).await;
            client.charge(&request).await
        };
        tokio::join!(client.charge(&request), again)
    })
}

#[test]
fn a_bank_that_lets_the_repeat_wait_gives_both_the_same_order() {
    let bank = slow(InProgress::Waits);
    let (first, again) = overlapping(&client(&bank, 1));
    assert_eq!(first, again);
    let captures = bank.captures();
    assert_eq!((captures.len(), bank.count(Endpoint::Subscribe)), (1, 2));
    assert_eq!(first, ChargeAnswer::Accepted(echodesk_billing::model::BankOrderId(captures[0].order_id.clone())));
}

#[test]
fn a_bank_that_says_409_to_the_repeat_leaves_it_unknown_until_it_is_tried_again() {
    let bank = slow(InProgress::Conflict);
    let (first, again) = overlapping(&client(&bank, 1));
    assert_eq!(conclusion(&again), Unknown, "that another call is in progress says nothing about its end");
    assert_ne!(first, again);
    assert_eq!(bank.captures().len(), 1);

    let bank = slow(InProgress::Conflict);
    let (first, again) = overlapping(&client(&bank, 6));
    assert_eq!(first, again, "a client with more patience is told the same");
    assert_eq!(bank.captures().len(), 1);
    assert!(bank.requests().iter().any(|seen| seen.status == Some(409)), "{:#?}", bank.requests());
}

#[test]
fn another_key_is_another_charge() {
    let bank = bank(Behaviour::default());
    let (client, runtime) = (client(&bank, 1), runtime());
    for _ in 0..3 {
        assert!(matches!(runtime.block_on(client.charge(&request())), ChargeAnswer::Accepted(_)));
    }
    assert_eq!(bank.captures().len(), 3);
}

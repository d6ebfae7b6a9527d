//! The access token: fetched once for all, replaced in time, and again when it is refused.

use std::sync::Arc;
use std::time::Duration;

use echodesk_billing::ports::Bank as _;
use echodesk_core::{Clock as _, ManualClock, SystemClock};
use echodesk_tests::sandbox::bank::{Behaviour, Endpoint, ExpiresIn, Fault, SandboxBank, Wrong};
use tokio::task::JoinSet;

use super::{Accepted, Conclusion, NotSent, bank, client, client_by, conclusion, limits, request, runtime};

/// So many different charges at once, and what was concluded from them.
fn at_once(bank: &SandboxBank, client: &Arc<echodesk_billing::bank::BogBank>, calls: usize) -> Vec<Conclusion> {
    let concluded = runtime().block_on(async {
        let mut set = JoinSet::new();
        for _ in 0..calls {
            let client = Arc::clone(client);
            set.spawn(async move { conclusion(&client.charge(&request()).await) });
        }
        set.join_all().await
    });
    assert_eq!(bank.captures().len(), bank.count(Endpoint::Subscribe) - refused_tokens(bank));
    concluded
}

fn refused_tokens(bank: &SandboxBank) -> usize {
    bank.requests().iter().filter(|seen| seen.status == Some(401)).count()
}

#[test]
fn fifty_calls_at_once_share_one_token() {
    let bank = bank(Behaviour { latency: Duration::from_millis(50), ..Behaviour::default() });
    assert_eq!(at_once(&bank, &client(&bank, 1), 50), [Accepted; 50]);
    assert_eq!((bank.tokens_issued(), bank.captures().len()), (1, 50));
}

#[test]
fn a_token_is_replaced_before_it_ends_in_either_reading() {
    for expires_in in [ExpiresIn::Seconds, ExpiresIn::EpochMilliseconds] {
        let lifetime = Duration::from_secs(300);
        let bank = bank(Behaviour { token_lifetime: lifetime, expires_in, ..Behaviour::default() });
        let clock = Arc::new(ManualClock::at(SystemClock::new().now()));
        let (client, runtime) = (client_by(&bank, limits(1), clock.clone()), runtime());
        let issued_after = |advance: u64| {
            clock.advance(Duration::from_secs(advance));
            assert_eq!(conclusion(&runtime.block_on(client.charge(&request()))), Accepted);
            bank.tokens_issued()
        };
        // A minute before its end, give or take what passes while it is fetched.
        assert_eq!([0, 230, 15].map(issued_after), [1, 1, 2], "{expires_in:?}");
        assert_eq!(refused_tokens(&bank), 0, "{expires_in:?}");
    }
}

#[test]
fn a_token_that_has_ended_or_was_revoked_is_fetched_again_once() {
    let bank = bank(Behaviour { token_lifetime: Duration::from_millis(200), ..Behaviour::default() });
    let (client, runtime) = (client(&bank, 1), runtime());
    let charge = || conclusion(&runtime.block_on(client.charge(&request())));
    assert_eq!(charge(), Accepted);
    std::thread::sleep(Duration::from_millis(250));
    bank.change(|behaviour| behaviour.token_lifetime = Duration::from_secs(300));
    assert_eq!(charge(), Accepted);
    bank.revoke_tokens();
    assert_eq!(charge(), Accepted);
    assert_eq!((bank.tokens_issued(), refused_tokens(&bank), bank.captures().len()), (3, 2, 3));
}

#[test]
fn a_token_that_is_revoked_while_many_use_it_is_replaced_once() {
    let bank = bank(Behaviour { latency: Duration::from_millis(20), ..Behaviour::default() });
    let client = client(&bank, 1);
    runtime().block_on(client.ready()).unwrap();
    bank.revoke_tokens();
    assert_eq!(at_once(&bank, &client, 20), [Accepted; 20]);
    assert_eq!(bank.tokens_issued(), 2);
}

#[test]
fn without_a_token_nothing_is_sent() {
    for wrong in [
        Wrong::Status(400),
        Wrong::Status(401),
        Wrong::Status(403),
        Wrong::Status(500),
        Wrong::RetryAfter(429, 1),
        Wrong::Html(200),
        Wrong::Html(502),
        Wrong::Empty(200),
        Wrong::Body(200, "{}".to_owned()),
        Wrong::Huge(3_000_000),
        Wrong::Hang,
        Wrong::Close,
    ] {
        let bank = bank(Behaviour::default());
        let (client, runtime) = (client(&bank, 1), runtime());
        bank.fail_next(Endpoint::Token, 1, &Fault::Before(wrong.clone()));
        assert_eq!(conclusion(&runtime.block_on(client.charge(&request()))), NotSent, "{wrong:?}");
        assert_eq!(bank.count(Endpoint::Subscribe), 0, "{wrong:?}");
        assert_eq!(conclusion(&runtime.block_on(client.charge(&request()))), Accepted, "{wrong:?}: the next is well");
    }
}

#[test]
fn a_bank_that_refuses_every_token_has_not_looked_at_the_charge() {
    let bank = bank(Behaviour::default());
    let (client, runtime) = (client(&bank, 3), runtime());
    bank.fail_when(|call| (call.endpoint == Endpoint::Subscribe).then_some(Fault::Before(Wrong::Status(401))));
    assert_eq!(conclusion(&runtime.block_on(client.charge(&request()))), NotSent);
    assert_eq!((bank.count(Endpoint::Subscribe), bank.tokens_issued(), bank.captures().len()), (2, 2, 0));
}

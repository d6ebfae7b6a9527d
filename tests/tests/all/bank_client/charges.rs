//! Charges: every fault, what is concluded from it, and what the ledger says; then the repeat.

use std::time::Duration;

use echodesk_billing::ports::{Bank as _, ChargeAnswer};
use echodesk_tests::sandbox::bank::{Alteration, Behaviour, Card, Endpoint, Fault, Outcome, Wrong};

use super::{Accepted, Conclusion, NotSent, Refused, TIME_OUT, Unknown, bank, client, conclusion, request, runtime};
use crate::renewal;

/// Answers that are none, and what follows from each if it is the only one.
fn wrongs() -> Vec<(Wrong, Conclusion)> {
    let refused = [400, 402, 403, 404, 410, 422].map(|status| (Wrong::Status(status), Refused(status)));
    let passing = [301, 408, 409, 425, 429, 500, 502, 503, 504].map(|status| (Wrong::Status(status), Unknown));
    let others = [
        // A refused token is fetched again once, and the same call made again.
        (Wrong::Status(401), Accepted),
        (Wrong::RetryAfter(429, 1), Unknown),
        (Wrong::RetryAfter(503, 3600), Unknown),
        (Wrong::Html(200), Unknown),
        (Wrong::Html(400), Unknown),
        (Wrong::Html(403), Unknown),
        (Wrong::Html(404), Unknown),
        (Wrong::Html(502), Unknown),
        (Wrong::Empty(200), Unknown),
        (Wrong::Empty(204), Unknown),
        (Wrong::Empty(404), Unknown),
        (Wrong::Body(200, "[1".to_owned()), Unknown),
        (Wrong::Body(200, "{}".to_owned()), Unknown),
        (Wrong::Body(200, r#"{"id":null}"#.to_owned()), Unknown),
        (Wrong::Body(404, "null".to_owned()), Unknown),
        (Wrong::Huge(3_000_000), Unknown),
        (Wrong::Hang, Unknown),
        (Wrong::Close, Unknown),
    ];
    refused.into_iter().chain(passing).chain(others).collect()
}

/// One charge with this fault: what is concluded, how many were captured by then, what a repeat with the same
/// key is told, and how many were captured after it.
fn charged_twice(behaviour: Behaviour, fault: &Fault) -> (Conclusion, usize, Conclusion, usize) {
    let (bank, runtime) = (bank(behaviour), runtime());
    let (client, request) = (client(&bank, 1), request());
    runtime.block_on(async {
        client.ready().await.unwrap();
        bank.fail_next(Endpoint::Subscribe, 1, fault);
        let first = conclusion(&client.charge(&request).await);
        let captured = bank.captures().len();
        let again = conclusion(&client.charge(&request).await);
        (first, captured, again, bank.captures().len())
    })
}

#[test]
fn every_wrong_answer_says_what_may_be_concluded_and_the_repeat_charges_once() {
    for (wrong, concluded) in wrongs() {
        for (fault, by_then) in [(Fault::Before(wrong.clone()), 0), (Fault::After(wrong.clone()), 1)] {
            // The call that follows a refused token is the one that charges.
            let by_then = if concluded == Accepted { 1 } else { by_then };
            let seen = charged_twice(Behaviour::default(), &fault);
            assert_eq!(seen, (concluded, by_then, Accepted, 1), "{fault:?}");
        }
    }
}

#[test]
fn a_wrong_answer_that_the_bank_remembers_is_concluded_from_each_time() {
    let remembers = || Behaviour { remembers_faults: true, ..Behaviour::default() };
    for (wrong, concluded) in wrongs() {
        // No answer cannot be remembered; and a refused token is not what the bank has to say of a key.
        if matches!(wrong, Wrong::Hang | Wrong::Close) || concluded == Accepted {
            continue;
        }
        for (fault, captured) in [(Fault::Before(wrong.clone()), 0), (Fault::After(wrong.clone()), 1)] {
            let seen = charged_twice(remembers(), &fault);
            assert_eq!(seen, (concluded, captured, concluded, captured), "{fault:?}");
        }
    }
}

#[test]
fn true_answers_are_understood_as_far_as_they_arrive() {
    let pause = Duration::from_millis(10);
    for (alteration, concluded) in [
        (Alteration::Late(TIME_OUT / 4), Accepted),
        (Alteration::Late(TIME_OUT * 2), Unknown),
        (Alteration::Dribbled(pause), Accepted),
        (Alteration::Dribbled(TIME_OUT / 2), Unknown),
        (Alteration::CutShort, Unknown),
        (Alteration::Truncated, Unknown),
        (Alteration::WithoutId, Unknown),
        (Alteration::Gzip, Accepted),
        (Alteration::WithStatus(201), Accepted),
        (Alteration::WithStatus(202), Accepted),
        (Alteration::WithStatus(302), Unknown),
        (Alteration::WithStatus(500), Unknown),
    ] {
        let seen = charged_twice(Behaviour::default(), &Fault::Altered(alteration));
        assert_eq!(seen, (concluded, 1, Accepted, 1), "{alteration:?}");
    }
}

#[test]
fn a_repeat_within_one_call_has_the_same_key_and_finds_the_order() {
    for wrong in [Wrong::Status(500), Wrong::Status(429), Wrong::Html(502), Wrong::Close] {
        for fault in [Fault::Before(wrong.clone()), Fault::After(wrong.clone())] {
            let (bank, runtime) = (bank(Behaviour::default()), runtime());
            let (client, request) = (client(&bank, 3), request());
            bank.fail_next(Endpoint::Subscribe, 2, &fault);
            let answer = runtime.block_on(client.charge(&request));
            let ChargeAnswer::Accepted(order) = answer else { panic!("{fault:?}: {answer:?}") };
            let captures = bank.captures();
            assert_eq!(captures.len(), 1, "{fault:?}");
            assert_eq!(captures[0].order_id, order.as_str(), "{fault:?}");
            let calls: Vec<_> = bank.requests().into_iter().filter(|seen| seen.key.is_some()).collect();
            assert_eq!(calls.len(), 3, "{fault:?}");
            let key = request.key.to_string();
            let same = |seen: &_| is_of(seen, &key, request.order.as_str());
            assert!(calls.iter().all(same), "{calls:#?}");
        }
    }
}

fn is_of(seen: &echodesk_tests::sandbox::bank::SeenRequest, key: &str, order: &str) -> bool {
    seen.key.as_deref() == Some(key) && seen.external_id.as_deref() == Some(order)
}

#[test]
fn tries_that_all_fail_leave_it_unknown() {
    let (bank, runtime) = (bank(Behaviour::default()), runtime());
    let (client, request) = (client(&bank, 3), request());
    bank.fail_next(Endpoint::Subscribe, 3, &Fault::After(Wrong::Status(503)));
    assert_eq!(conclusion(&runtime.block_on(client.charge(&request))), Unknown);
    assert_eq!((bank.count(Endpoint::Subscribe), bank.captures().len()), (3, 1));
}

#[test]
fn what_becomes_of_the_order_is_not_what_the_call_is_answered() {
    for (outcome, concluded, captured) in [
        (Outcome::Pays, Accepted, 1),
        (Outcome::PaysOther("1".to_owned()), Accepted, 1),
        (Outcome::rejected("107"), Accepted, 0),
        (Outcome::rejected("102"), Accepted, 0),
        (Outcome::rejected_without_code("expiration"), Accepted, 0),
        (Outcome::Stuck, Accepted, 0),
        (Outcome::refused(404, "Saved card not found"), Refused(404), 0),
        (Outcome::refused(403, "Not enabled"), Refused(403), 0),
        (Outcome::refused(422, "No"), Refused(422), 0),
    ] {
        let (bank, runtime) =
            (renewal::bank(Behaviour::default(), Card::with(std::slice::from_ref(&outcome))), runtime());
        let (client, request) = (client(&bank, 1), request());
        for _ in 0..2 {
            assert_eq!(conclusion(&runtime.block_on(client.charge(&request))), concluded, "{outcome:?}");
            assert_eq!(bank.captures().len(), captured, "{outcome:?}");
        }
    }
}

#[test]
fn a_bank_that_nobody_listens_at_was_not_called() {
    let (bank, runtime) = (bank(Behaviour::default()), runtime());
    let (client, request) = (client(&bank, 2), request());
    runtime.block_on(client.ready()).unwrap();
    drop(bank);
    // The connection of the token call ends with the bank; the next one finds nobody.
    std::thread::sleep(Duration::from_millis(200));
    assert_eq!(conclusion(&runtime.block_on(client.charge(&request))), NotSent);
}

#[test]
fn a_bank_that_hangs_up_on_a_call_may_have_been_called() {
    let (bank, runtime) = (bank(Behaviour::default()), runtime());
    let (client, request) = (client(&bank, 2), request());
    runtime.block_on(client.ready()).unwrap();
    bank.set_away(true);
    assert_eq!(conclusion(&runtime.block_on(client.charge(&request))), Unknown);
    bank.set_away(false);
    assert_eq!(conclusion(&runtime.block_on(client.charge(&request))), Accepted);
    assert_eq!(bank.captures().len(), 1);
}

//! Which run works on which attempts.

use echodesk_billing::model::{Attempt, AttemptState};
use echodesk_billing::ports::{BillingStore, Claim, Claims, Settlement};
use echodesk_core::AttemptId;

use super::accounts::{at, candidate, claim, orders, prepare_by, read, settle, settlement, state, subscribe};
use crate::world::{World, now, on_both};

fn take(world: &World, claim: &Claim, which: Claims) -> Vec<AttemptId> {
    ids(&world.store.claim(claim, which, None, None, 100).unwrap())
}

fn ids(attempts: &[Attempt]) -> Vec<AttemptId> {
    attempts.iter().map(|attempt| attempt.id).collect()
}

/// A claim by another run, `minutes` after the others.
fn later(minutes: u32) -> Claim {
    let now = at(&format!("2026-11-22T10:{minutes:02}:00.123456Z"));
    Claim { now, until: at("2026-11-22T11:00:00Z"), ..claim() }
}

on_both! {
    fn a_claim_is_respected_until_it_runs_out_and_can_be_renewed(world) {
        subscribe(world, "acme");
        let first = claim();
        let attempt = prepare_by(&world.store, "acme", first);
        assert!(take(world, &claim(), Claims::Left).is_empty(), "who writes it down has claimed it");
        let renewed = Claim { until: at("2026-11-22T10:20:00Z"), ..first };
        assert_eq!(take(world, &renewed, Claims::Mine), [attempt.id]);
        assert!(take(world, &later(10), Claims::Left).is_empty(), "the first claim would have run out");
        let second = later(21);
        assert_eq!(take(world, &second, Claims::Left), [attempt.id]);
        assert!(take(world, &first, Claims::Mine).is_empty());
        world.store.release(first.run, None).unwrap();
        assert!(take(world, &later(22), Claims::Left).is_empty(), "others' claims are not given back");
        world.store.release(second.run, Some(&[attempt.id])).unwrap();
        assert_eq!(take(world, &later(22), Claims::Left), [attempt.id]);
    }
}

on_both! {
    fn what_is_left_is_open_or_in_trouble_and_comes_in_pages(world) {
        let attempts: Vec<_> = ["acme", "b", "c", "d"]
            .into_iter()
            .map(|name| {
                subscribe(world, name);
                let by = claim();
                let attempt = prepare_by(&world.store, name, by);
                world.store.release(by.run, None).unwrap();
                attempt
            })
            .collect();
        settle(&world.store, &attempts[1], None);
        settle(&world.store, &attempts[2], None);
        world.store.set_trouble(attempts[2].id, Some("twice"), now()).unwrap();
        let page = |after: Option<AttemptId>, limit| ids(&world.store.claim(&claim(), Claims::Left, None, after, limit).unwrap());
        assert_eq!(page(None, 2), [attempts[0].id, attempts[2].id]);
        assert_eq!(page(Some(attempts[2].id), 2), [attempts[3].id]);
        let tenant = candidate(&world.store, "d").tenant.id;
        let of_d = |claim: &Claim, which| ids(&world.store.claim(claim, which, Some(tenant), None, 9).unwrap());
        let by = later(30);
        assert_eq!(of_d(&by, Claims::Left), [attempts[3].id]);
        assert_eq!(take(world, &by, Claims::Left), [attempts[0].id, attempts[2].id]);
        assert_eq!(of_d(&by, Claims::Mine), [attempts[3].id]);
        assert_eq!(take(world, &by, Claims::Mine), [attempts[0].id, attempts[2].id, attempts[3].id]);
        world.store.release(by.run, Some(&[attempts[2].id])).unwrap();
        assert_eq!(take(world, &by, Claims::Mine), [attempts[0].id, attempts[3].id]);
        world.store.release(by.run, None).unwrap();
        assert!(take(world, &by, Claims::Mine).is_empty());
    }
}

on_both! {
    fn what_a_callback_has_settled_is_still_the_runs_and_what_the_run_settles_no_longer(world) {
        subscribe(world, "acme");
        let by = claim();
        let attempt = prepare_by(&world.store, "acme", by);
        settle(&world.store, &attempt, None);
        let mine = world.store.claim(&by, Claims::Mine, None, None, 9).unwrap();
        assert_eq!((mine[0].id, mine[0].state), (attempt.id, AttemptState::Paid));
        // What it finds out again gives the claim back all the same.
        world.store.settle(attempt.id, &Settlement { run: Some(by.run), ..settlement(None) }).unwrap();
        assert!(take(world, &by, Claims::Mine).is_empty());
    }
}

on_both! {
    fn only_the_run_that_wrote_it_down_can_say_that_it_was_never_sent(world) {
        subscribe(world, "acme");
        let by = claim();
        let attempt = prepare_by(&world.store, "acme", by);
        let not_sent = |by: &Claim| world.store.not_sent(attempt.id, by.run, "no\0 token", now()).unwrap();
        assert!(!not_sent(&claim()), "another run");
        // Somebody else takes over, gives back, and the first claims it again: it may have been sent.
        let other = later(10);
        assert_eq!(take(world, &other, Claims::Left), [attempt.id]);
        assert!(!not_sent(&by) && !not_sent(&other));
        world.store.release(other.run, None).unwrap();
        assert!(!not_sent(&by));
        assert_eq!(take(world, &Claim { now: at("2026-11-22T10:20:00Z"), ..by }, Claims::Left), [attempt.id]);
        assert!(!not_sent(&by), "an interrupted claim");
        assert_eq!((state(&world.store, &attempt), orders(world)), (AttemptState::Prepared, vec!["pending".to_owned()]));

        subscribe(world, "b");
        let by = claim();
        let attempt = prepare_by(&world.store, "b", by);
        assert_eq!(take(world, &by, Claims::Mine), [attempt.id]);
        assert!(world.store.not_sent(attempt.id, by.run, "no\0 token", now()).unwrap());
        let closed = read(&world.store, &attempt);
        assert_eq!((closed.state, closed.last_error.as_deref()), (AttemptState::NotSent, Some("no token")));
        assert_eq!(orders(world), ["pending", "cancelled"]);
        assert!(!world.store.not_sent(attempt.id, by.run, "again", now()).unwrap());
        assert_eq!(prepare_by(&world.store, "b", claim()).number, 2, "and it is charged anew");
    }
}

on_both! {
    fn once_the_bank_was_asked_nobody_can_say_that_it_was_not(world) {
        subscribe(world, "acme");
        let by = claim();
        let attempt = prepare_by(&world.store, "acme", by);
        world.store.unanswered(attempt.id, "timeout", now()).unwrap();
        assert!(!world.store.not_sent(attempt.id, by.run, "x", now()).unwrap());
        assert_eq!(state(&world.store, &attempt), AttemptState::Unknown);
    }
}

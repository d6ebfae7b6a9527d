//! Mailboxes: the same in every run, and without a violation.

use echodesk_simulate::plan::Plan;
use echodesk_simulate::simulation::{Outcome, simulate};

fn run(seed: u64, days: u32) -> Outcome {
    simulate(Plan { seed, tenants: 2, days, ..Plan::default() }, |_| ())
}

#[test]
fn what_happens_in_mailboxes_is_the_same_every_time() {
    let first = run(5, 6);
    assert!(first.counts.messages > 10, "{:?}", first.counts);
    for _ in 0..9 {
        assert_eq!(run(5, 6), first);
    }
}

#[test]
fn every_message_is_stored_once_whatever_goes_wrong() {
    for seed in 1..=2 {
        assert_eq!(run(seed, 40).violation, None, "seed {seed}");
    }
}

//! Mailboxes: the same in every run, without a violation where there is no bug, and with one where there is.

use echodesk_simulate::bugs::Bug;
use echodesk_simulate::fault::FaultPlan;
use echodesk_simulate::plan::{Backend, Plan};
use echodesk_simulate::simulation::{Outcome, simulate};
use echodesk_simulate::violation::Invariant::{self, AllResolved, DryRunsChangeNothing, ExactMail};

/// Bugs of mailboxes, the promise that each breaks, and how many seeds it may take to see that.
const BUGS: [(Bug, Invariant, u64); 16] = [
    (Bug::CursorBeforeStoring, ExactMail, 3),
    (Bug::MessageIdOnly, ExactMail, 2),
    (Bug::UidValidityIgnored, ExactMail, 2),
    (Bug::CutCountsAsRead, ExactMail, 2),
    (Bug::LeaseWithoutExpiry, AllResolved, 4),
    (Bug::NewByDate, ExactMail, 2),
    (Bug::PlaceIsIdentity, ExactMail, 2),
    (Bug::UndeliveredIsGone, ExactMail, 2),
    (Bug::OddMessageSkipped, ExactMail, 2),
    (Bug::PendingForgotten, ExactMail, 2),
    (Bug::RefusedFolderCountsAsRead, ExactMail, 2),
    (Bug::DeletionsIgnored, ExactMail, 2),
    (Bug::FlagsIgnored, ExactMail, 2),
    (Bug::LeaseUnchecked, ExactMail, 4),
    (Bug::SwitchedOffAtOnce, ExactMail, 2),
    (Bug::DryRunTakesLease, DryRunsChangeNothing, 2),
];

fn run(seed: u64, days: u32, bug: Option<Bug>) -> Outcome {
    let (faults, backend) = (FaultPlan::all(), Backend::Sqlite);
    simulate(Plan { seed, tenants: 2, only: None, days, hosts: 2, faults, bug, backend, traced: false }, |_| ())
}

#[test]
fn what_happens_in_mailboxes_is_the_same_every_time() {
    let first = run(5, 6, None);
    assert!(first.counts.messages > 10, "{:?}", first.counts);
    for _ in 0..9 {
        assert_eq!(run(5, 6, None), first);
    }
}

#[test]
fn every_message_is_stored_once_whatever_goes_wrong() {
    for seed in 1..=2 {
        assert_eq!(run(seed, 40, None).violation, None, "seed {seed}");
    }
}

#[test]
fn each_bug_of_mailboxes_is_found() {
    for (bug, promise, seeds) in BUGS {
        let found = (1..=seeds).find_map(|seed| run(seed, 30, Some(bug)).violation);
        assert_eq!(found.as_ref().map(|violation| violation.invariant), Some(promise), "{bug}: {found:?}");
    }
}

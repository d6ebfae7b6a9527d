//! Mailboxes: the same in every run, without a violation where there is no bug, and with one where there is.

use echodesk_simulate::bugs::Bug;
use echodesk_simulate::fault::FaultPlan;
use echodesk_simulate::plan::{Backend, Plan};
use echodesk_simulate::simulation::{Outcome, simulate};
use echodesk_simulate::violation::Invariant;

fn plan(seed: u64, days: u32, bug: Option<Bug>) -> Plan {
    let (faults, backend) = (FaultPlan::all(), Backend::Sqlite);
    Plan { seed, tenants: 2, only: None, days, hosts: 2, faults, bug, backend, traced: false }
}

fn run(seed: u64, days: u32, bug: Option<Bug>) -> Outcome {
    simulate(plan(seed, days, bug), |_| ())
}

/// The first of the seeds in which a bug is found, by which promise is broken.
fn found(bug: Bug, seeds: u64) -> Option<(u64, Invariant)> {
    (1..=seeds).find_map(|seed| run(seed, 40, Some(bug)).violation.map(|violation| (seed, violation.invariant)))
}

#[test]
fn what_happens_in_mailboxes_is_the_same_every_time() {
    let first = run(5, 10, None);
    assert!(first.counts.messages > 50, "{:?}", first.counts);
    for _ in 0..9 {
        assert_eq!(run(5, 10, None), first);
    }
}

#[test]
#[ignore = "slow"]
fn score() {
    for bug in [
        Bug::CursorBeforeStoring,
        Bug::MessageIdOnly,
        Bug::UidValidityIgnored,
        Bug::CutCountsAsRead,
        Bug::LeaseWithoutExpiry,
        Bug::NewByDate,
        Bug::PlaceIsIdentity,
        Bug::UndeliveredIsGone,
        Bug::OddMessageSkipped,
        Bug::PendingForgotten,
        Bug::RefusedFolderCountsAsRead,
        Bug::DeletionsIgnored,
        Bug::FlagsIgnored,
        Bug::LeaseUnchecked,
        Bug::SwitchedOffAtOnce,
        Bug::DryRunTakesLease,
    ] {
        let mut at = Vec::new();
        for seed in 1..=5 {
            let out = run(seed, 40, Some(bug));
            at.push(out.violation.map(|v| format!("day {} inv {}: {}", out.days, v.invariant.number(), v.what)));
        }
        eprintln!("{bug}: {}/5 {:?}", at.iter().flatten().count(), at);
    }
}

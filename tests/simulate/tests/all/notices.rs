//! Deliveries, and what is told to whom: repeatable, without a violation, and no known bug goes unseen.

use std::collections::BTreeSet;

use echodesk_simulate::bugs::Bug;
use echodesk_simulate::fault::{FaultKind, FaultPlan};
use echodesk_simulate::plan::{Backend, Plan};
use echodesk_simulate::simulation::{Outcome, simulate};
use echodesk_simulate::violation::Invariant;

fn plan(seed: u64, tenants: u32, days: u32) -> Plan {
    Plan {
        seed,
        tenants,
        days,
        hosts: 2,
        only: None,
        faults: FaultPlan::all(),
        bug: None,
        backend: Backend::Sqlite,
        traced: false,
    }
}

fn outcome(plan: Plan) -> Outcome {
    simulate(plan, |_| ())
}

#[test]
fn the_same_plan_is_the_same_to_the_last_line() {
    let first = outcome(plan(5, 10, 12));
    assert!(first.counts.mails > 5, "{:?}", first.counts);
    for _ in 0..9 {
        assert_eq!(outcome(plan(5, 10, 12)), first);
    }
}

#[test]
fn whatever_goes_wrong_notices_are_right() {
    let mut happened = BTreeSet::new();
    for seed in 1..=3 {
        let mut plan = plan(seed, 20, 45);
        // It is rare, and what is refused waits for a person.
        plan.faults.probabilities.insert(FaultKind::SmtpRefused, 0.1);
        let outcome = outcome(plan);
        assert_eq!(outcome.violation, None, "seed {seed}");
        happened.extend(outcome.faults.into_keys());
    }
    for kind in [FaultKind::SmtpLater, FaultKind::SmtpDown, FaultKind::SmtpRefused, FaultKind::SmtpLostAfterData] {
        assert!(happened.contains(&kind), "{kind}");
    }
}

/// Looks for a bug, with more of what it takes to show.
fn found(bug: Bug, helped_by: &[(FaultKind, u32)]) -> Option<Invariant> {
    (1..=4).find_map(|seed| {
        let mut plan = Plan { bug: Some(bug), ..plan(seed, 20, 45) };
        for (kind, per_mille) in helped_by {
            plan.faults.probabilities.insert(*kind, f64::from(*per_mille) / 1000.0);
        }
        outcome(plan).violation.map(|violation| violation.invariant)
    })
}

#[test]
fn bugs_of_what_is_told_are_found() {
    for (bug, promise) in [
        (Bug::ReminderOnExactDay, Invariant::NobodyForgotten),
        (Bug::DaysInUtc, Invariant::NobodyForgotten),
        (Bug::NoticeNotUnique, Invariant::ExactNotices),
        (Bug::DryRunWrites, Invariant::DryRunsChangeNothing),
    ] {
        assert_eq!(found(bug, &[]), Some(promise), "{bug}");
    }
}

#[test]
fn bugs_of_delivery_are_found() {
    for (bug, promise) in [
        (Bug::NoticeMarkedBeforeSent, Invariant::ExactNotices),
        (Bug::FreshMessageId, Invariant::ExactNotices),
        (Bug::NoticeNotLookedAtAgain, Invariant::ExactNotices),
        (Bug::NoticeDropped, Invariant::ExactNotices),
        (Bug::NoticeClaimWithoutExpiry, Invariant::AllResolved),
    ] {
        assert_eq!(found(bug, &[]), Some(promise), "{bug}");
    }
}

#[test]
fn bugs_of_suspensions_are_found() {
    let meanwhile = [(FaultKind::PaidAtLastMoment, 500)];
    for (bug, helped_by, promises) in [
        (Bug::GraceADayShort, &[][..], &[Invariant::ExactNotices, Invariant::FullGrace][..]),
        (Bug::SuspensionNoticeApart, &[], &[Invariant::FullGrace]),
        (Bug::SuspensionNotLifted, &[], &[Invariant::DataKept]),
        (Bug::SuspensionUnconditional, &meanwhile, &[Invariant::NoWrongSuspension, Invariant::FullGrace]),
    ] {
        let found = found(bug, helped_by);
        assert!(found.is_some_and(|promise| promises.contains(&promise)), "{bug}: {found:?}");
    }
}

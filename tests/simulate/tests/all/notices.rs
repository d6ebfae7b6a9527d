//! Deliveries, and what is told to whom: repeatable, and without a violation.

use std::collections::BTreeSet;

use echodesk_simulate::fault::FaultKind;
use echodesk_simulate::plan::Plan;
use echodesk_simulate::simulation::{Outcome, simulate};

fn plan(seed: u64, tenants: u32, days: u32) -> Plan {
    Plan { seed, tenants, days, mailboxes: 0, ..Plan::default() }
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

//! What was broken is shrunk to what it takes.

use clap::Parser as _;
use echodesk_simulate::bugs::Bug;
use echodesk_simulate::cli::{Asked, Cli, command};
use echodesk_simulate::plan::Plan;
use echodesk_simulate::shrink::shrink;
use echodesk_simulate::simulation::{Outcome, simulate};

/// The first seed with which the bug shows.
fn broken_by(bug: Bug) -> Outcome {
    let mut outcomes = (1..20).map(|seed| simulate(Plan { seed, ..bug.plan() }, |_| ()));
    outcomes.find(|outcome| outcome.violation.is_some()).unwrap()
}

fn repeated(plan: &Plan) -> Outcome {
    match Cli::parse_from(command(plan).split(' ')).asked() {
        Asked::Simulate { mut plans, .. } => simulate(plans.remove(0), |_| ()),
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_bug_that_takes_a_fault_is_shrunk_to_one_tenant_and_few_faults_and_the_command_repeats_it() {
    let large = broken_by(Bug::NewKeyOnRetry);
    let (mut told, whole) = (0, large.violation.clone().unwrap());
    let shrunk = shrink(&large, 400, |step| told = step.runs).unwrap();
    let (small, plan) = (&shrunk.outcome, &shrunk.outcome.plan);
    let violation = small.violation.clone().unwrap();
    assert_eq!(violation.invariant, whole.invariant);
    assert_eq!((plan.numbers().len(), plan.hosts, told + 1), (1, 1, shrunk.runs), "{plan:?}");
    assert!((1..=3).contains(&small.described.len()), "{:?}", small.described);
    assert!(small.trace.last().is_some() && small.trace.len() < 3_000);
    let again = repeated(plan);
    assert_eq!((again.violation, again.fingerprint), (Some(violation), small.fingerprint.clone()));
}

#[test]
fn a_bug_that_takes_no_fault_is_shrunk_to_none_and_to_the_day_it_shows() {
    let shrunk = shrink(&broken_by(Bug::ExtensionFromNow), 400, |_| ()).unwrap().outcome;
    assert_eq!((shrunk.plan.numbers().len(), shrunk.plan.hosts), (1, 1));
    assert!(shrunk.plan.faults.probabilities.is_empty(), "{:?}", shrunk.plan.faults);
    assert_eq!(shrunk.plan.days, shrunk.days + 1, "it ends with the violation");
    assert_eq!(repeated(&shrunk.plan).violation, shrunk.violation);
}

#[test]
fn shrinking_stops_when_it_has_used_up_its_simulations() {
    let shrunk = shrink(&broken_by(Bug::NewKeyOnRetry), 2, |_| ()).unwrap();
    assert_eq!(shrunk.runs, 3, "and one to trace it");
}

#[test]
fn nothing_broken_is_nothing_to_shrink() {
    assert!(shrink(&simulate(Plan { days: 1, tenants: 1, ..Plan::default() }, |_| ()), 9, |_| ()).is_none());
}

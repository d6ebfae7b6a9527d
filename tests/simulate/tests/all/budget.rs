//! What every change has to pass: a fixed budget of seeds, in which nothing is broken and everything goes wrong.

use std::ops::ControlFlow;

use echodesk_simulate::fault::FaultKind;
use echodesk_simulate::in_order::in_order;
use echodesk_simulate::plan::Plan;
use echodesk_simulate::report::{Totals, broken};
use echodesk_simulate::simulation::simulate;

/// Seeds from 1 on.
const SEEDS: u64 = 10;

#[test]
fn a_budget_of_seeds_breaks_no_promise_and_each_kind_of_fault_happens_in_it() {
    let plans: Vec<Plan> = (1..=SEEDS)
        .map(|seed| Plan {
            seed,
            tenants: 40,
            days: 60,
            hosts: u32::try_from(1 + seed % 3).unwrap(),
            ..Plan::default()
        })
        .collect();
    let mut totals = Totals::default();
    in_order(
        &plans,
        2,
        |plan, _| simulate(plan.clone(), |_| ()),
        |outcome| {
            assert!(outcome.violation.is_none(), "{}", broken(&outcome));
            totals.add(&outcome);
            ControlFlow::Continue(())
        },
    );
    println!("{SEEDS} seeds\n{}", totals.summary(0.0));
    let (left, captures) = totals.left_to_a_person();
    assert!(left > 0 && left * 10 < captures, "{left} charges were left to a person, beside {captures} captures");
    let never: Vec<FaultKind> =
        FaultKind::ALL.iter().copied().filter(|kind| !totals.faults.contains_key(kind)).collect();
    assert!(never.is_empty(), "kinds that are dead: {never:?}");
}

//! Runs that repeat and overlap, and answers that get lost: one capture a period.

use std::time::Duration;

use echodesk_tests::sandbox::bank::{Alteration, Behaviour, Card, Endpoint, Fault, Wrong};

use super::world::{PaymentWorld, silent};
use crate::support::{Backend, on_both};

on_both!(
    a_run_that_is_made_again_charges_nothing_again,
    five_runs_at_once_charge_each_once,
    a_charge_whose_answer_is_lost_is_found_by_its_key,
);

fn a_run_that_is_made_again_charges_nothing_again(backend: Backend) {
    let Some(world) = PaymentWorld::new(backend, silent()) else { return };
    world.subscribe("acme", 2, Card::pays());
    world.subscribe("late", -2, Card::pays());
    let ran = world.run(&[]).with_code(0);
    assert_eq!((ran.outcome("acme"), ran.outcome("late")), ("paid", "paid"));
    assert_eq!(ran.report["totals"]["amount_paid"], "100.00");
    for _ in 0..2 {
        // One that was paid two days late ends in 28 days.
        let again = world.run(&["--days-before", "22", "--grace-days", "7"]).with_code(0);
        assert_eq!((again.total("paid"), again.report["totals"]["amount_paid"].as_str()), (0, Some("0.00")));
    }
    assert_eq!(world.bank.count(Endpoint::Subscribe), 2);
    world.assert_exact("acme", 1);
    world.assert_exact("late", 1);

    // A month later: the new date is near, and the next period is charged, once.
    let month = jiff::SignedDuration::from_hours(30 * 24);
    world.let_pass("acme", month);
    let _ = world.run(&[]).with_code(0);
    let _ = world.run(&[]).with_code(0);
    world.assert_exact("acme", 2);
    world.assert_exact("late", 1);
    world.assert_nothing_left();
}

fn five_runs_at_once_charge_each_once(backend: Backend) {
    let slow = Behaviour { latency: Duration::from_millis(60), ..silent() };
    let Some(world) = PaymentWorld::new(backend, slow) else { return };
    let tenants: Vec<String> = (0..8).map(|number| format!("t{number}")).collect();
    tenants.iter().for_each(|tenant| world.subscribe(tenant, 2, Card::pays()));
    let runs: Vec<_> = (0..5).map(|_| world.start(&["--width", "2", "--settle-for", "20s"])).collect();
    for run in runs {
        let _ = run.end().with_code(0);
    }
    for tenant in &tenants {
        world.assert_exact(tenant, 1);
    }
    assert_eq!(world.bank.count(Endpoint::Subscribe), tenants.len(), "not even calls were made twice");
    world.assert_nothing_left();
}

fn a_charge_whose_answer_is_lost_is_found_by_its_key(backend: Backend) {
    let Some(world) = PaymentWorld::new(backend, silent()) else { return };
    let faults = [
        ("closed", Fault::After(Wrong::Close), 2),
        ("broken", Fault::After(Wrong::Status(503)), 1),
        ("page", Fault::After(Wrong::Html(200)), 1),
        ("nameless", Fault::Altered(Alteration::WithoutId), 1),
    ];
    for (tenant, fault, runs) in faults {
        world.subscribe(tenant, 2, Card::pays());
        world.bank.fail_when(move |call| (call.endpoint == Endpoint::Subscribe).then(|| fault.clone()));
        for _ in 0..runs {
            let ran = world.run(&["--tenant", tenant]).with_code(1);
            assert_eq!(ran.outcome(tenant), "unknown", "{tenant}: {ran:#?}");
            assert_eq!(world.date(tenant, "expires_at"), world.dates.borrow()[tenant], "{tenant}: nothing is known");
        }
        world.bank.work_well();
        let ran = world.run(&["--tenant", tenant]).with_code(0);
        assert_eq!(ran.outcome(tenant), "paid", "{tenant}: {ran:#?}");
        world.assert_exact(tenant, 1);
        let requests = world.bank.requests();
        let order = &world.orders_of(tenant)[0];
        let mut keys: Vec<_> =
            requests.iter().filter(|seen| seen.external_id.as_ref() == Some(order)).map(|seen| &seen.key).collect();
        assert!(keys.len() > 1, "{tenant}: it was asked about");
        keys.dedup();
        assert_eq!(keys.len(), 1, "{tenant}: always with the same key");
    }
    world.assert_nothing_left();
}

//! Runs that are asked to stop.

use std::time::Duration;

use echodesk_tests::sandbox::bank::{Behaviour, Card};

use super::world::{PaymentWorld, by_hand, eventually, silent};
use crate::support::{Backend, on_both};

on_both!(a_signal_ends_the_run_when_what_is_in_flight_is_written_down, a_signal_ends_the_waiting_for_receipts);

fn a_signal_ends_the_run_when_what_is_in_flight_is_written_down(backend: Backend) {
    let slow = Behaviour { latency: Duration::from_millis(200), ..silent() };
    for (name, code) in [("TERM", 143), ("INT", 130)] {
        let Some(world) = PaymentWorld::new(backend, slow.clone()) else { return };
        let tenants: Vec<String> = (0..12).map(|number| format!("t{number}")).collect();
        tenants.iter().for_each(|tenant| world.subscribe(tenant, 2, Card::pays()));
        let run = world.start(&["--width", "2", "--settle-for", "30s"]);
        eventually("something is captured", || !world.bank.captures().is_empty());
        run.signal(name);
        let ran = run.end().with_code(code);
        assert_eq!(ran.report["stopped"], true, "{ran:#?}");
        assert!(ran.ended.stderr.contains(&format!("SIG{name}")), "{ran:#?}");
        let charged = world.bank.captures().len();
        assert!(0 < charged && charged < tenants.len(), "{charged}");
        world.assert_captured_once();
        assert_eq!(world.count("echodesk_charge_attempt WHERE claimed_by IS NOT NULL"), 0, "claims were given back");
        assert_eq!(
            world.count("echodesk_charge_attempt WHERE state IN ('prepared', 'unknown')"),
            0,
            "each answer is kept"
        );

        let _ = world.run(&["--settle-for", "30s"]).with_code(0);
        for tenant in &tenants {
            world.assert_exact(tenant, 1);
        }
        world.assert_nothing_left();
    }
}

fn a_signal_ends_the_waiting_for_receipts(backend: Backend) {
    let Some(world) = PaymentWorld::new(backend, by_hand()) else { return };
    world.subscribe("acme", 2, Card::pays());
    let run = world.start(&["--settle-for", "10m"]);
    eventually("the charge is accepted", || world.states_of("acme") == ["accepted"]);
    run.signal("TERM");
    let ran = run.end().with_code(143);
    assert_eq!(ran.outcome("acme"), "pending", "{ran:#?}");
    world.bank.settle_all();
    let _ = world.run(&[]).with_code(0);
    world.assert_exact("acme", 1);
    world.assert_nothing_left();
}

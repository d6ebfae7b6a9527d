//! Charges of which nobody but a person can say what became of them.

use echodesk_tests::sandbox::bank::{Card, Endpoint, Fault, Wrong};

use super::world::{PaymentWorld, silent};
use crate::support::{Backend, on_both};

on_both!(a_key_that_is_too_old_is_never_used_again, a_person_says_that_it_was_paid, a_person_says_that_it_was_not_paid,);

/// A charge without an answer, older than any key can be trusted, and its order.
fn without_answer(world: &PaymentWorld, fault: Wrong) -> String {
    world.subscribe("acme", 2, Card::pays());
    let fault = Fault::After(fault);
    world.bank.fail_when(move |call| (call.endpoint == Endpoint::Subscribe).then(|| fault.clone()));
    assert_eq!(world.run(&[]).with_code(1).outcome("acme"), "unknown");
    world.bank.work_well();
    age_prepared(world);
    world.orders_of("acme").remove(0)
}

fn age_prepared(world: &PaymentWorld) {
    let older = match world.world.backend() {
        Backend::Sqlite => "strftime('%Y-%m-%dT%H:%M:%f000Z', prepared_at, '-25 hours')",
        Backend::Postgres => "prepared_at - interval '25 hours'",
    };
    world.world.execute(&format!("UPDATE echodesk_charge_attempt SET prepared_at = {older}"));
}

/// The bank never got to see a call; the process believes that it may have.
fn never_charged(world: &PaymentWorld) -> String {
    world.subscribe("acme", 2, Card::pays());
    world.bank.fail_when(|call| (call.endpoint == Endpoint::Subscribe).then_some(Fault::Before(Wrong::Close)));
    assert_eq!(world.run(&[]).with_code(1).outcome("acme"), "unknown");
    world.bank.work_well();
    age_prepared(world);
    world.orders_of("acme").remove(0)
}

fn a_key_that_is_too_old_is_never_used_again(backend: Backend) {
    let Some(world) = PaymentWorld::new(backend, silent()) else { return };
    let order = without_answer(&world, Wrong::Close);
    // What the bank has forgotten it would charge anew.
    world.bank.forget_keys();
    let requests = world.bank.requests().len();
    for _ in 0..2 {
        let ran = world.run(&[]).with_code(1);
        let item = ran.item("acme");
        assert_eq!(item["outcome"], "needs_person", "{item:#}");
        assert_eq!(item["order"], order.as_str());
        assert!(ran.ended.stdout.contains(&format!("echodesk orders resolve {order}")), "{ran:#?}");
    }
    let bank_calls = world.bank.requests_since(requests);
    assert!(bank_calls.iter().all(|seen| seen.endpoint == Some(Endpoint::Token)), "{bank_calls:#?}");
    let listed = world.echodesk(&["orders", "list"]).well();
    assert!(listed.stdout.contains(&order), "{listed:#?}");
    assert!(world.echodesk(&["orders", "list", "--unknown"]).well().stdout.contains(&order));
    assert_eq!(world.bank.captures().len(), 1);
    assert_eq!(world.date("acme", "expires_at"), world.dates.borrow()["acme"]);

    // The operator may trust the bank for less, or for longer. Keys that are forgotten are not this test's.
    world.subscribe("bell", 2, Card::pays());
    world.bank.fail_when(|call| (call.endpoint == Endpoint::Subscribe).then_some(Fault::After(Wrong::Close)));
    assert_eq!(world.run(&["--tenant", "bell"]).with_code(1).outcome("bell"), "unknown");
    world.bank.work_well();
    age_prepared(&world);
    let ran = world.run(&["--tenant", "bell", "--trust-key-for", "3h"]).with_code(1);
    assert_eq!(ran.outcome("bell"), "needs_person");
    let ran = world.run(&["--tenant", "bell", "--trust-key-for", "48h"]).with_code(0);
    assert_eq!(ran.outcome("bell"), "paid");
    world.assert_exact("bell", 1);
}

fn a_person_says_that_it_was_paid(backend: Backend) {
    let Some(world) = PaymentWorld::new(backend, silent()) else { return };
    let order = without_answer(&world, Wrong::Status(500));
    assert_eq!(world.run(&[]).with_code(1).outcome("acme"), "needs_person");
    let said = world.echodesk(&["orders", "resolve", &order, "--paid", "--because", "line 17 of the statement"]).well();
    assert!(said.stdout.contains(&format!("order {order} is paid")), "{said:#?}");
    assert_eq!(world.states_of("acme"), ["paid by person"]);
    let because = "tenants_subscription_event WHERE CAST(metadata AS text) LIKE '%line 17 of the statement%'";
    assert_eq!(world.count(because), 1, "it is kept who knew it and how");
    // The person did not tell the bank's name of it.
    let name = world.bank.captures()[0].order_id.clone();
    world
        .world
        .execute(&format!("UPDATE tenants_payment_order SET bog_order_id = '{name}' WHERE order_id = '{order}'"));
    world.assert_exact("acme", 1);
    let again = world.echodesk(&["orders", "resolve", &order, "--failed", "--because", "I was wrong"]);
    assert_ne!(again.code, Some(0), "{again:#?}");
    let _ = world.run(&[]).with_code(0);
    assert_eq!(world.bank.captures().len(), 1);
    world.assert_exact("acme", 1);
    world.assert_nothing_left();
}

fn a_person_says_that_it_was_not_paid(backend: Backend) {
    let Some(world) = PaymentWorld::new(backend, silent()) else { return };
    let order = never_charged(&world);
    assert_eq!(world.run(&[]).with_code(1).outcome("acme"), "needs_person");
    let wrong = world.echodesk(&["orders", "resolve", "REC-000000000000", "--failed", "--because", "a slip"]);
    assert_ne!(wrong.code, Some(0), "{wrong:#?}");
    let said = world.echodesk(&["orders", "resolve", &order, "--failed", "--because", "not at the bank"]).well();
    assert!(said.stdout.contains(&format!("order {order} has failed")), "{said:#?}");
    assert_eq!(world.states_of("acme"), ["failed by person"]);
    world.assert_exact("acme", 0);
    world.age_attempts(1);
    assert_eq!(world.run(&[]).with_code(0).outcome("acme"), "paid");
    assert_ne!(world.orders_of("acme")[1], order, "under another name and key");
    world.assert_exact("acme", 1);
    world.assert_nothing_left();
}

//! How a charge is confirmed: by callback, by receipt, in any order.

use std::time::Duration;

use echodesk_tests::sandbox::bank::{Behaviour, Callbacks, Card, Endpoint, Says};

use super::world::{PaymentWorld, by_hand, eventually, silent};
use crate::support::{Backend, on_both};

on_both!(
    a_callback_confirms_what_a_run_has_left_pending,
    a_receipt_is_enough,
    a_callback_may_come_before_the_answer,
    a_callback_resolves_what_no_answer_came_for,
    callbacks_that_come_doubled_or_late_change_nothing_more,
    a_rejection_that_overtakes_or_follows_the_truth_takes_nothing_back,
    a_late_completed_after_a_rejection_is_booked,
);

fn a_callback_confirms_what_a_run_has_left_pending(backend: Backend) {
    let Some(world) = PaymentWorld::with_callbacks(backend, by_hand()) else { return };
    world.subscribe("acme", 2, Card::pays());
    let ran = world.run(&[]).with_code(0);
    assert_eq!(ran.outcome("acme"), "pending", "{ran:#?}");
    world.assert_exact("acme", 0);
    assert_eq!(world.states_of("acme"), ["accepted"]);

    world.bank.settle_all();
    eventually("the callback is answered", || world.bank.deliveries().len() == 1);
    assert_eq!(world.bank.deliveries()[0].status, Some(200));
    assert_eq!(world.states_of("acme"), ["paid by callback"]);
    world.assert_exact("acme", 1);

    let (charges, receipts) = (world.bank.count(Endpoint::Subscribe), world.bank.count(Endpoint::Receipt));
    let again = world.run(&[]).with_code(0);
    assert!(!again.is_told_of("acme"), "{again:#?}");
    assert_eq!((world.bank.count(Endpoint::Subscribe), world.bank.count(Endpoint::Receipt)), (charges, receipts));
    world.assert_exact("acme", 1);
    world.assert_nothing_left();
}

fn a_receipt_is_enough(backend: Backend) {
    let later = Behaviour { settle_after: Some(Duration::from_millis(300)), ..silent() };
    let Some(world) = PaymentWorld::new(backend, later) else { return };
    world.subscribe("acme", 2, Card::pays());
    let ran = world.run(&["--settle-for", "20s"]).with_code(0);
    assert_eq!(ran.outcome("acme"), "paid");
    let until = world.date("acme", "expires_at").to_string();
    assert_eq!(ran.item("acme")["paid_until"].as_str(), Some(until.as_str()));
    assert_eq!(world.states_of("acme"), ["paid by receipt"]);
    world.assert_exact("acme", 1);
    world.assert_nothing_left();
}

fn a_callback_may_come_before_the_answer(backend: Backend) {
    let mut behaviour = Behaviour::default();
    behaviour.callbacks.before_answer = true;
    let Some(world) = PaymentWorld::with_callbacks(backend, behaviour) else { return };
    world.subscribe("acme", 2, Card::pays());
    world.subscribe("bell", 2, Card::rejected("107"));
    let ran = world.run(&[]).with_code(1);
    assert_eq!((ran.outcome("acme"), ran.outcome("bell")), ("paid", "refused"));
    assert!(world.bank.deliveries().iter().all(|delivery| delivery.status == Some(200)));
    assert_eq!(world.states_of("acme"), ["paid by callback"]);
    assert_eq!(world.states_of("bell"), ["failed by callback"]);
    assert_eq!(world.bank.count(Endpoint::Receipt), 0, "there was nothing left to ask");
    world.assert_exact("acme", 1);
    world.assert_exact("bell", 0);
    world.assert_nothing_left();
}

/// The order has no name of the bank's with us: card and our own name tell whose it is.
fn a_callback_resolves_what_no_answer_came_for(backend: Backend) {
    use echodesk_tests::sandbox::bank::{Fault, Wrong};
    let Some(world) = PaymentWorld::with_callbacks(backend, by_hand()) else { return };
    world.subscribe("acme", 2, Card::pays());
    world.bank.fail_when(|call| (call.endpoint == Endpoint::Subscribe).then_some(Fault::After(Wrong::Close)));
    let ran = world.run(&[]).with_code(1);
    assert_eq!(ran.outcome("acme"), "unknown", "{ran:#?}");
    world.bank.settle_all();
    eventually("the callback is answered", || world.bank.deliveries().len() == 1);
    assert_eq!(world.states_of("acme"), ["paid by callback"]);
    let _ = world.run(&[]).with_code(0);
    world.assert_exact("acme", 1);
    world.assert_nothing_left();
}

fn callbacks_that_come_doubled_or_late_change_nothing_more(backend: Backend) {
    let mut behaviour = by_hand();
    behaviour.callbacks = Callbacks::saying(&[Says::Truth, Says::Truth, Says::Processing, Says::Created]);
    let Some(world) = PaymentWorld::with_callbacks(backend, behaviour) else { return };
    world.subscribe("acme", 2, Card::pays());
    world.subscribe("bell", 2, Card::pays());
    let _ = world.run(&["--tenant", "acme"]).with_code(0);
    world.bank.settle_all();
    eventually("all callbacks are answered", || world.bank.deliveries().len() == 4);
    world.assert_exact("acme", 1);

    // Here the receipt is faster.
    world.bank.change(|behaviour| {
        behaviour.settle_after = Some(Duration::ZERO);
        behaviour.callbacks.delay = Duration::from_secs(3);
    });
    let ran = world.run(&["--tenant", "bell"]).with_code(0);
    assert_eq!(ran.outcome("bell"), "paid");
    assert_eq!(world.bank.deliveries().len(), 4, "they are late");
    eventually("the late ones are answered as well", || world.bank.deliveries().len() == 8);
    assert!(world.bank.deliveries().iter().all(|delivery| delivery.status == Some(200)));
    assert_eq!(world.states_of("bell"), ["paid by receipt"]);
    world.assert_exact("acme", 1);
    world.assert_exact("bell", 1);
    world.assert_nothing_left();
}

fn a_rejection_that_overtakes_or_follows_the_truth_takes_nothing_back(backend: Backend) {
    let Some(world) = PaymentWorld::with_callbacks(backend, by_hand()) else { return };
    let orders = [
        ("before", [Says::Rejected, Says::Truth]),
        ("after", [Says::Truth, Says::Rejected]),
        ("twice", [Says::Rejected, Says::Rejected]),
    ];
    for (number, (tenant, say)) in (1..).zip(orders) {
        world.subscribe(tenant, 2, Card::pays());
        let _ = world.run(&["--tenant", tenant]).with_code(0);
        world.bank.change(|behaviour| behaviour.callbacks = Callbacks::saying(&say));
        world.bank.settle_all();
        eventually("both are answered", || world.bank.deliveries().len() == number * 2);
    }
    world.assert_exact("before", 1);
    world.assert_exact("after", 1);
    assert_eq!(world.states_of("twice"), ["failed by callback"], "nobody has told the truth yet");
    let failed = "tenants_subscription_event WHERE event_type = 'payment_failed'";
    assert_eq!(world.count(failed), 2, "a rejection that is told twice is counted once");
    let current = "tenants_tenant_subscription WHERE payment_status = 'current' AND failed_payment_count = 0";
    assert_eq!(world.count(current), 2, "what was paid in the end has not failed");
}

fn a_late_completed_after_a_rejection_is_booked(backend: Backend) {
    let mut behaviour = by_hand();
    behaviour.callbacks = Callbacks::saying(&[Says::Rejected]);
    let Some(world) = PaymentWorld::with_callbacks(backend, behaviour) else { return };
    world.subscribe("acme", 2, Card::pays());
    let _ = world.run(&[]).with_code(0);
    world.bank.settle_all();
    eventually("the rejection is answered", || world.bank.deliveries().len() == 1);
    assert_eq!(world.states_of("acme"), ["failed by callback"]);
    let again = world.run(&[]).with_code(0);
    assert_eq!(again.skipped("acme"), "retry_later", "not charged again on the same day");

    let order = world.bank.order_of(&world.orders_of("acme")[0]).unwrap();
    let (body, signature) = world.bank.callback_for(&order);
    assert_eq!(world.server().post(body.clone(), Some(&signature)), 200);
    assert_eq!(world.states_of("acme"), ["paid by callback"]);
    assert_eq!(world.server().post(body, Some(&signature)), 200);
    world.assert_exact("acme", 1);

    // A day later, when the retry would have been.
    world.age_attempts(1);
    let _ = world.run(&[]).with_code(0);
    assert_eq!(world.bank.count(Endpoint::Subscribe), 1);
    world.assert_exact("acme", 1);
    world.assert_nothing_left();
}

//! Callbacks that are not the bank's, or not about what they seem to be about.

use echodesk_tests::sandbox::bank::{Callbacks, Card, Signature};

use super::world::{PaymentWorld, by_hand, card_of, eventually};
use crate::support::{Backend, on_both};

on_both!(
    a_callback_that_the_bank_has_not_signed_changes_nothing,
    a_signed_callback_over_another_amount_needs_a_person_whatever_the_receipt_says,
    what_is_not_about_an_order_of_ours_is_refused,
);

fn a_callback_that_the_bank_has_not_signed_changes_nothing(backend: Backend) {
    let Some(world) = PaymentWorld::with_callbacks(backend, by_hand()) else { return };
    let forgeries = [
        ("other", Callbacks { signature: Signature::OtherKey, ..Callbacks::default() }),
        ("garbage", Callbacks { signature: Signature::Garbage, ..Callbacks::default() }),
        ("missing", Callbacks { signature: Signature::Missing, ..Callbacks::default() }),
        ("tampered", Callbacks { tampered: true, ..Callbacks::default() }),
    ];
    for (number, (tenant, callbacks)) in (1..).zip(forgeries) {
        world.subscribe(tenant, 2, Card::pays());
        let _ = world.run(&["--tenant", tenant]).with_code(0);
        world.bank.change(|behaviour| behaviour.callbacks = callbacks);
        world.bank.settle_all();
        eventually("the callback is answered", || world.bank.deliveries().len() == number);
        assert_eq!(world.bank.deliveries()[number - 1].status, Some(401), "{tenant}");
        assert_eq!(world.states_of(tenant), ["accepted"], "{tenant}");
        assert_eq!(world.date(tenant, "expires_at"), world.dates.borrow()[tenant], "{tenant}");
    }
    let ran = world.run(&[]).with_code(0);
    assert_eq!(ran.total("paid"), 4, "receipts are believed");
    for tenant in ["other", "garbage", "missing", "tampered"] {
        world.assert_exact(tenant, 1);
    }
    world.assert_nothing_left();
}

fn a_signed_callback_over_another_amount_needs_a_person_whatever_the_receipt_says(backend: Backend) {
    let mut behaviour = by_hand();
    behaviour.callbacks = Callbacks::lost();
    let Some(world) = PaymentWorld::with_callbacks(backend, behaviour) else { return };
    world.subscribe("acme", 2, Card::pays());
    let _ = world.run(&[]).with_code(0);
    world.bank.settle_all();
    let order = world.bank.order_of(&world.orders_of("acme")[0]).unwrap();
    for (amount, currency) in [("49.99", "GEL"), ("50", "USD")] {
        let mut receipt = world.bank.receipt(&order).unwrap();
        receipt.purchase_units.request_amount = amount.to_owned();
        receipt.purchase_units.transfer_amount = Some(amount.to_owned());
        receipt.purchase_units.currency_code = currency.to_owned();
        let (body, signature) = world.bank.callback_with(&receipt);
        assert_eq!(world.server().post(body, Some(&signature)), 200);
        assert_eq!(world.states_of("acme"), ["accepted"], "{amount} {currency}");
        assert_eq!(world.count("echodesk_charge_attempt WHERE trouble IS NOT NULL"), 1, "{amount} {currency}");
        assert!(world.server().logged().contains("needs_person"), "{amount} {currency}");
    }
    let ran = world.run(&[]).with_code(0);
    assert_eq!(ran.outcome("acme"), "paid", "{ran:#?}");
    world.assert_exact("acme", 1);
    // That the bank has signed two things that do not agree is still to be looked at.
    let ran = world.run(&[]).with_code(1);
    assert_eq!(ran.outcome("acme"), "needs_person", "{ran:#?}");
    let order = world.orders_of("acme").remove(0);
    let _ = world.echodesk(&["orders", "resolve", &order, "--paid", "--because", "50.00 on the statement"]).well();
    let _ = world.run(&[]).with_code(0);
    assert_eq!((world.bank.captures().len(), world.states_of("acme")), (1, vec!["paid by receipt".to_owned()]));
    world.assert_nothing_left();
}

fn what_is_not_about_an_order_of_ours_is_refused(backend: Backend) {
    let Some(mut world) = PaymentWorld::with_callbacks(backend, by_hand()) else { return };
    world.subscribe("acme", 2, Card::pays());
    let (body, signature) = world.bank.callback_for(&card_of("acme"));
    assert_eq!(world.server().post(body, Some(&signature)), 404, "the order that saved the card is none of the run's");
    let nonsense = b"no JSON".to_vec();
    let signature = world.bank.sign(&nonsense);
    assert_eq!(world.server().post(nonsense, Some(&signature)), 400);
    let large = vec![b' '; 10 << 20];
    let signature = world.bank.sign(&large);
    assert_eq!(world.server().post(large, Some(&signature)), 413);
    world.assert_exact("acme", 0);
    assert_eq!(world.stop_callbacks(), Some(0), "it ends as it was asked to");
}

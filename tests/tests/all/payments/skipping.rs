//! Subscriptions that are not charged, each for its reason.

use echodesk_tests::sandbox::bank::{Card, Endpoint};

use super::world::{PaymentWorld, card_of, silent};
use crate::support::{Backend, on_both};

on_both!(
    who_has_nothing_to_pay_or_nothing_to_pay_with_is_skipped,
    a_card_that_cannot_be_charged_the_price_is_not_charged_at_all,
    a_window_says_what_is_due,
);

fn who_has_nothing_to_pay_or_nothing_to_pay_with_is_skipped(backend: Backend) {
    let Some(mut world) = PaymentWorld::new(backend, silent()) else { return };
    world.set("ECHODESK_EXEMPT_TENANTS", "exempt");
    world.subscribe_with("cardless", 2, &["--price", "25.00"]);
    world.subscribe_with("free", 2, &["--price", "0"]);
    for tenant in ["exempt", "paddle", "asleep", "inactive", "payer"] {
        world.subscribe(tenant, 2, Card::pays());
    }
    world.world.execute("UPDATE tenants_tenant SET payment_provider = 'paddle' WHERE schema_name = 'paddle'");
    world.world.execute("UPDATE tenants_tenant SET is_active = false WHERE schema_name = 'asleep'");
    world.alter_subscription("inactive", "is_active = false");

    let ran = world.run(&[]).with_code(0);
    assert_eq!(ran.outcome("payer"), "paid", "one that pays is charged in the same run");
    for (tenant, code) in [
        ("cardless", "no_card"),
        ("free", "nothing_to_pay"),
        ("exempt", "exempt"),
        ("paddle", "provider"),
        ("asleep", "tenant_inactive"),
        ("inactive", "subscription_inactive"),
    ] {
        assert_eq!(ran.skipped(tenant), code);
        assert!(ran.ended.stdout.contains(tenant), "people are told as well: {ran:#?}");
    }
    // Asking for one by name does not make it due.
    for tenant in ["paddle", "asleep", "inactive"] {
        assert_eq!(world.run(&["--tenant", tenant]).with_code(0).outcome(tenant), "skipped");
    }
    assert_eq!(world.bank.count(Endpoint::Subscribe), 1);
    for tenant in ["cardless", "free", "exempt", "paddle", "asleep", "inactive"] {
        world.assert_exact(tenant, 0);
    }
    world.assert_exact("payer", 1);
}

fn a_card_that_cannot_be_charged_the_price_is_not_charged_at_all(backend: Backend) {
    let Some(world) = PaymentWorld::new(backend, silent()) else { return };
    world.subscribe("known", 2, Card::pays());
    world.subscribe("unknown", 2, Card::pays());
    world.alter_subscription("known", "agent_count = 3");
    world.alter_subscription("unknown", "agent_count = 3");
    // Without the order of the card only the bank knows what that had cost.
    let card = card_of("unknown");
    world.world.execute(&format!("DELETE FROM tenants_payment_order WHERE bog_order_id = '{card}'"));

    for _ in 0..2 {
        let ran = world.run(&[]).with_code(1);
        for tenant in ["known", "unknown"] {
            assert_eq!(ran.skipped(tenant), "price_changed");
            let reason = ran.item(tenant)["reason"].as_str().unwrap();
            assert!(reason.contains("75.00 GEL") && reason.contains("50.00 GEL"), "{reason}");
        }
    }
    assert_eq!(world.count("echodesk_notice WHERE kind = 'price_changed'"), 2, "one each, however often it is seen");
    assert_eq!((world.bank.count(Endpoint::Subscribe), world.bank.count(Endpoint::Receipt)), (0, 2));
    world.assert_exact("known", 0);
    world.assert_exact("unknown", 0);

    // The customer goes back to what the card can be charged.
    world.alter_subscription("known", "agent_count = 2");
    world.alter_subscription("unknown", "agent_count = 2");
    let _ = world.run(&[]).with_code(0);
    world.assert_exact("known", 1);
    world.assert_exact("unknown", 1);
}

fn a_window_says_what_is_due(backend: Backend) {
    let Some(world) = PaymentWorld::new(backend, silent()) else { return };
    for (tenant, days) in [("far", 5), ("near", 2), ("past", -5), ("gone", -9)] {
        world.subscribe(tenant, days, Card::pays());
    }
    let ran = world.run(&[]).with_code(0);
    assert_eq!((ran.total("paid"), ran.outcome("near"), ran.outcome("past")), (2, "paid", "paid"));
    let ran = world.run(&["--days-before", "6", "--grace-days", "10"]).with_code(0);
    assert_eq!((ran.total("paid"), ran.outcome("far"), ran.outcome("gone")), (2, "paid", "paid"));
    for tenant in ["far", "near", "past", "gone"] {
        world.assert_exact(tenant, 1);
    }
}

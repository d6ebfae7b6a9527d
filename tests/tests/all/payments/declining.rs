//! Cards that are refused, and when they are tried again.

use echodesk_tests::sandbox::bank::{Card, Endpoint, Outcome};
use serde_json::Value;

use super::world::{PRICE, PaymentWorld, silent};
use crate::support::{Backend, on_both};

on_both!(
    a_soft_decline_is_tried_again_after_one_three_and_five_days,
    a_retry_that_pays_ends_the_matter,
    a_hard_decline_waits_for_another_card,
);

/// Days between the first refusal and when the report says the next try is.
fn days_until_next(world: &PaymentWorld, item: &Value) -> i32 {
    let first = world.world.public_texts(
        "SELECT substr(CAST(closed_at AS text), 1, 10) AS value FROM echodesk_charge_attempt ORDER BY id LIMIT 1",
    );
    let day = |text: &str| text.parse::<jiff::civil::Date>().unwrap();
    (day(item["next_on"].as_str().unwrap()) - day(&first[0])).get_days()
}

fn a_soft_decline_is_tried_again_after_one_three_and_five_days(backend: Backend) {
    let Some(world) = PaymentWorld::new(backend, silent()) else { return };
    world.subscribe("acme", 2, Card::rejected("107"));
    // How many days pass, and on which day after the first the next try is.
    for (number, (pass, next)) in (1..).zip([(0, Some(1)), (1, Some(3)), (2, Some(5)), (2, None)]) {
        if pass == 2 {
            world.age_attempts(1);
            assert_eq!(world.run(&[]).with_code(0).skipped("acme"), "retry_later", "a day too early");
        }
        world.age_attempts(pass.min(1));
        let ran = world.run(&[]).with_code(1);
        let item = ran.item("acme");
        assert_eq!(item["outcome"], "refused", "{item:#}");
        assert!(item["reason"].as_str().unwrap().contains("not enough money (code 107)"), "{item:#}");
        match next {
            Some(days) => assert_eq!(days_until_next(&world, item), days, "{item:#}"),
            None => assert_eq!(item["next"], "exhausted", "{item:#}"),
        }
        let status = if next.is_some() { "retrying" } else { "failed" };
        let counted = format!("payment_status = '{status}' AND failed_payment_count = {number}");
        assert_eq!(world.count(&format!("tenants_tenant_subscription WHERE {counted}")), 1, "{number}: {counted}");
        assert_eq!(world.bank.count(Endpoint::Subscribe), number);

        let again = world.run(&[]).with_code(0);
        assert_eq!(again.skipped("acme"), if next.is_some() { "retry_later" } else { "exhausted" });
        assert_eq!(world.bank.count(Endpoint::Subscribe), number, "not tried again on the same day");
    }
    assert_eq!(world.states_of("acme"), ["failed by receipt"; 4]);
    assert_eq!(world.count("tenants_payment_order WHERE order_id LIKE 'REC-%' AND status = 'failed'"), 4);
    assert_eq!(world.count("tenants_subscription_event WHERE event_type = 'payment_failed'"), 4);
    assert_eq!(world.count("echodesk_notice WHERE kind = 'payment_failed'"), 4);
    let requests = world.bank.requests();
    let mut keys: Vec<_> = requests.iter().filter_map(|seen| seen.key.clone()).collect();
    keys.sort();
    keys.dedup();
    assert_eq!(keys.len(), 4, "each try has a key of its own");
    world.assert_exact("acme", 0);
    world.assert_nothing_left();
}

fn a_retry_that_pays_ends_the_matter(backend: Backend) {
    let Some(world) = PaymentWorld::new(backend, silent()) else { return };
    world.subscribe("acme", 2, Card::with(&[Outcome::rejected("109"), Outcome::Pays]));
    assert_eq!(world.run(&[]).with_code(1).outcome("acme"), "refused");
    world.age_attempts(1);
    assert_eq!(world.run(&[]).with_code(0).outcome("acme"), "paid");
    assert_eq!(world.states_of("acme"), ["failed by receipt", "paid by receipt"]);
    let current = "tenants_tenant_subscription WHERE payment_status = 'current' AND failed_payment_count = 0";
    assert_eq!(world.count(current), 1);
    let _ = world.run(&[]).with_code(0);
    world.assert_exact("acme", 1);
    world.assert_nothing_left();
}

fn a_hard_decline_waits_for_another_card(backend: Backend) {
    let Some(world) = PaymentWorld::new(backend, silent()) else { return };
    let cards = [("expired", Card::rejected("105")), ("gone", Card::gone()), ("at_once", Card::gone_at_once())];
    let tenants = cards.each_ref().map(|(tenant, _)| *tenant);
    for (tenant, card) in cards {
        world.subscribe(tenant, 2, card);
    }
    let ran = world.run(&[]).with_code(1);
    for tenant in tenants {
        let item = ran.item(tenant);
        assert_eq!((item["outcome"].as_str(), item["next"].as_str()), (Some("refused"), Some("when_card_changes")));
    }
    world.age_attempts(6);
    let waiting = world.run(&[]).with_code(0);
    for tenant in tenants {
        assert_eq!(waiting.skipped(tenant), "waits_for_card");
        world.assert_exact(tenant, 0);
    }
    assert_eq!(world.bank.count(Endpoint::Subscribe), 3);

    for tenant in tenants {
        let card = format!("new-{tenant}");
        world.bank.add_card(&card, PRICE, Card::pays());
        world.alter_subscription(tenant, &format!("parent_order_id = '{card}'"));
    }
    let ran = world.run(&[]).with_code(0);
    for tenant in tenants {
        assert_eq!(ran.outcome(tenant), "paid");
        world.assert_exact(tenant, 1);
    }
    let cards: Vec<_> = world.bank.captures().into_iter().filter_map(|capture| capture.parent_order_id).collect();
    assert!(cards.iter().all(|card| card.starts_with("new-")), "{cards:?}");
    world.assert_nothing_left();
}

//! Writing a charge down before the bank is called.

use echodesk_billing::model::{Attempt, AttemptState};
use echodesk_billing::ports::{BillingStore, NewAttempt, Prepared};
use echodesk_core::SubscriptionId;

use super::accounts::{
    accept, add_retry, charge, charge_like, claim, field, make_retries, orders, pending_order, prepare, read, rejected,
    settle, subscribe, try_prepare,
};
use crate::world::{World, now, on_both};

on_both! {
    fn an_attempt_and_the_order_that_echodesk_understands_are_written_together(world) {
        let id = subscribe(world, "acme");
        let (charge, claim) = (charge(&world.store, "acme"), claim());
        let order = echodesk_billing::model::OrderId("REC-ABCDEF012345".to_owned());
        let key = uuid::Uuid::new_v4();
        let new = NewAttempt { charge: &charge, order: order.clone(), key, claim };
        let Prepared::Written(attempt) = world.store.prepare(&new).unwrap() else { panic!("changed") };
        let expected = Attempt {
            id: attempt.id,
            subscription: id,
            tenant: charge.tenant.id,
            schema: "acme".parse().unwrap(),
            period: charge.period,
            number: 1,
            order,
            key,
            parent: charge.parent.clone(),
            amount: charge.amount,
            state: AttemptState::Prepared,
            bank_order: None,
            prepared_at: now(),
            refusal: None,
            last_error: None,
            trouble: None,
        };
        assert_eq!(*attempt, expected);
        assert_eq!(read(&world.store, &attempt), expected, "as it is read again");

        let row = world.select(
            "SELECT order_id || ' ' || CAST(amount AS text) || ' ' || currency || ' ' || CAST(agent_count AS text) || ' ' \
               || status || ' [' || payment_url || '] ' || payment_provider || ' ' || coalesce(bog_order_id, 'unnamed') \
               || CASE WHEN card_saved OR is_trial_payment THEN ' wrong' ELSE '' END AS row \
             FROM public.tenants_payment_order WHERE order_id LIKE 'REC-%'",
        );
        assert_eq!(row, ["REC-ABCDEF012345 50.00 GEL 2 pending [] bog unnamed"]);
        let fields = ["type", "parent_order_id", "subscription_id"].map(|name| {
            let field = field(world, "metadata", name);
            world.select(&format!("SELECT CAST({field} AS text) AS row FROM public.tenants_payment_order WHERE order_id LIKE 'REC-%'")).remove(0)
        });
        assert_eq!(fields, ["recurring".to_owned(), "card-of-acme".to_owned(), id.to_string()]);
    }
}

fn refused_after(world: &World, what: &str, change: impl Fn(SubscriptionId)) {
    let id = super::accounts::id_of(world, "acme");
    let charge = charge(&world.store, "acme");
    change(id);
    assert_eq!(try_prepare(&world.store, &charge, claim()), Prepared::Changed, "{what}");
    let pending = "SELECT order_id AS row FROM public.tenants_payment_order WHERE order_id LIKE 'REC-%' AND order_id <> 'REC-OTHER'";
    assert!(world.select(pending).is_empty(), "{what}: nothing is written");
}

on_both! {
    fn nothing_is_written_if_the_subscription_is_not_as_it_was(world) {
        subscribe(world, "acme");
        let subscription = [
            ("is_active = false", "is_active = true"),
            ("expires_at = '2026-11-24T00:00:01.000000Z'", "expires_at = '2026-11-24T00:00:00.000000Z'"),
            ("expires_at = NULL", "expires_at = '2026-11-24T00:00:00.000000Z'"),
            ("next_billing_date = '2026-12-24T00:00:00.000000Z'", "next_billing_date = '2026-11-24T00:00:00.000000Z'"),
            ("agent_count = 3", "agent_count = 2"),
            ("parent_order_id = 'another'", "parent_order_id = 'card-of-acme'"),
            ("parent_order_id = ''", "parent_order_id = 'card-of-acme'"),
        ];
        for (change, back) in subscription {
            refused_after(world, change, |_| world.execute(&format!("UPDATE public.tenants_tenant_subscription SET {change}")));
            world.execute(&format!("UPDATE public.tenants_tenant_subscription SET {back}"));
        }
        for (change, back) in [("is_active = false", "is_active = true"), ("payment_provider = 'paddle'", "payment_provider = 'bog'")] {
            refused_after(world, change, |_| world.execute(&format!("UPDATE public.tenants_tenant SET {change}")));
            world.execute(&format!("UPDATE public.tenants_tenant SET {back}"));
        }
        refused_after(world, "a foreign order", |_| world.execute(&pending_order("acme", "REC-OTHER", "2026-11-22T09:59:59.000000Z")));
        world.execute("DELETE FROM public.tenants_payment_order WHERE order_id = 'REC-OTHER'");
        assert!(matches!(try_prepare(&world.store, &charge(&world.store, "acme"), claim()), Prepared::Written(_)));
    }
}

on_both! {
    fn nothing_is_written_if_echodesk_charges_or_the_subscription_is_gone(world) {
        make_retries(world);
        subscribe(world, "acme");
        for status in ["pending", "executing"] {
            refused_after(world, status, |id| add_retry(world, id, "2026-11-23T00:00:00.000000Z", status));
            world.execute("UPDATE public.tenants_payment_retry_schedule SET status = 'cancelled'");
        }
        refused_after(world, "deleted", |_| {
            world.execute("DELETE FROM public.tenants_tenant_subscription_selected_features");
            world.execute("DELETE FROM public.tenants_tenant_subscription");
        });
    }
}

on_both! {
    fn an_attempt_that_was_not_seen_is_in_the_way_whatever_became_of_it(world) {
        subscribe(world, "acme");
        let before = charge(&world.store, "acme");
        let first = accept(&world.store, "acme");
        assert_eq!(try_prepare(&world.store, &before, claim()), Prepared::Changed, "while it is open");
        settle(&world.store, &first, Some(&rejected("107")));
        assert_eq!(try_prepare(&world.store, &before, claim()), Prepared::Changed, "once it has failed");
        assert_eq!(orders(world), ["failed"]);
        let mut seen = before.clone();
        seen.seen.last_attempt = Some(first.id);
        seen.number = 2;
        let Prepared::Written(second) = try_prepare(&world.store, &seen, claim()) else { panic!("changed") };
        assert_eq!(second.number, 2);
    }
}

on_both! {
    fn the_database_itself_allows_one_open_attempt(world) {
        subscribe(world, "acme");
        let attempt = prepare(&world.store, "acme");
        let mut again = charge_like(&attempt, &world.store);
        again.seen.last_attempt = Some(attempt.id);
        // What a decision that overlooked the open attempt would come to.
        assert_eq!(try_prepare(&world.store, &again, claim()), Prepared::Changed);
        assert_eq!(orders(world), ["pending"]);
    }
}

//! What may be due, with all that decides about it.

use echodesk_billing::model::{AttemptState, CardOrder};
use echodesk_billing::ports::BillingStore;
use echodesk_billing::rules::due::{Decision, Policy, Skip, judge};
use echodesk_billing::rules::period::Window;
use echodesk_billing::{Currency, Money};
use echodesk_core::SubscriptionId;

use super::accounts::{
    accept, add_retry, at, bank_order, candidate, candidates, charge, make_retries, paid_order, pending_order, prepare,
    rejected, settle, subscribe,
};
use crate::world::{now, on_both};

fn gel(text: &str) -> Money {
    Money::new(text.parse().unwrap(), Currency::Gel).unwrap()
}

fn window() -> Window {
    Policy::default().window(now())
}

on_both! {
    fn everything_that_decides_is_told(world) {
        let id = subscribe(world, "acme");
        let found = candidate(&world.store, "acme");
        assert_eq!((found.subscription, found.tenant.name.as_str()), (id, "Tenant acme"));
        let seen = &found.seen;
        assert_eq!((seen.tenant_active, seen.provider.as_str(), seen.active, seen.agent_count), (true, "bog", true, 2));
        assert_eq!((seen.expires_at, seen.next_billing_date), (Some(at("2026-11-24T00:00:00Z")), Some(at("2026-11-24T00:00:00Z"))));
        assert_eq!((&seen.parent, seen.last_attempt), (&Some(bank_order("card-of-acme")), None));
        let mut prices: Vec<_> = found.feature_prices.iter().map(ToString::to_string).collect();
        prices.sort();
        assert_eq!(prices, ["20.45", "4.55"]);
        let card = CardOrder { bank_order: bank_order("card-of-acme"), amount: Ok(gel("50")) };
        assert_eq!((&found.own_card_order, &found.newest_card_order), (&Some(card.clone()), &Some(card)));
        assert!(found.attempts.is_empty() && found.echodesk_retry.is_none() && found.foreign_order.is_none());
        assert_eq!(charge(&world.store, "acme").amount, gel("50"));
    }
}

on_both! {
    fn the_window_is_open_at_its_start_and_closed_at_its_end(world) {
        subscribe(world, "acme");
        let window = window();
        let edges = [
            (window.after, 0),
            (at("2026-11-15T10:00:00.123457Z"), 1),
            (window.until, 1),
            (at("2026-11-25T10:00:00.123457Z"), 0),
        ];
        for (date, count) in edges {
            for columns in [format!("expires_at = '{date}', next_billing_date = NULL"), format!("expires_at = NULL, next_billing_date = '{date}'")] {
                world.execute(&format!("UPDATE public.tenants_tenant_subscription SET {columns}"));
                assert_eq!(candidates(&world.store).len(), count, "{columns}");
            }
        }
        world.execute("UPDATE public.tenants_tenant_subscription SET expires_at = NULL, next_billing_date = NULL");
        assert!(candidates(&world.store).is_empty(), "what never has to be renewed");
        world.execute("UPDATE public.tenants_tenant_subscription SET expires_at = '2027-11-24T00:00:00.000000Z', next_billing_date = '2026-11-24T00:00:00.000000Z'");
        assert!(candidates(&world.store).is_empty(), "the expiry goes first");
    }
}

on_both! {
    fn pages_follow_each_other_and_a_tenant_that_cannot_be_worked_for_shortens_none(world) {
        let names = ["acme", "b", "c", "d", "e"];
        let ids: Vec<SubscriptionId> = names.iter().map(|name| subscribe(world, name)).collect();
        world.execute("UPDATE public.tenants_tenant SET schema_name = 'bad name' WHERE schema_name = 'b'");
        let page = |after, limit| -> Vec<SubscriptionId> {
            let page = world.store.candidates(&window(), None, after, limit, now()).unwrap();
            page.iter().map(|candidate| candidate.subscription).collect()
        };
        assert_eq!(page(None, 2), [ids[0], ids[2]]);
        assert_eq!(page(Some(ids[2]), 2), [ids[3], ids[4]]);
        assert!(page(Some(ids[4]), 2).is_empty());
        assert_eq!(page(None, 1000).len(), 4);
        let tenant = candidate(&world.store, "d").tenant.id;
        let only = world.store.candidates(&window(), Some(tenant), None, 10, now()).unwrap();
        assert_eq!(only.iter().map(|candidate| candidate.subscription).collect::<Vec<_>>(), [ids[3]]);
    }
}

on_both! {
    fn each_subscription_has_what_is_its_own(world) {
        for name in ["acme", "b"] {
            subscribe(world, name);
        }
        world.execute("UPDATE public.tenants_feature SET price_per_user_gel = '1.05' WHERE key LIKE 'b-%'");
        world.execute(&pending_order("b", "RETRY-77", "2026-11-22T09:00:00.000000Z"));
        prepare(&world.store, "acme");
        let (acme, b) = (candidate(&world.store, "acme"), candidate(&world.store, "b"));
        assert_eq!((acme.attempts.len(), b.attempts.len()), (1, 0));
        assert_eq!((acme.seen.last_attempt.is_some(), b.seen.last_attempt), (true, None));
        assert_eq!((acme.foreign_order, b.foreign_order.as_deref()), (None, Some("RETRY-77")));
        assert_eq!(b.own_card_order.unwrap().bank_order, bank_order("card-of-b"));
        assert_eq!(b.feature_prices, ["1.05".parse().unwrap(), "1.05".parse().unwrap()]);
    }
}

on_both! {
    fn the_newest_card_is_that_of_the_order_paid_last(world) {
        subscribe(world, "acme");
        let order = |order: &str, bank: &str, amount: &str, paid_at: &str| world.execute(&paid_order("acme", order, bank, amount, paid_at));
        order("o1", "newest", "25.5", "2026-11-20T00:00:00.000000Z");
        order("o2", "older", "30.00", "2026-11-01T00:00:00.000000Z");
        order("o3", " ", "30.00", "2026-11-21T00:00:00.000000Z");
        order("o4", "unpaid", "30.00", "2026-11-21T00:00:00.000000Z");
        order("o5", "not saved", "30.00", "2026-11-21T00:00:00.000000Z");
        world.execute("UPDATE public.tenants_payment_order SET status = 'failed' WHERE order_id = 'o4'");
        world.execute("UPDATE public.tenants_payment_order SET card_saved = false WHERE order_id = 'o5'");
        let found = candidate(&world.store, "acme");
        assert_eq!(found.newest_card_order, Some(CardOrder { bank_order: bank_order("newest"), amount: Ok(gel("25.50")) }));
        assert_eq!(found.own_card_order.unwrap().bank_order, bank_order("card-of-acme"), "the subscription's own goes first");

        for blank in ["''", "' '", "NULL"] {
            world.execute(&format!("UPDATE public.tenants_tenant_subscription SET parent_order_id = {blank}"));
            let found = candidate(&world.store, "acme");
            assert_eq!((found.seen.parent, found.own_card_order), (None, None), "{blank}");
        }
        world.execute("UPDATE public.tenants_payment_order SET currency = 'RUB' WHERE order_id = 'o1'");
        let unusable = candidate(&world.store, "acme").newest_card_order.unwrap().amount.unwrap_err();
        assert!(unusable.contains("RUB"), "{unusable}");
    }
}

on_both! {
    fn numbers_that_are_none_are_the_trouble_of_their_rows_alone(world) {
        subscribe(world, "acme");
        subscribe(world, "b");
        let (huge, none) = if world.is_embedded() { ("9e99", "much") } else { ("1e100", "NaN") };
        if !world.is_embedded() {
            world.execute("ALTER TABLE tenants_payment_order ALTER amount TYPE numeric; ALTER TABLE tenants_feature ALTER price_per_user_gel TYPE numeric");
        }
        for number in [huge, none] {
            world.execute(&format!("UPDATE public.tenants_payment_order SET amount = '{number}' WHERE order_id = 'first-acme'"));
            assert!(candidate(&world.store, "acme").own_card_order.unwrap().amount.is_err(), "{number}");
            world.execute(&format!("UPDATE public.tenants_feature SET price_per_user_gel = '{number}' WHERE key = 'acme-chat'"));
            let decision = judge(&candidate(&world.store, "acme"), &Policy::default(), now());
            assert!(matches!(decision, Decision::Skip(Skip::PriceUnusable(_))), "{number}: {decision:?}");
            assert_eq!(charge(&world.store, "b").amount, gel("50"), "{number}");
        }
    }
}

on_both! {
    fn attempts_that_are_near_or_open_are_told(world) {
        subscribe(world, "acme");
        let attempt = accept(&world.store, "acme");
        settle(&world.store, &attempt, Some(&rejected("107")));
        let past = candidate(&world.store, "acme").attempts.remove(0);
        assert_eq!((past.order, past.period, past.number), (attempt.order.clone(), at("2026-11-24T00:00:00Z"), 1));
        assert_eq!((past.state, past.parent.as_str()), (AttemptState::Failed, "card-of-acme"));
        assert_eq!((past.refusal, past.closed_at), (Some(rejected("107")), Some(now())));

        let moved = |date: &str| world.execute(&format!("UPDATE public.echodesk_charge_attempt SET period = '{date}'"));
        for (date, told) in [
            ("2026-09-25T00:00:00.000000Z", true),
            ("2026-09-24T23:59:59.000000Z", false),
            ("2027-01-23T00:00:00.000000Z", true),
            ("2027-01-23T00:00:01.000000Z", false),
        ] {
            moved(date);
            let found = candidate(&world.store, "acme");
            assert_eq!(found.attempts.len(), usize::from(told), "{date}");
            assert_eq!(found.seen.last_attempt, Some(attempt.id), "{date}");
        }
        moved("2020-01-01T00:00:00.000000Z");
        world.execute(
            "UPDATE public.echodesk_charge_attempt SET state = 'unknown', closed_at = NULL, refusal_kind = NULL",
        );
        assert_eq!(candidate(&world.store, "acme").attempts.len(), 1, "an open one of any period");
    }
}

on_both! {
    fn what_echodesk_will_charge_is_told_if_it_has_such_a_table(world) {
        let id = subscribe(world, "acme");
        assert_eq!(candidate(&world.store, "acme").echodesk_retry, None);
        make_retries(world);
        // A store asks once; another one asks anew.
        let store = echodesk_store::Store::open(&world.url, echodesk_store::Access::ReadWrite).unwrap();
        assert_eq!(candidate(&store, "acme").echodesk_retry, None);
        add_retry(world, id, "2026-11-20T00:00:00.000000Z", "failed");
        add_retry(world, id, "2026-11-26T00:00:00.000000Z", "pending");
        assert_eq!(candidate(&store, "acme").echodesk_retry, Some(at("2026-11-26T00:00:00Z")));
        add_retry(world, id, "2026-11-22T06:00:00.000000Z", "executing");
        assert_eq!(candidate(&store, "acme").echodesk_retry, Some(at("2026-11-22T06:00:00Z")), "the earliest");
    }
}

on_both! {
    fn a_pending_renewal_order_of_somebody_else_is_told_for_three_days(world) {
        subscribe(world, "acme");
        for (order, created_at, told) in [
            ("REC-OTHER", "2026-11-20T00:00:00.000000Z", true),
            ("RETRY-OTHER", "2026-11-22T00:00:00.000000Z", true),
            ("REC-OLD", "2026-11-19T10:00:00.000000Z", false),
            ("UPGRADE-1", "2026-11-22T00:00:00.000000Z", false),
        ] {
            world.execute(&pending_order("acme", order, created_at));
            assert_eq!(candidate(&world.store, "acme").foreign_order.as_deref(), told.then_some(order));
            world.execute(&format!("UPDATE public.tenants_payment_order SET status = 'failed' WHERE order_id = '{order}'"));
            assert_eq!(candidate(&world.store, "acme").foreign_order, None, "{order} is not pending any more");
        }
        prepare(&world.store, "acme");
        assert_eq!(candidate(&world.store, "acme").foreign_order, None, "our own");
    }
}

//! Suspending, and lifting that.

use std::time::Duration;

use diesel::connection::SimpleConnection;
use echodesk_billing::ports::{BillingStore, Lifted, Prepared, StatusStore, Suspended};
use echodesk_billing::rules::expiry::{ExpiryPolicy, Withheld};
use echodesk_core::SubscriptionId;
use echodesk_store::Store;

use super::accounts::{
    accept, at, charge, claim, events, field, notices, paid_order, settle, standing, state, subscribe, try_prepare,
};
use crate::world::{World, on_both, postgres};

/// Eight days after the expiry of all of them.
const LATE: &str = "2026-12-02T00:00:00Z";

fn suspend(store: &Store, id: SubscriptionId) -> Suspended {
    store.suspend(id, &ExpiryPolicy::default(), at(LATE)).unwrap()
}

fn active_tenants(world: &World) -> Vec<String> {
    world.select("SELECT schema_name AS row FROM public.tenants_tenant WHERE is_active ORDER BY id")
}

/// `lifted` or `stands`, of every suspension.
fn suspensions(world: &World) -> Vec<String> {
    world.select(
        "SELECT CASE WHEN lifted_at IS NULL THEN 'stands' ELSE 'lifted' END AS row FROM public.echodesk_suspension ORDER BY id",
    )
}

/// Every table that is not ours, as text; what a suspension may change is left out.
fn the_rest(world: &World) -> Vec<String> {
    let mut all = Vec::new();
    for table in ["tenants_feature", "tenants_payment_order", "tenants_saved_card", "tenants_invoice"] {
        all.extend(world.select(&format!("SELECT '{table} ' || CAST(count(*) AS text) AS row FROM public.{table}")));
    }
    all.extend(world.select(
        "SELECT CAST(expires_at AS text) || CAST(next_billing_date AS text) || payment_status || CAST(failed_payment_count AS text) \
           || subscription_type || CAST(agent_count AS text) AS row FROM public.tenants_tenant_subscription ORDER BY id",
    ));
    all.extend(world.select("SELECT schema_name || name || plan AS row FROM public.tenants_tenant ORDER BY id"));
    all
}

on_both! {
    fn tenant_and_subscription_are_suspended_and_nothing_else_changes(world) {
        let id = subscribe(world, "acme");
        subscribe(world, "b");
        let before = the_rest(world);
        assert_eq!(suspend(&world.store, id), Suspended::Done);
        assert_eq!(the_rest(world), before);
        assert_eq!(active_tenants(world), ["b"]);
        assert_eq!(standing(world, "acme"), "2026-11-24 2026-11-24 current 0 suspended");
        assert_eq!(standing(world, "b"), "2026-11-24 2026-11-24 current 0 active");
        assert_eq!((events(world), notices(world)), (vec!["suspended".to_owned()], vec!["suspended".to_owned()]));
        let was = |column: &str, name: &str| format!("CAST({} AS text)", field(world, column, name));
        let event = world.select(&format!(
            "SELECT {} || {} || ' ' || description AS row FROM public.tenants_subscription_event",
            was("old_value", "is_active"), was("new_value", "tenant_is_active")
        ));
        assert!(event[0].starts_with("truefalse Suspended") || event[0].starts_with("10 Suspended"), "{event:?}");
        let found = world.store.suspensions(None, None, 9).unwrap();
        assert_eq!((found.len(), found[0].subscription, found[0].active, found[0].tenant.is_active), (1, id, false, false));
        assert_eq!((found[0].expired_at, found[0].suspended_at), (at("2026-11-24T00:00:00Z"), at(LATE)));

        assert_eq!(suspend(&world.store, id), Suspended::Changed, "once");
        assert_eq!((events(world).len(), notices(world).len(), suspensions(world).len()), (1, 1, 1));
    }
}

on_both! {
    fn what_is_not_due_any_more_is_not_suspended(world) {
        let id = subscribe(world, "acme");
        for change in [
            "tenants_tenant_subscription SET expires_at = '2026-12-24T00:00:00.000000Z'",
            "tenants_tenant_subscription SET expires_at = '2026-11-25T12:00:00.000000Z'",
            "tenants_tenant_subscription SET expires_at = NULL",
            "tenants_tenant_subscription SET is_active = false",
            "tenants_tenant SET is_active = false",
        ] {
            world.execute(&format!("UPDATE public.{change}"));
            assert_eq!(suspend(&world.store, id), Suspended::Changed, "{change}");
            world.execute("UPDATE public.tenants_tenant_subscription SET is_active = true, expires_at = '2026-11-24T00:00:00.000000Z'");
            world.execute("UPDATE public.tenants_tenant SET is_active = true");
        }
        assert_eq!(suspend(&world.store, SubscriptionId(4711)), Suspended::Changed, "or does not exist");
        assert!(events(world).is_empty() && notices(world).is_empty() && suspensions(world).is_empty());
    }
}

on_both! {
    fn money_that_may_have_come_withholds_it(world) {
        let id = subscribe(world, "acme");
        world.execute(&paid_order("acme", "UPGRADE-1", "bank", "50.00", "2026-11-25T00:00:00.000000Z"));
        assert_eq!(suspend(&world.store, id), Suspended::Withheld(Withheld::PaidNotExtended("UPGRADE-1".to_owned())));
        world.execute("UPDATE public.tenants_payment_order SET status = 'failed' WHERE order_id = 'UPGRADE-1'");
        let attempt = accept(&world.store, "acme");
        let open = Withheld::Open { order: attempt.order.clone(), state: state(&world.store, &attempt) };
        assert_eq!(suspend(&world.store, id), Suspended::Withheld(open));
        assert_eq!(active_tenants(world), ["acme"]);
        settle(&world.store, &attempt, None);
        assert_eq!(suspend(&world.store, id), Suspended::Changed, "paid");
    }
}

on_both! {
    fn a_payment_of_ours_lifts_a_suspension_of_ours(world) {
        let id = subscribe(world, "acme");
        let attempt = accept(&world.store, "acme");
        // As if it had been suspended by the run before, with the charge's answer on its way.
        world.execute("UPDATE public.echodesk_charge_attempt SET state = 'not_sent', closed_at = prepared_at");
        assert_eq!(suspend(&world.store, id), Suspended::Done);
        settle(&world.store, &attempt, None);
        assert_eq!((active_tenants(world), suspensions(world)), (vec!["acme".to_owned()], vec!["lifted".to_owned()]));
        assert_eq!(notices(world), ["suspended", "reactivated", "renewal_paid"]);
        assert!(world.store.suspensions(None, None, 9).unwrap().is_empty());
        assert_eq!(world.store.lift(id, at(LATE)).unwrap(), Lifted::Stands, "nothing is left to lift");
        assert_eq!(events(world), ["suspended", "payment_success", "reactivated"]);
    }
}

on_both! {
    fn a_subscription_that_somebody_else_has_extended_is_active_again(world) {
        let id = subscribe(world, "acme");
        suspend(&world.store, id);
        let later = at("2026-12-05T00:00:00Z");
        assert_eq!(world.store.lift(id, later).unwrap(), Lifted::Stands);
        world.execute("UPDATE public.tenants_tenant_subscription SET expires_at = '2026-12-04T00:00:00.000000Z'");
        assert_eq!(world.store.lift(id, later).unwrap(), Lifted::Stands, "that has passed already");
        world.execute("UPDATE public.tenants_tenant_subscription SET expires_at = '2026-12-24T00:00:00.000000Z'");
        assert_eq!(world.store.suspensions(None, None, 9).unwrap()[0].expires_at, Some(at("2026-12-24T00:00:00Z")));
        assert_eq!(world.store.lift(id, later).unwrap(), Lifted::Reactivated(at("2026-12-24T00:00:00Z")));
        assert_eq!(standing(world, "acme"), "2026-12-24 2026-11-24 current 0 active");
        assert_eq!((active_tenants(world), suspensions(world)), (vec!["acme".to_owned()], vec!["lifted".to_owned()]));
        assert_eq!((events(world), notices(world)), (vec!["suspended".to_owned(), "reactivated".to_owned()], vec!["suspended".to_owned(), "reactivated".to_owned()]));
        assert_eq!(world.store.lift(id, later).unwrap(), Lifted::Stands);
        assert_eq!(notices(world).len(), 2);
    }
}

on_both! {
    fn that_somebody_has_lifted_it_is_noted_without_a_word(world) {
        let id = subscribe(world, "acme");
        suspend(&world.store, id);
        world.execute("UPDATE public.tenants_tenant_subscription SET is_active = true");
        assert_eq!(world.store.lift(id, at(LATE)).unwrap(), Lifted::Stands, "the tenant is suspended still");
        world.execute("UPDATE public.tenants_tenant SET is_active = true");
        assert_eq!(world.store.lift(id, at(LATE)).unwrap(), Lifted::Noted);
        assert_eq!((suspensions(world), events(world).len(), notices(world).len()), (vec!["lifted".to_owned()], 1, 1));
    }
}

on_both! {
    fn a_suspension_that_was_lifted_unnoticed_does_not_stand_in_the_way_of_the_next(world) {
        let id = subscribe(world, "acme");
        suspend(&world.store, id);
        world.execute("UPDATE public.tenants_tenant_subscription SET is_active = true");
        world.execute("UPDATE public.tenants_tenant SET is_active = true");
        assert_eq!(suspend(&world.store, id), Suspended::Done);
        assert_eq!(suspensions(world), ["lifted", "stands"]);
        assert_eq!(notices(world).len(), 1, "of the same period it was told already");
    }
}

on_both! {
    fn suspensions_come_page_by_page(world) {
        let ids: Vec<SubscriptionId> = ["acme", "b", "c"].iter().map(|name| subscribe(world, name)).collect();
        ids.iter().for_each(|id| assert_eq!(suspend(&world.store, *id), Suspended::Done));
        let page = |tenant, after, limit| -> Vec<SubscriptionId> {
            world.store.suspensions(tenant, after, limit).unwrap().iter().map(|found| found.subscription).collect()
        };
        assert_eq!(page(None, None, 2), ids[..2]);
        assert_eq!(page(None, Some(ids[1]), 2), ids[2..]);
        let b = world.store.suspensions(None, None, 9).unwrap()[1].tenant.id;
        assert_eq!(page(Some(b), None, 2), [ids[1]]);
        world.execute("UPDATE public.tenants_tenant SET schema_name = 'bad name' WHERE schema_name = 'acme'");
        assert_eq!(page(None, None, 2), ids[1..]);
    }
}

on_both! {
    fn of_many_who_suspend_at_once_one_does(world) {
        let id = subscribe(world, "acme");
        let done = std::thread::scope(|scope| {
            let threads: Vec<_> = (0..8).map(|_| {
                let store = world.store.clone();
                scope.spawn(move || suspend(&store, id))
            }).collect();
            threads.into_iter().map(|thread| thread.join().unwrap()).filter(|done| *done == Suspended::Done).count()
        });
        assert_eq!((done, events(world).len(), suspensions(world).len()), (1, 1, 1));
    }
}

/// Holds the subscription's row while `change` is made to it; what suspending says once that is committed.
fn suspend_while(world: &World, id: SubscriptionId, change: &str) -> Suspended {
    let mut other = postgres(&world.url);
    other.batch_execute(&format!("BEGIN; {change}")).unwrap();
    std::thread::scope(|scope| {
        let ours = scope.spawn(|| suspend(&world.store, id));
        std::thread::sleep(Duration::from_millis(500));
        assert!(!ours.is_finished(), "it waits for the row");
        other.batch_execute("COMMIT").unwrap();
        ours.join().unwrap()
    })
}

#[test]
fn a_payment_that_is_being_booked_wins() {
    let Some(world) = World::postgres() else { return };
    let id = subscribe(&world, "acme");
    let paid = "UPDATE tenants_tenant_subscription SET expires_at = expires_at + interval '30 days'";
    assert_eq!(suspend_while(&world, id, paid), Suspended::Changed);
    assert_eq!((active_tenants(&world), events(&world).len()), (vec!["acme".to_owned()], 0));
}

#[test]
fn a_charge_that_is_being_written_down_withholds_it() {
    let Some(world) = World::postgres() else { return };
    let id = subscribe(&world, "acme");
    let prepared = "SELECT 1 FROM tenants_tenant_subscription FOR NO KEY UPDATE; \
        INSERT INTO echodesk_charge_attempt (subscription_id, tenant_id, schema_name, period, number, order_id, \
          idempotency_key, parent_order_id, amount, currency, state, prepared_at, updated_at) \
        SELECT id, tenant_id, 'acme', expires_at, 1, 'REC-1', gen_random_uuid(), 'card', 50, 'GEL', 'prepared', now(), now() \
        FROM tenants_tenant_subscription";
    let done = suspend_while(&world, id, prepared);
    assert!(matches!(done, Suspended::Withheld(Withheld::Open { .. })), "{done:?}");
    assert_eq!(active_tenants(&world), ["acme"]);
}

on_both! {
    fn of_charging_and_suspending_at_once_only_one_happens(world) {
        for name in ["acme", "b", "c", "d", "e"] {
            let id = subscribe(world, name);
            let charge = charge(&world.store, name);
            let (prepared, suspended) = std::thread::scope(|scope| {
                let charging = scope.spawn(|| try_prepare(&world.store, &charge, claim()));
                let suspending = scope.spawn(|| suspend(&world.store, id));
                (charging.join().unwrap(), suspending.join().unwrap())
            });
            let charged = matches!(prepared, Prepared::Written(_));
            assert_ne!(charged, suspended == Suspended::Done, "{prepared:?} {suspended:?}");
            world.store.release(claim().run, None).unwrap();
        }
    }
}

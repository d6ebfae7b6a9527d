//! What expires, with all that decides about it.

use echodesk_billing::model::{Account, RecentOrder, SavedCard, Told};
use echodesk_billing::ports::StatusStore;
use echodesk_core::SubscriptionId;
use echodesk_core::notice::{NewNotice, NoticeKind};
use echodesk_notify::ports::{Claim, Fate, Outbox};
use echodesk_store::Store;
use jiff::Timestamp;

use super::accounts::{accept, at, bank_order, paid_order, pending_order, prepare, saved_card, subscribe};
use crate::world::{now, on_both};

const UNTIL: &str = "2026-12-01T00:00:00Z";
/// After the expiry of all of them.
const AFTER: &str = "2026-11-30T00:00:00Z";

fn accounts_at(store: &Store, now: Timestamp) -> Vec<Account> {
    store.accounts(at(UNTIL), None, None, 100, now).unwrap()
}

fn account(store: &Store, name: &str) -> Account {
    accounts_at(store, at(AFTER)).into_iter().find(|account| account.candidate.tenant.schema.as_str() == name).unwrap()
}

on_both! {
    fn only_active_subscriptions_of_active_tenants_that_expire_are_told(world) {
        let id = subscribe(world, "acme");
        let found = |until: &str| -> Vec<SubscriptionId> {
            let page = world.store.accounts(at(until), None, None, 10, now()).unwrap();
            page.iter().map(|account| account.candidate.subscription).collect()
        };
        assert_eq!(found("2026-11-24T00:00:00Z"), [id], "to the moment");
        assert!(found("2026-11-23T23:59:59Z").is_empty());
        for (change, back) in [
            ("tenants_tenant SET is_active = false", "tenants_tenant SET is_active = true"),
            ("tenants_tenant_subscription SET is_active = false", "tenants_tenant_subscription SET is_active = true"),
            (
                "tenants_tenant_subscription SET expires_at = NULL",
                "tenants_tenant_subscription SET expires_at = '2026-11-24T00:00:00.000000Z'",
            ),
        ] {
            world.execute(&format!("UPDATE public.{change}"));
            assert!(found(UNTIL).is_empty(), "{change}");
            world.execute(&format!("UPDATE public.{back}"));
            assert_eq!(found(UNTIL), [id]);
        }
        world.execute("UPDATE public.tenants_tenant_subscription SET expires_at = '2020-01-01T00:00:00.000000Z'");
        assert_eq!(found(UNTIL), [id], "however long ago");
        world.execute("UPDATE public.tenants_tenant SET payment_provider = 'paddle'");
        assert_eq!(found(UNTIL), [id], "whoever bills it: that is for the rules");
    }
}

on_both! {
    fn accounts_come_page_by_page_and_of_one_tenant_if_wanted(world) {
        let ids: Vec<SubscriptionId> = ["acme", "b", "c"].iter().map(|name| subscribe(world, name)).collect();
        let page = |tenant, after, limit| -> Vec<SubscriptionId> {
            let page = world.store.accounts(at(UNTIL), tenant, after, limit, now()).unwrap();
            page.iter().map(|account| account.candidate.subscription).collect()
        };
        assert_eq!(page(None, None, 2), ids[..2]);
        assert_eq!(page(None, Some(ids[1]), 2), ids[2..]);
        assert!(page(None, None, 0).is_empty());
        let b = account(&world.store, "b").candidate.tenant.id;
        assert_eq!(page(Some(b), None, 9), [ids[1]]);
        world.execute("UPDATE public.tenants_tenant SET schema_name = 'bad name' WHERE schema_name = 'acme'");
        assert_eq!(page(None, None, 2), ids[1..], "one that cannot be worked for shortens no page");
    }
}

on_both! {
    fn active_cards_are_told_with_what_people_know_them_by(world) {
        subscribe(world, "acme");
        subscribe(world, "b");
        world.execute(&saved_card("acme", "card-of-acme", "411111***1111", "03/27", true));
        world.execute(&saved_card("acme", "blank", " ", "", true));
        world.execute(&saved_card("acme", "inactive", "5***", "01/30", false));
        world.execute(&saved_card("b", "card-of-b", "4***", "01/30", true));
        let card = |parent: &str, masked: Option<&str>, expiry: &str| SavedCard {
            parent: bank_order(parent),
            masked: masked.map(str::to_owned),
            expiry: expiry.to_owned(),
        };
        let of = |name: &str| account(&world.store, name).saved_cards;
        assert_eq!(of("acme"), [card("card-of-acme", Some("411111***1111"), "03/27"), card("blank", None, "")]);
        assert_eq!(of("b"), [card("card-of-b", Some("4***"), "01/30")]);
    }
}

on_both! {
    fn what_was_told_before_is_told_whatever_became_of_it(world) {
        let ids = [subscribe(world, "acme"), subscribe(world, "b")];
        let tenants = ["acme", "b"].map(|name| account(&world.store, name).candidate.tenant.id);
        let notice = |id: SubscriptionId, kind: NoticeKind, period: &str, decided_at: &str| NewNotice {
            kind,
            subject_key: format!("subscription:{id}"),
            period: period.to_owned(),
            decided_at: at(decided_at),
        };
        let suspended = || NoticeKind::Suspended { expired_at: now(), price: None };
        let reactivated = NoticeKind::Reactivated { paid_until: now() };
        let new = [
            (tenants[0], notice(ids[0], suspended(), "2026-11-24", "2026-11-24T00:00:00Z")),
            (tenants[0], notice(ids[0], suspended(), "too old", "2026-08-31T23:59:59Z")),
            (tenants[0], notice(ids[0], reactivated, "of another kind", "2026-11-24T00:00:00Z")),
            (tenants[1], notice(ids[1], suspended(), "2026-11-20", "2026-09-02T00:00:00Z")),
            (tenants[1], notice(ids[0], suspended(), "of another tenant's", "2026-11-24T00:00:00Z")),
        ];
        assert_eq!(world.store.queue_notices(&new).unwrap(), [true; 5]);
        let told = |period: &str| vec![Told { kind: "suspended".to_owned(), period: period.to_owned() }];
        let check = || {
            assert_eq!(account(&world.store, "b").told, told("2026-11-20"));
            let acme = account(&world.store, "acme").told;
            assert!(acme.contains(&told("2026-11-24")[0]) && !acme.iter().any(|told| told.period == "too old"), "{acme:?}");
            assert!(acme.iter().all(|told| told.kind == "suspended"), "{acme:?}");
        };
        check();
        let claim = Claim { run: echodesk_core::RunId::random(), until: at(UNTIL), now: now() };
        let fates: Vec<_> = world.store.claim(&claim, None, 9).unwrap().notices.iter().zip(0..).map(|(queued, number)| {
            let fate = if number % 2 == 0 { Fate::Sent { to: "a@x".to_owned() } } else { Fate::Withdrawn { why: "x".to_owned() } };
            (queued.id, fate)
        }).collect();
        world.store.record(claim.run, &fates, now()).unwrap();
        check();
    }
}

on_both! {
    fn orders_that_may_be_money_are_told_of_those_that_have_expired(world) {
        subscribe(world, "acme");
        subscribe(world, "b");
        let ours = accept(&world.store, "acme");
        world.execute(&paid_order("acme", "RECENT", "bank", "50.00", "2026-11-20T00:00:00.000000Z"));
        world.execute(&paid_order("acme", "LONG-AGO", "bank", "50.00", "2026-09-20T00:00:00.000000Z"));
        world.execute(&paid_order("acme", "NO-TIME", "bank", "50.00", "2026-11-21T00:00:00.000000Z"));
        world.execute("UPDATE public.tenants_payment_order SET paid_at = NULL WHERE order_id = 'NO-TIME'");
        world.execute("UPDATE public.tenants_payment_order SET paid_at = '2026-09-19T00:00:00.000000Z', created_at = paid_at WHERE order_id LIKE 'first-%'");
        world.execute(&pending_order("acme", "PAYING", "2026-11-29T12:00:00.000000Z"));
        world.execute(&pending_order("acme", "GIVEN-UP", "2026-11-28T12:00:00.000000Z"));
        world.execute("UPDATE public.tenants_payment_order SET created_at = '2026-09-19T00:00:00.000000Z' WHERE order_id LIKE 'first-%'");
        let order = |order: &str, paid, moment: &str| RecentOrder { order: order.to_owned(), paid, at: at(moment) };
        let acme = account(&world.store, "acme");
        assert_eq!(
            acme.orders,
            [
                order("RECENT", true, "2026-11-20T00:00:00Z"),
                order("NO-TIME", true, "2026-11-21T00:00:00Z"),
                order("PAYING", false, "2026-11-29T12:00:00Z"),
            ]
        );
        assert_eq!(acme.candidate.attempts[0].order, ours.order, "ours are among the attempts");
        assert!(account(&world.store, "b").orders.is_empty());
        let before = accounts_at(&world.store, now());
        assert!(before.iter().all(|account| account.orders.is_empty()), "nobody has expired by then");
    }
}

on_both! {
    fn only_money_that_nobody_has_booked_is_told(world) {
        subscribe(world, "acme");
        world.execute("UPDATE public.tenants_payment_order SET paid_at = '2026-09-19T00:00:00.000000Z', created_at = paid_at WHERE order_id LIKE 'first-%'");
        for (order, amount) in [("NOTHING", "0.00"), ("TRIAL", "5.00"), ("BOOKED", "50.00"), ("NOT-BOOKED", "50.00")] {
            let day = if order == "NOT-BOOKED" { "2026-11-22" } else { "2026-11-20" };
            world.execute(&paid_order("acme", order, "bank", amount, &format!("{day}T00:00:00.000000Z")));
        }
        world.execute("UPDATE public.tenants_payment_order SET is_trial_payment = true WHERE order_id = 'TRIAL'");
        world.execute("UPDATE public.tenants_tenant_subscription SET last_billed_at = '2026-11-20T00:00:01.000000Z'");
        world.execute(&pending_order("acme", "RETRY-1", "2026-11-15T12:00:00.000000Z"));
        let told = || {
            let orders = account(&world.store, "acme").orders;
            orders.into_iter().map(|order| (order.order, order.paid)).collect::<Vec<_>>()
        };
        assert_eq!(told(), [("NOT-BOOKED".to_owned(), true), ("RETRY-1".to_owned(), false)]);

        // One of ours that was refused, as far as we know, and that EchoDesk has heard was paid.
        let ours = accept(&world.store, "acme");
        world.execute(&format!(
            "UPDATE public.tenants_payment_order SET status = 'paid', paid_at = '2026-11-23T00:00:00.000000Z' WHERE order_id = '{}'",
            ours.order
        ));
        let state = |state: &str| {
            world.execute(&format!(
                "UPDATE public.echodesk_charge_attempt SET state = '{state}', closed_at = prepared_at, claimed_by = NULL, \
                 claimed_until = NULL, refusal_kind = {}",
                if state == "failed" { "'http'" } else { "NULL" }
            ));
            told().iter().any(|(order, paid)| *order == ours.order.to_string() && *paid)
        };
        assert!(state("failed"));
        assert!(!state("paid"), "that one is among the attempts");
    }
}

on_both! {
    fn an_expiry_of_long_ago_does_not_hide_its_attempts_and_orders(world) {
        subscribe(world, "acme");
        prepare(&world.store, "acme");
        world.execute("UPDATE public.tenants_tenant_subscription SET expires_at = '2026-01-10T00:00:00.000000Z'");
        world.execute("UPDATE public.echodesk_charge_attempt SET period = '2026-01-10T00:00:00.000000Z', state = 'paid', closed_at = prepared_at, claimed_by = NULL, claimed_until = NULL");
        world.execute(&paid_order("acme", "OLD", "bank", "50.00", "2026-01-09T00:00:00.000000Z"));
        let acme = account(&world.store, "acme");
        assert_eq!(acme.candidate.attempts.len(), 1);
        assert!(acme.orders.iter().any(|order| order.order == "OLD"), "{:?}", acme.orders);
    }
}

//! What the ledgers hold of one tenant, told to people.

use echodesk_billing::model::AttemptState;
use echodesk_billing::ports::StatusStore as _;
use echodesk_billing::rules::expiry::ExpiryPolicy;
use echodesk_core::notice::NoticeKind;
use echodesk_core::{RunId, Tenant, TenantId};
use echodesk_mail::ports::{FailureRecord, MailStore, TenantProblem};
use echodesk_store::{Access, NewRun, Store};
use serde_json::Value;

use crate::billing::accounts::{
    accept, add_retry, at, make_retries, paid_order, rejected, saved_card, settle, subscribe,
};
use crate::world::{World, item, now, on_both, schema, unreadable};

fn acme(world: &World) -> Tenant {
    world.store.tenants_list().unwrap().into_iter().find(|tenant| tenant.schema == schema("acme")).unwrap()
}

/// What somebody reads who may change nothing.
fn reader(world: &World) -> Store {
    Store::open(&world.url, Access::ReadOnly).unwrap()
}

on_both! {
    fn payments_are_told_with_their_orders_and_what_followed(world) {
        let subscription = subscribe(world, "acme");
        let _ = subscribe(world, "globex");
        world.execute(&saved_card("acme", "card-of-acme", "4111***1111", "12/28", true));
        let refused = accept(&world.store, "acme");
        let _ = settle(&world.store, &refused, Some(&rejected("107")));
        let _ = settle(&world.store, &accept(&world.store, "globex"), None);
        let late = at("2026-12-02T00:00:00Z");
        let _ = world.store.suspend(subscription, &ExpiryPolicy::default(), late).unwrap();

        let story = reader(world).billing_story(acme(world).id, 100).unwrap();
        assert_eq!((story.provider.as_str(), story.subscriptions.len()), ("bog", 1));
        let told = &story.subscriptions[0];
        assert_eq!((told.id, told.agents, told.active), (subscription, 2, false));
        assert_eq!(told.card.as_ref().unwrap().as_str(), "card-of-acme");
        assert_eq!((told.payment_status.as_str(), told.failed_payments), ("retrying", 1));
        assert_eq!(story.cards[0].masked, "4111***1111");
        let orders: Vec<(&str, &str)> =
            story.orders.rows.iter().map(|order| (order.order.as_str(), order.status.as_str())).collect();
        assert_eq!(orders, [("first-acme", "paid"), (refused.order.as_str(), "failed")]);
        assert_eq!(story.attempts.rows.len(), 1);
        let entry = &story.attempts.rows[0];
        assert_eq!((entry.attempt.state, entry.settled_by.as_deref()), (AttemptState::Failed, Some("callback")));
        let events: Vec<(&str, Option<&str>)> =
            story.events.rows.iter().map(|event| (event.kind.as_str(), event.order.as_deref())).collect();
        assert_eq!(events, [("payment_failed", Some(refused.order.as_str())), ("suspended", None)]);
        assert_eq!(story.events.rows[0].attempt, Some(1));
        assert!(story.invoices.rows.is_empty() && story.retries.rows.is_empty());
        let suspension = &story.suspensions.rows[0];
        assert_eq!((suspension.subscription, suspension.suspended_at, suspension.lifted_at), (subscription, late, None));
    }
}

on_both! {
    fn a_payment_tells_how_far_it_has_extended_and_its_invoice(world) {
        let _ = subscribe(world, "acme");
        let attempt = accept(&world.store, "acme");
        let _ = settle(&world.store, &attempt, None);
        let story = reader(world).billing_story(acme(world).id, 100).unwrap();
        let event = &story.events.rows[0];
        assert_eq!((event.kind.as_str(), event.expires_at), ("payment_success", Some(at("2026-12-24T00:00:00Z"))));
        let invoice = &story.invoices.rows[0];
        assert_eq!((invoice.order.as_deref(), invoice.at), (Some(attempt.order.as_str()), now()));
        assert_eq!(invoice.amount, Some("50.00".parse().unwrap()));
    }
}

on_both! {
    fn echodesks_own_retries_are_told_where_it_makes_any(world) {
        let subscription = subscribe(world, "acme");
        make_retries(world);
        add_retry(world, subscription, "2026-11-25T00:00:00.000000Z", "pending");
        let story = reader(world).billing_story(acme(world).id, 100).unwrap();
        let retry = &story.retries.rows[0];
        assert_eq!((retry.scheduled_for, retry.status.as_str()), (at("2026-11-25T00:00:00Z"), "pending"));
    }
}

on_both! {
    fn of_long_lists_the_newest_are_told_oldest_first(world) {
        let _ = subscribe(world, "acme");
        for day in 1..4 {
            let (order, paid_at) = (format!("o-{day}"), format!("2026-11-0{day}T00:00:00.000000Z"));
            world.execute(&paid_order("acme", &order, &format!("b-{day}"), "50.00", &paid_at));
        }
        let newest = |limit| {
            let orders = world.store.billing_story(acme(world).id, limit).unwrap().orders;
            (orders.rows.into_iter().map(|order| order.order).collect::<Vec<_>>(), orders.cut)
        };
        assert_eq!(newest(2), (vec!["o-2".to_owned(), "o-3".to_owned()], true));
        assert_eq!((newest(4).0.len(), newest(4).1), (4, false));
    }
}

on_both! {
    fn notices_are_told_with_what_they_say(world) {
        let _ = subscribe(world, "acme");
        let _ = settle(&world.store, &accept(&world.store, "acme"), Some(&rejected("107")));
        let story = reader(world).notice_story(acme(world).id, 10).unwrap();
        let [notice] = &story.rows[..] else { panic!("{story:?}") };
        assert_eq!((notice.entry.kind.as_str(), notice.entry.schema.as_deref()), ("payment_failed", Some("acme")));
        let Some(NoticeKind::PaymentFailed { amount, .. }) = &notice.kind else { panic!("{notice:?}") };
        assert_eq!(amount, "50.00 GEL");
        world.execute("UPDATE public.echodesk_notice SET payload = '{\"kind\": \"from_the_future\"}'");
        assert_eq!(world.store.notice_story(acme(world).id, 10).unwrap().rows[0].kind, None);
        assert!(world.store.notice_story(TenantId(999), 10).unwrap().rows.is_empty());
    }
}

on_both! {
    fn a_mailbox_is_told_with_its_folders_and_what_was_not_stored(world) {
        let _ = world.put("INBOX", vec![item(1, "<a@x>", 1), item(2, "<b@x>", 2), unreadable(7, "no end")]);
        let _ = world.put("Sales", vec![item(1, "<a@x>", 1), unreadable(3, "empty")]);
        let _ = world.gone("INBOX", "2");
        let story = |limit| reader(world).mail_story(&acme(world), limit, now()).unwrap().unwrap().remove(0);
        let told = story(10);
        assert_eq!((told.mailbox.address.as_str(), told.auto_disabled_at), ("info@acme.example", None));
        assert_eq!(told.held_until, Some(world.lease.until));
        let folders: Vec<(&str, u64, u64, u64)> = told
            .folders
            .iter()
            .map(|folder| (folder.cursor.folder.as_str(), folder.stored, folder.duplicates, folder.failed))
            .collect();
        assert_eq!(folders, [("INBOX", 1, 0, 1), ("Sales", 0, 1, 1)], "one is gone");
        let failed: Vec<(&str, u32, &str)> = told
            .failed
            .rows
            .iter()
            .map(|message| (message.folder.as_str(), message.uid.0, message.reason.as_str()))
            .collect();
        assert_eq!((failed, told.failed.cut), (vec![("INBOX", 7, "no end"), ("Sales", 3, "empty")], false));
        assert_eq!((story(1).failed.rows.len(), story(1).failed.cut), (1, true));

        let failure = FailureRecord { error: "no".to_owned(), failure_count: 2, switch_off: None, at: now() };
        assert!(world.store.record_failure(&world.mailbox, &world.lease, &failure).unwrap());
        MailStore::release(&world.store, world.key(), &world.lease).unwrap();
        let told = story(10);
        assert_eq!((told.mailbox.failure_count, told.updated_at, told.held_until), (2, now(), None));
    }
}

on_both! {
    fn mail_that_cannot_be_read_is_a_problem_of_this_tenant(world) {
        world.execute("DROP TABLE echodesk_mail_item");
        let problem = reader(world).mail_story(&acme(world), 10, now()).unwrap().unwrap_err();
        assert!(matches!(problem, TenantProblem::OwnTablesMissing { .. }), "{problem}");
    }
}

on_both! {
    fn runs_are_told_that_were_for_the_tenant(world) {
        let run = |tenant: Option<&str>, started_at: &str, ends: bool| {
            let (id, job, tenant) = (RunId::random(), "sync-emails", tenant.map(schema));
            let (host, arguments, started_at) = ("h".to_owned(), String::new(), at(started_at));
            world.store.begin_run(&NewRun { id, job, host, version: "1", arguments, tenant, started_at }).unwrap();
            if ends {
                world.store.finish_run(id, job, started_at, 1, &Value::Null).unwrap();
            }
        };
        run(None, "2026-11-22T01:00:00Z", true);
        run(Some("acme"), "2026-11-22T02:00:00Z", true);
        run(Some("acme"), "2026-11-22T03:00:00Z", false);
        run(Some("acme2"), "2026-11-22T04:00:00Z", true);
        let store = reader(world);
        let ours: Vec<Option<i32>> =
            store.runs_for(&schema("acme"), 10).unwrap().rows.into_iter().map(|run| run.exit_code).collect();
        assert_eq!(ours, [Some(1), None]);
        let last = |name: &str| store.last_run("sync-emails", &schema(name)).unwrap().unwrap().started_at;
        assert_eq!(last("acme"), at("2026-11-22T03:00:00Z"));
        assert_eq!(last("globex"), at("2026-11-22T01:00:00Z"), "that for all");
        assert!(store.last_run("recurring-payments", &schema("acme")).unwrap().is_none());
    }
}

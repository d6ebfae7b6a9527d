//! The ledger as a person sees it, and what only a person decides.

use echodesk_billing::model::OrderId;
use echodesk_billing::ports::{BillingStore, Claim, Claims};
use echodesk_core::RunId;
use echodesk_store::LedgerFilter;

use super::accounts::{accept, at, claim, events, field, prepare, prepare_by, rejected, settle, settlement, subscribe};
use crate::world::{World, now, on_both};

fn listed(world: &World, filter: LedgerFilter) -> Vec<String> {
    let entries = world.store.ledger(filter, None, None, 100).unwrap();
    entries.iter().map(|entry| entry.attempt.schema.to_string()).collect()
}

on_both! {
    fn a_person_is_shown_what_is_open_or_in_trouble(world) {
        let store = &world.store;
        for name in ["acme", "beta", "gamma", "delta", "kappa"] {
            subscribe(world, name);
        }
        prepare(store, "acme");
        accept(store, "beta");
        let unknown = prepare(store, "gamma");
        store.unanswered(unknown.id, "no answer", now()).unwrap();
        let troubled = accept(store, "delta");
        settle(store, &troubled, Some(&rejected("107")));
        store.set_trouble(troubled.id, Some("odd"), now()).unwrap();
        let settled = accept(store, "kappa");
        settle(store, &settled, None);

        assert_eq!(listed(world, LedgerFilter::OpenOrInTrouble), ["acme", "beta", "gamma", "delta"]);
        assert_eq!(listed(world, LedgerFilter::Open), ["acme", "beta", "gamma"]);
        assert_eq!(listed(world, LedgerFilter::Unknown), ["acme", "gamma"]);
        assert_eq!(listed(world, LedgerFilter::All), ["acme", "beta", "gamma", "delta", "kappa"]);

        let of_beta = store.ledger(LedgerFilter::All, Some(store.tenants_list().unwrap()[1].id), None, 100).unwrap();
        assert_eq!(of_beta.len(), 1);
        let page = store.ledger(LedgerFilter::All, None, Some(of_beta[0].attempt.id), 2).unwrap();
        let names: Vec<&str> = page.iter().map(|entry| entry.attempt.schema.as_str()).collect();
        assert_eq!(names, ["gamma", "delta"]);

        let entry = store.ledger_entry(&settled.order).unwrap().unwrap();
        assert_eq!((entry.closed_at, entry.settled_by.as_deref()), (Some(now()), Some("callback")));
        assert_eq!(store.ledger_entry(&unknown.order).unwrap().unwrap().claimed_until, Some(claim().until));
        assert_eq!(store.ledger_entry(&OrderId("REC-NOBODY".to_owned())).unwrap(), None);
    }
}

on_both! {
    fn an_attempt_is_claimed_only_if_no_run_works_on_it(world) {
        subscribe(world, "acme");
        let store = &world.store;
        let run = claim();
        let attempt = prepare_by(store, "acme", run);
        let person = claim();
        assert!(!store.claim_attempt(attempt.id, &person).unwrap(), "its run works on it");
        let later = Claim { now: run.until, until: at("2026-11-22T10:06:00Z"), run: RunId::random() };
        assert!(store.claim_attempt(attempt.id, &later).unwrap(), "the run is dead");
        let too_late = Claim { now: run.until, ..claim() };
        assert!(store.claim(&too_late, Claims::Left, None, None, 10).unwrap().is_empty(), "the person has it");
        // The run that wrote it down was interrupted, so it cannot know any more that it was not sent.
        assert!(!store.not_sent(attempt.id, run.run, "no", run.until).unwrap());
        store.release(later.run, None).unwrap();
        assert_eq!(store.claim(&too_late, Claims::Left, None, None, 10).unwrap().len(), 1);
    }
}

on_both! {
    fn trouble_that_is_dealt_with_is_kept_in_the_history(world) {
        subscribe(world, "acme");
        let store = &world.store;
        let attempt = accept(store, "acme");
        store.settle(attempt.id, &settlement(None)).unwrap();
        assert!(!store.clear_trouble(attempt.id, "nothing was wrong", now()).unwrap());
        store.set_trouble(attempt.id, Some("charged twice"), now()).unwrap();
        assert!(store.clear_trouble(attempt.id, "money\0 returned", now()).unwrap());
        assert_eq!(store.attempt_of_order(&attempt.order).unwrap().unwrap().trouble, None);
        assert_eq!(events(world), ["payment_success", "payment_success"]);
        let (kind, because, trouble) =
            (field(world, "metadata", "type"), field(world, "metadata", "because"), field(world, "metadata", "trouble"));
        let row = format!(
            "SELECT {kind} || ': ' || {because} || ', ' || {trouble} AS row FROM public.tenants_subscription_event \
             WHERE payment_order_id IS NOT NULL ORDER BY id DESC LIMIT 1"
        );
        assert_eq!(world.select(&row), ["trouble_resolved: money returned, charged twice"]);
    }
}

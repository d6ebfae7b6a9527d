//! A captured charge extends its subscription exactly once.

use echodesk_billing::model::AttemptState;
use echodesk_billing::ports::{BillingStore, Settled, Settlement, Source};

use super::accounts::{
    EXTENDED, accept, add_retry, at, bank_order, day, events, field, invoices, make_retries, notices, orders, paid,
    prepare, read, rejected, saved_card, settle, settlement, standing, state, subscribe,
};
use crate::world::{World, now, on_both};

const PAID: &str = "2026-12-24 2026-12-24 current 0 active";

/// What EchoDesk's own web hook does when the bank calls it.
fn echodesk_was_first(world: &World) {
    world.execute(
        "UPDATE public.tenants_payment_order SET status = 'paid', paid_at = '2026-11-22T09:59:00.000000Z' WHERE NOT card_saved; \
         UPDATE public.tenants_tenant_subscription SET expires_at = '2026-12-24T00:00:00.000000Z', \
           next_billing_date = '2026-12-24T00:00:00.000000Z'",
    );
}

on_both! {
    fn everything_that_follows_from_a_payment_is_done_and_done_once(world) {
        subscribe(world, "acme");
        world.execute("UPDATE public.tenants_tenant_subscription SET payment_status = 'retrying', failed_payment_count = 2");
        let attempt = accept(&world.store, "acme");
        let settled = settle(&world.store, &attempt, None);
        assert_eq!(settled, Settled::Paid { until: Some(at(EXTENDED)), extended: true, reactivated: false });
        assert_eq!(standing(world, "acme"), PAID);
        let billed = day(world, "last_billed_at");
        let row = format!("SELECT {billed} || ' ' || subscription_type AS row FROM public.tenants_tenant_subscription");
        assert_eq!(world.select(&row), ["2026-11-22 paid"]);
        let paid_at = day(world, "paid_at");
        let order = format!(
            "SELECT status || ' ' || {paid_at} || ' ' || bog_order_id AS row FROM public.tenants_payment_order WHERE NOT card_saved"
        );
        assert_eq!(world.select(&order), ["paid 2026-11-22 bank-acme"]);
        assert_eq!(events(world), ["payment_success"]);
        assert_eq!(invoices(world), ["INV-202611-0001"]);
        assert_eq!(notices(world), ["renewal_paid"]);
        let closed = read(&world.store, &attempt);
        assert_eq!((closed.state, closed.refusal, closed.trouble), (AttemptState::Paid, None, None));

        for refusal in [None, Some(&rejected("107"))] {
            assert_eq!(settle(&world.store, &attempt, refusal), Settled::Already(AttemptState::Paid));
        }
        assert_eq!((standing(world, "acme").as_str(), events(world).len(), invoices(world).len()), (PAID, 1, 1));
        assert_eq!(notices(world), ["renewal_paid"]);
    }
}

on_both! {
    fn event_and_invoice_say_what_was_paid_and_who_said_so(world) {
        subscribe(world, "acme");
        let attempt = accept(&world.store, "acme");
        let because = "seen on the\0 statement";
        let by = Settlement { source: Source::Person { because }, ..settlement(None) };
        world.store.settle(attempt.id, &by).unwrap();
        let event = |column: &str, name: &str| {
            let field = field(world, column, name);
            world.select(&format!("SELECT CAST({field} AS text) AS row FROM public.tenants_subscription_event")).remove(0)
        };
        assert_eq!(event("old_value", "expires_at"), "2026-11-24T00:00:00Z");
        assert_eq!(event("new_value", "next_billing_date"), EXTENDED);
        assert_eq!(event("metadata", "order_id"), attempt.order.to_string());
        assert_eq!((event("metadata", "attempt"), event("metadata", "amount")), ("1".to_owned(), "50.00".to_owned()));
        assert_eq!((event("metadata", "source"), event("metadata", "because")), ("person".to_owned(), "seen on the statement".to_owned()));
        assert_eq!(event("metadata", "period"), "2026-11-24T00:00:00Z");
        let linked = "SELECT o.order_id AS row FROM public.tenants_subscription_event e \
                      JOIN public.tenants_payment_order o ON o.id = e.payment_order_id";
        assert_eq!(world.select(linked), [attempt.order.to_string()]);
        let ledger = "SELECT settled_by || ': ' || because AS row FROM public.echodesk_charge_attempt";
        assert_eq!(world.select(ledger), ["person: seen on the statement"]);

        let (paid, due) = (day(world, "paid_date"), if world.is_embedded() { "due_date" } else { "due_date::text" });
        let invoice = format!(
            "SELECT CAST(i.amount AS text) || ' ' || i.currency || ' ' || CAST(i.agent_count AS text) || ' ' || {paid} || ' ' \
               || {due} || ' ' || o.order_id || CASE WHEN i.pdf_generated THEN ' pdf' ELSE '' END || i.pdf_url AS row \
             FROM public.tenants_invoice i JOIN public.tenants_payment_order o ON o.id = i.payment_order_id"
        );
        assert_eq!(world.select(&invoice), [format!("50.00 GEL 2 2026-11-22 2026-11-22 {}", attempt.order)]);
    }
}

on_both! {
    fn a_payment_lifts_a_suspension(world) {
        subscribe(world, "acme");
        let attempt = accept(&world.store, "acme");
        world.execute("UPDATE public.tenants_tenant_subscription SET is_active = false, expires_at = '2026-11-01T00:00:00.000000Z'");
        world.execute("UPDATE public.tenants_tenant SET is_active = false");
        let until = at("2026-12-22T10:00:00.123456Z");
        assert_eq!(settle(&world.store, &attempt, None), Settled::Paid { until: Some(until), extended: true, reactivated: true });
        assert_eq!(standing(world, "acme"), "2026-12-22 2026-12-22 current 0 active");
        assert_eq!(world.select("SELECT schema_name AS row FROM public.tenants_tenant WHERE is_active"), ["acme"]);
        assert_eq!(events(world), ["payment_success", "reactivated"]);
        let until = field(world, "payload", "paid_until");
        let notice = world.select(&format!("SELECT kind || ' ' || {until} AS row FROM public.echodesk_notice WHERE kind = 'reactivated'"));
        assert_eq!(notice, ["reactivated 2026-12-22T10:00:00.123456Z"]);
    }
}

on_both! {
    fn what_never_expires_is_not_made_to(world) {
        subscribe(world, "acme");
        world.execute("UPDATE public.tenants_tenant_subscription SET expires_at = NULL");
        settle(&world.store, &accept(&world.store, "acme"), None);
        assert_eq!(world.select("SELECT CAST(expires_at AS text) AS row FROM public.tenants_tenant_subscription"), ["-"]);
        let billing = day(world, "next_billing_date");
        assert_eq!(world.select(&format!("SELECT {billing} AS row FROM public.tenants_tenant_subscription")), ["2026-12-24"]);
    }
}

on_both! {
    fn if_echodesk_was_first_nothing_is_extended_again(world) {
        make_retries(world);
        let id = subscribe(world, "acme");
        let attempt = accept(&world.store, "acme");
        echodesk_was_first(world);
        add_retry(world, id, "2026-11-25T00:00:00.000000Z", "pending");
        let settled = settle(&world.store, &attempt, None);
        assert_eq!(settled, Settled::Paid { until: Some(at(EXTENDED)), extended: false, reactivated: false });
        assert_eq!(standing(world, "acme"), PAID);
        assert_eq!(state(&world.store, &attempt), AttemptState::Paid);
        assert!(events(world).is_empty() && invoices(world).is_empty(), "EchoDesk writes its own");
        assert_eq!(notices(world), ["renewal_paid"], "a receipt it does not send");
        assert_eq!(world.select("SELECT status AS row FROM public.tenants_payment_retry_schedule"), ["cancelled"]);
    }
}

on_both! {
    fn a_refusal_of_what_echodesk_holds_for_paid_is_left_to_a_person(world) {
        subscribe(world, "acme");
        let attempt = accept(&world.store, "acme");
        echodesk_was_first(world);
        assert_eq!(settle(&world.store, &attempt, Some(&rejected("107"))), Settled::Contradiction);
        let left = read(&world.store, &attempt);
        assert_eq!(left.state, AttemptState::Accepted);
        assert!(left.trouble.unwrap().contains(attempt.order.as_str()));
        assert_eq!((standing(world, "acme").as_str(), orders(world)), (PAID, vec!["paid".to_owned()]));
        assert!(paid_without_extension(&settle(&world.store, &attempt, None)), "once the bank says paid as well");
        assert!(read(&world.store, &attempt).trouble.is_some(), "a person has not looked yet");
    }
}

fn paid_without_extension(settled: &Settled) -> bool {
    matches!(settled, Settled::Paid { extended: false, .. })
}

on_both! {
    fn what_was_refused_and_is_paid_after_all_counts_as_paid(world) {
        subscribe(world, "acme");
        let attempt = accept(&world.store, "acme");
        assert!(matches!(settle(&world.store, &attempt, Some(&rejected("107"))), Settled::Failed(_)));
        assert!(paid(&settle(&world.store, &attempt, None)));
        let after = read(&world.store, &attempt);
        assert_eq!((after.state, after.refusal, after.trouble), (AttemptState::Paid, None, None));
        assert_eq!((standing(world, "acme").as_str(), orders(world)), (PAID, vec!["paid".to_owned()]));
        assert_eq!(events(world), ["payment_failed", "payment_success"]);
        assert_eq!(settle(&world.store, &attempt, Some(&rejected("107"))), Settled::Already(AttemptState::Paid));
    }
}

on_both! {
    fn a_late_payment_beside_another_of_the_same_period_is_trouble(world) {
        subscribe(world, "acme");
        let first = accept(&world.store, "acme");
        settle(&world.store, &first, Some(&rejected("107")));
        // The second attempt is due on the next day.
        world.execute("UPDATE public.echodesk_charge_attempt SET closed_at = '2026-11-20T00:00:00.000000Z'");
        let second = prepare(&world.store, "acme");
        assert!(paid(&settle(&world.store, &first, None)), "the money is there: it is extended");
        let trouble = read(&world.store, &first).trouble.unwrap();
        assert!(trouble.contains(second.order.as_str()) && trouble.contains("failed"), "{trouble}");
        assert!(paid(&settle(&world.store, &second, None)));
        assert_eq!(standing(world, "acme"), "2027-01-23 2027-01-23 current 0 active", "each captured charge extends");
        assert_eq!(invoices(world).len(), 2);
    }
}

on_both! {
    fn an_order_that_was_deleted_changes_nothing_about_once(world) {
        subscribe(world, "acme");
        let attempt = accept(&world.store, "acme");
        world.execute("DELETE FROM public.tenants_payment_order WHERE NOT card_saved");
        assert!(paid(&settle(&world.store, &attempt, None)));
        assert_eq!(settle(&world.store, &attempt, None), Settled::Already(AttemptState::Paid));
        assert_eq!((standing(world, "acme").as_str(), invoices(world).len()), (PAID, 0));
    }
}

on_both! {
    fn a_subscription_that_was_deleted_is_left_to_a_person(world) {
        subscribe(world, "acme");
        let attempt = accept(&world.store, "acme");
        world.execute("DELETE FROM public.tenants_tenant_subscription_selected_features");
        world.execute("DELETE FROM public.tenants_tenant_subscription");
        assert_eq!(settle(&world.store, &attempt, None), Settled::Paid { until: None, extended: false, reactivated: false });
        assert!(read(&world.store, &attempt).trouble.unwrap().contains("does not exist"));
        assert_eq!(orders(world), ["paid"]);
    }
}

on_both! {
    fn echodesks_pending_retries_of_the_subscription_are_cancelled(world) {
        make_retries(world);
        let id = subscribe(world, "acme");
        let other = subscribe(world, "b");
        let attempt = accept(&world.store, "acme");
        for (subscription, status) in [(id, "pending"), (id, "pending"), (id, "succeeded"), (other, "pending")] {
            add_retry(world, subscription, "2026-11-25T00:00:00.000000Z", status);
        }
        settle(&world.store, &attempt, None);
        let executed = day(world, "executed_at");
        let rows = world.select(&format!(
            "SELECT status || ' ' || {executed} || ' ' || skip_reason AS row FROM public.tenants_payment_retry_schedule ORDER BY id"
        ));
        let cancelled = format!("cancelled 2026-11-22 paid by order {}", attempt.order);
        assert_eq!(rows, [cancelled.as_str(), cancelled.as_str(), "succeeded - ", "pending - "]);
    }
}

on_both! {
    fn amounts_stay_exact(world) {
        subscribe(world, "acme");
        world.execute("UPDATE public.tenants_feature SET price_per_user_gel = '0.07' WHERE key = 'acme-chat'");
        world.execute("UPDATE public.tenants_feature SET price_per_user_gel = '33333.33' WHERE key = 'acme-desk'");
        world.execute("UPDATE public.tenants_payment_order SET amount = '66666.80'");
        let attempt = accept(&world.store, "acme");
        assert_eq!(read(&world.store, &attempt).amount.to_string(), "66666.80 GEL");
        settle(&world.store, &attempt, None);
        assert_eq!(world.select("SELECT CAST(amount AS text) AS row FROM public.tenants_invoice"), ["66666.80"]);
        assert_eq!(world.select("SELECT CAST(amount AS text) AS row FROM public.echodesk_charge_attempt"), ["66666.80"]);
    }
}

on_both! {
    fn the_banks_name_that_comes_with_the_answer_is_kept(world) {
        subscribe(world, "acme");
        let attempt = prepare(&world.store, "acme");
        let name = bank_order("bank-9");
        world.store.settle(attempt.id, &Settlement { bank_order: Some(&name), now: now(), ..settlement(None) }).unwrap();
        assert_eq!(read(&world.store, &attempt).bank_order, Some(name));
        assert_eq!(world.select("SELECT bog_order_id AS row FROM public.tenants_payment_order WHERE NOT card_saved"), ["bank-9"]);
    }
}

on_both! {
    fn the_receipt_says_what_was_paid_by_which_card_until_when(world) {
        subscribe(world, "acme");
        subscribe(world, "b");
        world.execute(&saved_card("acme", "card-of-acme", "411111***1111", "01/20", false));
        world.execute(&saved_card("b", "card-of-b", "", "01/20", true));
        for name in ["acme", "b"] {
            let attempt = accept(&world.store, name);
            settle(&world.store, &attempt, None);
            let payload = |name: &str| field(world, "payload", name);
            let receipt = world.select(&format!(
                "SELECT {} || ' ' || {} || ' ' || {} || ' ' || coalesce({}, 'no card') AS row FROM public.echodesk_notice \
                 WHERE kind = 'renewal_paid' AND period = '{}' AND {} = period",
                payload("amount"), payload("paid_at"), payload("paid_until"), payload("card"), attempt.order, payload("order")
            ));
            let card = if name == "acme" { "411111***1111" } else { "no card" };
            assert_eq!(receipt, [format!("50.00 GEL 2026-11-22T10:00:00.123456Z {EXTENDED} {card}")], "also of one that is not active");
        }
        let subjects = world.select("SELECT subject_key AS row FROM public.echodesk_notice ORDER BY id");
        assert_eq!(subjects.len(), 2);
        assert!(subjects.iter().all(|subject| subject.starts_with("subscription:")), "{subjects:?}");
    }
}

//! What a refusal changes.

use echodesk_billing::model::{AttemptState, Refusal};
use echodesk_billing::ports::{BillingStore, Settled};
use echodesk_billing::rules::retry::Next;

use super::accounts::{
    accept, candidate, day, events, field, notices, orders, prepare, read, rejected, settle, standing, subscribe,
};
use crate::world::on_both;

on_both! {
    fn a_soft_decline_counts_and_is_tried_again(world) {
        subscribe(world, "acme");
        let attempt = accept(&world.store, "acme");
        let refusal = rejected("107");
        let next = Next::On("2026-11-23".parse().unwrap());
        assert_eq!(settle(&world.store, &attempt, Some(&refusal)), Settled::Failed(next));
        assert_eq!(standing(world, "acme"), "2026-11-24 2026-11-24 retrying 1 active");
        assert_eq!((orders(world), events(world)), (vec!["failed".to_owned()], vec!["payment_failed".to_owned()]));
        let closed = read(&world.store, &attempt);
        assert_eq!((closed.state, closed.refusal), (AttemptState::Failed, Some(refusal.clone())));
        let [amount, problem, on] = ["amount", "problem", "next_attempt"].map(|name| {
            let field = field(world, "payload", name);
            world.select(&format!("SELECT {field} AS row FROM public.echodesk_notice")).remove(0)
        });
        assert_eq!((amount.as_str(), problem.as_str(), on.as_str()), ("50.00 GEL", "not_enough_money", "2026-11-23"));
        let failed_on = day(world, "last_payment_failure");
        assert_eq!(world.select(&format!("SELECT {failed_on} AS row FROM public.tenants_tenant_subscription")), ["2026-11-22"]);

        assert_eq!(settle(&world.store, &attempt, Some(&refusal)), Settled::Already(AttemptState::Failed));
        assert_eq!((standing(world, "acme").as_str(), events(world).len(), notices(world).len()), ("2026-11-24 2026-11-24 retrying 1 active", 1, 1));
        let words = world.select("SELECT description AS row FROM public.tenants_subscription_event");
        assert!(words[0].contains("not enough money (code 107)") && words[0].contains("50.00 GEL"), "{words:?}");
    }
}

on_both! {
    fn a_hard_decline_waits_for_another_card(world) {
        subscribe(world, "acme");
        let attempt = accept(&world.store, "acme");
        assert_eq!(settle(&world.store, &attempt, Some(&rejected("105"))), Settled::Failed(Next::WhenCardChanges));
        assert_eq!(standing(world, "acme"), "2026-11-24 2026-11-24 failed 1 active");
        assert_eq!(notices(world), ["payment_failed"]);
    }
}

on_both! {
    fn what_is_not_the_customers_business_does_not_count_against_them(world) {
        subscribe(world, "acme");
        let attempt = prepare(&world.store, "acme");
        let refusal = Refusal::Http { status: 403, code: None, message: "not\0 allowed".to_owned() };
        assert!(matches!(settle(&world.store, &attempt, Some(&refusal)), Settled::Failed(Next::On(_))));
        assert_eq!(standing(world, "acme"), "2026-11-24 2026-11-24 current 0 active");
        assert!(notices(world).is_empty());
        assert_eq!((orders(world), events(world)), (vec!["failed".to_owned()], vec!["payment_failed".to_owned()]));
    }
}

on_both! {
    fn refusals_are_kept_as_they_were_said(world) {
        let refusals = [
            Refusal::Rejected { code: None, reason: Some("expiration".to_owned()) },
            Refusal::Rejected { code: Some("100".to_owned()), reason: None },
            Refusal::Http { status: 404, code: Some("102".to_owned()), message: "no such card".to_owned() },
            Refusal::Person { because: "asked the bank".to_owned() },
        ];
        for (number, refusal) in refusals.iter().enumerate() {
            let name = if number == 0 { "acme".to_owned() } else { format!("t{number}") };
            subscribe(world, &name);
            let attempt = prepare(&world.store, &name);
            settle(&world.store, &attempt, Some(refusal));
            assert_eq!(read(&world.store, &attempt).refusal.as_ref(), Some(refusal));
        }
    }
}

on_both! {
    fn text_of_the_banks_of_any_length_never_fails_a_settlement(world) {
        subscribe(world, "acme");
        let attempt = accept(&world.store, "acme");
        let long = "უ\0".repeat(20_000);
        let refusal = Refusal::Rejected { code: Some(long.clone()), reason: Some(long) };
        assert!(matches!(settle(&world.store, &attempt, Some(&refusal)), Settled::Failed(_)));
        let Some(Refusal::Rejected { code: Some(code), reason: Some(reason) }) = read(&world.store, &attempt).refusal else {
            panic!("no refusal")
        };
        assert_eq!((code.chars().count(), reason.chars().count()), (100, 1000));
    }
}

on_both! {
    fn what_echodesk_has_counted_is_not_counted_again(world) {
        subscribe(world, "acme");
        let attempt = accept(&world.store, "acme");
        world.execute("UPDATE public.tenants_payment_order SET status = 'failed' WHERE NOT card_saved");
        world.execute("UPDATE public.tenants_tenant_subscription SET payment_status = 'retrying', failed_payment_count = 2");
        assert!(matches!(settle(&world.store, &attempt, Some(&rejected("105"))), Settled::Failed(_)));
        assert_eq!(standing(world, "acme"), "2026-11-24 2026-11-24 retrying 2 active");
        assert!(events(world).is_empty());
        assert_eq!(notices(world), ["payment_failed"], "EchoDesk has not told the customer");
    }
}

on_both! {
    fn a_notice_is_queued_once(world) {
        subscribe(world, "acme");
        let tenant = candidate(&world.store, "acme").tenant;
        let notice = echodesk_core::notice::NewNotice {
            kind: echodesk_core::notice::NoticeKind::PriceChanged {
                card_amount: "50.00 GEL".to_owned(),
                price: "75.00 GEL".to_owned(),
                renewal: crate::world::now(),
            },
            subject_key: "subscription:1".to_owned(),
            period: "2026-11-24".to_owned(),
            decided_at: crate::world::now(),
        };
        for _ in 0..2 {
            world.store.queue_notice(&tenant, &notice).unwrap();
        }
        assert_eq!(notices(world), ["price_changed"]);
    }
}

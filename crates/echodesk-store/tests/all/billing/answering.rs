//! What the bank's answer to a call changes.

use echodesk_billing::model::AttemptState;
use echodesk_billing::ports::{BillingStore, Settlement};
use echodesk_core::AttemptId;

use super::accounts::{bank_order, prepare, read, rejected, settle, settlement, state, subscribe};
use crate::world::{World, now, on_both};

fn order_name(world: &World) -> Vec<String> {
    world.select("SELECT bog_order_id AS row FROM public.tenants_payment_order WHERE NOT card_saved ORDER BY id")
}

on_both! {
    fn an_accepted_attempt_has_the_banks_name_and_so_has_its_order(world) {
        subscribe(world, "acme");
        let attempt = prepare(&world.store, "acme");
        let unknown = world.store.unanswered(attempt.id, "time\0out", now()).unwrap();
        assert_eq!((unknown.state, unknown.last_error.as_deref()), (AttemptState::Unknown, Some("timeout")));
        assert_eq!(order_name(world), ["-"]);
        let accepted = world.store.accepted(attempt.id, &bank_order("bank-1"), now()).unwrap();
        assert_eq!((accepted.state, &accepted.bank_order, &accepted.last_error), (AttemptState::Accepted, &Some(bank_order("bank-1")), &None));
        assert_eq!(order_name(world), ["bank-1"]);
        assert_eq!(read(&world.store, &attempt), accepted);
        assert_eq!(world.store.accepted(attempt.id, &bank_order("bank-1"), now()).unwrap(), accepted, "again");
        assert_eq!(world.store.unanswered(attempt.id, "late", now()).unwrap(), accepted, "no step back");
        assert_eq!(world.store.attempt_of_bank_order(&bank_order("bank-1")).unwrap(), Some(accepted));
        assert_eq!(world.store.attempt_of_bank_order(&bank_order("bank-2")).unwrap(), None);
    }
}

on_both! {
    fn another_name_for_the_same_attempt_is_trouble(world) {
        subscribe(world, "acme");
        let attempt = prepare(&world.store, "acme");
        world.store.accepted(attempt.id, &bank_order("bank-1"), now()).unwrap();
        let twice = world.store.accepted(attempt.id, &bank_order("bank-2"), now()).unwrap();
        assert_eq!((twice.state, &twice.bank_order), (AttemptState::Accepted, &Some(bank_order("bank-1"))));
        let trouble = twice.trouble.as_deref().unwrap();
        assert!(trouble.contains("bank-1") && trouble.contains("bank-2"), "{trouble}");
        assert_eq!(order_name(world), ["bank-1"]);
    }
}

on_both! {
    fn a_callback_that_was_faster_stands(world) {
        subscribe(world, "acme");
        let attempt = prepare(&world.store, "acme");
        let name = bank_order("bank-1");
        world.store.settle(attempt.id, &Settlement { bank_order: Some(&name), ..settlement(None) }).unwrap();
        let settled = read(&world.store, &attempt);
        assert_eq!((settled.state, &settled.bank_order), (AttemptState::Paid, &Some(name.clone())));
        assert_eq!(world.store.accepted(attempt.id, &name, now()).unwrap(), settled);
        assert_eq!(world.store.unanswered(attempt.id, "timeout", now()).unwrap(), settled);
        assert_eq!(order_name(world), ["bank-1"]);
    }
}

on_both! {
    fn an_order_of_the_banks_for_what_was_closed_without_one_is_trouble(world) {
        subscribe(world, "acme");
        let attempt = prepare(&world.store, "acme");
        settle(&world.store, &attempt, Some(&rejected("112")));
        let after = world.store.accepted(attempt.id, &bank_order("bank-1"), now()).unwrap();
        assert_eq!((after.state, after.bank_order), (AttemptState::Failed, Some(bank_order("bank-1"))));
        assert!(after.trouble.unwrap().contains("closed as failed"));
    }
}

on_both! {
    fn trouble_is_written_down_and_taken_off(world) {
        subscribe(world, "acme");
        let attempt = prepare(&world.store, "acme");
        world.store.set_trouble(attempt.id, Some("the am\0ount"), now()).unwrap();
        assert_eq!(read(&world.store, &attempt).trouble.as_deref(), Some("the amount"));
        world.store.set_trouble(attempt.id, None, now()).unwrap();
        assert_eq!(read(&world.store, &attempt), attempt);
    }
}

on_both! {
    fn names_and_errors_of_any_length_are_taken(world) {
        subscribe(world, "acme");
        let attempt = prepare(&world.store, "acme");
        let long = "ბ\0".repeat(5000);
        assert_eq!(world.store.unanswered(attempt.id, &long, now()).unwrap().last_error.unwrap().chars().count(), 1000);
        let named = world.store.accepted(attempt.id, &bank_order(&long), now()).unwrap();
        assert_eq!(named.bank_order.unwrap().as_str().chars().count(), 100);
        assert_eq!(state(&world.store, &attempt), AttemptState::Accepted);
    }
}

on_both! {
    fn there_is_no_answer_to_what_was_never_asked(world) {
        let nobody = AttemptId(99);
        assert!(world.store.accepted(nobody, &bank_order("x"), now()).unwrap_err().to_string().contains("no charge attempt 99"));
        assert!(world.store.unanswered(nobody, "x", now()).is_err());
        assert!(world.store.set_trouble(nobody, None, now()).is_err());
        assert!(world.store.settle(nobody, &settlement(None)).is_err());
        assert!(!world.store.not_sent(nobody, echodesk_core::RunId::random(), "x", now()).unwrap());
    }
}

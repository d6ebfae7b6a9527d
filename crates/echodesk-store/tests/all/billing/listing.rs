//! Attempts for a person to look at.

use echodesk_billing::model::{Attempt, AttemptState, OrderId};
use echodesk_billing::ports::BillingStore;
use echodesk_core::AttemptId;

use super::accounts::{accept, prepare, settle, subscribe};
use crate::world::on_both;

on_both! {
    fn attempts_are_listed_by_state_tenant_and_page(world) {
        for name in ["acme", "b", "c"] {
            subscribe(world, name);
        }
        let open = prepare(&world.store, "acme");
        let paid = accept(&world.store, "b");
        settle(&world.store, &paid, None);
        let accepted = accept(&world.store, "c");
        let ids = |attempts: Vec<Attempt>| -> Vec<AttemptId> { attempts.iter().map(|attempt| attempt.id).collect() };
        let list = |states, tenant, after, limit| ids(world.store.attempts(states, tenant, after, limit).unwrap());
        assert_eq!(list(None, None, None, 2), [open.id, paid.id]);
        assert_eq!(list(None, None, Some(paid.id), 2), [accepted.id]);
        assert_eq!(list(Some(&[AttemptState::Prepared, AttemptState::Accepted]), None, None, 9), [open.id, accepted.id]);
        assert!(list(Some(&[]), None, None, 9).is_empty());
        assert_eq!(list(None, Some(paid.tenant), None, 9), [paid.id]);
        assert!(list(Some(&[AttemptState::Failed]), Some(paid.tenant), None, 9).is_empty());
        assert_eq!(world.store.attempt_of_order(&open.order).unwrap(), Some(open));
        assert_eq!(world.store.attempt_of_order(&OrderId("REC-NOBODY".to_owned())).unwrap(), None);
    }
}

on_both! {
    fn a_row_that_cannot_be_read_is_named(world) {
        subscribe(world, "acme");
        let attempt = prepare(&world.store, "acme");
        world.execute("UPDATE public.echodesk_charge_attempt SET currency = 'RUB'");
        let error = world.store.attempt_of_order(&attempt.order).unwrap_err().to_string();
        assert!(error.contains(&format!("charge attempt {}", attempt.id)) && error.contains("RUB"), "{error}");
    }
}

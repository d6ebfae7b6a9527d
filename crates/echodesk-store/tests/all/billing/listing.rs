//! Attempts for a person to look at.

use echodesk_billing::model::{Attempt, OrderId};
use echodesk_billing::ports::BillingStore;
use echodesk_core::AttemptId;

use super::accounts::{accept, prepare, settle, subscribe};
use crate::world::on_both;

on_both! {
    fn what_a_run_would_see_to_is_listed_by_tenant_and_page(world) {
        for name in ["acme", "b", "c"] {
            subscribe(world, name);
        }
        let open = prepare(&world.store, "acme");
        let paid = accept(&world.store, "b");
        settle(&world.store, &paid, None);
        let accepted = accept(&world.store, "c");
        let ids = |attempts: Vec<Attempt>| -> Vec<AttemptId> { attempts.iter().map(|attempt| attempt.id).collect() };
        let list = |tenant, after, limit| ids(world.store.left(tenant, after, limit).unwrap());
        assert_eq!(list(None, None, 9), [open.id, accepted.id]);
        assert_eq!(list(None, None, 1), [open.id]);
        assert_eq!(list(None, Some(open.id), 9), [accepted.id]);
        assert_eq!(list(Some(accepted.tenant), None, 9), [accepted.id]);
        world.store.set_trouble(paid.id, Some("look at it"), accepted.prepared_at).unwrap();
        assert_eq!(list(None, None, 9), [open.id, paid.id, accepted.id]);
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

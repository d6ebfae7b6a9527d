//! The store keeps what every store for renewals promises.

use echodesk_billing::testing::{SUBSCRIPTIONS, check_billing_store};

use super::accounts::subscribe;
use crate::world::{now, on_both};

on_both! {
    fn the_promises_of_a_billing_store_are_kept(world) {
        for number in 0..SUBSCRIPTIONS {
            let _ = subscribe(world, &if number == 0 { "acme".to_owned() } else { format!("t{number}") });
        }
        check_billing_store(&world.store, now());
    }
}

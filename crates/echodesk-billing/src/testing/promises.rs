//! The promises of [`BillingStore`], as a test that any implementation can run.
//!
//! ```
//! use echodesk_billing::testing::{Account, MemoryLedger, SUBSCRIPTIONS, check_billing_store};
//! use echodesk_billing::{Currency, Money};
//! use jiff::Timestamp;
//!
//! let now: Timestamp = "2026-11-22T10:00:00Z".parse()?;
//! let price = Money::new("50".parse()?, Currency::Gel)?;
//! let store = MemoryLedger::default();
//! for number in 1..=SUBSCRIPTIONS {
//!     store.add(Account::due(number as i64, &format!("tenant{number}"), price, "2026-11-24T00:00:00Z".parse()?));
//! }
//! check_billing_store(&store, now);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod answers;
mod claims;
mod preparing;
mod settling;
mod subject;
#[cfg(test)]
mod tests;

use jiff::Timestamp;

use self::subject::Subject;
use crate::ports::BillingStore;

/// How many subscriptions [`check_billing_store`] needs.
pub const SUBSCRIPTIONS: usize = PROMISES.len();

type Promise = fn(&Subject<'_>);

/// Each is checked on a subscription of its own.
const PROMISES: [Promise; 18] = [
    preparing::a_subscription_is_found_by_its_date_and_its_tenant,
    preparing::of_many_who_charge_at_once_one_is_written_down,
    preparing::what_has_changed_since_it_was_decided_is_not_charged,
    preparing::an_order_and_a_key_are_used_once,
    claims::of_many_who_claim_at_once_one_gets_it,
    claims::a_claim_holds_until_it_ends_or_is_given_back,
    claims::only_who_would_have_sent_it_can_say_that_it_was_not,
    claims::trouble_is_seen_to_until_it_is_taken_off,
    answers::an_answer_is_kept_and_nothing_goes_back,
    answers::two_orders_for_one_attempt_are_trouble,
    settling::of_many_who_settle_one_extends,
    settling::a_refusal_closes_once_and_extends_nothing,
    settling::what_was_refused_may_still_be_paid,
    settling::what_was_taken_for_not_sent_may_still_be_paid,
    settling::a_late_payment_is_booked_beside_the_next_attempt,
    settling::a_late_refusal_of_the_call_closes_nothing,
    settling::a_first_answer_closes_nothing_once_another_run_may_call,
    settling::a_first_answer_closes_what_nobody_else_has_had,
];

/// Checks that a store keeps the promises without which a renewal could be charged twice, extended twice
/// or not at all: also with several threads at once.
///
/// The store must hold [`SUBSCRIPTIONS`] subscriptions or more, each of a tenant of its own, that the default
/// [`Policy`](crate::rules::due::Policy) would charge at `now`, and no attempt on any of them. They are used up.
/// What only EchoDesk's own tables have is not checked: events, invoices, its retries, and its web hook, without which
/// nothing settles as [`Settled::Contradiction`](crate::ports::Settled::Contradiction) or
/// [`Settled::NotYet`](crate::ports::Settled::NotYet).
///
/// # Panics
/// A promise is not kept, or the store fails; the message says which and how.
pub fn check_billing_store(store: &dyn BillingStore, now: Timestamp) {
    let subjects = Subject::all(store, now);
    assert!(
        subjects.len() >= SUBSCRIPTIONS,
        "{SUBSCRIPTIONS} subscriptions that are due are needed, of a tenant each; the store has {}",
        subjects.len()
    );
    for (promise, subject) in PROMISES.iter().zip(&subjects) {
        promise(subject);
    }
    subject::pages_hold_everything_once(store, now);
    claims::pages_claim_everything_once(store, now);
}

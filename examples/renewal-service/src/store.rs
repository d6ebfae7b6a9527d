//! A [`BillingStore`] of the service's own: a map behind a lock, so that every method is one transaction.
//!
//! A service of some worth keeps this in a database: **what is written down here is all that keeps a card from
//! being charged twice**, and this one forgets it when the service ends.

mod ledger;
mod settling;
mod subscription;

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use echodesk_billing::model::{Attempt, BankOrderId, Candidate, OrderId, Seen};
use echodesk_billing::ports::{BillingStore, Claim, Claims, NewAttempt, Prepared, Settled, Settlement};
use echodesk_billing::rules::period::{Window, renewal_date};
use echodesk_core::notice::NewNotice;
use echodesk_core::{AttemptId, RunId, StoreError, StoreErrorKind, SubscriptionId, Tenant, TenantId};
use jiff::Timestamp;

use self::ledger::Entry;
pub(crate) use self::subscription::Subscription;

/// Subscriptions and the ledger of what the bank was asked.
#[derive(Debug, Default)]
pub(crate) struct MemoryStore {
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    subscriptions: BTreeMap<SubscriptionId, Subscription>,
    attempts: BTreeMap<AttemptId, Entry>,
}

impl MemoryStore {
    /// Holds these, numbered from 1.
    pub(crate) fn with(subscriptions: Vec<Subscription>) -> Self {
        let subscriptions = (1..).map(SubscriptionId).zip(subscriptions).collect();
        Self { state: Mutex::new(State { subscriptions, ..State::default() }) }
    }

    /// All subscriptions as they are.
    pub(crate) fn subscriptions(&self) -> Vec<Subscription> {
        self.lock().subscriptions.values().cloned().collect()
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn with_attempt<T>(&self, id: AttemptId, work: impl FnOnce(&mut Entry) -> T) -> Result<T, StoreError> {
        self.lock().attempts.get_mut(&id).map(work).ok_or_else(|| missing(id))
    }

    fn find(&self, is_meant: impl Fn(&Attempt) -> bool) -> Option<Attempt> {
        self.lock().attempts.values().map(|entry| &entry.attempt).find(|attempt| is_meant(attempt)).cloned()
    }
}

fn missing(id: AttemptId) -> StoreError {
    StoreError { kind: StoreErrorKind::Other, what: format!("there is no attempt {id}"), source: None }
}

impl State {
    /// The attempts on a subscription, oldest first.
    fn attempts_on(&self, id: SubscriptionId) -> impl DoubleEndedIterator<Item = &Entry> {
        self.attempts.values().filter(move |entry| entry.attempt.subscription == id)
    }

    /// What a charge of a subscription depends on, as it is now.
    fn seen(&self, id: SubscriptionId, subscription: &Subscription) -> Seen {
        subscription.seen(self.attempts_on(id).next_back().map(|entry| entry.attempt.id))
    }
}

impl BillingStore for MemoryStore {
    fn candidates(
        &self,
        window: &Window,
        tenant: Option<TenantId>,
        after: Option<SubscriptionId>,
        limit: usize,
        _now: Timestamp,
    ) -> Result<Vec<Candidate>, StoreError> {
        let state = self.lock();
        let wanted = state.subscriptions.iter().filter(|(id, subscription)| {
            after.is_none_or(|after| **id > after)
                && tenant.is_none_or(|tenant| tenant.0 == id.0)
                && renewal_date(&subscription.seen(None)).is_some_and(|date| window.contains(date))
        });
        let candidate = |(id, subscription): (&SubscriptionId, &Subscription)| Candidate {
            subscription: *id,
            tenant: subscription.tenant(*id),
            seen: state.seen(*id, subscription),
            feature_prices: vec![subscription.price],
            // Not kept here, so the bank is asked before the first charge what its card can be charged.
            own_card_order: None,
            newest_card_order: None,
            attempts: state.attempts_on(*id).map(Entry::past).collect(),
            // Nobody else charges these cards.
            echodesk_retry: None,
            foreign_order: None,
        };
        Ok(wanted.take(limit).map(candidate).collect())
    }

    fn prepare(&self, new: &NewAttempt<'_>) -> Result<Prepared, StoreError> {
        let mut state = self.lock();
        let id = new.charge.subscription;
        let is_as_it_was = state.subscriptions.get(&id).is_some_and(|now| state.seen(id, now) == new.charge.seen);
        // In a database: a unique index over the open attempts of a subscription.
        let has_open = state.attempts_on(id).any(|entry| entry.attempt.state.is_open());
        // And one over the order ids and one over the keys, of closed attempts too.
        let is_used = |entry: &Entry| entry.attempt.order == new.order || entry.attempt.key == new.key;
        if !is_as_it_was || has_open || state.attempts.values().any(is_used) {
            return Ok(Prepared::Changed);
        }
        let number = state.attempts.keys().next_back().map_or(1, |last| last.0 + 1);
        let entry = Entry::new(AttemptId(number), new);
        let attempt = entry.attempt.clone();
        state.attempts.insert(attempt.id, entry);
        Ok(Prepared::Written(Box::new(attempt)))
    }

    fn claim(
        &self,
        claim: &Claim,
        which: Claims,
        tenant: Option<TenantId>,
        after: Option<AttemptId>,
        limit: usize,
    ) -> Result<Vec<Attempt>, StoreError> {
        let mut state = self.lock();
        let page = state.attempts.values_mut().filter(|entry| {
            entry.is_in_page(tenant, after)
                && match which {
                    Claims::Left => entry.is_left() && entry.is_free(claim.now),
                    Claims::Mine => entry.is_held_by(claim.run),
                }
        });
        Ok(page.take(limit).map(|entry| entry.claim(*claim, which)).collect())
    }

    fn cancel_overtaken_retries(&self, _now: Timestamp) -> Result<usize, StoreError> {
        Ok(0)
    }

    fn release(&self, run: RunId, attempts: Option<&[AttemptId]>) -> Result<(), StoreError> {
        for entry in self.lock().attempts.values_mut() {
            if attempts.is_none_or(|named| named.contains(&entry.attempt.id)) {
                entry.release(run);
            }
        }
        Ok(())
    }

    fn accepted(&self, attempt: AttemptId, order: &BankOrderId, _now: Timestamp) -> Result<Attempt, StoreError> {
        self.with_attempt(attempt, |entry| entry.accepted(order))
    }

    fn unanswered(&self, attempt: AttemptId, why: &str, _now: Timestamp) -> Result<Attempt, StoreError> {
        self.with_attempt(attempt, |entry| entry.unanswered(why))
    }

    fn not_sent(&self, attempt: AttemptId, run: RunId, why: &str, now: Timestamp) -> Result<bool, StoreError> {
        self.with_attempt(attempt, |entry| entry.not_sent(run, why, now))
    }

    fn set_trouble(&self, attempt: AttemptId, trouble: Option<&str>, _now: Timestamp) -> Result<(), StoreError> {
        self.with_attempt(attempt, |entry| entry.attempt.trouble = trouble.map(str::to_owned))
    }

    fn settle(&self, attempt: AttemptId, settlement: &Settlement<'_>) -> Result<Settled, StoreError> {
        self.lock().settle(attempt, settlement)
    }

    fn attempt_of_order(&self, order: &OrderId) -> Result<Option<Attempt>, StoreError> {
        Ok(self.find(|attempt| attempt.order == *order))
    }

    fn attempt_of_bank_order(&self, order: &BankOrderId) -> Result<Option<Attempt>, StoreError> {
        Ok(self.find(|attempt| attempt.bank_order.as_ref() == Some(order)))
    }

    fn left(
        &self,
        tenant: Option<TenantId>,
        after: Option<AttemptId>,
        limit: usize,
    ) -> Result<Vec<Attempt>, StoreError> {
        let state = self.lock();
        let page = state.attempts.values().filter(|entry| entry.is_left() && entry.is_in_page(tenant, after));
        Ok(page.take(limit).map(|entry| entry.attempt.clone()).collect())
    }

    fn queue_notice(&self, tenant: &Tenant, notice: &NewNotice) -> Result<(), StoreError> {
        // A real service queues it and delivers it, for example with echodesk-notify.
        tracing::info!("to tell {}: {}", tenant.schema, notice.kind.code());
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use echodesk_billing::testing::{SUBSCRIPTIONS, check_billing_store};

    use super::*;

    #[test]
    fn it_keeps_what_every_store_promises() {
        let subscription = |number| {
            let text = format!(
                r#"{{"tenant": "t{number}", "price": "25", "agents": 2, "card": "card-{number}",
                    "expires_at": "2026-11-24T00:00:00Z"}}"#
            );
            serde_json::from_str(&text).unwrap()
        };
        let store = MemoryStore::with((0..SUBSCRIPTIONS).map(subscription).collect());
        check_billing_store(&store, "2026-11-22T10:00:00Z".parse().unwrap());
    }
}

//! The ledger of charges.

use std::sync::Arc;

use echodesk_billing::model::{Attempt, BankOrderId, Candidate, OrderId};
use echodesk_billing::ports::{BillingStore, Claim, Claims, NewAttempt, Prepared, Settled, Settlement};
use echodesk_billing::rules::period::Window;
use echodesk_core::notice::NewNotice;
use echodesk_core::{AttemptId, RunId, StoreError, SubscriptionId, Tenant, TenantId};
use jiff::Timestamp;

use crate::process::{Effect, Process};
use crate::trace::TenantNumber;

/// The real ledger, as one process reaches it.
#[derive(Debug)]
pub struct BillingPort {
    process: Arc<Process>,
}

impl BillingPort {
    /// That of a process.
    #[must_use]
    pub fn new(process: &Arc<Process>) -> Arc<Self> {
        Arc::new(Self { process: Arc::clone(process) })
    }

    fn store(&self) -> &dyn BillingStore {
        &self.process.world.database.store
    }

    fn of(&self, attempt: AttemptId) -> Option<TenantNumber> {
        self.process.world.accounts.of_attempt(attempt)
    }

    fn remember<'a>(&self, attempts: impl IntoIterator<Item = &'a Attempt>) {
        let accounts = &self.process.world.accounts;
        for attempt in attempts {
            if let Some(tenant) = accounts.of_subscription(attempt.subscription) {
                accounts.attempt_is_of(attempt.id, tenant);
            }
        }
    }

    /// From now on EchoDesk has nothing planned for what this has paid.
    fn note_settled(&self, tenant: TenantNumber, attempt: AttemptId) {
        let world = &self.process.world;
        let order = world
            .database
            .values(&format!("SELECT order_id AS value FROM echodesk_charge_attempt WHERE id = {attempt}"));
        let now = world.time.now();
        for order in order.into_iter().flatten() {
            world.accounts.change(tenant, |account| *account.settled.entry(order).or_insert(now));
        }
    }

    fn reads<T>(
        &self,
        call: &'static str,
        tenant: Option<TenantNumber>,
        act: impl FnOnce(&dyn BillingStore) -> Result<T, StoreError>,
    ) -> Result<T, StoreError> {
        self.process.store_call(call, tenant, Effect::Reads, || act(self.store()))
    }

    fn writes<T>(
        &self,
        call: &'static str,
        tenant: Option<TenantNumber>,
        act: impl FnOnce(&dyn BillingStore) -> Result<T, StoreError>,
    ) -> Result<T, StoreError> {
        self.process.store_call(call, tenant, Effect::Writes, || act(self.store()))
    }
}

impl BillingStore for BillingPort {
    fn candidates(
        &self,
        window: &Window,
        tenant: Option<TenantId>,
        after: Option<SubscriptionId>,
        limit: usize,
        now: Timestamp,
    ) -> Result<Vec<Candidate>, StoreError> {
        self.reads("candidates", None, |store| store.candidates(window, tenant, after, limit, now))
    }

    fn prepare(&self, new: &NewAttempt<'_>) -> Result<Prepared, StoreError> {
        let tenant = self.process.world.accounts.of_subscription(new.charge.subscription);
        self.writes("prepare", tenant, |store| {
            let prepared = store.prepare(new)?;
            if let Prepared::Written(attempt) = &prepared {
                self.remember([&**attempt]);
                let now = self.process.world.time.now();
                if let Some(tenant) = tenant {
                    self.process.world.accounts.change(tenant, |account| {
                        let standing = account.standing(now);
                        account.decided.insert(attempt.order.to_string(), standing);
                    });
                }
            }
            Ok(prepared)
        })
    }

    fn claim(
        &self,
        claim: &Claim,
        which: Claims,
        tenant: Option<TenantId>,
        after: Option<AttemptId>,
        limit: usize,
    ) -> Result<Vec<Attempt>, StoreError> {
        self.writes("claim", None, |store| {
            let claimed = store.claim(claim, which, tenant, after, limit)?;
            self.remember(&claimed);
            Ok(claimed)
        })
    }

    fn cancel_overtaken_retries(&self, now: Timestamp) -> Result<usize, StoreError> {
        self.writes("cancel_overtaken_retries", None, |store| {
            let cancelled = store.cancel_overtaken_retries(now)?;
            self.process.world.retries_are_cancelled();
            Ok(cancelled)
        })
    }

    fn release(&self, run: RunId, attempts: Option<&[AttemptId]>) -> Result<(), StoreError> {
        self.writes("release", None, |store| store.release(run, attempts))
    }

    fn accepted(&self, attempt: AttemptId, order: &BankOrderId, now: Timestamp) -> Result<Attempt, StoreError> {
        self.writes("accepted", self.of(attempt), |store| store.accepted(attempt, order, now))
    }

    fn unanswered(&self, attempt: AttemptId, why: &str, now: Timestamp) -> Result<Attempt, StoreError> {
        self.writes("unanswered", self.of(attempt), |store| store.unanswered(attempt, why, now))
    }

    fn not_sent(&self, attempt: AttemptId, run: RunId, why: &str, now: Timestamp) -> Result<bool, StoreError> {
        self.writes("not_sent", self.of(attempt), |store| store.not_sent(attempt, run, why, now))
    }

    fn set_trouble(&self, attempt: AttemptId, trouble: Option<&str>, now: Timestamp) -> Result<(), StoreError> {
        self.writes("set_trouble", self.of(attempt), |store| store.set_trouble(attempt, trouble, now))
    }

    fn settle(&self, attempt: AttemptId, settlement: &Settlement<'_>) -> Result<Settled, StoreError> {
        let tenant = self.of(attempt);
        self.writes("settle", tenant, |store| {
            let settled = store.settle(attempt, settlement)?;
            if let (Settled::Paid { .. }, Some(tenant)) = (&settled, tenant) {
                self.note_settled(tenant, attempt);
            }
            Ok(settled)
        })
    }

    fn attempt_of_order(&self, order: &OrderId) -> Result<Option<Attempt>, StoreError> {
        self.reads("attempt_of_order", None, |store| {
            let found = store.attempt_of_order(order)?;
            self.remember(&found);
            Ok(found)
        })
    }

    fn attempt_of_bank_order(&self, order: &BankOrderId) -> Result<Option<Attempt>, StoreError> {
        self.reads("attempt_of_bank_order", None, |store| {
            let found = store.attempt_of_bank_order(order)?;
            self.remember(&found);
            Ok(found)
        })
    }

    fn left(
        &self,
        tenant: Option<TenantId>,
        after: Option<AttemptId>,
        limit: usize,
    ) -> Result<Vec<Attempt>, StoreError> {
        self.reads("left", None, |store| store.left(tenant, after, limit))
    }

    fn queue_notice(&self, tenant: &Tenant, notice: &NewNotice) -> Result<(), StoreError> {
        let number = self.process.world.accounts.of_tenant(tenant.id);
        self.writes("queue_notice", number, |store| store.queue_notice(tenant, notice))
    }
}

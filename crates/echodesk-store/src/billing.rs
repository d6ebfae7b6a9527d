//! The store of renewals and of the watch over expiry: [`BillingStore`] and
//! [`StatusStore`](echodesk_billing::ports::StatusStore) on both back ends. Each method is one transaction.
//!
//! Locks are taken in one order everywhere: the subscription, its attempt, its payment order, its tenant, the
//! counter of invoices.

mod answers;
mod candidates;
pub(crate) mod claims;
mod events;
mod invoices;
pub(crate) mod ledger;
mod prepare;
mod refusal;
pub(crate) mod retries;
mod saved_cards;
mod seen;
mod settle;
mod status;
mod suspensions;

use echodesk_billing::model::{Attempt, BankOrderId, Candidate, OrderId};
use echodesk_billing::ports::{BillingStore, Claim, Claims, NewAttempt, Prepared, Settled, Settlement};
use echodesk_billing::rules::period::Window;
use echodesk_core::notice::NewNotice;
use echodesk_core::{AttemptId, RunId, StoreError, SubscriptionId, Tenant, TenantId};
use jiff::Timestamp;

use crate::Store;
use crate::connection::Place;
use crate::notices;

impl BillingStore for Store {
    fn candidates(
        &self,
        window: &Window,
        tenant: Option<TenantId>,
        after: Option<SubscriptionId>,
        limit: usize,
        now: Timestamp,
    ) -> Result<Vec<Candidate>, StoreError> {
        self.read(Place::Public, "reading the subscriptions that may be due", |c| {
            let with_retries = self.has_retries(c)?;
            let which = candidates::Which::Due(window);
            candidates::load(c, &candidates::Wanted { which, tenant, after, limit, now, with_retries })
        })
    }

    fn prepare(&self, new: &NewAttempt<'_>) -> Result<Prepared, StoreError> {
        let what = format!("writing down the charge of subscription {}", new.charge.subscription);
        self.write(Place::Public, &what, |c| {
            let with_retries = self.has_retries(c)?;
            prepare::prepare(c, new, with_retries)
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
        let page = claims::Page { tenant, after, limit };
        self.write(Place::Public, "claiming charge attempts", |c| claims::claim(c, claim, which, page))
    }

    fn cancel_overtaken_retries(&self, now: Timestamp) -> Result<usize, StoreError> {
        self.write(Place::Public, "cancelling retries of EchoDesk", |c| {
            if self.has_retries(c)? { retries::cancel_overtaken(c, now) } else { Ok(0) }
        })
    }

    fn release(&self, run: RunId, attempts: Option<&[AttemptId]>) -> Result<(), StoreError> {
        self.write(Place::Public, "giving charge attempts back", |c| claims::release(c, run, attempts))
    }

    fn accepted(&self, attempt: AttemptId, order: &BankOrderId, now: Timestamp) -> Result<Attempt, StoreError> {
        let what = format!("writing down that charge attempt {attempt} was accepted");
        self.write(Place::Public, &what, |c| answers::accepted(c, attempt, order, now))
    }

    fn unanswered(&self, attempt: AttemptId, why: &str, now: Timestamp) -> Result<Attempt, StoreError> {
        let what = format!("writing down that charge attempt {attempt} has no answer");
        self.write(Place::Public, &what, |c| answers::unanswered(c, attempt, why, now))
    }

    fn not_sent(&self, attempt: AttemptId, run: RunId, why: &str, now: Timestamp) -> Result<bool, StoreError> {
        let what = format!("writing down that charge attempt {attempt} was not sent");
        self.write(Place::Public, &what, |c| answers::not_sent(c, attempt, run, why, now))
    }

    fn set_trouble(&self, attempt: AttemptId, trouble: Option<&str>, now: Timestamp) -> Result<(), StoreError> {
        let what = format!("writing down the trouble of charge attempt {attempt}");
        self.write(Place::Public, &what, |c| answers::set_trouble(c, attempt, trouble, now))
    }

    fn settle(&self, attempt: AttemptId, settlement: &Settlement<'_>) -> Result<Settled, StoreError> {
        self.write(Place::Public, &format!("settling charge attempt {attempt}"), |c| {
            let with_retries = self.has_retries(c)?;
            settle::settle(c, attempt, settlement, with_retries)
        })
    }

    fn attempt_of_order(&self, order: &OrderId) -> Result<Option<Attempt>, StoreError> {
        self.read(Place::Public, &format!("looking for order {order}"), |c| ledger::of_order(c, order))
    }

    fn attempt_of_bank_order(&self, order: &BankOrderId) -> Result<Option<Attempt>, StoreError> {
        self.read(Place::Public, &format!("looking for the bank's order {order}"), |c| ledger::of_bank_order(c, order))
    }

    fn left(
        &self,
        tenant: Option<TenantId>,
        after: Option<AttemptId>,
        limit: usize,
    ) -> Result<Vec<Attempt>, StoreError> {
        self.read(Place::Public, "reading charge attempts", |c| ledger::left(c, tenant, after, limit))
    }

    fn queue_notice(&self, tenant: &Tenant, notice: &NewNotice) -> Result<(), StoreError> {
        self.write(Place::Public, &format!("queueing a notice for tenant {}", tenant.schema), |c| {
            notices::queue(c, tenant.id, notice)
        })
    }
}

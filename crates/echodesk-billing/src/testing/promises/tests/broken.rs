//! The ledger in memory with one mistake that a store of somebody's own could have.

use std::thread;
use std::time::Duration;

use echodesk_core::notice::NewNotice;
use echodesk_core::{AttemptId, RunId, StoreError, SubscriptionId, Tenant, TenantId};
use jiff::Timestamp;
use uuid::Uuid;

use crate::model::{Attempt, AttemptState, BankOrderId, Candidate, OrderId};
use crate::ports::{BillingStore, Claim, Claims, NewAttempt, Prepared, Settled, Settlement, Source};
use crate::rules::period::Window;
use crate::testing::MemoryLedger;

/// What is wrong with it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Fault {
    /// Reads what is free and then writes the claim, and lets others in between.
    ClaimsWithoutLock,
    ForgetsWhereAPageBegins,
    WritesAnOrderDownAgain,
    WritesAKeyDownAgain,
    TakesNotSentForFinal,
    SettlesTheNewestOnly,
    ClosesTheNextAttemptToo,
    LetsAnyAnswerClose,
}

pub(super) struct Broken {
    pub(super) inner: MemoryLedger,
    pub(super) fault: Option<Fault>,
}

impl Broken {
    fn has(&self, fault: Fault) -> bool {
        self.fault == Some(fault)
    }

    fn of(&self, id: AttemptId) -> Option<Attempt> {
        self.inner.all_attempts().into_iter().find(|attempt| attempt.id == id)
    }

    fn claim_without_lock(&self, claim: &Claim, tenant: Option<TenantId>) -> Vec<Attempt> {
        let is_free = |id| self.inner.claim_of(id).is_none_or(|held: Claim| held.until <= claim.now);
        let mut left = self.inner.left(tenant, None, usize::MAX).unwrap();
        left.retain(|attempt| is_free(attempt.id));
        thread::sleep(Duration::from_millis(5));
        left.iter().for_each(|attempt| self.inner.take(attempt.id, *claim));
        left
    }
}

impl BillingStore for Broken {
    fn prepare(&self, new: &NewAttempt<'_>) -> Result<Prepared, StoreError> {
        let mut new = new.clone();
        if self.has(Fault::WritesAnOrderDownAgain) {
            new.order = OrderId::renewal(Uuid::new_v4());
        }
        if self.has(Fault::WritesAKeyDownAgain) {
            new.key = Uuid::new_v4();
        }
        self.inner.prepare(&new)
    }

    fn claim(
        &self,
        claim: &Claim,
        which: Claims,
        tenant: Option<TenantId>,
        after: Option<AttemptId>,
        limit: usize,
    ) -> Result<Vec<Attempt>, StoreError> {
        if which == Claims::Left && self.has(Fault::ClaimsWithoutLock) {
            return Ok(self.claim_without_lock(claim, tenant));
        }
        let after = after.filter(|_| !self.has(Fault::ForgetsWhereAPageBegins));
        self.inner.claim(claim, which, tenant, after, limit)
    }

    fn settle(&self, id: AttemptId, settlement: &Settlement<'_>) -> Result<Settled, StoreError> {
        let attempts = self.inner.all_attempts();
        let settled = self.of(id);
        if let Some(settled) = &settled {
            let is_newest = attempts.iter().all(|other| other.subscription != settled.subscription || other.id <= id);
            if self.has(Fault::TakesNotSentForFinal) && settled.state == AttemptState::NotSent
                || self.has(Fault::SettlesTheNewestOnly) && !is_newest
            {
                return Ok(Settled::Already(settled.state));
            }
        }
        let lets_close = settlement.source == Source::FirstAnswer && self.has(Fault::LetsAnyAnswerClose);
        let source = if lets_close { Source::Receipt } else { settlement.source };
        let settlement = &Settlement { source, ..settlement.clone() };
        let done = self.inner.settle(id, settlement);
        if self.has(Fault::ClosesTheNextAttemptToo) && matches!(done, Ok(Settled::Paid { .. })) {
            let is_next = |other: &&Attempt| {
                settled.as_ref().is_some_and(|s| s.subscription == other.subscription && s.id < other.id)
            };
            let refusal = super::super::subject::soft();
            let refused = Settlement { refusal: Some(&refusal), ..settlement.clone() };
            for next in attempts.iter().filter(is_next) {
                let _ = self.inner.settle(next.id, &refused)?;
            }
        }
        done
    }

    fn candidates(
        &self,
        window: &Window,
        tenant: Option<TenantId>,
        after: Option<SubscriptionId>,
        limit: usize,
        now: Timestamp,
    ) -> Result<Vec<Candidate>, StoreError> {
        self.inner.candidates(window, tenant, after, limit, now)
    }

    fn cancel_overtaken_retries(&self, now: Timestamp) -> Result<usize, StoreError> {
        self.inner.cancel_overtaken_retries(now)
    }

    fn release(&self, run: RunId, attempts: Option<&[AttemptId]>) -> Result<(), StoreError> {
        self.inner.release(run, attempts)
    }

    fn accepted(&self, attempt: AttemptId, order: &BankOrderId, now: Timestamp) -> Result<Attempt, StoreError> {
        self.inner.accepted(attempt, order, now)
    }

    fn unanswered(&self, attempt: AttemptId, why: &str, now: Timestamp) -> Result<Attempt, StoreError> {
        self.inner.unanswered(attempt, why, now)
    }

    fn not_sent(&self, attempt: AttemptId, run: RunId, why: &str, now: Timestamp) -> Result<bool, StoreError> {
        self.inner.not_sent(attempt, run, why, now)
    }

    fn set_trouble(&self, attempt: AttemptId, trouble: Option<&str>, now: Timestamp) -> Result<(), StoreError> {
        self.inner.set_trouble(attempt, trouble, now)
    }

    fn attempt_of_order(&self, order: &OrderId) -> Result<Option<Attempt>, StoreError> {
        self.inner.attempt_of_order(order)
    }

    fn attempt_of_bank_order(&self, order: &BankOrderId) -> Result<Option<Attempt>, StoreError> {
        self.inner.attempt_of_bank_order(order)
    }

    fn left(
        &self,
        tenant: Option<TenantId>,
        after: Option<AttemptId>,
        limit: usize,
    ) -> Result<Vec<Attempt>, StoreError> {
        self.inner.left(tenant, after, limit)
    }

    fn queue_notice(&self, tenant: &Tenant, notice: &NewNotice) -> Result<(), StoreError> {
        self.inner.queue_notice(tenant, notice)
    }
}

//! The ledger with a bug: each call goes to the real one, but for what the bug does differently.

use std::sync::Arc;

use echodesk_billing::model::{Attempt, BankOrderId, Candidate, OrderId};
use echodesk_billing::ports::{BillingStore, Claim, Claims, NewAttempt, Prepared, Settled, Settlement};
use echodesk_billing::rules::period::Window;
use echodesk_core::notice::NewNotice;
use echodesk_core::{AttemptId, RunId, StoreError, SubscriptionId, Tenant, TenantId};
use jiff::{SignedDuration, Timestamp};

use super::unwritten::Unwritten;
use crate::bugs::Bug;
use crate::ports::billing::BillingPort;
use crate::process::Process;

/// A claim that is never over.
const FOREVER: SignedDuration = SignedDuration::from_hours(1_000_000);

/// The ledger of a process, with a bug.
pub(super) struct Ledger {
    pub(super) process: Arc<Process>,
    pub(super) bug: Bug,
    pub(super) real: Arc<BillingPort>,
    unwritten: Unwritten,
}

impl Ledger {
    pub(super) fn new(process: &Arc<Process>, bug: Bug) -> Self {
        let real = BillingPort::new(process);
        Self { process: Arc::clone(process), bug, real, unwritten: Unwritten::default() }
    }

    /// The real id of an attempt, which is written down now if it was not yet.
    fn id(&self, attempt: AttemptId) -> Result<AttemptId, StoreError> {
        self.unwritten.write(attempt, &*self.real)
    }

    fn claim_as_told(&self, claim: &Claim) -> Claim {
        let until = if self.bug == Bug::ClaimWithoutExpiry { claim.now + FOREVER } else { claim.until };
        Claim { until, ..*claim }
    }
}

impl BillingStore for Ledger {
    fn candidates(
        &self,
        window: &Window,
        tenant: Option<TenantId>,
        after: Option<SubscriptionId>,
        limit: usize,
        now: Timestamp,
    ) -> Result<Vec<Candidate>, StoreError> {
        let mut candidates = self.real.candidates(window, tenant, after, limit, now)?;
        candidates.iter_mut().for_each(|candidate| self.misread(candidate));
        Ok(candidates)
    }

    fn prepare(&self, new: &NewAttempt<'_>) -> Result<Prepared, StoreError> {
        let new = NewAttempt { claim: self.claim_as_told(&new.claim), ..new.clone() };
        match self.bug {
            Bug::ChargeBeforeWriting => Ok(Prepared::Written(Box::new(self.unwritten.put_off(&new)))),
            Bug::PrepareUnguarded => self.prepare_unguarded(&new),
            Bug::ForeignRetryIgnored => self.prepare_beside_retries(&new),
            _ => self.real.prepare(&new),
        }
    }

    fn claim(
        &self,
        claim: &Claim,
        which: Claims,
        tenant: Option<TenantId>,
        after: Option<AttemptId>,
        limit: usize,
    ) -> Result<Vec<Attempt>, StoreError> {
        let mut claimed = self.real.claim(&self.claim_as_told(claim), which, tenant, after, limit)?;
        if self.bug == Bug::KeyTrustedForever {
            claimed.iter_mut().for_each(|attempt| attempt.prepared_at = claim.now);
        }
        Ok(claimed)
    }

    fn cancel_overtaken_retries(&self, now: Timestamp) -> Result<usize, StoreError> {
        if self.bug == Bug::RetriesNotCancelled {
            self.process.world.retries_are_cancelled();
            return Ok(0);
        }
        self.real.cancel_overtaken_retries(now)
    }

    fn release(&self, run: RunId, attempts: Option<&[AttemptId]>) -> Result<(), StoreError> {
        match attempts {
            Some(attempts) => self.real.release(run, Some(&self.unwritten.written(attempts))),
            None => self.real.release(run, None),
        }
    }

    fn accepted(&self, attempt: AttemptId, order: &BankOrderId, now: Timestamp) -> Result<Attempt, StoreError> {
        self.real.accepted(self.id(attempt)?, order, now)
    }

    fn unanswered(&self, attempt: AttemptId, why: &str, now: Timestamp) -> Result<Attempt, StoreError> {
        let unanswered = self.real.unanswered(self.id(attempt)?, why, now)?;
        if self.bug == Bug::UnknownIsFailed { self.fail(unanswered, why, now) } else { Ok(unanswered) }
    }

    fn not_sent(&self, attempt: AttemptId, run: RunId, why: &str, now: Timestamp) -> Result<bool, StoreError> {
        self.real.not_sent(self.id(attempt)?, run, why, now)
    }

    fn set_trouble(&self, attempt: AttemptId, trouble: Option<&str>, now: Timestamp) -> Result<(), StoreError> {
        self.real.set_trouble(self.id(attempt)?, trouble, now)
    }

    fn settle(&self, attempt: AttemptId, settlement: &Settlement<'_>) -> Result<Settled, StoreError> {
        let attempt = self.id(attempt)?;
        let settled = self.real.settle(attempt, settlement)?;
        self.settle_wrongly(attempt, settlement, &settled);
        Ok(settled)
    }

    fn attempt_of_order(&self, order: &OrderId) -> Result<Option<Attempt>, StoreError> {
        Ok(self.real.attempt_of_order(order)?.map(|attempt| self.as_if_open(attempt)))
    }

    fn attempt_of_bank_order(&self, order: &BankOrderId) -> Result<Option<Attempt>, StoreError> {
        Ok(self.real.attempt_of_bank_order(order)?.map(|attempt| self.as_if_open(attempt)))
    }

    fn left(
        &self,
        tenant: Option<TenantId>,
        after: Option<AttemptId>,
        limit: usize,
    ) -> Result<Vec<Attempt>, StoreError> {
        self.real.left(tenant, after, limit)
    }

    fn queue_notice(&self, tenant: &Tenant, notice: &NewNotice) -> Result<(), StoreError> {
        self.real.queue_notice(tenant, notice)
    }
}

//! One attempt in the ledger, and who works on it.

use echodesk_billing::model::{Attempt, AttemptState, BankOrderId, PastAttempt};
use echodesk_billing::ports::{Claim, Claims, NewAttempt};
use echodesk_core::{AttemptId, RunId, TenantId};
use jiff::Timestamp;

/// An attempt with what renewals do not have to know of it.
#[derive(Debug)]
pub(super) struct Entry {
    pub(super) attempt: Attempt,
    pub(super) closed_at: Option<Timestamp>,
    claim: Option<Claim>,
    /// The run that wrote it down, until it was claimed as left behind: only that run knows that it did not call.
    pub(super) sender: Option<RunId>,
}

impl Entry {
    pub(super) fn new(id: AttemptId, new: &NewAttempt<'_>) -> Self {
        let attempt = new.written(id);
        Self { attempt, closed_at: None, claim: Some(new.claim), sender: Some(new.claim.run) }
    }

    /// What the rules need to know of it later.
    pub(super) fn past(&self) -> PastAttempt {
        let attempt = &self.attempt;
        PastAttempt {
            order: attempt.order.clone(),
            period: attempt.period,
            number: attempt.number,
            state: attempt.state,
            parent: attempt.parent.clone(),
            refusal: attempt.refusal.clone(),
            closed_at: self.closed_at,
        }
    }

    pub(super) fn is_in_page(&self, tenant: Option<TenantId>, after: Option<AttemptId>) -> bool {
        tenant.is_none_or(|tenant| self.attempt.tenant == tenant) && after.is_none_or(|after| self.attempt.id > after)
    }

    /// Whether a run has to see to it.
    pub(super) fn is_left(&self) -> bool {
        self.attempt.state.is_open() || self.attempt.trouble.is_some()
    }

    pub(super) fn is_free(&self, now: Timestamp) -> bool {
        self.claim.is_none_or(|held| held.until <= now)
    }

    pub(super) fn is_held_by(&self, run: RunId) -> bool {
        self.claim.is_some_and(|held| held.run == run)
    }

    pub(super) fn claim(&mut self, claim: Claim, which: Claims) -> Attempt {
        self.claim = Some(claim);
        // Whoever claims what is left cannot know who else had it, not even the run that wrote it down.
        self.sender = self.sender.filter(|_| which == Claims::Mine);
        self.attempt.clone()
    }

    pub(super) fn release(&mut self, run: RunId) {
        if self.is_held_by(run) {
            self.claim = None;
        }
    }

    pub(super) fn accepted(&mut self, order: &BankOrderId) -> Attempt {
        let attempt = &mut self.attempt;
        match &attempt.bank_order {
            Some(known) if known != order => {
                attempt.trouble = Some(format!("the bank has made {order} of it, and {known} before"));
                return attempt.clone();
            }
            _ => attempt.bank_order = Some(order.clone()),
        }
        if matches!(attempt.state, AttemptState::Prepared | AttemptState::Unknown) {
            (attempt.state, attempt.last_error) = (AttemptState::Accepted, None);
        }
        attempt.clone()
    }

    pub(super) fn unanswered(&mut self, why: &str) -> Attempt {
        let attempt = &mut self.attempt;
        if matches!(attempt.state, AttemptState::Prepared | AttemptState::Unknown) {
            (attempt.state, attempt.last_error) = (AttemptState::Unknown, Some(why.to_owned()));
        }
        attempt.clone()
    }

    pub(super) fn not_sent(&mut self, run: RunId, why: &str, now: Timestamp) -> bool {
        let knows = self.is_held_by(run) && self.sender == Some(run);
        if self.attempt.state != AttemptState::Prepared || !knows {
            return false;
        }
        self.attempt.last_error = Some(why.to_owned());
        self.close(AttemptState::NotSent, now);
        self.claim = None;
        true
    }

    pub(super) fn close(&mut self, state: AttemptState, now: Timestamp) {
        (self.attempt.state, self.closed_at, self.sender) = (state, Some(now), None);
    }
}

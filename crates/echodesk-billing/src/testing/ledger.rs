//! A ledger in memory.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use echodesk_core::notice::NewNotice;
use echodesk_core::{AttemptId, Language, RunId, StoreError, StoreErrorKind, SubscriptionId, Tenant, TenantId};
use jiff::Timestamp;

use crate::Money;
use crate::model::{Attempt, AttemptState, BankOrderId, Candidate, CardOrder, OrderId, PastAttempt, Seen};
use crate::ports::{BillingStore, Claim, Claims, NewAttempt, Prepared, Settled, Settlement};
use crate::rules::period::{Window, renewal_date};
use crate::rules::settle::OrderStatus;

/// A subscription with all that a renewal reads and changes.
#[derive(Clone, Debug)]
pub struct Account {
    /// Whose it is.
    pub tenant: Tenant,
    /// The columns; its `last_attempt` is kept up to date by the ledger.
    pub seen: Seen,
    /// The price per month; one feature, one agent.
    pub price: Money,
    /// What the subscription's own card can be charged, if our table knows.
    pub card_amount: Option<Money>,
    /// How often it was extended.
    pub extended: u32,
    /// `failed_payment_count`.
    pub failed_payments: u32,
    /// When EchoDesk itself charges.
    pub echodesk_retry: Option<Timestamp>,
}

impl Account {
    /// An account that expires at `expires_at`, whose card `card-{schema}` can be charged its price.
    ///
    /// # Panics
    /// `schema` is no schema's name.
    #[must_use]
    #[expect(clippy::expect_used, reason = "a double for tests")]
    pub fn due(number: i64, schema: &str, price: Money, expires_at: Timestamp) -> Self {
        Self {
            tenant: Tenant {
                id: TenantId(number),
                schema: schema.parse().expect("a schema name"),
                name: schema.to_owned(),
                admin_email: format!("admin@{schema}.example"),
                admin_name: String::new(),
                language: Language::En,
                is_active: true,
            },
            seen: Seen {
                tenant_active: true,
                provider: "bog".to_owned(),
                active: true,
                expires_at: Some(expires_at),
                next_billing_date: Some(expires_at),
                agent_count: 1,
                parent: Some(BankOrderId(format!("card-{schema}"))),
                last_attempt: None,
            },
            price,
            card_amount: Some(price),
            extended: 0,
            failed_payments: 0,
            echodesk_retry: None,
        }
    }
}

/// A ledger in memory that keeps the contracts of [`BillingStore`].
#[derive(Debug, Default)]
pub struct MemoryLedger {
    state: Mutex<State>,
}

#[derive(Debug, Default)]
pub(super) struct State {
    pub(super) accounts: BTreeMap<SubscriptionId, Account>,
    pub(super) attempts: BTreeMap<AttemptId, Entry>,
    pub(super) notices: Vec<NewNotice>,
}

#[derive(Clone, Debug)]
pub(super) struct Entry {
    pub(super) attempt: Attempt,
    pub(super) claim: Option<Claim>,
    /// The run that wrote it down, as long as nobody else had it: only that run knows whether it was sent.
    pub(super) sender: Option<RunId>,
    pub(super) closed_at: Option<Timestamp>,
    pub(super) order: OrderStatus,
}

impl MemoryLedger {
    /// Adds an account under its tenant's number.
    pub fn add(&self, account: Account) {
        self.lock().accounts.insert(SubscriptionId(account.tenant.id.0), account);
    }

    /// Changes an account.
    pub fn change(&self, number: i64, change: impl FnOnce(&mut Account)) {
        if let Some(account) = self.lock().accounts.get_mut(&SubscriptionId(number)) {
            change(account);
        }
    }

    /// An account as it is.
    #[must_use]
    pub fn account(&self, number: i64) -> Option<Account> {
        self.lock().accounts.get(&SubscriptionId(number)).cloned()
    }

    /// All attempts, by id.
    #[must_use]
    pub fn all_attempts(&self) -> Vec<Attempt> {
        self.lock().attempts.values().map(|entry| entry.attempt.clone()).collect()
    }

    /// All notices that were queued.
    #[must_use]
    pub fn notices(&self) -> Vec<NewNotice> {
        self.lock().notices.clone()
    }

    /// Ends all claims, as time would after a crash.
    pub fn end_claims(&self) {
        self.lock().attempts.values_mut().for_each(|entry| entry.claim = None);
    }

    /// The claim on an attempt.
    #[cfg(test)]
    pub(super) fn claim_of(&self, id: AttemptId) -> Option<Claim> {
        self.lock().attempts.get(&id)?.claim
    }

    /// Writes a claim down without looking whether the attempt is free.
    #[cfg(test)]
    pub(super) fn take(&self, id: AttemptId, claim: Claim) {
        if let Some(entry) = self.lock().attempts.get_mut(&id) {
            entry.claim = Some(claim);
            entry.sender = entry.sender.filter(|run| *run == claim.run);
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn with_attempt<T>(&self, id: AttemptId, work: impl FnOnce(&mut Entry) -> T) -> Result<T, StoreError> {
        self.lock().attempts.get_mut(&id).map(work).ok_or_else(|| no_attempt(id))
    }
}

pub(super) fn no_attempt(id: AttemptId) -> StoreError {
    StoreError { kind: StoreErrorKind::Other, what: format!("there is no attempt {id}"), source: None }
}

impl State {
    fn candidate(&self, id: SubscriptionId, account: &Account) -> Candidate {
        let attempts = self.attempts.values().filter(|entry| entry.attempt.subscription == id);
        let card = |amount: Money| CardOrder {
            bank_order: account.seen.parent.clone().unwrap_or(BankOrderId(String::new())),
            amount: Ok(amount),
        };
        Candidate {
            subscription: id,
            tenant: account.tenant.clone(),
            seen: self.seen(id, account),
            feature_prices: vec![account.price.amount()],
            own_card_order: account.card_amount.map(card),
            newest_card_order: None,
            attempts: attempts
                .map(|entry| PastAttempt {
                    order: entry.attempt.order.clone(),
                    period: entry.attempt.period,
                    number: entry.attempt.number,
                    state: entry.attempt.state,
                    parent: entry.attempt.parent.clone(),
                    refusal: entry.attempt.refusal.clone(),
                    closed_at: entry.closed_at,
                })
                .collect(),
            echodesk_retry: account.echodesk_retry,
            foreign_order: None,
        }
    }

    fn seen(&self, id: SubscriptionId, account: &Account) -> Seen {
        let last = self.attempts.values().rfind(|entry| entry.attempt.subscription == id);
        Seen { last_attempt: last.map(|entry| entry.attempt.id), ..account.seen.clone() }
    }
}

impl BillingStore for MemoryLedger {
    fn candidates(
        &self,
        window: &Window,
        tenant: Option<TenantId>,
        after: Option<SubscriptionId>,
        limit: usize,
        _now: Timestamp,
    ) -> Result<Vec<Candidate>, StoreError> {
        let state = self.lock();
        let page = state
            .accounts
            .iter()
            .filter(|(id, account)| {
                after.is_none_or(|after| **id > after)
                    && tenant.is_none_or(|tenant| account.tenant.id == tenant)
                    && renewal_date(&account.seen).is_some_and(|date| window.contains(date))
            })
            .take(limit);
        Ok(page.map(|(id, account)| state.candidate(*id, account)).collect())
    }

    fn prepare(&self, new: &NewAttempt<'_>) -> Result<Prepared, StoreError> {
        let mut state = self.lock();
        let charge = new.charge;
        let Some(account) = state.accounts.get(&charge.subscription) else { return Ok(Prepared::Changed) };
        let is_open =
            |entry: &Entry| entry.attempt.subscription == charge.subscription && entry.attempt.state.is_open();
        let is_named_alike = |entry: &Entry| entry.attempt.order == new.order || entry.attempt.key == new.key;
        if state.seen(charge.subscription, account) != charge.seen
            || account.echodesk_retry.is_some()
            || state.attempts.values().any(|entry| is_open(entry) || is_named_alike(entry))
        {
            return Ok(Prepared::Changed);
        }
        let id = AttemptId(state.attempts.keys().next_back().map_or(0, |last| last.0) + 1);
        let attempt = new.written(id);
        let entry = Entry {
            attempt: attempt.clone(),
            claim: Some(new.claim),
            sender: Some(new.claim.run),
            closed_at: None,
            order: OrderStatus::Pending,
        };
        state.attempts.insert(id, entry);
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
        let page = state
            .attempts
            .values_mut()
            .filter(|entry| {
                let of_run = entry.claim.is_some_and(|held| held.run == claim.run);
                let free = entry.claim.is_none_or(|held| held.until <= claim.now);
                let left = entry.attempt.state.is_open() || entry.attempt.trouble.is_some();
                let wanted = match which {
                    Claims::Left => left && free,
                    Claims::Mine => of_run,
                };
                wanted
                    && after.is_none_or(|after| entry.attempt.id > after)
                    && tenant.is_none_or(|tenant| entry.attempt.tenant == tenant)
            })
            .take(limit);
        Ok(page
            .map(|entry| {
                entry.claim = Some(*claim);
                // Also of the run itself: somebody else may have had it meanwhile.
                entry.sender = entry.sender.filter(|_| which == Claims::Mine);
                entry.attempt.clone()
            })
            .collect())
    }

    fn cancel_overtaken_retries(&self, _now: Timestamp) -> Result<usize, StoreError> {
        Ok(0)
    }

    fn release(&self, run: RunId, attempts: Option<&[AttemptId]>) -> Result<(), StoreError> {
        for entry in self.lock().attempts.values_mut() {
            let named = attempts.is_none_or(|attempts| attempts.contains(&entry.attempt.id));
            if named && entry.claim.is_some_and(|held| held.run == run) {
                entry.claim = None;
            }
        }
        Ok(())
    }

    fn accepted(&self, attempt: AttemptId, order: &BankOrderId, _now: Timestamp) -> Result<Attempt, StoreError> {
        self.with_attempt(attempt, |entry| {
            let attempt = &mut entry.attempt;
            match &attempt.bank_order {
                Some(known) if known != order => {
                    attempt.trouble = Some(format!("the bank has made two orders of it: {known} and {order}"));
                }
                _ => attempt.bank_order = Some(order.clone()),
            }
            if matches!(attempt.state, AttemptState::Prepared | AttemptState::Unknown) {
                (attempt.state, attempt.last_error) = (AttemptState::Accepted, None);
            }
            attempt.clone()
        })
    }

    fn unanswered(&self, attempt: AttemptId, why: &str, _now: Timestamp) -> Result<Attempt, StoreError> {
        self.with_attempt(attempt, |entry| {
            let attempt = &mut entry.attempt;
            if matches!(attempt.state, AttemptState::Prepared | AttemptState::Unknown) {
                (attempt.state, attempt.last_error) = (AttemptState::Unknown, Some(why.to_owned()));
            }
            attempt.clone()
        })
    }

    fn not_sent(&self, attempt: AttemptId, run: RunId, why: &str, now: Timestamp) -> Result<bool, StoreError> {
        self.with_attempt(attempt, |entry| {
            let mine = entry.claim.is_some_and(|held| held.run == run) && entry.sender == Some(run);
            if entry.attempt.state != AttemptState::Prepared || !mine {
                return false;
            }
            (entry.attempt.state, entry.attempt.last_error) = (AttemptState::NotSent, Some(why.to_owned()));
            (entry.claim, entry.closed_at, entry.order) = (None, Some(now), OrderStatus::Closed);
            true
        })
    }

    fn set_trouble(&self, attempt: AttemptId, trouble: Option<&str>, _now: Timestamp) -> Result<(), StoreError> {
        self.with_attempt(attempt, |entry| entry.attempt.trouble = trouble.map(str::to_owned))
    }

    fn settle(&self, attempt: AttemptId, settlement: &Settlement<'_>) -> Result<Settled, StoreError> {
        self.lock().settle(attempt, settlement)
    }

    fn attempt_of_order(&self, order: &OrderId) -> Result<Option<Attempt>, StoreError> {
        Ok(self.all_attempts().into_iter().find(|attempt| attempt.order == *order))
    }

    fn attempt_of_bank_order(&self, order: &BankOrderId) -> Result<Option<Attempt>, StoreError> {
        Ok(self.all_attempts().into_iter().find(|attempt| attempt.bank_order.as_ref() == Some(order)))
    }

    fn left(
        &self,
        tenant: Option<TenantId>,
        after: Option<AttemptId>,
        limit: usize,
    ) -> Result<Vec<Attempt>, StoreError> {
        let wanted = |attempt: &Attempt| {
            (attempt.state.is_open() || attempt.trouble.is_some())
                && tenant.is_none_or(|tenant| attempt.tenant == tenant)
                && after.is_none_or(|after| attempt.id > after)
        };
        Ok(self.all_attempts().into_iter().filter(wanted).take(limit).collect())
    }

    fn queue_notice(&self, _tenant: &Tenant, notice: &NewNotice) -> Result<(), StoreError> {
        let mut state = self.lock();
        let same = |other: &NewNotice| {
            other.kind.code() == notice.kind.code()
                && (&other.subject_key, &other.period) == (&notice.subject_key, &notice.period)
        };
        if !state.notices.iter().any(same) {
            state.notices.push(notice.clone());
        }
        Ok(())
    }
}

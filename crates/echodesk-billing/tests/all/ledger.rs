//! A ledger of one attempt, with as much of a store as callbacks need.

use std::sync::Mutex;

use echodesk_billing::model::{Attempt, AttemptState, BankOrderId, Candidate, OrderId};
use echodesk_billing::ports::{BillingStore, Claim, Claims, NewAttempt, Prepared, Settled, Settlement, Source};
use echodesk_billing::rules::period::Window;
use echodesk_billing::rules::retry::Next;
use echodesk_billing::rules::settle::{Closing, OrderStatus, closing};
use echodesk_billing::{Currency, Money};
use echodesk_core::notice::NewNotice;
use echodesk_core::{AttemptId, RunId, StoreError, StoreErrorKind, SubscriptionId, Tenant, TenantId};
use jiff::Timestamp;

pub(crate) const ORDER: &str = "REC-0123456789AB";
pub(crate) const PARENT: &str = "0a51ce00-7c1d-4b02-9f6e-5d2f1f6f00aa";

/// The one attempt, how often its subscription was extended, and whether the database answers.
pub(crate) struct Ledger {
    attempt: Mutex<Attempt>,
    extended: Mutex<u32>,
    pub(crate) is_away: bool,
}

impl Ledger {
    pub(crate) fn with(state: AttemptState, bank_order: Option<&str>) -> Self {
        let attempt = Attempt {
            id: AttemptId(1),
            subscription: SubscriptionId(2),
            tenant: TenantId(3),
            schema: "acme".parse().unwrap(),
            period: Timestamp::UNIX_EPOCH,
            number: 1,
            order: OrderId(ORDER.to_owned()),
            key: uuid::Uuid::nil(),
            parent: BankOrderId(PARENT.to_owned()),
            amount: Money::new("25.50".parse().unwrap(), Currency::Gel).unwrap(),
            state,
            bank_order: bank_order.map(|order| BankOrderId(order.to_owned())),
            prepared_at: Timestamp::UNIX_EPOCH,
            refusal: None,
            last_error: None,
            trouble: None,
        };
        Self { attempt: Mutex::new(attempt), extended: Mutex::new(0), is_away: false }
    }

    pub(crate) fn attempt(&self) -> Attempt {
        self.attempt.lock().unwrap().clone()
    }

    pub(crate) fn extended(&self) -> u32 {
        *self.extended.lock().unwrap()
    }

    fn found(&self, is_meant: impl Fn(&Attempt) -> bool) -> Result<Option<Attempt>, StoreError> {
        if self.is_away { away() } else { Ok(Some(self.attempt()).filter(is_meant)) }
    }
}

fn away<T>() -> Result<T, StoreError> {
    Err(StoreError { kind: StoreErrorKind::Unavailable, what: "the database is away".to_owned(), source: None })
}

fn unneeded<T>() -> Result<T, StoreError> {
    Err(StoreError { kind: StoreErrorKind::Other, what: "no callback needs this".to_owned(), source: None })
}

impl BillingStore for Ledger {
    fn attempt_of_order(&self, order: &OrderId) -> Result<Option<Attempt>, StoreError> {
        self.found(|attempt| attempt.order == *order)
    }

    fn attempt_of_bank_order(&self, order: &BankOrderId) -> Result<Option<Attempt>, StoreError> {
        self.found(|attempt| attempt.bank_order.as_ref() == Some(order))
    }

    fn accepted(&self, _: AttemptId, order: &BankOrderId, _: Timestamp) -> Result<Attempt, StoreError> {
        let mut attempt = self.attempt.lock().unwrap();
        (attempt.state, attempt.bank_order) = (AttemptState::Accepted, Some(order.clone()));
        Ok(attempt.clone())
    }

    fn set_trouble(&self, _: AttemptId, trouble: Option<&str>, _: Timestamp) -> Result<(), StoreError> {
        self.attempt.lock().unwrap().trouble = trouble.map(str::to_owned);
        Ok(())
    }

    fn settle(&self, _: AttemptId, settlement: &Settlement<'_>) -> Result<Settled, StoreError> {
        assert_eq!((settlement.source, settlement.run), (Source::Callback, None));
        let mut attempt = self.attempt.lock().unwrap();
        let order = match attempt.state {
            AttemptState::Paid => OrderStatus::Paid,
            AttemptState::Failed | AttemptState::NotSent => OrderStatus::Closed,
            _ => OrderStatus::Pending,
        };
        match closing(attempt.state, order, settlement.refusal.is_none()) {
            Closing::Pay { .. } => {
                (attempt.state, attempt.bank_order) = (AttemptState::Paid, settlement.bank_order.cloned());
                *self.extended.lock().unwrap() += 1;
                Ok(Settled::Paid { until: None, extended: true, reactivated: false })
            }
            Closing::Fail { .. } => {
                (attempt.state, attempt.bank_order) = (AttemptState::Failed, settlement.bank_order.cloned());
                attempt.refusal = settlement.refusal.cloned();
                Ok(Settled::Failed(Next::Exhausted))
            }
            Closing::Wait => Ok(Settled::NotYet),
            Closing::Contradiction => Ok(Settled::Contradiction),
            Closing::Nothing => Ok(Settled::Already(attempt.state)),
        }
    }

    fn candidates(
        &self,
        _: &Window,
        _: Option<TenantId>,
        _: Option<SubscriptionId>,
        _: usize,
        _: Timestamp,
    ) -> Result<Vec<Candidate>, StoreError> {
        unneeded()
    }

    fn prepare(&self, _: &NewAttempt<'_>) -> Result<Prepared, StoreError> {
        unneeded()
    }

    fn claim(
        &self,
        _: &Claim,
        _: Claims,
        _: Option<TenantId>,
        _: Option<AttemptId>,
        _: usize,
    ) -> Result<Vec<Attempt>, StoreError> {
        unneeded()
    }

    fn cancel_overtaken_retries(&self, _: Timestamp) -> Result<usize, StoreError> {
        unneeded()
    }

    fn release(&self, _: RunId, _: Option<&[AttemptId]>) -> Result<(), StoreError> {
        unneeded()
    }

    fn unanswered(&self, _: AttemptId, _: &str, _: Timestamp) -> Result<Attempt, StoreError> {
        unneeded()
    }

    fn not_sent(&self, _: AttemptId, _: RunId, _: &str, _: Timestamp) -> Result<bool, StoreError> {
        unneeded()
    }

    fn left(&self, _: Option<TenantId>, _: Option<AttemptId>, _: usize) -> Result<Vec<Attempt>, StoreError> {
        unneeded()
    }

    fn queue_notice(&self, _: &Tenant, _: &NewNotice) -> Result<(), StoreError> {
        unneeded()
    }
}

//! A run's state, and how it talks to its store.

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use echodesk_core::{AttemptId, StoreError, StoreErrorKind, TenantId};
use jiff::Timestamp;
use tokio::sync::{Semaphore, SemaphorePermit};

use crate::ports::{Bank, BillingStore, Claim};
use crate::run::breaker::Breaker;
use crate::run::{RenewalEvent, RenewalObserver, RenewalOptions, RenewalReport, RenewalWorld, Totals};

/// Attempts and subscriptions read at once.
pub(super) const PAGE: usize = 256;

/// So many transactions in a row that fail for want of the database, and it is away.
const UNAVAILABLE_IN_A_ROW: usize = 8;

/// How often, and after what pause, something that the bank has said is tried to be written down.
const WRITE_PAUSES: [Duration; 3] = [Duration::from_millis(200), Duration::from_secs(1), Duration::from_secs(3)];

pub(super) struct Run<B: Bank> {
    pub(super) world: RenewalWorld<B>,
    pub(super) options: RenewalOptions,
    pub(super) breaker: Breaker,
    calls: Semaphore,
    totals: Mutex<Totals>,
    /// Open attempts whose receipt was not to be had when it was asked for last, and why.
    unheard: Mutex<HashMap<AttemptId, String>>,
    database_away: AtomicBool,
    /// Transactions in a row for which the database was not available.
    unavailable: AtomicUsize,
}

impl<B: Bank> Run<B> {
    pub(super) fn new(world: RenewalWorld<B>, options: RenewalOptions) -> Self {
        let calls = Semaphore::new(options.width.get());
        Self {
            world,
            options,
            breaker: Breaker::default(),
            calls,
            totals: Mutex::default(),
            unheard: Mutex::default(),
            database_away: AtomicBool::new(false),
            unavailable: AtomicUsize::new(0),
        }
    }

    pub(super) fn observer(&self) -> &dyn RenewalObserver {
        self.world.observer.as_ref()
    }

    pub(super) fn now(&self) -> Timestamp {
        self.world.clock.now()
    }

    pub(super) fn tenant(&self) -> Option<TenantId> {
        self.options.tenant.as_ref().map(|tenant| tenant.id)
    }

    pub(super) fn claim(&self) -> Claim {
        let now = self.now();
        let until = now.checked_add(self.options.claim_for).unwrap_or(Timestamp::MAX);
        Claim { run: self.world.run, until, now }
    }

    /// Whether nothing new is to be begun.
    pub(super) fn is_ending(&self) -> bool {
        self.world.stop.is_stopped() || self.is_database_away()
    }

    pub(super) fn is_database_away(&self) -> bool {
        self.database_away.load(Ordering::Acquire) || self.unavailable.load(Ordering::Acquire) >= UNAVAILABLE_IN_A_ROW
    }

    /// The right to have a call in flight. `None` is impossible, as nobody closes the semaphore.
    pub(super) async fn permit(&self) -> Option<SemaphorePermit<'_>> {
        self.calls.acquire().await.ok()
    }

    pub(super) fn emit(&self, event: &RenewalEvent) {
        self.totals.lock().unwrap_or_else(PoisonError::into_inner).count(event);
        self.observer().event(event);
    }

    /// Remembers why there was no receipt, or that there was one.
    pub(super) fn heard(&self, attempt: AttemptId, trouble: Option<String>) {
        let mut unheard = self.unheard.lock().unwrap_or_else(PoisonError::into_inner);
        match trouble {
            Some(why) => drop(unheard.insert(attempt, why)),
            None => drop(unheard.remove(&attempt)),
        }
    }

    /// Why there was no receipt, if there was none.
    pub(super) fn unheard(&self, attempt: AttemptId) -> Option<String> {
        self.unheard.lock().unwrap_or_else(PoisonError::into_inner).get(&attempt).cloned()
    }

    pub(super) fn report(&self) -> RenewalReport {
        let totals = self.totals.lock().unwrap_or_else(PoisonError::into_inner).clone();
        RenewalReport {
            totals,
            stopped: self.world.stop.is_stopped(),
            database_away: self.is_database_away(),
            bank_away: self.breaker.tripped_by(),
        }
    }

    /// Works with the store on a thread where that may block.
    pub(super) async fn store<T: Send + 'static>(
        &self,
        work: impl FnOnce(&dyn BillingStore) -> Result<T, StoreError> + Send + 'static,
    ) -> Result<T, StoreError> {
        let store = Arc::clone(&self.world.store);
        let done = tokio::task::spawn_blocking(move || work(store.as_ref())).await;
        let done = done.unwrap_or_else(|panic| {
            Err(StoreError {
                kind: StoreErrorKind::Other,
                what: "working with the database".to_owned(),
                source: Some(Box::new(panic)),
            })
        });
        // One transaction may fail because somebody holds a row. If nothing succeeds any more, it is more.
        match &done {
            Err(error) if error.kind == StoreErrorKind::Unavailable => {
                self.unavailable.fetch_add(1, Ordering::AcqRel);
            }
            _ => self.unavailable.store(0, Ordering::Release),
        }
        done
    }

    /// As [`Run::store`], for what a run cannot go on without.
    pub(super) async fn need<T: Send + 'static>(
        &self,
        work: impl FnOnce(&dyn BillingStore) -> Result<T, StoreError> + Send + 'static,
    ) -> Result<T, StoreError> {
        let done = self.store(work).await;
        if done.as_ref().is_err_and(|error| error.kind == StoreErrorKind::Unavailable) {
            self.database_away.store(true, Ordering::Release);
        }
        done
    }

    /// Writes down what the bank has said, several times if the database is away: it is known now, and
    /// asking again costs a call.
    pub(super) async fn write<T: Send + 'static>(
        &self,
        work: impl Fn(&dyn BillingStore) -> Result<T, StoreError> + Clone + Send + 'static,
    ) -> Result<T, StoreError> {
        for pause in WRITE_PAUSES {
            match self.store(work.clone()).await {
                Err(error) if error.kind == StoreErrorKind::Unavailable => tokio::time::sleep(pause).await,
                done => return done,
            }
        }
        self.store(work).await
    }
}

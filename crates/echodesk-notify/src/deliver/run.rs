//! What everybody in a delivery shares.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use echodesk_core::{StoreError, StoreErrorKind};
use jiff::Timestamp;

use super::health::Health;
use super::{DeliveryOptions, DeliveryWorld};
use crate::ports::{Fate, Outbox, Queued};

/// What was read with the claim counts for so long; after that it is read again right before sending.
const FRESH_FOR: Duration = Duration::from_secs(2);

/// A notice that this run has claimed.
#[derive(Debug)]
pub(super) struct Claimed {
    pub(super) notice: Queued,
    /// When it was claimed, by [`Clock::elapsed`](echodesk_core::Clock::elapsed).
    pub(super) since: Duration,
}

/// What became of a notice, to be written down.
#[derive(Debug)]
pub(super) struct Done {
    pub(super) claimed: Arc<Claimed>,
    pub(super) fate: Fate,
    /// Kept back for a reason of its own, not because it could not be sent.
    pub(super) postponed: bool,
}

pub(super) struct Run<T> {
    pub(super) world: DeliveryWorld<T>,
    pub(super) options: DeliveryOptions,
    started: Duration,
    halted: AtomicBool,
    stopped: AtomicBool,
    health: Mutex<Health>,
}

impl<T> Run<T> {
    pub(super) fn new(world: DeliveryWorld<T>, options: DeliveryOptions) -> Self {
        let started = world.clock.elapsed();
        let (halted, stopped) = (AtomicBool::new(false), AtomicBool::new(false));
        Self { world, options, started, halted, stopped, health: Mutex::default() }
    }

    pub(super) fn now(&self) -> Timestamp {
        self.world.clock.now()
    }

    /// Nothing new is begun from now on.
    pub(super) fn halt(&self) {
        self.halted.store(true, Ordering::Release);
    }

    /// The same, because no mail can be sent.
    pub(super) fn trouble(&self, why: String) {
        self.health().trouble.get_or_insert(why);
        self.halt();
    }

    pub(super) fn health(&self) -> MutexGuard<'_, Health> {
        // Plain data: a panic elsewhere cannot leave it half written.
        self.health.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether nothing new is begun.
    pub(super) fn is_over(&self) -> bool {
        if self.world.stop.is_stopped() {
            self.stopped.store(true, Ordering::Release);
        }
        let spent = self.world.clock.elapsed().saturating_sub(self.started);
        self.was_stopped() || self.halted.load(Ordering::Acquire) || spent >= self.options.budget
    }

    /// Whether somebody asked to stop while there was something to do.
    pub(super) fn was_stopped(&self) -> bool {
        self.stopped.load(Ordering::Acquire)
    }

    /// The longest that sending one mail may take.
    pub(super) fn longest_send(&self) -> Duration {
        self.options.claim_for / 2
    }

    /// Whether a claim could end before its mail is sent: then another run could send it too.
    pub(super) fn is_stale(&self, claimed: &Claimed) -> bool {
        self.world.clock.elapsed().saturating_sub(claimed.since) >= self.longest_send()
    }

    /// Whether so much time has passed since it was claimed that it may not hold any more.
    pub(super) fn is_old(&self, claimed: &Claimed) -> bool {
        self.world.clock.elapsed().saturating_sub(claimed.since) >= FRESH_FOR
    }

    /// Asks the outbox on a thread that may block.
    pub(super) async fn ask<R: Send + 'static>(
        &self,
        question: impl FnOnce(&dyn Outbox) -> Result<R, StoreError> + Send + 'static,
    ) -> Result<R, StoreError> {
        let outbox = Arc::clone(&self.world.outbox);
        let asked = tokio::task::spawn_blocking(move || question(outbox.as_ref())).await;
        asked.unwrap_or_else(|error| {
            let what = "the outbox could not be asked".to_owned();
            Err(StoreError { kind: StoreErrorKind::Other, what, source: Some(Box::new(error)) })
        })
    }
}

//! What everybody in a delivery shares.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use echodesk_core::{StoreError, StoreErrorKind};
use jiff::Timestamp;

use super::health::Health;
use super::{DeliveryOptions, DeliveryWorld};
use crate::ports::{Fate, Outbox, Queued};
use crate::rules::veiled;

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
}

pub(super) struct Run<T> {
    pub(super) world: DeliveryWorld<T>,
    pub(super) options: DeliveryOptions,
    started: Duration,
    halted: AtomicBool,
    stopped: AtomicBool,
    /// Whether something was due when nothing new was begun any more.
    left_off: AtomicBool,
    health: Mutex<Health>,
}

impl<T> Run<T> {
    pub(super) fn new(world: DeliveryWorld<T>, options: DeliveryOptions) -> Self {
        let started = world.clock.elapsed();
        Self {
            world,
            options,
            started,
            halted: AtomicBool::default(),
            stopped: AtomicBool::default(),
            left_off: AtomicBool::default(),
            health: Mutex::default(),
        }
    }

    pub(super) fn now(&self) -> Timestamp {
        self.world.clock.now()
    }

    /// Nothing new is begun from now on.
    pub(super) fn halt(&self) {
        self.halted.store(true, Ordering::Release);
    }

    /// The same, because no mail can be sent.
    pub(super) fn trouble(&self, why: &str) {
        // Told in summaries and monitors, where no address belongs.
        self.health().trouble.get_or_insert_with(|| veiled(why));
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
        self.was_stopped() || self.halted.load(Ordering::Acquire) || self.is_late()
    }

    /// The same, asked by who has something to do and leaves it if so.
    pub(super) fn leaves_off(&self) -> bool {
        let is_over = self.is_over();
        if is_over {
            self.left_off.store(true, Ordering::Release);
        }
        is_over
    }

    fn is_late(&self) -> bool {
        self.world.clock.elapsed().saturating_sub(self.started) >= self.options.budget
    }

    /// Whether it was only for want of time that something was left.
    pub(super) fn ran_out_of_time(&self) -> bool {
        let otherwise = self.was_stopped() || self.halted.load(Ordering::Acquire);
        self.left_off.load(Ordering::Acquire) && self.is_late() && !otherwise
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

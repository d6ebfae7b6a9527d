//! What the service does with echodesk-billing: one run of renewals, one callback.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use echodesk_billing::bank::BogBank;
use echodesk_billing::callback::{Applied, CallbackError, CallbackKeys, apply};
use echodesk_billing::ports::Random;
use echodesk_billing::rules::due::Policy;
use echodesk_billing::run::{Phase, RenewalEvent, RenewalObserver, RenewalOptions, RenewalReport, RenewalWorld, renew};
use echodesk_core::{Clock, RunId, StopToken, StoreError};
use jiff::tz::TimeZone;
use tokio::sync::{Mutex as RunLock, MutexGuard as RunGuard};

use crate::store::MemoryStore;

/// Everything that outlives a request.
pub(crate) struct Renewals {
    pub(crate) store: Arc<MemoryStore>,
    pub(crate) bank: Arc<BogBank>,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) random: Arc<dyn Random>,
    pub(crate) keys: CallbackKeys,
    pub(crate) time_zone: TimeZone,
    /// How long a run asks what became of its charges: a caller waits for it. What takes longer is told by a
    /// callback, or found out by the next run.
    pub(crate) settle_for: Duration,
    pub(crate) stop: StopToken,
    /// Held by the run that is at work. Two at once would do no harm: the store sees to that. But the second
    /// would find nothing to do.
    pub(crate) running: RunLock<()>,
}

/// Keeps what a run tells of each subscription.
#[derive(Default)]
struct Events(Mutex<Vec<RenewalEvent>>);

impl RenewalObserver for Events {
    fn begun(&self, phase: Phase) {
        tracing::info!("renewals: {phase:?}");
    }

    fn event(&self, event: &RenewalEvent) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).push(event.clone());
    }
}

impl Renewals {
    /// Runs renewals once; `None` if a run is at work.
    pub(crate) async fn run(&self) -> Option<Result<(RenewalReport, Vec<RenewalEvent>), StoreError>> {
        let _running = self.running.try_lock().ok()?;
        let events = Arc::new(Events::default());
        let world = RenewalWorld {
            store: self.store.clone(),
            bank: Arc::clone(&self.bank),
            clock: Arc::clone(&self.clock),
            random: Arc::clone(&self.random),
            stop: self.stop.clone(),
            run: RunId::random(),
            observer: events.clone(),
        };
        let options = RenewalOptions {
            policy: Policy { time_zone: self.time_zone.clone(), ..Policy::default() },
            settle_for: self.settle_for,
            ..RenewalOptions::default()
        };
        let report = renew(world, options).await;
        // For a caller that has hung up meanwhile.
        if let Ok(RenewalReport { totals, .. }) = &report {
            tracing::info!(
                paid = totals.paid,
                pending = totals.pending,
                failures = totals.failures,
                "renewals: the run has ended"
            );
        }
        let events = events.0.lock().unwrap_or_else(PoisonError::into_inner).clone();
        Some(report.map(|report| (report, events)))
    }

    /// Waits for the run that is at work, if there is one. As long as its result is held, none begins.
    pub(crate) async fn last_run_ended(&self) -> RunGuard<'_, ()> {
        self.running.lock().await
    }

    /// Verifies a callback and does what it says. Waits for the store.
    pub(crate) fn callback(&self, body: &[u8], signature: Option<&str>) -> Result<Applied, CallbackError> {
        apply(self.store.as_ref(), &self.keys, body, signature, self.clock.now(), &self.time_zone)
    }
}

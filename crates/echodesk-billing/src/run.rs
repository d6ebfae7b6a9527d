//! The run of renewals: settle what earlier runs left, charge what is due, ask what became of it.
//!
//! Every step is one transaction or one call, in an order in which a run may die between any two of
//! them: an attempt is written down before the bank is called for it, and what the bank may have done
//! is an open attempt until a final answer closes it.

mod attend;
mod breaker;
pub(crate) mod charge;
mod outcome;
mod poll;
mod preview;
#[cfg(test)]
mod tests;
mod world;

use std::fmt;
use std::num::NonZeroUsize;
use std::sync::Arc;
use std::time::Duration;

use echodesk_core::{Clock, RunId, StopToken, StoreError, StoreErrorKind, Tenant};

pub use outcome::{Outcome, RenewalEvent, Totals};
pub use preview::preview;

use crate::ports::{Bank, BillingStore, Random};
use crate::rules::due::Policy;
use world::Run;

/// What a run works with.
pub struct RenewalWorld<B: Bank> {
    /// The ledger.
    pub store: Arc<dyn BillingStore>,
    /// The bank.
    pub bank: Arc<B>,
    /// The time.
    pub clock: Arc<dyn Clock>,
    /// Keys and names.
    pub random: Arc<dyn Random>,
    /// Asks the run to finish what is in flight and start nothing new.
    pub stop: StopToken,
    /// This run, which holds its claims.
    pub run: RunId,
    /// Who is told of each subscription.
    pub observer: Arc<dyn RenewalObserver>,
}

impl<B: Bank> fmt::Debug for RenewalWorld<B> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RenewalWorld").field("run", &self.run).field("stop", &self.stop).finish_non_exhaustive()
    }
}

/// Is told what a run does, as it does it. Called from several threads.
pub trait RenewalObserver: Send + Sync {
    /// A phase has begun.
    fn begun(&self, phase: Phase);

    /// What became of one subscription. One that was pending from an earlier run and is charged again
    /// in this one is told of twice.
    fn event(&self, event: &RenewalEvent);
}

/// What a run is at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Phase {
    /// It settles what earlier runs left open.
    Settling,
    /// It charges what is due.
    Charging,
    /// It asks what became of what it has charged.
    Polling,
}

/// How a run goes about it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RenewalOptions {
    /// What is due.
    pub policy: Policy,
    /// One tenant, active or not; all active ones otherwise.
    pub tenant: Option<Tenant>,
    /// Calls to the bank in flight.
    pub width: NonZeroUsize,
    /// How long to ask what became of charges after the last was made.
    pub settle_for: Duration,
    /// How long a run's claim on an attempt outlives the run.
    pub claim_for: Duration,
}

impl Default for RenewalOptions {
    fn default() -> Self {
        Self {
            policy: Policy::default(),
            tenant: None,
            width: NonZeroUsize::MIN.saturating_add(7),
            settle_for: Duration::from_secs(180),
            claim_for: Duration::from_secs(600),
        }
    }
}

/// What a run did, beside the events.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RenewalReport {
    /// How many of each.
    pub totals: Totals,
    /// Whether it was asked to stop before everything was done.
    pub stopped: bool,
    /// Whether the database went away before everything was done.
    pub database_away: bool,
    /// Why the bank could not be talked to, if it could not.
    pub bank_away: Option<String>,
}

/// Runs renewals once.
///
/// # Errors
/// The database refuses something that every further step depends on. That it is away is no error but
/// [`RenewalReport::database_away`], since much may have been done by then.
pub async fn renew<B: Bank>(world: RenewalWorld<B>, options: RenewalOptions) -> Result<RenewalReport, StoreError> {
    let run = Arc::new(Run::new(world, options));
    let done = run.phases().await;
    let report = run.report();
    match done {
        Err(error) if error.kind == StoreErrorKind::Unavailable => Ok(RenewalReport { database_away: true, ..report }),
        done => done.map(|()| report),
    }
}

impl<B: Bank> Run<B> {
    async fn phases(self: &Arc<Self>) -> Result<(), StoreError> {
        self.observer().begun(Phase::Settling);
        let attended = self.settle_left().await?;
        self.observer().begun(Phase::Charging);
        self.charge_due(&attended).await?;
        self.observer().begun(Phase::Polling);
        self.poll().await
    }
}

//! All programs with `--dry-run`.

use std::sync::{Arc, Mutex, PoisonError};

use echodesk_billing::rules::due::Policy;
use echodesk_billing::run::{Phase, RenewalEvent, RenewalObserver, RenewalOptions, preview};
use echodesk_billing::status::{StatusEvent, StatusObserver, StatusOptions, watch};
use echodesk_core::{Clock as _, StopToken};

use crate::bugs;
use crate::violation::Invariant;
use crate::world::World;

impl World {
    /// Dry runs of all programs, on the first host.
    pub(crate) fn dry_runs(self: &Arc<Self>) {
        let (clock, foreseen) = (&self.clocks[0], Foreseen::default());
        let (now, time_zone) = (clock.now(), self.billing_zone.clone());
        let options = RenewalOptions { policy: Policy { time_zone, ..Policy::default() }, ..RenewalOptions::default() };
        let charges = preview(&self.database.store, &foreseen, &options, now).map(|report| report.totals);
        bugs::dry_prepare(self, &options, now);
        let options =
            StatusOptions { policy: bugs::expiry_policy(self), dry_run: Some(now), ..StatusOptions::default() };
        let (store, options) = bugs::dry_run(self, options);
        let steps = watch(store, clock, &StopToken::new(), &foreseen, &options).map(|report| report.totals);
        let events = foreseen.0.into_inner().unwrap_or_else(PoisonError::into_inner);
        for error in [charges.as_ref().err(), steps.as_ref().err()].into_iter().flatten() {
            self.violated(Invariant::DryRunsChangeNothing, None, format!("a dry run ends with {error}"));
        }
        self.trace.note(None, format_args!("dry runs: {charges:?}, {steps:?}: {events} events"));
    }
}

/// How many events there were.
#[derive(Default)]
struct Foreseen(Mutex<usize>);

impl Foreseen {
    fn count(&self) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) += 1;
    }
}

impl RenewalObserver for Foreseen {
    fn begun(&self, _: Phase) {}

    fn event(&self, _: &RenewalEvent) {
        self.count();
    }
}

impl StatusObserver for Foreseen {
    fn event(&self, _: &StatusEvent) {
        self.count();
    }
}

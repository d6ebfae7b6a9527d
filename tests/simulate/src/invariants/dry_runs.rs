//! A dry run changes nothing, sends nothing and charges nothing.

use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};

use crate::violation::Invariant;
use crate::world::World;
use crate::world::agenda::Event;

/// On so many of a thousand days somebody asks what the runs would do.
const OFTEN: u32 = 100;

impl World {
    /// On some days dry runs are made, at any moment, also beside a run.
    pub(crate) fn plan_dry_runs(&self, day: u32, begins: Timestamp) {
        let mut dice = self.chance.at(&format!("dry runs on day {day}"));
        if dice.per_mille(OFTEN) {
            let at = begins + SignedDuration::from_secs(dice.between(0, 24 * 3_600).cast_signed());
            self.agenda.add(at, None, Event::DryRuns);
        }
    }

    /// Dry runs are made, and nothing is different after them.
    pub(crate) fn check_dry_runs(self: &Arc<Self>) {
        let state = || (self.database.digests(self.plan.backend), self.post_office.count(), self.counts());
        let (tables, mails, counts) = state();
        self.dry_runs();
        let (tables_after, mails_after, counts_after) = state();
        for (before, after) in tables.iter().zip(&tables_after).filter(|(before, after)| before != after) {
            let what = format!("dry runs have changed {} ({})", before.0, after.0);
            self.violated(Invariant::DryRunsChangeNothing, None, what);
        }
        if tables.len() != tables_after.len() || mails != mails_after || counts != counts_after {
            self.violated(Invariant::DryRunsChangeNothing, None, "dry runs have done something".to_owned());
        }
    }
}

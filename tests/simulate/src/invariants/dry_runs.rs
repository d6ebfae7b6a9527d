//! A dry run changes nothing, sends nothing and charges nothing.

use std::sync::Arc;

use crate::violation::Invariant;
use crate::world::World;

/// On so many of a thousand days somebody asks what the runs would do.
const OFTEN: u32 = 100;

impl World {
    /// On some days dry runs are made, and nothing is different after them.
    pub(crate) fn perhaps_dry_runs(self: &Arc<Self>, day: u32) {
        if !self.chance.at(&format!("dry runs on day {day}")).per_mille(OFTEN) {
            return;
        }
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

//! A dry run changes nothing, sends nothing and charges nothing.

use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};

use crate::trace::TenantNumber;
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
        let state = || (self.database.digests(), self.post_office.count(), self.counts());
        let (tables, mails, counts) = state();
        self.dry_runs();
        let (tables_after, mails_after, counts_after) = state();
        self.check_unchanged(None, &tables, &tables_after);
        if mails != mails_after || counts != counts_after {
            self.violated(Invariant::DryRunsChangeNothing, None, "dry runs have done something".to_owned());
        }
    }

    /// Makes a dry run over mailboxes: the tables of the tenants that have some are the same after it, and those that
    /// all share unless something else has happened meanwhile.
    pub(crate) fn changes_no_mail(self: &Arc<Self>, dry_run: impl FnOnce()) {
        let of_tenants = || {
            let schema = |tenant| self.accounts.read(tenant, |account| account.schema.clone());
            let tenants = self.mail.tenants().into_iter();
            tenants.map(|tenant| (tenant, self.database.tenant_digests(&schema(tenant)))).collect::<Vec<_>>()
        };
        let (tenants, shared, happenings) = (of_tenants(), self.database.digests(), self.happenings());
        dry_run();
        for ((tenant, before), (_, after)) in tenants.iter().zip(&of_tenants()) {
            self.check_unchanged(Some(*tenant), before, after);
        }
        if happenings == self.happenings() {
            self.check_unchanged(None, &shared, &self.database.digests());
        }
    }

    /// Tables, each with its digest, are what they were.
    fn check_unchanged(&self, tenant: Option<TenantNumber>, before: &[(String, String)], after: &[(String, String)]) {
        let changed = before.iter().zip(after).find(|(before, after)| before != after).map(|(before, _)| &before.0);
        if before.len() != after.len() || changed.is_some() {
            let what = format!("a dry run has changed {}", changed.map_or("the list of tables", String::as_str));
            self.violated(Invariant::DryRunsChangeNothing, tenant, what);
        }
    }
}

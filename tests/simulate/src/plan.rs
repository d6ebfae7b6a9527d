//! What is simulated.

use std::collections::BTreeSet;

use crate::bugs::Bug;
use crate::fault::FaultPlan;
use crate::trace::TenantNumber;

/// After so many days that may be disturbed come [`QUIET_DAYS`] that are not.
const DISTURBED_DAYS: u32 = 36;

/// Long enough for everything open to be resolved: three days of runs, and what is left of the first.
pub const QUIET_DAYS: u32 = 4;

/// The database under the real store.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Backend {
    /// Files in memory.
    #[default]
    Sqlite,
    /// A server that is started for it.
    Postgres,
}

/// All that a simulation follows from: the same plan is the same simulation, to the last line of its trace.
#[derive(Clone, Debug, PartialEq)]
pub struct Plan {
    /// Where all chance comes from.
    pub seed: u64,
    /// How many tenants there are.
    pub tenants: u32,
    /// If given, only these of them.
    pub only: Option<BTreeSet<TenantNumber>>,
    /// How many days pass.
    pub days: u32,
    /// The day from which nothing goes wrong any more; if none is given, the last [`QUIET_DAYS`] are such days. Given
    /// when a simulation is made shorter, so that the days that are left stay as they were.
    pub quiet_from: Option<u32>,
    /// How many hosts run the crontab.
    pub hosts: u32,
    /// How many tenants in a thousand have mailboxes. The first always has, unless nobody does.
    pub mailboxes: u32,
    /// What goes wrong.
    pub faults: FaultPlan,
    /// A known bug that is put back in.
    pub bug: Option<Bug>,
    /// Where the data is.
    pub backend: Backend,
    /// Whether the lines of the trace are kept.
    pub traced: bool,
}

impl Default for Plan {
    /// A small world with all that goes wrong.
    fn default() -> Self {
        Self {
            seed: 1,
            tenants: 40,
            only: None,
            days: 80,
            quiet_from: None,
            hosts: 2,
            mailboxes: 100,
            faults: FaultPlan::all(),
            bug: None,
            backend: Backend::default(),
            traced: false,
        }
    }
}

impl Plan {
    /// The day from which nothing goes wrong any more.
    #[must_use]
    pub fn quiet_from(&self) -> u32 {
        self.quiet_from.unwrap_or_else(|| self.days.saturating_sub(QUIET_DAYS))
    }

    /// Whether nothing goes wrong on a day.
    #[must_use]
    pub fn is_quiet(&self, day: u32) -> bool {
        day % (DISTURBED_DAYS + QUIET_DAYS) >= DISTURBED_DAYS || day >= self.quiet_from()
    }

    /// Whether enough quiet days are over at the end of this one for everything to be resolved.
    #[must_use]
    pub fn is_resolved_after(&self, day: u32) -> bool {
        self.is_quiet(day) && (!self.is_quiet(day + 1) || day + 1 >= self.quiet_from() + QUIET_DAYS)
    }

    /// The tenants that there are.
    #[must_use]
    pub fn numbers(&self) -> Vec<TenantNumber> {
        let all = (1..=self.tenants).map(TenantNumber);
        all.filter(|number| self.only.as_ref().is_none_or(|only| only.contains(number))).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_plan_that_is_cut_short_has_the_same_days() {
        let whole = Plan { days: 120, ..Plan::default() };
        let quiet: Vec<u32> = (0..120).filter(|day| whole.is_quiet(*day)).collect();
        assert_eq!(quiet, [36, 37, 38, 39, 76, 77, 78, 79, 116, 117, 118, 119]);
        let resolved: Vec<u32> = (0..120).filter(|day| whole.is_resolved_after(*day)).collect();
        assert_eq!(resolved, [39, 79, 119]);
        for days in 1..120 {
            let short = Plan { days, quiet_from: Some(whole.quiet_from()), ..whole.clone() };
            for day in 0..days {
                assert_eq!(short.is_quiet(day), whole.is_quiet(day), "day {day} of {days}");
                assert_eq!(short.is_resolved_after(day), whole.is_resolved_after(day), "day {day} of {days}");
            }
        }
    }

    #[test]
    fn quiet_days_that_meet_are_looked_at_when_the_last_is_over() {
        let plan = Plan { days: 42, ..Plan::default() };
        let resolved: Vec<u32> = (0..42).filter(|day| plan.is_resolved_after(*day)).collect();
        assert_eq!(resolved, [41]);
    }
}

//! The clocks on the walls of customers and of hosts. Where they are changed, some times of day do not exist on one day,
//! and come twice on another.

use jiff::Timestamp;
use jiff::civil::DateTime;
use jiff::tz::{AmbiguousOffset, TimeZone};

use crate::chance::{Chance, Dice};
use crate::fault::{FaultKind, Faults};
use crate::world::World;

/// Time zones whose clocks are never changed.
const STEADY: [&str; 4] = ["UTC", "Asia/Tbilisi", "Asia/Kathmandu", "America/Panama"];

/// What others are ahead of UTC while they are not changed, the same four, and how that is written.
const OTHERS: [&str; 4] = ["<+00>0", "<+04>-4", "<+0545>-5:45", "<-05>5"];

/// The day of the year on which simulations begin, counted from 1: the second of February.
const FIRST_DAY: u64 = 33;

/// The hour of the change: that of a sync and of a day's beginning, of renewals, of the watch.
const HOURS: [u64; 3] = [0, 2, 3];

/// The time zone of customers or of hosts.
#[expect(clippy::expect_used, reason = "all zones are named here")]
pub(crate) fn zone(whose: &str, chance: Chance, faults: &Faults) -> TimeZone {
    let mut dice = chance.at(&format!("zone of {whose}"));
    if faults.is_to_happen(FaultKind::DaylightSaving, &format!("zone of {whose}")) {
        TimeZone::posix(&changing(&mut dice)).expect("as POSIX writes them")
    } else {
        TimeZone::get(dice.one_of(&STEADY)).expect("it is compiled in")
    }
}

/// A zone whose clocks are changed twice within the first five weeks: real summers are too long for a simulation of
/// weeks. They go forward first or back first; the hour that is skipped is the one that comes twice.
fn changing(dice: &mut Dice) -> String {
    let steady = dice.one_of(&OTHERS);
    let first = FIRST_DAY + dice.between(1, 16);
    let second = FIRST_DAY + dice.between(18, 35);
    let hour = dice.one_of(&HOURS);
    let (forward, back) = if dice.per_mille(500) { (first, second) } else { (second, first) };
    format!("{steady}<SUM>,J{forward}/{hour},J{back}/{}", hour + 1)
}

impl World {
    /// Counts whose clocks are changed between two moments.
    pub(crate) fn count_changed_clocks(&self, from: Timestamp, until: Timestamp) {
        for zone in [&self.billing_zone, &self.cron_zone] {
            if zone.to_offset(from) != zone.to_offset(until) {
                self.faults.has_happened(FaultKind::DaylightSaving);
            }
        }
    }

    /// When cron starts what is due at a time of day. Some crons start what falls into the hour that is skipped an hour
    /// later, others do not; some start what falls into the hour that comes twice once, others twice.
    pub(crate) fn starts(&self, local: DateTime) -> Vec<Timestamp> {
        let ambiguous = self.cron_zone.to_ambiguous_timestamp(local);
        let knows = self.chance.at("what cron knows of changed clocks").per_mille(500);
        let all = match (ambiguous.offset(), knows) {
            (AmbiguousOffset::Gap { .. }, false) => Vec::new(),
            (AmbiguousOffset::Fold { .. }, false) => vec![ambiguous.earlier(), ambiguous.later()],
            _ => vec![ambiguous.compatible()],
        };
        all.into_iter().flatten().collect()
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use jiff::{SignedDuration, ToSpan as _};

    use super::*;
    use crate::fault::FaultPlan;
    use crate::plan::Plan;

    /// How often cron starts what is due at half past each hour of the first five weeks.
    fn starts(plan: Plan) -> BTreeSet<usize> {
        let world = World::new(Plan { tenants: 1, mailboxes: 0, ..plan });
        let first = world.cron_zone.to_datetime(world.time.start() + SignedDuration::from_hours(24)).date();
        let days = (0..35).map(|day| first.saturating_add(day.days()));
        days.flat_map(|day| (0..24).map(move |hour| day.at(hour, 30, 0, 0))).map(|at| world.starts(at).len()).collect()
    }

    #[test]
    fn where_clocks_are_changed_something_is_started_twice_and_something_never() {
        let faults = |probability| {
            let mut faults = FaultPlan::none();
            faults.probabilities.insert(FaultKind::DaylightSaving, probability);
            faults
        };
        let mut all = BTreeSet::new();
        for seed in 1..=12 {
            assert_eq!(starts(Plan { seed, faults: faults(0.0), ..Plan::default() }), BTreeSet::from([1]));
            all.insert(starts(Plan { seed, faults: faults(1.0), ..Plan::default() }));
        }
        // By the cron that knows of it, and by the one that does not.
        assert_eq!(all, BTreeSet::from([BTreeSet::from([1]), BTreeSet::from([0, 1, 2])]));
    }
}

//! What was counted in one or several simulations.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use crate::fault::FaultKind;
use crate::simulation::Outcome;
use crate::world::Counts;

/// Sums over simulations.
#[derive(Clone, Debug, Default)]
pub struct Totals {
    /// Days of tenants that were lived.
    pub tenant_days: u64,
    /// Faults of each kind that happened.
    pub faults: BTreeMap<FaultKind, u64>,
    counts: Counts,
    violations: u64,
}

impl Totals {
    /// Adds a simulation.
    pub fn add(&mut self, outcome: &Outcome) {
        self.tenant_days += u64::from(outcome.days) * outcome.plan.numbers().len() as u64;
        for (kind, count) in outcome.faults.iter().filter(|(_, count)| **count > 0) {
            *self.faults.entry(*kind).or_default() += count;
        }
        // Named one by one, so that none can be forgotten.
        let Counts { captures, runs, notices, mails, suspensions, reactivations, messages, left_to_a_person } =
            &outcome.counts;
        self.counts.captures += captures;
        for (name, count) in runs {
            *self.counts.runs.entry(name).or_default() += count;
        }
        self.counts.notices += notices;
        self.counts.mails += mails;
        self.counts.suspensions += suspensions;
        self.counts.reactivations += reactivations;
        self.counts.messages += messages;
        self.counts.left_to_a_person += left_to_a_person;
        self.violations += u64::from(outcome.violation.is_some());
    }

    /// How many charges were left to a person, and how many captures there were.
    #[must_use]
    pub fn left_to_a_person(&self) -> (u64, u64) {
        (self.counts.left_to_a_person, self.counts.captures)
    }

    /// Lines to read, after `seconds`.
    #[must_use]
    pub fn summary(&self, seconds: f64) -> String {
        let counts = &self.counts;
        let days = self.tenant_days;
        let runs: Vec<String> = counts.runs.iter().map(|(name, count)| format!("{count} {name}")).collect();
        let mut lines = vec![
            ("tenant-days", format!("{days} in {seconds:.1} s, {:.0} per second", per_second(days, seconds))),
            ("captures", counts.captures.to_string()),
            ("runs", runs.join(", ")),
            ("notices", counts.notices.to_string()),
            ("mails", counts.mails.to_string()),
            ("suspensions", counts.suspensions.to_string()),
            ("reactivations", counts.reactivations.to_string()),
            ("for a person", counts.left_to_a_person.to_string()),
            ("messages", counts.messages.to_string()),
            ("faults", self.faults.values().sum::<u64>().to_string()),
        ];
        lines.extend(self.faults.iter().map(|(kind, count)| ("", format!("{count:>8} {kind}"))));
        lines.push(("violations", self.violations.to_string()));
        lines.iter().fold(String::new(), |mut text, (name, value)| {
            let _ = writeln!(text, "{name:<16}{value}");
            text
        })
    }
}

#[expect(clippy::cast_precision_loss, reason = "it is rounded anyway")]
fn per_second(count: u64, seconds: f64) -> f64 {
    count as f64 / seconds.max(0.001)
}

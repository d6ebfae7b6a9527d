//! The score: how many of the known bugs are found, and how soon.

use std::fmt;

use crate::bugs::Bug;
use crate::plan::Plan;
use crate::simulation::simulate;
use crate::violation::Invariant;

mod plans;

/// A bug that was found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Found {
    /// With this seed; those before it did not show it.
    pub seed: u64,
    /// The promise that it broke.
    pub invariant: Invariant,
    /// What was seen.
    pub what: String,
}

/// What came of looking for a bug.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Search {
    /// Which.
    pub bug: Bug,
    /// How it was found, if it was.
    pub found: Option<Found>,
    /// Days of tenants that were lived in looking for it.
    pub tenant_days: u64,
}

/// Which bugs are found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Score {
    /// How many seeds each was looked for with, at most.
    pub seeds: u64,
    /// Each bug.
    pub searches: Vec<Search>,
}

/// Looks for every known bug with the seeds 1, 2, 3, …, so many at most. `progress` is told of each search that is
/// over.
pub fn score(seeds: u64, progress: impl FnMut(&Search)) -> Score {
    score_of(Bug::ALL, seeds, progress)
}

/// Looks for some bugs.
pub fn score_of(bugs: &[Bug], seeds: u64, mut progress: impl FnMut(&Search)) -> Score {
    let mut without = Without::default();
    let searches = bugs.iter().map(|bug| {
        let search = search(*bug, seeds, &mut without);
        progress(&search);
        search
    });
    Score { seeds, searches: searches.collect() }
}

fn search(bug: Bug, seeds: u64, without: &mut Without) -> Search {
    let mut tenant_days = 0;
    for seed in 1..=seeds {
        let outcome = simulate(Plan { seed, ..bug.plan() }, |_| ());
        // The day on which it was found counts.
        let days = u64::from(outcome.days) + u64::from(outcome.violation.is_some());
        tenant_days += days * u64::from(outcome.plan.tenants);
        // What happens without the bug as well does not show it.
        let plan = Plan { bug: None, ..outcome.plan };
        if let Some(violation) = outcome.violation.filter(|_| without.is_fine(plan)) {
            let found = Found { seed, invariant: violation.invariant, what: violation.what };
            return Search { bug, found: Some(found), tenant_days };
        }
    }
    Search { bug, found: None, tenant_days }
}

/// Simulations without any bug, by whether no promise is broken in them.
#[derive(Default)]
struct Without(Vec<(Plan, bool)>);

impl Without {
    fn is_fine(&mut self, plan: Plan) -> bool {
        if let Some((_, is_fine)) = self.0.iter().find(|(known, _)| *known == plan) {
            return *is_fine;
        }
        let is_fine = simulate(plan.clone(), |_| ()).violation.is_none();
        self.0.push((plan, is_fine));
        is_fine
    }
}

impl Score {
    /// How many were found.
    #[must_use]
    pub fn found(&self) -> usize {
        self.searches.iter().filter(|search| search.found.is_some()).count()
    }

    /// Those that were not.
    pub fn missed(&self) -> impl Iterator<Item = Bug> {
        self.searches.iter().filter(|search| search.found.is_none()).map(|search| search.bug)
    }

    /// Whether all were found.
    #[must_use]
    pub fn is_full(&self) -> bool {
        self.missed().next().is_none()
    }
}

impl fmt::Display for Search {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:<32}", self.bug.name())?;
        match &self.found {
            Some(found) => write!(f, "seed {:>3}   invariant {:>2}", found.seed, found.invariant.number())?,
            None => write!(f, "not found              ")?,
        }
        write!(f, "{:>9} tenant-days", self.tenant_days)
    }
}

impl fmt::Display for Score {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for search in &self.searches {
            writeln!(f, "{search}")?;
        }
        write!(f, "found {} of {} within {} seeds each", self.found(), self.searches.len(), self.seeds)
    }
}

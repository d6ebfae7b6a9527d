//! The smallest plan that still breaks the same promise.

mod ddmin;

use std::collections::BTreeSet;

use crate::fault::{FaultId, FaultKind, FaultPlan};
use crate::plan::Plan;
use crate::simulation::{Outcome, simulate};
use crate::violation::Violation;

pub use ddmin::ddmin;

/// Single faults are named on a command line up to so many; with more, their kinds are.
const NAMED: usize = 64;

/// What came of shrinking.
#[derive(Clone, Debug)]
pub struct Shrunk {
    /// The smallest simulation that was found, traced.
    pub outcome: Outcome,
    /// How many simulations that took.
    pub runs: u32,
}

/// How shrinking goes on.
#[derive(Clone, Debug)]
pub struct Step<'a> {
    /// Simulations so far.
    pub runs: u32,
    /// The smallest plan so far.
    pub plan: &'a Plan,
}

/// Looks for the smallest plan that breaks the same promise as `outcome`, with so many simulations at most, and tells
/// `progress` of each.
///
/// None if nothing was broken, or if its plan does not break the same again: then it does not say all that the
/// simulation followed from, which is a mistake of the simulator.
pub fn shrink(outcome: &Outcome, most_runs: u32, progress: impl FnMut(Step<'_>)) -> Option<Shrunk> {
    let violation = outcome.violation.clone()?;
    let mut search = Search { violation, best: outcome.clone(), runs: 0, most_runs, progress };
    search.end_at_the_violation();
    search.tenants();
    search.mailboxes();
    search.hosts();
    search.kinds();
    search.single_faults();
    search.tenants();
    let Search { mut best, mut runs, violation, .. } = search;
    best.plan.traced = true;
    runs += 1;
    let outcome = simulate(best.plan, |_| ());
    let is_same = outcome.violation.as_ref().is_some_and(|now| now.invariant == violation.invariant);
    is_same.then_some(Shrunk { outcome, runs })
}

struct Search<P> {
    violation: Violation,
    best: Outcome,
    runs: u32,
    most_runs: u32,
    progress: P,
}

impl<P: FnMut(Step<'_>)> Search<P> {
    /// Whether the plan breaks the same promise; if so, it is the best so far.
    fn still_breaks(&mut self, plan: Plan) -> bool {
        if self.runs == self.most_runs {
            return false;
        }
        self.runs += 1;
        let outcome = simulate(plan, |_| ());
        let is_same = outcome.violation.as_ref().is_some_and(|now| now.invariant == self.violation.invariant);
        if is_same {
            self.best = outcome;
            self.end_at_the_violation();
        }
        (self.progress)(Step { runs: self.runs, plan: &self.best.plan });
        is_same
    }

    /// Days after the violation are not needed. Which of those before are quiet stays as it was.
    fn end_at_the_violation(&mut self) {
        let plan = &mut self.best.plan;
        plan.quiet_from = Some(plan.quiet_from());
        plan.days = self.best.days + 1;
    }

    fn tenants(&mut self) {
        let tenants = self.best.plan.numbers();
        let with = |plan: &Plan, some: &[_]| Plan { only: Some(some.iter().copied().collect()), ..plan.clone() };
        let concerned = self.best.violation.as_ref().and_then(|violation| violation.tenant);
        if tenants.len() < 2 || concerned.is_some_and(|one| self.still_breaks(with(&self.best.plan, &[one]))) {
            return;
        }
        ddmin(&tenants, |some| !some.is_empty() && self.still_breaks(with(&self.best.plan, some)));
    }

    /// Most promises have nothing to do with mail, which makes the longest stories.
    fn mailboxes(&mut self) {
        if self.best.plan.mailboxes > 0 {
            self.still_breaks(Plan { mailboxes: 0, ..self.best.plan.clone() });
        }
    }

    fn hosts(&mut self) {
        for hosts in 1..self.best.plan.hosts {
            if self.still_breaks(Plan { hosts, ..self.best.plan.clone() }) {
                return;
            }
        }
    }

    fn kinds(&mut self) {
        let happened: Vec<FaultKind> = self.best.faults.keys().copied().collect();
        let all = self.best.plan.faults.clone();
        let with = |some: &[FaultKind]| {
            let mut faults = all.clone();
            faults.probabilities.retain(|kind, _| some.contains(kind));
            faults
        };
        if self.still_breaks(Plan { faults: FaultPlan::none(), ..self.best.plan.clone() }) {
            return;
        }
        ddmin(&happened, |some| self.still_breaks(Plan { faults: with(some), ..self.best.plan.clone() }));
    }

    fn single_faults(&mut self) {
        let before = self.best.clone();
        let happened: BTreeSet<FaultId> = before.happened.iter().copied().collect();
        // Those of kinds that are missing cannot happen, so that all kinds can be allowed again: a shorter command.
        let with = |some: &[FaultId]| FaultPlan { only: Some(some.iter().copied().collect()), ..FaultPlan::all() };
        let happened: Vec<FaultId> = happened.into_iter().collect();
        if happened.is_empty() || !self.still_breaks(Plan { faults: with(&happened), ..before.plan.clone() }) {
            return;
        }
        ddmin(&happened, |some| self.still_breaks(Plan { faults: with(some), ..self.best.plan.clone() }));
        if self.best.plan.faults.only.as_ref().is_some_and(|only| only.len() > NAMED) {
            self.best = before;
        }
    }
}

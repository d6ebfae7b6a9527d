//! Several seeds: a line for each, and a summary.

use std::io;
use std::ops::ControlFlow;

use echodesk_simulate::cli::How;
use echodesk_simulate::in_order::in_order;
use echodesk_simulate::plan::Plan;
use echodesk_simulate::report::{Totals, Words};
use echodesk_simulate::simulation::simulate_while;

use crate::meter::Meter;
use crate::{KEPT, explain, print};

/// Simulates until a promise is broken.
pub(crate) fn all(plans: &[Plan], how: &How, jobs: usize) -> io::Result<u8> {
    let mut meter = Meter::start();
    let (mut totals, mut found, mut written) = (Totals::default(), None, Ok(()));
    if let (Some(first), Some(last)) = (plans.first(), plans.last()) {
        print(&format!("{} to {}\n", Words(first), last.seed))?;
    }
    in_order(
        plans,
        jobs,
        |plan, wanted| simulate_while(plan.clone(), |_| wanted.is_wanted()),
        |outcome| {
            meter.clear();
            totals.add(&outcome);
            let faults: u64 = outcome.faults.values().sum();
            let end = if outcome.violation.is_some() { "a promise was broken" } else { outcome.fingerprint.as_str() };
            let seed = outcome.plan.seed;
            written =
                print(&format!("seed {seed:<8} {:>7} captures {faults:>8} faults  {end}\n", outcome.counts.captures));
            if outcome.violation.is_some() {
                found = Some(outcome);
            }
            meter.show(|seconds| {
                format!("{} of {} seeds, {:.0} tenant-days/s", seed, plans.len(), totals.tenant_days as f64 / seconds)
            });
            if found.is_some() || written.is_err() { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
        },
    );
    meter.clear();
    written?;
    print(&totals.summary(meter.seconds()))?;
    found.map_or(Ok(KEPT), |outcome| explain(outcome, how))
}

//! Simulates. See `simulate --help`.

mod meter;
mod scoring;
mod seeds;

use std::fs::File;
use std::io::{self, Write as _};
use std::path::Path;
use std::process::ExitCode;
use std::thread;

use clap::Parser as _;
use echodesk_simulate::cli::{Asked, Cli, How};
use echodesk_simulate::plan::{Backend, Plan};
use echodesk_simulate::report::{Totals, Words, broken, list};
use echodesk_simulate::shrink::shrink;
use echodesk_simulate::simulation::{Outcome, simulate_while};
use echodesk_simulate::trace::Line;
use echodesk_test_servers::postgres::Postgres;

use meter::Meter;

/// Nothing was broken.
const KEPT: u8 = 0;
/// A promise was, or a bug was not found.
const BROKEN: u8 = 1;
/// It could not be simulated.
const IMPOSSIBLE: u8 = 2;

fn main() -> ExitCode {
    let done = match Cli::parse().asked() {
        Asked::List => print(&list()).map(|()| KEPT),
        Asked::Score { seeds, jobs } => scoring::score(seeds, jobs.unwrap_or_else(cores)),
        Asked::Simulate { plans, how } => simulate_all(&plans, &how),
    };
    let code = done.unwrap_or_else(|error| {
        let _ = writeln!(io::stderr(), "simulate: {error}");
        // A reader that has gone away has read what it wanted.
        if error.kind() == io::ErrorKind::BrokenPipe { KEPT } else { IMPOSSIBLE }
    });
    ExitCode::from(code)
}

fn cores() -> usize {
    thread::available_parallelism().map_or(1, usize::from)
}

/// Writes to standard output.
fn print(text: &str) -> io::Result<()> {
    let mut out = io::stdout().lock();
    out.write_all(text.as_bytes())?;
    out.flush()
}

fn simulate_all(plans: &[Plan], how: &How) -> io::Result<u8> {
    if plans.iter().any(|plan| plan.backend == Backend::Postgres) && Postgres::shared().is_none() {
        return Err(io::Error::other("PostgreSQL is not installed"));
    }
    let nobody = |plan: &Plan| plan.only.iter().flatten().find(|number| number.0 > plan.tenants).copied();
    if let Some(number) = plans.iter().find_map(nobody) {
        return Err(io::Error::other(format!("there is no tenant {number}: --tenants says how many there are")));
    }
    match plans {
        [plan] => one(plan, how),
        plans => seeds::all(plans, how, how.jobs.unwrap_or_else(cores)),
    }
}

fn one(plan: &Plan, how: &How) -> io::Result<u8> {
    print(&format!("{}\n", Words(plan)))?;
    let mut meter = Meter::start();
    let plan = Plan { traced: how.trace.is_some() || how.no_shrink, ..plan.clone() };
    let (tenants, days) = (plan.numbers().len() as u64, plan.days);
    let outcome = simulate_while(plan, |so_far| {
        meter.show(|seconds| {
            let speed = (u64::from(so_far.days) * tenants) as f64 / seconds;
            format!("day {} of {days}, {speed:.0} tenant-days/s, {} captures", so_far.days, so_far.captures)
        });
        true
    });
    meter.clear();
    let mut totals = Totals::default();
    totals.add(&outcome);
    print(&totals.summary(meter.seconds()))?;
    print(&format!("{:<16}{}\n", "fingerprint", outcome.fingerprint))?;
    if let Some(file) = &how.trace {
        write_trace(file, &outcome.trace)?;
    }
    explain(outcome, how)
}

fn write_trace(file: &Path, lines: &[Line]) -> io::Result<()> {
    let text: String = lines.iter().map(|line| format!("{line}\n")).collect();
    if file == Path::new("-") {
        return print(&text);
    }
    let named = |error: io::Error| io::Error::new(error.kind(), format!("{}: {error}", file.display()));
    File::create(file).and_then(|mut file| file.write_all(text.as_bytes())).map_err(named)
}

/// Prints the shortest way to what was broken, if anything was.
fn explain(outcome: Outcome, how: &How) -> io::Result<u8> {
    let Some(violation) = &outcome.violation else { return Ok(KEPT) };
    if how.no_shrink {
        print(&format!("\n{}", broken(&outcome)))?;
        return Ok(BROKEN);
    }
    print(&format!("\nseed {} has broken {violation}\n", outcome.plan.seed))?;
    let mut meter = Meter::start();
    let shrunk = shrink(&outcome, how.shrink_runs, |step| {
        meter.show(|_| format!("simulation {}: {}", step.runs, Words(step.plan)));
    });
    meter.clear();
    match shrunk {
        Some(shrunk) => print(&format!("\nthe smallest of {} simulations\n{}", shrunk.runs, broken(&shrunk.outcome)))?,
        None => print("\nthe same plan does not break it again: the simulator depends on something else\n")?,
    }
    Ok(BROKEN)
}

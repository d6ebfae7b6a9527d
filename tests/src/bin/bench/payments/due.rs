//! Finding what is due among a million subscriptions.

use std::process::Stdio;

use echodesk_tests::processes::{Ended, Installation};

use super::database::Database;
use super::{Bench, Kind, report};
use crate::measure::{self, Cost};

const DUE: u64 = 1_000;
const ALL: u64 = 1_000_000;

/// Has the server log each statement with what it really did.
const EXPLAINED: &str = "\
    ALTER DATABASE {name} SET session_preload_libraries = 'auto_explain'; \
    ALTER DATABASE {name} SET auto_explain.log_min_duration = 0; \
    ALTER DATABASE {name} SET auto_explain.log_analyze = on; \
    ALTER DATABASE {name} SET auto_explain.log_buffers = on";

pub(super) fn measure(bench: &Bench<'_>, kind: Kind) {
    let installation = bench.installation(kind, DUE, ALL - DUE);
    println!("{DUE} due among {ALL}");
    println!("{:<34} {:>8} {:>8} {:>8} {:>9}", "", "wall s", "CPU s", "peak MB", "");
    // The first of these also fills the caches.
    for name in ["--dry-run, the first", "--dry-run again"] {
        let cost = dry_run(bench, &installation);
        measure::show(name, cost, Cost::default());
    }
    println!("    {}", report(&installation.folder.join("report.json")));
    if kind == Kind::Postgres {
        explain(bench, &installation);
    }
    println!();
}

fn dry_run(bench: &Bench<'_>, installation: &Installation) -> Cost {
    let file = installation.folder.join("report.json").display().to_string();
    let mut command = installation.command("recurring-payments", &["--quiet", "--dry-run", "--report", &file]);
    let child = command.stdout(Stdio::null()).spawn().expect("recurring-payments is built beside this program");
    let cost = measure::child(&child, bench.clock);
    let _ = Ended::of(child).well();
    cost
}

/// The queries of one more dry run, as the server has executed them: its own words, so that what is
/// shown is what the job does.
fn explain(bench: &Bench<'_>, installation: &Installation) {
    let mut database = Database::open(&installation.database_url);
    let name = database.text("SELECT current_database()::text AS value");
    database.execute(&EXPLAINED.replace("{name}", &name));
    let folder = database.text("SELECT setting AS value FROM pg_settings WHERE name = 'data_directory'");
    let log = format!("{folder}/../log");
    let before = std::fs::read_to_string(&log).unwrap_or_default().len();
    let _ = dry_run(bench, installation);
    let text = std::fs::read_to_string(&log).unwrap_or_default();
    let plans = plans(text.get(before..).unwrap_or_default());
    let finds = |plan: &&Plan| plan.text.contains("coalesce") && plan.text.contains("tenants_tenant_subscription");
    let pages: Vec<&Plan> = plans.iter().filter(finds).collect();
    let all: f64 = plans.iter().map(|plan| plan.millis).sum();
    let finding: f64 = pages.iter().map(|plan| plan.millis).sum();
    println!("    {} queries of {all:.1} ms in all (measured one by one, which costs time)", plans.len());
    println!("    finding what is due: {} pages, {finding:.1} ms; the first page:", pages.len());
    for line in pages.first().map(|plan| plan.text.as_str()).unwrap_or_default().lines() {
        println!("      {line}");
    }
}

struct Plan {
    millis: f64,
    text: String,
}

/// Entries of the log: `… duration: 1.234 ms  plan:`, then indented lines.
fn plans(log: &str) -> Vec<Plan> {
    let mut plans: Vec<Plan> = Vec::new();
    let mut inside = false;
    for line in log.lines() {
        if let Some(line) = line.strip_prefix('\t') {
            if let Some(plan) = plans.last_mut().filter(|_| inside) {
                plan.text.push_str(line);
                plan.text.push('\n');
            }
            continue;
        }
        let millis = line
            .split_once("duration: ")
            .and_then(|(_, rest)| rest.split_once(" ms  plan:"))
            .and_then(|(millis, _)| millis.parse().ok());
        inside = millis.is_some();
        plans.extend(millis.map(|millis| Plan { millis, text: String::new() }));
    }
    plans
}

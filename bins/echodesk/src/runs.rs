//! `echodesk runs list`.

use echodesk_job::Needs;
use echodesk_job::monitoring::overdue::{self, Limits, in_words};
use echodesk_job::table::Table;
use echodesk_store::{Access, JobHealth, RunEntry, RunFilter};
use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

use crate::answer::Answer;
use crate::cli::RunsListArgs;
use crate::command::World;
use crate::error::CommandError;

pub(crate) fn list(world: &World, args: &RunsListArgs) -> Result<Answer, CommandError> {
    let limits = Limits::read(&world.settings.environment)?;
    if let Some(job) = &args.job
        && !limits.jobs().any(|(known, _)| known == job)
    {
        let known: Vec<String> = limits.jobs().map(|(job, _)| job.to_owned()).collect();
        return Err(CommandError::UnknownJob { job: job.clone(), known: known.join(", ") });
    }
    let store = world.store(Access::ReadOnly, Needs::Mail)?;
    let filter = RunFilter { job: args.job.as_deref(), failed: args.failed, limit: args.limit.get() };
    let mut runs = store.runs(&filter)?;
    runs.reverse();
    let (health, now) = (store.job_health()?, world.clock.now());
    let rows: Vec<Value> = runs.iter().map(as_row).collect();
    Ok(Answer::list(args.json, &rows, || as_text(args, &runs, &health, &limits, now)))
}

fn as_row(run: &RunEntry) -> Value {
    json!({
        "id": run.id.to_string(),
        "job": run.job,
        "host": run.host,
        "version": run.version,
        "arguments": run.arguments,
        "tenant": run.tenant,
        "started_at": run.started_at,
        "finished_at": run.finished_at,
        "exit_code": run.exit_code,
        "summary": run.summary,
    })
}

fn as_text(args: &RunsListArgs, runs: &[RunEntry], health: &[JobHealth], limits: &Limits, now: Timestamp) -> String {
    let mut text = if runs.is_empty() {
        format!("no run{}\n", if args.failed { " that failed" } else { "" })
    } else {
        let mut table = Table::new(&["BEGUN (UTC)", "JOB", "HOST", "TENANT", ">TOOK", ">EXIT", "WHAT IT DID"]);
        for run in runs {
            let took = run.finished_at.map(|end| end.duration_since(run.started_at));
            table.row([
                format!("{:.0}", run.started_at).replace('T', " ").trim_end_matches('Z').to_owned(),
                run.job.clone(),
                run.host.clone(),
                run.tenant.clone().unwrap_or_else(|| "all".to_owned()),
                took.map_or_else(|| "-".to_owned(), |took| format!("{:.1} s", took.as_secs_f64())),
                run.exit_code.map_or_else(|| "-".to_owned(), |code| code.to_string()),
                run.summary.as_ref().map_or_else(|| unfinished(run, now), in_short),
            ]);
        }
        table.to_string()
    };
    let overdue = health.iter().filter_map(|health| overdue::judge(health, limits, now));
    for overdue in overdue.filter(|overdue| args.job.as_ref().is_none_or(|job| *job == overdue.job)) {
        text.push_str(&format!("\n{overdue}\n"));
    }
    text
}

/// It may work still; nobody can tell that from having been killed.
fn unfinished(run: &RunEntry, now: Timestamp) -> String {
    let since = now.duration_since(run.started_at).max(SignedDuration::ZERO);
    format!("under way, or killed: no end for {}", in_words(since))
}

/// The numbers that are not zero, at most so many characters of them; or the error.
fn in_short(summary: &Value) -> String {
    const LONGEST: usize = 100;
    let mut words = Vec::new();
    for (name, value) in summary.as_object().into_iter().flatten() {
        match value {
            Value::Number(number) if number.as_f64() != Some(0.0) => {
                words.push(format!("{} {number}", name.replace('_', " ")))
            }
            Value::String(error) if name == "error" => words.push(error.clone()),
            _ => {}
        }
    }
    let words = if words.is_empty() { "nothing to do".to_owned() } else { words.join(", ") };
    if words.chars().count() <= LONGEST { words } else { words.chars().take(LONGEST).chain(['…']).collect() }
}

#[cfg(test)]
mod tests {
    use echodesk_core::RunId;
    use echodesk_job::ExitStatus;

    use super::*;

    fn run(code: Option<i32>, summary: Option<Value>) -> RunEntry {
        let at = |text: &str| text.parse::<Timestamp>().unwrap();
        RunEntry {
            id: RunId::random(),
            job: "sync-emails".to_owned(),
            host: "host-1".to_owned(),
            version: "0.1.0".to_owned(),
            arguments: String::new(),
            tenant: None,
            started_at: at("2026-12-01T02:00:00Z"),
            finished_at: code.map(|_| at("2026-12-01T02:00:07.5Z")),
            exit_code: code,
            summary,
        }
    }

    #[test]
    fn a_list_shows_what_each_run_did_and_which_job_is_overdue() {
        let runs = [
            run(
                Some(i32::from(ExitStatus::Done.code())),
                Some(json!({ "stored": 3, "failed": 0, "notices": { "sent": 1 } })),
            ),
            run(Some(2), Some(json!({ "error": "the database is away" }))),
            run(None, None),
        ];
        let at = |text: &str| text.parse::<Timestamp>().unwrap();
        let health = [JobHealth {
            job: "sync-emails".to_owned(),
            last_end: Some((at("2026-12-01T02:00:07Z"), 2)),
            last_start: at("2026-12-01T02:00:00Z"),
            last_success: None,
            first_start: at("2026-11-30T02:00:00Z"),
        }];
        let args = RunsListArgs { job: None, failed: false, limit: std::num::NonZeroUsize::MIN, json: false };
        let text = as_text(&args, &runs, &health, &Limits::default(), at("2026-12-01T03:00:00Z"));
        insta::assert_snapshot!(text);
    }
}

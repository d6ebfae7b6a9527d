//! The story for people: who, what happened, what comes next.

use echodesk_billing::forecast::Schedule;
use jiff::civil::Time;

use super::entry::StoryEntry;
use super::facts::{Facts, JOBS, MAIL};
use super::history::cut;
use super::next::{Next, coming};
use super::shown::minute;
use super::wrap::wrapped;
use super::{Story, who};
use crate::refusals;

pub(super) fn of(story: &Story) -> String {
    let facts = &story.facts;
    let mut text = title(facts);
    let refused = refusals::jobs(&facts.refusals);
    if !refused.is_empty() {
        let jobs = refused.join(" and ");
        let what = format!("{jobs} would not start: why is said below, with what would be done otherwise");
        text.push_str(&wrapped("  REFUSED HERE  ", &what));
    }
    for (label, what) in who::of(facts) {
        text.push_str(&wrapped(&format!("  {label:<14}"), &what));
    }
    text.push_str("\nWHAT HAPPENED (times are UTC)\n");
    text.push_str(&happened(&story.happened));
    let cut = cut(facts);
    if !cut.is_empty() {
        text.push_str(&wrapped("  ", &format!("Only the newest are shown of: {}.", cut.join(", "))));
    }
    let Facts { renewals, expiry, .. } = facts;
    let status = match expiry.grace_days {
        same if same == renewals.grace_days => String::new(),
        other => format!(", --status-grace-days {other}"),
    };
    text.push_str(&format!(
        "\nWHAT COMES NEXT (with --days-before {} and --grace-days {}{status})\n",
        renewals.days_before, renewals.grace_days
    ));
    for job in JOBS {
        text.push_str(&format!("\n  {job}: {}\n", last_run(facts, job)));
        text.push_str(&of_job(&story.next, job));
    }
    let waiting = of_job(&story.next, "notices");
    if !waiting.is_empty() {
        text.push_str("\n  notices\n");
        text.push_str(&waiting);
    }
    text + &coming_up(facts)
}

fn title(facts: &Facts) -> String {
    let active = if facts.tenant.is_active { "active" } else { "NOT ACTIVE" };
    wrapped("", &format!("{} ({}), {active}; as of {}", facts.tenant.name, facts.tenant.schema, minute(facts.now)))
}

/// Days are headings.
fn happened(entries: &[StoryEntry]) -> String {
    let (mut text, mut today) = (String::new(), String::new());
    for entry in entries {
        let (day, time) = (entry.at.strftime("%Y-%m-%d").to_string(), entry.at.strftime("%H:%M:%S"));
        if day != today {
            text.push_str(&format!("  {day}\n"));
            today = day;
        }
        text.push_str(&wrapped(&format!("    {time}  {:<11} ", entry.source), &entry.what));
    }
    if text.is_empty() { "  nothing that the database knows of\n".to_owned() } else { text }
}

/// How the last run of a job went that was for this tenant or for all.
pub(super) fn last_run(facts: &Facts, job: &str) -> String {
    let run = facts.last_runs.iter().find(|(name, _)| *name == job).and_then(|(_, run)| run.as_ref());
    match run.map(|run| (run, run.finished_at, run.exit_code)) {
        None => "has not run on this database".to_owned(),
        Some((run, Some(at), Some(code))) => {
            format!("last run {} on {}, exit code {code}", minute(at.max(run.started_at)), run.host)
        }
        Some((run, ..)) => format!("began {} on {} and has not said that it ended", minute(run.started_at), run.host),
    }
}

fn of_job(next: &[Next], job: &str) -> String {
    let mut text = String::new();
    for next in next.iter().filter(|next| next.job == job) {
        text.push_str(&wrapped("    ", &next.what));
        if let Some(todo) = &next.todo {
            text.push_str(&wrapped("      -> ", todo));
        }
    }
    text
}

fn coming_up(facts: &Facts) -> String {
    let (days, coming) = (facts.days, coming(facts));
    if days == 0 {
        return String::new();
    }
    let Schedule { renewals, status } = &facts.schedule;
    let mut text = format!("\nCOMING UP in {days} days, if the bank takes every charge\n");
    let times = |times: &[Time]| times.iter().map(|at| at.strftime("%H:%M").to_string()).collect::<Vec<_>>().join(",");
    let runs = format!("with --payments-at {} and --status-at {} (UTC)", times(renewals), times(status));
    text.push_str(&wrapped("  ", &runs));
    let refused: Vec<&str> = refusals::jobs(&facts.refusals).into_iter().filter(|job| *job != MAIL).collect();
    if !refused.is_empty() {
        let what = format!("not as things are: {} would not start here", refused.join(" and "));
        text.push_str(&wrapped("  ", &what));
    }
    for coming in &coming {
        text.push_str(&wrapped(&format!("  {}  {:<20} ", minute(coming.at), coming.job), &coming.what));
    }
    if coming.is_empty() {
        text.push_str("  no charge, notice or suspension\n");
    }
    text
}

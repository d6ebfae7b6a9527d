//! Have the jobs succeeded lately?

use echodesk_core::{Clock, Environment, StoreErrorKind};
use echodesk_job::monitoring::overdue::{self, Limits};
use echodesk_job::one_line;
use echodesk_store::{JobHealth, Store};
use jiff::Timestamp;

use super::finding::Finding;
use super::remedy;
use crate::refusals;

const CRONTAB: &str = "is its line in the crontab, and what does its log say?";

/// A finding for each job of the crontab. A setting that cannot be used is told elsewhere; so is, where
/// `are_tables_wrong`, that the table of runs is missing.
pub(super) fn check(
    store: &Store,
    environment: &Environment,
    clock: &dyn Clock,
    are_tables_wrong: bool,
) -> Vec<Finding> {
    let limits = Limits::read(environment).unwrap_or_default();
    // Without the bank it is left out of the crontab.
    let is_idle = |job: &str| job == refusals::PAYMENTS && environment.get("BOG_CLIENT_ID").is_none();
    match store.job_health() {
        Ok(health) => limits.jobs().map(|(job, _)| judge(job, &health, &limits, is_idle(job), clock.now())).collect(),
        Err(error) if are_tables_wrong && error.kind != StoreErrorKind::Unavailable => {
            vec![Finding::not_looked_at("job", "", remedy::TABLES)]
        }
        Err(error) => vec![Finding::failed("job", "", one_line(&error), remedy::TENANTS)],
    }
}

fn judge(job: &str, health: &[JobHealth], limits: &Limits, is_idle: bool, now: Timestamp) -> Finding {
    let warn = |line: String| {
        let detail = line.strip_prefix(job).unwrap_or(&line).trim_start().to_owned();
        Finding::failed("job", job, detail, CRONTAB).warning()
    };
    if let Some(forgotten) = overdue::never_ran(job, health, limits, now).filter(|_| !is_idle) {
        return warn(forgotten.to_string());
    }
    let Some(health) = health.iter().find(|health| health.job == job) else {
        return Finding::ok("job", job, "has not run for all tenants yet");
    };
    if let Some(overdue) = overdue::judge(health, limits, now) {
        return warn(overdue.to_string());
    }
    match health.last_success {
        Some(at) => Finding::ok("job", job, format!("last succeeded at {at:.0}")),
        None => {
            Finding::ok("job", job, format!("has not succeeded yet; its first run began at {:.0}", health.first_start))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::check::finding::Verdict;

    #[test]
    fn a_job_without_success_for_too_long_is_a_warning() {
        let at = |text: &str| text.parse::<Timestamp>().unwrap();
        let health = JobHealth {
            job: "sync-emails".to_owned(),
            last_end: Some((at("2026-12-01T12:00:00Z"), 1)),
            last_start: at("2026-12-01T12:00:00Z"),
            last_success: Some(at("2026-12-01T10:00:00Z")),
            first_start: at("2026-11-01T10:00:00Z"),
        };
        let found = |job, now| judge(job, std::slice::from_ref(&health), &Limits::default(), false, at(now));
        let late = found("sync-emails", "2026-12-01T12:01:00Z");
        assert_eq!(late.verdict, Verdict::Warning);
        assert!(late.detail.starts_with("has not succeeded for 2 hours"), "{late:?}");
        assert_eq!(found("sync-emails", "2026-12-01T10:30:00Z").verdict, Verdict::Ok);
        let forgotten = found("recurring-payments", "2026-12-01T10:30:00Z");
        assert_eq!(forgotten.verdict, Verdict::Warning, "sync-emails has run for a month: {forgotten:?}");
        assert!(forgotten.detail.starts_with("has never run for all tenants"), "{forgotten:?}");
        assert!(found("recurring-payments", "2026-11-02T10:00:00Z").detail.contains("has not run"), "just set up");
        let idle = judge(
            "recurring-payments",
            std::slice::from_ref(&health),
            &Limits::default(),
            true,
            at("2026-12-01T10:30:00Z"),
        );
        assert_eq!(idle.verdict, Verdict::Ok, "there is no bank: {idle:?}");
    }
}

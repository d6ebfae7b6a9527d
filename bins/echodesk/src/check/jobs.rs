//! Have the jobs succeeded lately?

use echodesk_core::{Clock, Environment};
use echodesk_job::monitoring::overdue::{self, Limits};
use echodesk_job::one_line;
use echodesk_store::{JobHealth, Store};
use jiff::Timestamp;

use super::finding::Finding;
use super::remedy;

/// A finding for each job of the crontab. A setting that cannot be used is told elsewhere.
pub(super) fn check(store: &Store, environment: &Environment, clock: &dyn Clock) -> Vec<Finding> {
    let limits = Limits::read(environment).unwrap_or_default();
    match store.job_health() {
        Ok(health) => limits.jobs().map(|(job, _)| judge(job, &health, &limits, clock.now())).collect(),
        Err(error) => vec![Finding::failed("job", "", one_line(&error), remedy::TENANTS)],
    }
}

fn judge(job: &str, health: &[JobHealth], limits: &Limits, now: Timestamp) -> Finding {
    let Some(health) = health.iter().find(|health| health.job == job) else {
        return Finding::ok("job", job, "has not run for all tenants yet");
    };
    if let Some(overdue) = overdue::judge(health, limits, now) {
        let line = overdue.to_string();
        let detail = line.strip_prefix(job).unwrap_or(&line).trim_start().to_owned();
        return Finding::failed("job", job, detail, "is its line in the crontab, and what does its log say?").warning();
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
        let found = |job, now| judge(job, std::slice::from_ref(&health), &Limits::default(), at(now));
        let late = found("sync-emails", "2026-12-01T12:01:00Z");
        assert_eq!(late.verdict, Verdict::Warning);
        assert!(late.detail.starts_with("has not succeeded for 2 hours"), "{late:?}");
        assert_eq!(found("sync-emails", "2026-12-01T10:30:00Z").verdict, Verdict::Ok);
        assert!(found("recurring-payments", "2026-12-01T10:30:00Z").detail.contains("has not run"));
    }
}

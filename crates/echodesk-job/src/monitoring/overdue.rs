//! Whether a job has not succeeded for too long.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use echodesk_core::Environment;
use echodesk_store::JobHealth;
use jiff::{SignedDuration, Timestamp};

use crate::settings::SettingsError;
use crate::values::{self, ValueError};

/// The setting.
pub const OVERDUE_AFTER: &str = "ECHODESK_OVERDUE_AFTER";

/// How long a job may go without a run that ends with exit code 0. Those in the crontab are known; others
/// are never overdue.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Limits(BTreeMap<String, SignedDuration>);

/// The crontab's: every five minutes, and once a day with some hours of leeway.
const USUAL: [(&str, i64); 3] = [("sync-emails", 1), ("recurring-payments", 30), ("subscription-status", 30)];

impl Default for Limits {
    fn default() -> Self {
        Self(USUAL.iter().map(|(job, hours)| ((*job).to_owned(), SignedDuration::from_hours(*hours))).collect())
    }
}

/// Why limits cannot be read.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum LimitsError {
    /// Not `JOB=DURATION`.
    #[error("{0:?} is not JOB=DURATION, such as sync-emails=2h")]
    Pair(String),
    /// A job that there is not.
    #[error("there is no job {0:?}: sync-emails, recurring-payments or subscription-status")]
    Job(String),
    /// A job with two limits: which of them is meant, nobody can tell.
    #[error("{0} is named twice")]
    Twice(String),
    /// Not a duration.
    #[error("the limit of {job}")]
    Duration {
        /// The job.
        job: String,
        /// What is wrong.
        source: ValueError,
    },
}

impl Limits {
    /// The usual limits, with those of the setting in their place: `sync-emails=2h,recurring-payments=36h`.
    ///
    /// # Errors
    /// The setting cannot be used.
    pub fn read(environment: &Environment) -> Result<Self, SettingsError> {
        let text = environment.get(OVERDUE_AFTER).unwrap_or_default();
        Self::parse(text).map_err(|error| SettingsError::wrong(OVERDUE_AFTER, error))
    }

    fn parse(text: &str) -> Result<Self, LimitsError> {
        let (mut limits, mut named) = (Self::default(), BTreeSet::new());
        for pair in text.split(',').map(str::trim).filter(|pair| !pair.is_empty()) {
            let (job, limit) = pair.split_once('=').ok_or_else(|| LimitsError::Pair(pair.to_owned()))?;
            let job = job.trim().to_owned();
            let known = limits.0.get_mut(&job).ok_or_else(|| LimitsError::Job(job.clone()))?;
            if !named.insert(job.clone()) {
                return Err(LimitsError::Twice(job));
            }
            let limit = values::duration(limit).map_err(|source| LimitsError::Duration { job, source })?;
            *known = SignedDuration::try_from(limit).unwrap_or(SignedDuration::MAX);
        }
        Ok(limits)
    }

    /// The jobs that are known, with their limits.
    pub fn jobs(&self) -> impl Iterator<Item = (&str, SignedDuration)> {
        self.0.iter().map(|(job, limit)| (job.as_str(), *limit))
    }
}

/// A job that has not succeeded for too long.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Overdue {
    /// The job.
    pub job: String,
    /// Its last success, if there was one.
    pub last_success: Option<Timestamp>,
    /// When its last run ended, and with which exit code.
    pub last_end: Option<(Timestamp, i32)>,
    /// For how long there has been no success.
    pub since: SignedDuration,
}

/// Whether a job is overdue at `now`. One that has never succeeded counts from its first run.
#[must_use]
pub fn judge(health: &JobHealth, limits: &Limits, now: Timestamp) -> Option<Overdue> {
    let limit = limits.0.get(&health.job)?;
    let since = now.duration_since(health.last_success.unwrap_or(health.first_start));
    (since > *limit).then(|| Overdue {
        job: health.job.clone(),
        last_success: health.last_success,
        last_end: health.last_end,
        since,
    })
}

/// A job that has never run on a database on which another runs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NeverRan {
    /// The job.
    pub job: String,
    /// The one that has run for longest.
    pub other: String,
    /// When that first ran.
    pub since: Timestamp,
}

/// Whether `job` should have run by `now`: it has not, while another has for longer than this one may go without
/// success. Who has a crontab for one job may have forgotten a line for another.
#[must_use]
pub fn never_ran(job: &str, health: &[JobHealth], limits: &Limits, now: Timestamp) -> Option<NeverRan> {
    let limit = limits.0.get(job)?;
    if health.iter().any(|health| health.job == job) {
        return None;
    }
    let first = health.iter().min_by_key(|health| health.first_start)?;
    (now.duration_since(first.first_start) > *limit).then(|| NeverRan {
        job: job.to_owned(),
        other: first.job.clone(),
        since: first.first_start,
    })
}

impl fmt::Display for NeverRan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { job, other, since } = self;
        write!(f, "{job} has never run for all tenants on this database, and {other} has since {since:.0}")
    }
}

impl fmt::Display for Overdue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} has not succeeded for {}", self.job, in_words(self.since))?;
        match self.last_end {
            Some((at, code)) if code != 0 => write!(f, "; its last run ended with exit code {code} at {at:.0}")?,
            Some((at, _)) => write!(f, "; its last run ended at {at:.0}")?,
            None => write!(f, "; no run of it has ended")?,
        }
        write!(f, " (`echodesk runs list --job {}`)", self.job)
    }
}

/// A length of time for people, rounded down: minutes, hours or days.
#[must_use]
pub fn in_words(time: SignedDuration) -> String {
    let several = |number: i64, unit: &str| format!("{number} {unit}{}", if number == 1 { "" } else { "s" });
    match time.as_secs() {
        ..3_600 => several(time.as_mins(), "minute"),
        3_600..172_800 => several(time.as_hours(), "hour"),
        _ => several(time.as_hours() / 24, "day"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> Timestamp {
        format!("2026-12-{text}:00Z").parse().unwrap()
    }

    fn health(job: &str, success: Option<&str>) -> JobHealth {
        JobHealth {
            job: job.to_owned(),
            last_end: Some((at("10T02:05"), 1)),
            last_start: at("10T02:00"),
            last_success: success.map(at),
            first_start: at("01T00:00"),
        }
    }

    #[test]
    fn a_job_is_overdue_once_its_last_success_is_over_the_limit() {
        let limits = Limits::default();
        let table = [
            ("sync-emails", Some("10T11:01"), None),
            ("sync-emails", Some("10T10:59"), Some("1 hour")),
            ("recurring-payments", Some("09T06:01"), None),
            ("recurring-payments", Some("09T05:59"), Some("30 hours")),
            ("subscription-status", None, Some("9 days")),
            ("something-else", None, None),
        ];
        for (job, success, expected) in table {
            let found = judge(&health(job, success), &limits, at("10T12:00"));
            assert_eq!(found.map(|overdue| in_words(overdue.since)).as_deref(), expected, "{job} {success:?}");
        }
    }

    #[test]
    fn a_job_that_never_ran_is_told_once_another_has_run_for_longer_than_its_limit() {
        let runs = [health("sync-emails", Some("10T11:55"))];
        let limits = Limits::default();
        assert_eq!(never_ran("recurring-payments", &runs, &limits, at("02T05:59")), None);
        let told = never_ran("recurring-payments", &runs, &limits, at("02T06:01")).unwrap();
        assert_eq!(
            told.to_string(),
            "recurring-payments has never run for all tenants on this database, and sync-emails has since \
             2026-12-01T00:00:00Z"
        );
        assert_eq!(never_ran("sync-emails", &runs, &limits, at("09T00:00")), None, "it has run");
        assert_eq!(never_ran("something-else", &runs, &limits, at("09T00:00")), None, "nobody knows it");
        assert_eq!(never_ran("sync-emails", &[], &limits, at("09T00:00")), None, "nothing runs here yet");
    }

    #[test]
    fn the_warning_says_what_to_look_at() {
        let overdue = judge(&health("sync-emails", Some("08T10:00")), &Limits::default(), at("10T12:00")).unwrap();
        assert_eq!(
            overdue.to_string(),
            "sync-emails has not succeeded for 2 days; its last run ended with exit code 1 at 2026-12-10T02:05:00Z \
             (`echodesk runs list --job sync-emails`)"
        );
    }

    #[test]
    fn limits_are_set_job_by_job() {
        let limits = Limits::parse("sync-emails=2h, recurring-payments=36h").unwrap();
        let of = |name: &str| limits.jobs().find(|(job, _)| *job == name).unwrap().1.as_hours();
        assert_eq!((of("sync-emails"), of("recurring-payments"), of("subscription-status")), (2, 36, 30));
        for (text, part) in [
            ("2h", "JOB=DURATION"),
            ("sync=2h", "no job \"sync\""),
            ("sync-emails=2", "sync-emails"),
            ("sync-emails=1h,sync-emails=2h", "sync-emails is named twice"),
        ] {
            let error = Limits::parse(text).unwrap_err();
            assert!(error.to_string().contains(part), "{text}: {error}");
        }
    }
}

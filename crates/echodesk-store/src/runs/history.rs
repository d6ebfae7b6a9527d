//! Runs as a person or a monitor looks back on them.

use diesel::prelude::*;
use echodesk_core::{RunId, StoreError};
use jiff::Timestamp;

use crate::Store;
use crate::connection::{Connection, Place, on};
use crate::error::Outcome;
use crate::sql_types::{JsonText, Stamp, UuidValue};
use crate::tables::runs;

/// Which runs are listed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct RunFilter<'a> {
    /// One job's.
    pub job: Option<&'a str>,
    /// Only those that ended with another exit code than 0, or have not ended.
    pub failed: bool,
    /// At most so many.
    pub limit: usize,
}

/// A run, and how it ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RunEntry {
    /// Its id.
    pub id: RunId,
    /// The job.
    pub job: String,
    /// The host it ran on.
    pub host: String,
    /// The version of the program.
    pub version: String,
    /// Its arguments.
    pub arguments: String,
    /// The one tenant that it worked for; all otherwise.
    pub tenant: Option<String>,
    /// When it began.
    pub started_at: Timestamp,
    /// When it ended; none if it is under way, or was killed.
    pub finished_at: Option<Timestamp>,
    /// Its exit code, if it has ended.
    pub exit_code: Option<i32>,
    /// What it did, in numbers.
    pub summary: Option<serde_json::Value>,
}

/// How a job has fared, by its runs for all tenants; those that were refused for their settings count as ends only.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct JobHealth {
    /// The job.
    pub job: String,
    /// Its last run that has ended: when, and with which exit code.
    pub last_end: Option<(Timestamp, i32)>,
    /// When its last run began.
    pub last_start: Timestamp,
    /// When a run last ended with exit code 0.
    pub last_success: Option<Timestamp>,
    /// When its first run began that is remembered.
    pub first_start: Timestamp,
}

#[derive(Queryable, Selectable)]
#[diesel(table_name = runs)]
pub(crate) struct Row {
    id: UuidValue,
    job: String,
    host: String,
    version: String,
    arguments: String,
    tenant: Option<String>,
    started_at: Stamp,
    finished_at: Option<Stamp>,
    exit_code: Option<i32>,
    summary: Option<JsonText>,
}

impl From<Row> for RunEntry {
    fn from(row: Row) -> Self {
        Self {
            id: RunId(row.id.0),
            job: row.job,
            host: row.host,
            version: row.version,
            arguments: row.arguments,
            tenant: row.tenant,
            started_at: row.started_at.into(),
            finished_at: row.finished_at.map(Into::into),
            exit_code: row.exit_code,
            // It is ours, and only shown: what cannot be read is left out.
            summary: row.summary.and_then(|text| serde_json::from_str(&text.0).ok()),
        }
    }
}

impl Store {
    /// Runs, the newest first.
    ///
    /// # Errors
    /// The database is away.
    pub fn runs(&self, filter: &RunFilter<'_>) -> Result<Vec<RunEntry>, StoreError> {
        let limit = i64::try_from(filter.limit).unwrap_or(i64::MAX);
        self.read(Place::Public, "reading the runs", |c| {
            let rows: Vec<Row> = on!(c, |c| {
                let mut query = runs::table.select(Row::as_select()).into_boxed();
                if let Some(job) = filter.job {
                    query = query.filter(runs::job.eq(job));
                }
                if filter.failed {
                    query = query.filter(runs::exit_code.is_null().or(runs::exit_code.ne(0)));
                }
                query.order((runs::started_at.desc(), runs::id)).limit(limit).load(c)
            })?;
            Ok(rows.into_iter().map(RunEntry::from).collect())
        })
    }

    /// How each job that has ever run for all tenants has fared, by the name of the job.
    ///
    /// # Errors
    /// The database is away.
    pub fn job_health(&self) -> Result<Vec<JobHealth>, StoreError> {
        self.read(Place::Public, "reading how the jobs have fared", |c| {
            let jobs: Vec<String> = on!(c, |c| runs::table.select(runs::job).distinct().order(runs::job).load(c))?;
            let health = jobs.into_iter().map(|job| health(c, job)).collect::<Outcome<Vec<_>>>()?;
            Ok(health.into_iter().flatten().collect())
        })
    }
}

/// Exit code 2: wrong usage or settings, nothing was started.
const REFUSED: i32 = 2;

/// Four looks into an index each.
fn health(connection: &mut Connection, job: String) -> Outcome<Option<JobHealth>> {
    let of_all = || runs::table.filter(runs::job.eq(&job)).filter(runs::tenant.is_null());
    // What was refused for its settings does not say that the job is one of this installation's.
    let begun = || of_all().filter(runs::exit_code.is_null().or(runs::exit_code.ne(REFUSED)));
    let start: Option<Stamp> =
        on!(connection, |c| begun().select(runs::started_at).order(runs::started_at.desc()).first(c).optional())?;
    let Some(last_start) = start else { return Ok(None) };
    let first_start: Stamp =
        on!(connection, |c| begun().select(runs::started_at).order(runs::started_at.asc()).first(c))?;
    let end: Option<(Option<Stamp>, Option<i32>)> = on!(connection, |c| {
        of_all()
            .filter(runs::exit_code.is_not_null())
            .select((runs::finished_at, runs::exit_code))
            .order(runs::started_at.desc())
            .first(c)
            .optional()
    })?;
    let success: Option<Option<Stamp>> = on!(connection, |c| {
        of_all()
            .filter(runs::exit_code.eq(0))
            .select(runs::finished_at)
            .order(runs::finished_at.desc())
            .first(c)
            .optional()
    })?;
    let last_end = end.and_then(|(at, code)| at.map(Timestamp::from).zip(code));
    Ok(Some(JobHealth {
        last_end,
        last_start: last_start.into(),
        last_success: success.flatten().map(Into::into),
        first_start: first_start.into(),
        job,
    }))
}

/// Removes a job's runs that began before `before`, apart from its last success, by which it is known how
/// long there has been none.
pub(super) fn forget(connection: &mut Connection, job: &str, before: Timestamp) -> Outcome<()> {
    let succeeded =
        || runs::table.filter(runs::job.eq(job)).filter(runs::exit_code.eq(0)).filter(runs::tenant.is_null());
    let last: Option<UuidValue> =
        on!(connection, |c| succeeded().select(runs::id).order(runs::finished_at.desc()).first(c).optional())?;
    on!(connection, |c| {
        let mut old = diesel::delete(runs::table.filter(runs::job.eq(job)))
            .filter(runs::started_at.lt(Stamp::from(before)))
            .into_boxed();
        if let Some(last) = last {
            old = old.filter(runs::id.ne(last));
        }
        old.execute(c)
    })?;
    Ok(())
}

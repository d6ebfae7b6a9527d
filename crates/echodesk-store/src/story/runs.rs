//! Runs that were for one tenant, and the last one of a job.

use diesel::prelude::*;
use echodesk_core::{RunId, SchemaName};
use jiff::Timestamp;

use super::Newest;
use crate::connection::{Connection, on};
use crate::error::Outcome;
use crate::sql_types::{Stamp, UuidValue};
use crate::tables::runs;

/// A row of `echodesk_run`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RunStory {
    /// `id`.
    pub id: RunId,
    /// The job, for example `sync-emails`.
    pub job: String,
    /// The host that it ran on.
    pub host: String,
    /// Its arguments, without anything secret.
    pub arguments: String,
    /// When it began.
    pub started_at: Timestamp,
    /// When it ended; none if it is running, or has died.
    pub finished_at: Option<Timestamp>,
    /// How it ended.
    pub exit_code: Option<i32>,
}

#[derive(Queryable, Selectable)]
#[diesel(table_name = runs)]
struct Row {
    id: UuidValue,
    job: String,
    host: String,
    arguments: String,
    started_at: Stamp,
    finished_at: Option<Stamp>,
    exit_code: Option<i32>,
}

impl From<Row> for RunStory {
    fn from(row: Row) -> Self {
        Self {
            id: RunId(row.id.0),
            job: row.job,
            host: row.host,
            arguments: row.arguments,
            started_at: row.started_at.into(),
            finished_at: row.finished_at.map(Into::into),
            exit_code: row.exit_code,
        }
    }
}

/// The newest runs that are looked through at once.
const LOOKED_AT: usize = 2000;

pub(super) fn for_one(connection: &mut Connection, schema: &SchemaName, limit: usize) -> Outcome<Newest<RunStory>> {
    let rows: Vec<Row> = on!(connection, |c| runs::table
        .filter(runs::arguments.like("%--tenant%"))
        .order(runs::started_at.desc())
        .limit(super::one_more(LOOKED_AT.max(limit)))
        .select(Row::as_select())
        .load(c))?;
    let ours = rows.into_iter().filter(|row| tenant_of(&row.arguments) == Some(schema.as_str()));
    Ok(Newest::of(ours.map(Into::into).collect(), limit))
}

/// Among the newest, since runs for other tenants may lie between.
pub(super) fn last(connection: &mut Connection, job: &str, schema: &SchemaName) -> Outcome<Option<RunStory>> {
    const NEWEST: i64 = 100;
    let rows: Vec<Row> = on!(connection, |c| runs::table
        .filter(runs::job.eq(job))
        .order(runs::started_at.desc())
        .limit(NEWEST)
        .select(Row::as_select())
        .load(c))?;
    let concerns = |row: &Row| tenant_of(&row.arguments).is_none_or(|tenant| tenant == schema.as_str());
    Ok(rows.into_iter().find(concerns).map(Into::into))
}

/// The tenant that the arguments of a run name: `--tenant acme` or `--tenant=acme`.
fn tenant_of(arguments: &str) -> Option<&str> {
    let mut words = arguments.split(' ');
    while let Some(word) = words.next() {
        if word == "--tenant" {
            return words.next();
        }
        if let Some(tenant) = word.strip_prefix("--tenant=") {
            return Some(tenant);
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_tenant_of_a_run_is_read_from_its_arguments() {
        for (arguments, tenant) in [
            ("-q --tenant acme", Some("acme")),
            ("--tenant=acme -v", Some("acme")),
            ("-q", None),
            ("--report --tenants", None),
            ("--tenant", None),
        ] {
            assert_eq!(tenant_of(arguments), tenant, "{arguments}");
        }
    }
}

//! Runs that were for one tenant, and the last one of a job.

use diesel::prelude::*;
use echodesk_core::SchemaName;

use super::{Newest, one_more};
use crate::RunEntry;
use crate::connection::{Connection, on};
use crate::error::Outcome;
use crate::runs::RunRow;
use crate::tables::runs;

pub(super) fn for_one(connection: &mut Connection, schema: &SchemaName, limit: usize) -> Outcome<Newest<RunEntry>> {
    let rows: Vec<RunRow> = on!(connection, |c| runs::table
        .filter(runs::tenant.eq(schema.as_str()))
        .order((runs::started_at.desc(), runs::id))
        .limit(one_more(limit))
        .select(RunRow::as_select())
        .load(c))?;
    Ok(Newest::of(rows.into_iter().map(Into::into).collect(), limit))
}

pub(super) fn last(connection: &mut Connection, job: &str, schema: &SchemaName) -> Outcome<Option<RunEntry>> {
    let row: Option<RunRow> = on!(connection, |c| runs::table
        .filter(runs::job.eq(job))
        .filter(runs::tenant.is_null().or(runs::tenant.eq(schema.as_str())))
        .order((runs::started_at.desc(), runs::id))
        .select(RunRow::as_select())
        .first(c)
        .optional())?;
    Ok(row.map(Into::into))
}

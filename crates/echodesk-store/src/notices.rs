//! Notices: queued in the transaction that decides, claimed and closed by delivery, seen to by people.

mod claim;
mod ledger;
mod mailboxes;
mod outbox;
mod record;
mod refusals;
mod subscriptions;

use std::collections::HashSet;

use diesel::prelude::*;
use echodesk_core::TenantId;
use echodesk_core::notice::NewNotice;

use crate::connection::{Connection, on};
use crate::error::{Failure, Outcome};
use crate::sql_types::{JsonText, RowId, Stamp};
use crate::tables::notices;
use crate::text::{clean, without_nul};

pub(crate) use ledger::newest_of;
pub use ledger::{NoticeEntry, NoticeFilter, NoticeState};

/// Rows in one INSERT.
const ROWS: usize = 500;

/// Ids in one list: far below SQLite's 32,766 parameters.
const CHUNK: usize = 500;

/// What makes a notice unique: the same event decided twice is one notice.
type Key = (RowId, String, String, String);

#[derive(Insertable)]
#[diesel(table_name = notices, treat_none_as_default_value = false)]
struct NewRow {
    tenant_id: RowId,
    kind: String,
    subject_key: String,
    period: String,
    payload: JsonText,
    state: &'static str,
    created_at: Stamp,
}

impl NewRow {
    fn new(tenant: TenantId, notice: &NewNotice) -> Outcome<Self> {
        // Every kind is a struct of strings and numbers.
        let payload = serde_json::to_value(&notice.kind)
            .map_err(|error| Failure::Refused(format!("the notice cannot be written as JSON: {error}")))?;
        Ok(Self {
            tenant_id: RowId(tenant.0),
            kind: notice.kind.code().to_owned(),
            subject_key: without_nul(&notice.subject_key).into_owned(),
            period: without_nul(&notice.period).into_owned(),
            payload: JsonText(clean(payload).to_string()),
            state: NoticeState::Queued.code(),
            created_at: Stamp::from(notice.decided_at),
        })
    }

    fn key(&self) -> Key {
        (self.tenant_id, self.kind.clone(), self.subject_key.clone(), self.period.clone())
    }
}

/// Queues a notice, unless the same event has queued it already.
pub(crate) fn queue(connection: &mut Connection, tenant: TenantId, notice: &NewNotice) -> Outcome<()> {
    insert(connection, &[&NewRow::new(tenant, notice)?])?;
    Ok(())
}

/// Queues notices, in their order, and says of each whether it was: the same event may have been queued
/// already.
pub(crate) fn queue_all(connection: &mut Connection, new: &[(TenantId, NewNotice)]) -> Outcome<Vec<bool>> {
    let rows: Vec<NewRow> = new.iter().map(|(tenant, notice)| NewRow::new(*tenant, notice)).collect::<Outcome<_>>()?;
    let in_order: Vec<&NewRow> = rows.iter().collect();
    let mut queued: HashSet<Key> = HashSet::new();
    for chunk in in_order.chunks(ROWS) {
        queued.extend(insert(connection, chunk)?);
    }
    Ok(rows.iter().map(|row| queued.remove(&row.key())).collect())
}

fn insert(connection: &mut Connection, rows: &[&NewRow]) -> Outcome<Vec<Key>> {
    Ok(on!(connection, |c| diesel::insert_into(notices::table)
        .values(rows.to_vec())
        .on_conflict_do_nothing()
        .returning((notices::tenant_id, notices::kind, notices::subject_key, notices::period))
        .get_results(c))?)
}

//! How a sync ended, in the mailbox's own row, and the notice that a tenant gets when a mailbox is
//! switched off.

use diesel::prelude::*;
use echodesk_core::notice::NewNotice;
use echodesk_mail::model::{ColumnLimits, Mailbox, MailboxKey};
use echodesk_mail::ports::FailureRecord;
use jiff::Timestamp;

use super::text::{cut, without_nul};
use crate::connection::{Connection, on};
use crate::error::{Failure, Outcome};
use crate::sql_types::{JsonText, RowId, Stamp};
use crate::tables::{connections, notices};
use crate::tenants;

pub(crate) fn success(connection: &mut Connection, mailbox: &MailboxKey, at: Timestamp) -> Outcome<()> {
    let target = connections::table.filter(connections::id.eq(RowId(mailbox.connection.0)));
    let state = (
        connections::last_sync_at.eq(Stamp::from(at)),
        connections::last_sync_error.eq(""),
        connections::sync_failure_count.eq(0),
        connections::updated_at.eq(Stamp::from(at)),
    );
    on!(connection, |c| diesel::update(target).set(state).execute(c))?;
    Ok(())
}

/// Writes a failure down and says whether it did: only while the row is what the failed sync was
/// begun with. A password that was mended meanwhile has not failed.
pub(crate) fn failure(
    connection: &mut Connection,
    mailbox: &Mailbox,
    limits: &ColumnLimits,
    failure: &FailureRecord,
) -> Outcome<bool> {
    let at = Stamp::from(failure.at);
    let as_read = connections::table
        .filter(connections::id.eq(RowId(mailbox.key.connection.0)))
        .filter(connections::is_active.eq(mailbox.is_active))
        .filter(connections::encrypted_password.eq(mailbox.stored_password.expose()));
    let error = cut(&failure.error, limits.sync_error);
    let state = (
        connections::last_sync_error.eq(&*error),
        connections::sync_failure_count.eq(i32::try_from(failure.failure_count).unwrap_or(i32::MAX)),
        connections::updated_at.eq(at),
    );
    let Some(notice) = &failure.switch_off else {
        return Ok(on!(connection, |c| diesel::update(as_read).set(state).execute(c))? > 0);
    };
    let off = (connections::is_active.eq(false), connections::auto_disabled_at.eq(at));
    let rows = on!(&mut *connection, |c| diesel::update(as_read).set((state, off)).execute(c))?;
    if rows > 0 {
        queue(connection, &mailbox.key, notice)?;
    }
    Ok(rows > 0)
}

/// Queues a notice, unless the same event has queued it already.
fn queue(connection: &mut Connection, mailbox: &MailboxKey, notice: &NewNotice) -> Outcome<()> {
    let tenant = tenants::require(connection, &mailbox.schema)?;
    // Every kind is a struct of strings and numbers.
    let payload = serde_json::to_value(&notice.kind)
        .map_err(|error| Failure::Refused(format!("the notice cannot be written as JSON: {error}")))?;
    let row = (
        notices::tenant_id.eq(tenant.0),
        notices::kind.eq(notice.kind.code()),
        notices::subject_key.eq(without_nul(&notice.subject_key).into_owned()),
        notices::period.eq(without_nul(&notice.period).into_owned()),
        notices::payload.eq(JsonText(clean(payload).to_string())),
        notices::state.eq("queued"),
        notices::created_at.eq(Stamp::from(notice.decided_at)),
    );
    on!(connection, |c| diesel::insert_into(notices::table).values(row).on_conflict_do_nothing().execute(c))?;
    Ok(())
}

/// A JSON value without NUL characters in its strings: reasons may quote what a server said.
fn clean(value: serde_json::Value) -> serde_json::Value {
    use serde_json::Value;
    match value {
        Value::String(text) => Value::String(without_nul(&text).into_owned()),
        Value::Array(elements) => elements.into_iter().map(clean).collect(),
        Value::Object(fields) => fields.into_iter().map(|(name, value)| (name, clean(value))).collect(),
        other => other,
    }
}

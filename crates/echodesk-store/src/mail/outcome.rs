//! How a sync ended, in the mailbox's own row, and the notice that a tenant gets when a mailbox is
//! switched off.

use diesel::prelude::*;
use echodesk_mail::model::{ColumnLimits, Mailbox, MailboxKey};
use echodesk_mail::ports::FailureRecord;
use jiff::Timestamp;

use crate::connection::{Connection, on};
use crate::error::Outcome;
use crate::notices;
use crate::sql_types::{RowId, Stamp};
use crate::tables::connections;
use crate::tenants;
use crate::text::cut;

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
        let tenant = tenants::require(connection, &mailbox.key.schema)?;
        notices::queue(connection, tenant, notice)?;
    }
    Ok(rows > 0)
}

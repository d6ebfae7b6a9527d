//! Notices that were decided and wait to be sent.

use diesel::prelude::*;
use echodesk_core::TenantId;
use echodesk_core::notice::NewNotice;

use crate::connection::{Connection, on};
use crate::error::{Failure, Outcome};
use crate::sql_types::{JsonText, Stamp};
use crate::tables::notices;
use crate::text::{clean, without_nul};

/// Queues a notice, unless the same event has queued it already.
pub(crate) fn queue(connection: &mut Connection, tenant: TenantId, notice: &NewNotice) -> Outcome<()> {
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

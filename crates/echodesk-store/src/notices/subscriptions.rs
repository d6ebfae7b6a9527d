//! How things stand with the subscriptions that notices are about.

use std::collections::{HashMap, HashSet};

use diesel::prelude::*;
use echodesk_notify::ports::SubscriptionSituation;

use crate::billing::ledger::OPEN;
use crate::connection::{Connection, on};
use crate::error::Outcome;
use crate::sql_types::{RowId, Stamp};
use crate::tables::{attempts, subscriptions, tenants};

/// Whether a notice is about a subscription.
pub(super) fn is_about_one(subject_key: &str) -> bool {
    subject_key.starts_with("subscription:")
}

#[derive(Queryable, Selectable)]
#[diesel(table_name = subscriptions)]
struct Row {
    id: RowId,
    tenant_id: RowId,
    is_active: bool,
    expires_at: Option<Stamp>,
    next_billing_date: Option<Stamp>,
}

/// The subscriptions of tenants, by tenant. With no tenants nothing is asked: whoever delivers notices about
/// mailboxes alone needs no right to look at subscriptions.
pub(super) fn situations(
    connection: &mut Connection,
    mut ids: Vec<RowId>,
) -> Outcome<HashMap<RowId, SubscriptionSituation>> {
    ids.sort_unstable();
    ids.dedup();
    if ids.is_empty() {
        return Ok(HashMap::new());
    }
    let rows: Vec<(Row, String)> = on!(&mut *connection, |c| subscriptions::table
        .inner_join(tenants::table.on(tenants::id.eq(subscriptions::tenant_id)))
        .filter(subscriptions::tenant_id.eq_any(&ids))
        .select((Row::as_select(), tenants::payment_provider))
        .load(c))?;
    let subscribed: Vec<RowId> = rows.iter().map(|(row, _)| row.id).collect();
    let open: Vec<RowId> = on!(connection, |c| attempts::table
        .filter(attempts::subscription_id.eq_any(&subscribed))
        .filter(attempts::state.eq_any(OPEN))
        .select(attempts::subscription_id)
        .load(c))?;
    let open: HashSet<RowId> = open.into_iter().collect();
    let situation = |(row, provider): (Row, String)| {
        let situation = SubscriptionSituation {
            active: row.is_active,
            expires_at: row.expires_at.map(Into::into),
            next_billing_date: row.next_billing_date.map(Into::into),
            charge_open: open.contains(&row.id),
            provider,
            // Each notice is asked of by itself.
            refused_since: false,
        };
        (row.tenant_id, situation)
    };
    Ok(rows.into_iter().map(situation).collect())
}

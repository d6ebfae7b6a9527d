//! What happened to a subscription: EchoDesk's history of it, its planned retries, our suspensions.

use diesel::prelude::*;
use echodesk_core::{SubscriptionId, TenantId};
use jiff::Timestamp;
use serde_json::Value;

use super::money::Names;
use super::{Newest, one_more};
use crate::connection::{Connection, on};
use crate::error::Outcome;
use crate::sql_types::{JsonText, RowId, Stamp};
use crate::tables::{echodesk_retries, subscription_events, suspensions};

/// A row of `tenants_subscription_event`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EventStory {
    /// When.
    pub at: Timestamp,
    /// `event_type`, for example `payment_success`.
    pub kind: String,
    /// `description`.
    pub description: String,
    /// The order that it is about, if it is about one.
    pub order: Option<String>,
    /// The number of our charge, if it is about one.
    pub attempt: Option<u64>,
    /// `expires_at` as it was afterwards, if the event tells.
    pub expires_at: Option<Timestamp>,
    /// `next_billing_date` as it was afterwards, if the event tells.
    pub next_billing_date: Option<Timestamp>,
    /// What it is about beside `kind`: `type` of its metadata.
    pub detail: Option<String>,
}

/// A row of `tenants_payment_retry_schedule`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RetryStory {
    /// `scheduled_for`.
    pub scheduled_for: Timestamp,
    /// `executed_at`.
    pub executed_at: Option<Timestamp>,
    /// `status`: `pending`, `executing`, `succeeded`, `failed`, `skipped` or `cancelled`.
    pub status: String,
    /// `skip_reason`; blank if there is none.
    pub reason: String,
}

/// A row of `echodesk_suspension`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SuspensionStory {
    /// Which subscription.
    pub subscription: SubscriptionId,
    /// When it had expired.
    pub expired_at: Timestamp,
    /// When it was suspended.
    pub suspended_at: Timestamp,
    /// When that was found to be lifted.
    pub lifted_at: Option<Timestamp>,
}

#[derive(Queryable, Selectable)]
#[diesel(table_name = subscription_events)]
struct EventRow {
    event_type: String,
    new_value: Option<JsonText>,
    metadata: JsonText,
    description: String,
    created_at: Stamp,
    payment_order_id: Option<RowId>,
}

impl EventRow {
    fn read(self, names: &Names) -> EventStory {
        // Whatever else EchoDesk writes there is not for us to understand.
        let json = |text: &JsonText| serde_json::from_str::<Value>(&text.0).unwrap_or_default();
        let (metadata, new) = (json(&self.metadata), self.new_value.as_ref().map(json).unwrap_or_default());
        let text = |value: &Value, name: &str| value.get(name).and_then(Value::as_str).map(str::to_owned);
        let by_row = self.payment_order_id.and_then(|order| names.get(&order.0).cloned());
        EventStory {
            at: self.created_at.into(),
            kind: self.event_type,
            description: self.description,
            order: by_row.or_else(|| text(&metadata, "order_id")),
            attempt: metadata.get("attempt").and_then(Value::as_u64),
            expires_at: text(&new, "expires_at").and_then(|at| at.parse().ok()),
            next_billing_date: text(&new, "next_billing_date").and_then(|at| at.parse().ok()),
            detail: text(&metadata, "type"),
        }
    }
}

pub(super) fn events(
    connection: &mut Connection,
    tenant: TenantId,
    names: &Names,
    limit: usize,
) -> Outcome<Newest<EventStory>> {
    let rows: Vec<EventRow> = on!(connection, |c| subscription_events::table
        .filter(subscription_events::tenant_id.eq(RowId(tenant.0)))
        .order(subscription_events::id.desc())
        .limit(one_more(limit))
        .select(EventRow::as_select())
        .load(c))?;
    Ok(Newest::of(rows.into_iter().map(|row| row.read(names)).collect(), limit))
}

pub(super) fn retries(
    connection: &mut Connection,
    subscriptions: &[RowId],
    limit: usize,
) -> Outcome<Newest<RetryStory>> {
    let rows: Vec<(Stamp, Option<Stamp>, String, String)> = on!(connection, |c| echodesk_retries::table
        .filter(echodesk_retries::subscription_id.eq_any(subscriptions))
        .order(echodesk_retries::id.desc())
        .limit(one_more(limit))
        .select((
            echodesk_retries::scheduled_for,
            echodesk_retries::executed_at,
            echodesk_retries::status,
            echodesk_retries::skip_reason
        ))
        .load(c))?;
    let story = |(scheduled_for, executed_at, status, reason): (Stamp, Option<Stamp>, String, String)| RetryStory {
        scheduled_for: scheduled_for.into(),
        executed_at: executed_at.map(Into::into),
        status,
        reason,
    };
    Ok(Newest::of(rows.into_iter().map(story).collect(), limit))
}

pub(super) fn suspensions(
    connection: &mut Connection,
    tenant: TenantId,
    limit: usize,
) -> Outcome<Newest<SuspensionStory>> {
    let rows: Vec<(RowId, Stamp, Stamp, Option<Stamp>)> = on!(connection, |c| suspensions::table
        .filter(suspensions::tenant_id.eq(RowId(tenant.0)))
        .order(suspensions::id.desc())
        .limit(one_more(limit))
        .select((
            suspensions::subscription_id,
            suspensions::expired_at,
            suspensions::suspended_at,
            suspensions::lifted_at
        ))
        .load(c))?;
    let story =
        |(subscription, expired_at, suspended_at, lifted_at): (RowId, Stamp, Stamp, Option<Stamp>)| SuspensionStory {
            subscription: SubscriptionId(subscription.0),
            expired_at: expired_at.into(),
            suspended_at: suspended_at.into(),
            lifted_at: lifted_at.map(Into::into),
        };
    Ok(Newest::of(rows.into_iter().map(story).collect(), limit))
}

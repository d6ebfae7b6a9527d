//! `tenants_subscription_event`: the audit of what happened to a subscription.

use diesel::prelude::*;
use echodesk_billing::model::Attempt;
use echodesk_billing::ports::{Settlement, Source};
use echodesk_core::{SubscriptionId, TenantId};
use jiff::Timestamp;
use serde_json::{Value, json};

use super::refusal::TEXT_CHARS;
use crate::connection::{Connection, on};
use crate::error::Outcome;
use crate::sql_types::{JsonText, RowId, Stamp};
use crate::tables::subscription_events;
use crate::text::{clean, cut};

/// An event that the watch over expiry brings about.
pub(crate) struct StatusEvent {
    pub(crate) kind: &'static str,
    pub(crate) subscription: SubscriptionId,
    pub(crate) tenant: TenantId,
    pub(crate) old: Value,
    pub(crate) new: Value,
    pub(crate) metadata: Value,
    pub(crate) description: String,
}

/// An event that a settlement brings about.
pub(crate) struct Event<'a> {
    pub(crate) kind: &'static str,
    pub(crate) attempt: &'a Attempt,
    pub(crate) order: Option<RowId>,
    pub(crate) settlement: &'a Settlement<'a>,
    pub(crate) old: Value,
    pub(crate) new: Value,
    pub(crate) description: String,
}

#[derive(Insertable)]
#[diesel(table_name = subscription_events, treat_none_as_default_value = false)]
struct Row {
    event_type: &'static str,
    old_value: Option<JsonText>,
    new_value: Option<JsonText>,
    metadata: JsonText,
    description: String,
    created_at: Stamp,
    payment_order_id: Option<RowId>,
    subscription_id: RowId,
    tenant_id: RowId,
}

pub(crate) fn write_status(connection: &mut Connection, event: &StatusEvent, now: Timestamp) -> Outcome<()> {
    let row = Row {
        event_type: event.kind,
        old_value: text(&event.old),
        new_value: text(&event.new),
        metadata: JsonText(clean(event.metadata.clone()).to_string()),
        description: cut(&event.description, TEXT_CHARS).into_owned(),
        created_at: Stamp::from(now),
        payment_order_id: None,
        subscription_id: RowId(event.subscription.0),
        tenant_id: RowId(event.tenant.0),
    };
    on!(connection, |c| diesel::insert_into(subscription_events::table).values(vec![row]).execute(c))?;
    Ok(())
}

fn text(value: &Value) -> Option<JsonText> {
    Some(JsonText(clean(value.clone()).to_string()))
}

pub(crate) fn write(connection: &mut Connection, events: &[Event<'_>], now: Timestamp) -> Outcome<()> {
    let rows: Vec<Row> = events.iter().map(|event| event.row(now)).collect();
    on!(connection, |c| diesel::insert_into(subscription_events::table).values(rows).execute(c))?;
    Ok(())
}

impl Event<'_> {
    fn row(&self, now: Timestamp) -> Row {
        let attempt = self.attempt;
        Row {
            event_type: self.kind,
            old_value: text(&self.old),
            new_value: text(&self.new),
            metadata: JsonText(clean(self.metadata()).to_string()),
            description: cut(&self.description, TEXT_CHARS).into_owned(),
            created_at: Stamp::from(now),
            payment_order_id: self.order,
            subscription_id: RowId(attempt.subscription.0),
            tenant_id: RowId(attempt.tenant.0),
        }
    }

    fn metadata(&self) -> Value {
        let attempt = self.attempt;
        let (source, because) = source(self.settlement.source);
        let mut metadata = json!({
            "order_id": attempt.order,
            "attempt": attempt.number,
            "period": attempt.period.to_string(),
            "amount": format!("{:.2}", attempt.amount.amount()),
            "currency": attempt.amount.currency().to_string(),
            "source": source,
        });
        if let (Some(because), Some(fields)) = (because, metadata.as_object_mut()) {
            fields.insert("because".to_owned(), because.into());
        }
        metadata
    }
}

/// Who said so, and how a person knows.
pub(crate) fn source(source: Source<'_>) -> (&'static str, Option<&str>) {
    match source {
        Source::Answer | Source::FirstAnswer => ("answer", None),
        Source::Receipt => ("receipt", None),
        Source::Callback => ("callback", None),
        Source::Person { because } => ("person", Some(because)),
    }
}

/// Dates and standing of a subscription.
pub(crate) fn paid_until(
    expires_at: Option<Timestamp>,
    next_billing_date: Option<Timestamp>,
    payment_status: &str,
) -> Value {
    let text = |moment: Option<Timestamp>| moment.map(|moment| moment.to_string());
    json!({
        "expires_at": text(expires_at),
        "next_billing_date": text(next_billing_date),
        "payment_status": payment_status,
    })
}

/// Whether subscription and tenant are active.
pub(crate) fn active(subscription: bool, tenant: bool) -> Value {
    json!({ "is_active": subscription, "tenant_is_active": tenant })
}

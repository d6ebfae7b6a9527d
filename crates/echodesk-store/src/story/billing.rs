//! A tenant's subscription, and everything that was paid or charged for it.

use diesel::prelude::*;
use echodesk_billing::model::BankOrderId;
use echodesk_core::{SubscriptionId, TenantId};
use jiff::Timestamp;

use super::{CardStory, EventStory, InvoiceStory, Newest, OrderStory, RetryStory, SuspensionStory, history, money};
use crate::LedgerEntry;
use crate::connection::{Connection, on};
use crate::error::Outcome;
use crate::orders;
use crate::sql_types::{RowId, Stamp};
use crate::tables::{subscriptions, tenants};

/// What the tables of billing hold of a tenant.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct BillingStory {
    /// `tenants_tenant.payment_provider`.
    pub provider: String,
    /// Its subscriptions; EchoDesk allows one.
    pub subscriptions: Vec<SubscriptionStory>,
    /// Its saved cards, by id, those that are not used any more as well.
    pub cards: Vec<CardStory>,
    /// Orders, ours and EchoDesk's.
    pub orders: Newest<OrderStory>,
    /// Our charges of the saved card.
    pub attempts: Newest<LedgerEntry>,
    /// The history that EchoDesk keeps of a subscription, with what we have added.
    pub events: Newest<EventStory>,
    /// Invoices.
    pub invoices: Newest<InvoiceStory>,
    /// Charges that EchoDesk has planned itself; none where it does not do so.
    pub retries: Newest<RetryStory>,
    /// Our suspensions.
    pub suspensions: Newest<SuspensionStory>,
}

/// A row of `tenants_tenant_subscription`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SubscriptionStory {
    /// `id`.
    pub id: SubscriptionId,
    /// `is_active`.
    pub active: bool,
    /// `subscription_type`, for example `paid`.
    pub kind: String,
    /// `is_trial`.
    pub is_trial: bool,
    /// `agent_count`.
    pub agents: i32,
    /// `starts_at`.
    pub starts_at: Timestamp,
    /// `expires_at`; none if it never expires.
    pub expires_at: Option<Timestamp>,
    /// `next_billing_date`.
    pub next_billing_date: Option<Timestamp>,
    /// `last_billed_at`.
    pub last_billed_at: Option<Timestamp>,
    /// `parent_order_id`: the bank's order on which its card was saved.
    pub card: Option<BankOrderId>,
    /// `payment_status`.
    pub payment_status: String,
    /// `failed_payment_count`.
    pub failed_payments: i32,
    /// `last_payment_failure`.
    pub last_payment_failure: Option<Timestamp>,
}

#[derive(Queryable, Selectable)]
#[diesel(table_name = subscriptions)]
struct Row {
    id: RowId,
    is_active: bool,
    subscription_type: String,
    is_trial: bool,
    agent_count: i32,
    starts_at: Stamp,
    expires_at: Option<Stamp>,
    next_billing_date: Option<Stamp>,
    last_billed_at: Option<Stamp>,
    parent_order_id: Option<String>,
    payment_status: String,
    failed_payment_count: i32,
    last_payment_failure: Option<Stamp>,
}

impl From<Row> for SubscriptionStory {
    fn from(row: Row) -> Self {
        Self {
            id: SubscriptionId(row.id.0),
            active: row.is_active,
            kind: row.subscription_type,
            is_trial: row.is_trial,
            agents: row.agent_count,
            starts_at: row.starts_at.into(),
            expires_at: row.expires_at.map(Into::into),
            next_billing_date: row.next_billing_date.map(Into::into),
            last_billed_at: row.last_billed_at.map(Into::into),
            card: row.parent_order_id.filter(|card| !card.trim().is_empty()).map(BankOrderId),
            payment_status: row.payment_status,
            failed_payments: row.failed_payment_count,
            last_payment_failure: row.last_payment_failure.map(Into::into),
        }
    }
}

pub(super) fn load(
    connection: &mut Connection,
    tenant: TenantId,
    limit: usize,
    with_retries: bool,
) -> Outcome<BillingStory> {
    let provider: String = on!(&mut *connection, |c| tenants::table
        .filter(tenants::id.eq(RowId(tenant.0)))
        .select(tenants::payment_provider)
        .first(c))?;
    let rows: Vec<Row> = on!(&mut *connection, |c| subscriptions::table
        .filter(subscriptions::tenant_id.eq(RowId(tenant.0)))
        .order(subscriptions::id)
        .select(Row::as_select())
        .load(c))?;
    let subscriptions: Vec<SubscriptionStory> = rows.into_iter().map(SubscriptionStory::from).collect();
    let ids: Vec<RowId> = subscriptions.iter().map(|subscription| RowId(subscription.id.0)).collect();
    let retries = if with_retries { history::retries(connection, &ids, limit)? } else { Newest::default() };
    let (orders, names) = money::orders(connection, tenant, limit)?;
    Ok(BillingStory {
        provider,
        subscriptions,
        cards: money::cards(connection, tenant)?,
        attempts: Newest::of(orders::newest_of(connection, tenant, limit.saturating_add(1))?, limit),
        events: history::events(connection, tenant, &names, limit)?,
        invoices: money::invoices(connection, tenant, &names, limit)?,
        orders,
        retries,
        suspensions: history::suspensions(connection, tenant, limit)?,
    })
}

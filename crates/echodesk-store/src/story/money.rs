//! Cards, orders and invoices.

use std::collections::HashMap;

use diesel::prelude::*;
use echodesk_billing::model::BankOrderId;
use echodesk_core::TenantId;
use jiff::Timestamp;
use rust_decimal::Decimal;

use super::{Newest, one_more};
use crate::connection::{Connection, on};
use crate::error::Outcome;
use crate::sql_types::{Readable, RowId, Stamp};
use crate::tables::{invoices, payment_orders, saved_cards};

/// A row of `tenants_saved_card`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CardStory {
    /// `parent_order_id`: what the card is charged by.
    pub parent: BankOrderId,
    /// `masked_card_number`, as the bank has masked it; may be blank.
    pub masked: String,
    /// `card_expiry`, as it stands there.
    pub expiry: String,
    /// `saved_at`.
    pub saved_at: Timestamp,
    /// `is_active`.
    pub active: bool,
}

/// A row of `tenants_payment_order`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OrderStory {
    /// `order_id`: our, or EchoDesk's, name of it.
    pub order: String,
    /// `bog_order_id`: the bank's name of it.
    pub bank_order: Option<String>,
    /// `amount`, in major units; none if what stands there is no number.
    pub amount: Option<Decimal>,
    /// `currency`.
    pub currency: String,
    /// `status`, for example `pending` or `paid`.
    pub status: String,
    /// `payment_provider`.
    pub provider: String,
    /// `card_saved`.
    pub card_saved: bool,
    /// `is_trial_payment`.
    pub is_trial: bool,
    /// `created_at`.
    pub created_at: Timestamp,
    /// `paid_at`.
    pub paid_at: Option<Timestamp>,
}

/// A row of `tenants_invoice`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InvoiceStory {
    /// `invoice_number`.
    pub number: String,
    /// `amount`, in major units; none if what stands there is no number.
    pub amount: Option<Decimal>,
    /// `currency`.
    pub currency: String,
    /// The order that it is for, if that is among those that were read.
    pub order: Option<String>,
    /// `invoice_date`.
    pub at: Timestamp,
}

/// Names of orders by their rows.
pub(super) type Names = HashMap<i64, String>;

#[derive(Queryable, Selectable)]
#[diesel(table_name = payment_orders)]
struct OrderRow {
    id: RowId,
    order_id: String,
    bog_order_id: Option<String>,
    amount: Readable,
    currency: String,
    status: String,
    payment_provider: String,
    card_saved: bool,
    is_trial_payment: bool,
    created_at: Stamp,
    paid_at: Option<Stamp>,
}

impl From<OrderRow> for OrderStory {
    fn from(row: OrderRow) -> Self {
        Self {
            order: row.order_id,
            bank_order: row.bog_order_id.filter(|order| !order.trim().is_empty()),
            amount: row.amount.0.ok(),
            currency: row.currency,
            status: row.status,
            provider: row.payment_provider,
            card_saved: row.card_saved,
            is_trial: row.is_trial_payment,
            created_at: row.created_at.into(),
            paid_at: row.paid_at.map(Into::into),
        }
    }
}

pub(super) fn orders(
    connection: &mut Connection,
    tenant: TenantId,
    limit: usize,
) -> Outcome<(Newest<OrderStory>, Names)> {
    let rows: Vec<OrderRow> = on!(connection, |c| payment_orders::table
        .filter(payment_orders::tenant_id.eq(RowId(tenant.0)))
        .order(payment_orders::id.desc())
        .limit(one_more(limit))
        .select(OrderRow::as_select())
        .load(c))?;
    let names = rows.iter().map(|row| (row.id.0, row.order_id.clone())).collect();
    Ok((Newest::of(rows.into_iter().map(Into::into).collect(), limit), names))
}

pub(super) fn invoices(
    connection: &mut Connection,
    tenant: TenantId,
    names: &Names,
    limit: usize,
) -> Outcome<Newest<InvoiceStory>> {
    let rows: Vec<(String, Readable, String, RowId, Stamp)> = on!(connection, |c| invoices::table
        .filter(invoices::tenant_id.eq(RowId(tenant.0)))
        .order(invoices::id.desc())
        .limit(one_more(limit))
        .select((
            invoices::invoice_number,
            invoices::amount,
            invoices::currency,
            invoices::payment_order_id,
            invoices::invoice_date
        ))
        .load(c))?;
    let story = |(number, amount, currency, order, at): (String, Readable, String, RowId, Stamp)| InvoiceStory {
        number,
        amount: amount.0.ok(),
        currency,
        order: names.get(&order.0).cloned(),
        at: at.into(),
    };
    Ok(Newest::of(rows.into_iter().map(story).collect(), limit))
}

pub(super) fn cards(connection: &mut Connection, tenant: TenantId) -> Outcome<Vec<CardStory>> {
    let rows: Vec<(String, String, String, Stamp, bool)> = on!(connection, |c| saved_cards::table
        .filter(saved_cards::tenant_id.eq(RowId(tenant.0)))
        .order(saved_cards::id)
        .select((
            saved_cards::parent_order_id,
            saved_cards::masked_card_number,
            saved_cards::card_expiry,
            saved_cards::saved_at,
            saved_cards::is_active
        ))
        .load(c))?;
    let story = |(parent, masked, expiry, saved_at, active): (String, String, String, Stamp, bool)| CardStory {
        parent: BankOrderId(parent),
        masked,
        expiry,
        saved_at: saved_at.into(),
        active,
    };
    Ok(rows.into_iter().map(story).collect())
}

//! Reading the ledger of charge attempts.

use diesel::dsl::sql;
use diesel::prelude::*;
use diesel::sql_types::Bool;
use echodesk_billing::Money;
use echodesk_billing::model::{Attempt, AttemptState, BankOrderId, OrderId, PastAttempt};
use echodesk_core::{AttemptId, SubscriptionId, TenantId};

use super::claims::LEFT;
use super::refusal::RefusalColumns;
use crate::connection::{Connection, on};
use crate::error::{Failure, Outcome};
use crate::sql_types::{Readable, RowId, Stamp, UuidValue};
use crate::tables::attempts;

/// A row of the ledger.
#[derive(Queryable, QueryableByName, Selectable)]
#[diesel(table_name = attempts)]
pub(crate) struct Row {
    id: i64,
    subscription_id: RowId,
    tenant_id: RowId,
    schema_name: String,
    period: Stamp,
    number: i32,
    order_id: String,
    idempotency_key: UuidValue,
    parent_order_id: String,
    amount: Readable,
    currency: String,
    state: String,
    bank_order_id: Option<String>,
    prepared_at: Stamp,
    #[diesel(embed)]
    refusal: RefusalColumns,
    last_error: Option<String>,
    trouble: Option<String>,
}

impl Row {
    pub(crate) fn into_attempt(self) -> Outcome<Attempt> {
        let id = self.id;
        let unreadable = |why: String| Failure::Refused(format!("charge attempt {id} cannot be read: {why}"));
        let amount = self.amount.0.and_then(|amount| money(amount, &self.currency)).map_err(unreadable)?;
        Ok(Attempt {
            id: AttemptId(id),
            subscription: SubscriptionId(self.subscription_id.0),
            tenant: TenantId(self.tenant_id.0),
            schema: self.schema_name.parse().map_err(|error| unreadable(format!("{error}")))?,
            period: self.period.into(),
            number: u32::try_from(self.number).unwrap_or_default(),
            order: OrderId(self.order_id),
            key: self.idempotency_key.0,
            parent: BankOrderId(self.parent_order_id),
            amount,
            state: state(&self.state).map_err(unreadable)?,
            bank_order: self.bank_order_id.map(BankOrderId),
            prepared_at: self.prepared_at.into(),
            refusal: self.refusal.read(),
            last_error: self.last_error,
            trouble: self.trouble,
        })
    }
}

/// What the rules need of a row.
#[derive(Queryable, Selectable)]
#[diesel(table_name = attempts)]
pub(crate) struct PastRow {
    id: i64,
    subscription_id: RowId,
    order_id: String,
    period: Stamp,
    number: i32,
    state: String,
    parent_order_id: String,
    #[diesel(embed)]
    refusal: RefusalColumns,
    closed_at: Option<Stamp>,
}

impl PastRow {
    pub(crate) fn into_past(self) -> Outcome<(SubscriptionId, PastAttempt)> {
        let state = state(&self.state)
            .map_err(|why| Failure::Refused(format!("charge attempt {} cannot be read: {why}", self.id)))?;
        let past = PastAttempt {
            order: OrderId(self.order_id),
            period: self.period.into(),
            number: u32::try_from(self.number).unwrap_or_default(),
            state,
            parent: BankOrderId(self.parent_order_id),
            refusal: self.refusal.read(),
            closed_at: self.closed_at.map(Into::into),
        };
        Ok((SubscriptionId(self.subscription_id.0), past))
    }
}

fn state(code: &str) -> Result<AttemptState, String> {
    AttemptState::from_code(code).ok_or_else(|| format!("{code:?} is no state"))
}

/// An amount in a currency, by the code that stands in the table.
pub(crate) fn money(amount: rust_decimal::Decimal, currency: &str) -> Result<Money, String> {
    let currency = currency.parse().map_err(|error| format!("{error}"))?;
    Money::new(amount, currency).map_err(|error| error.to_string())
}

/// The codes of the states in which money may still move.
pub(crate) const OPEN: [&str; 3] = ["prepared", "unknown", "accepted"];

/// All attempts on a subscription, by id.
pub(crate) fn of_subscription(connection: &mut Connection, subscription: SubscriptionId) -> Outcome<Vec<PastAttempt>> {
    let rows: Vec<PastRow> = on!(connection, |c| attempts::table
        .filter(attempts::subscription_id.eq(RowId(subscription.0)))
        .order(attempts::id)
        .select(PastRow::as_select())
        .load(c))?;
    rows.into_iter().map(|row| row.into_past().map(|(_, past)| past)).collect()
}

pub(crate) fn of_order(connection: &mut Connection, order: &OrderId) -> Outcome<Option<Attempt>> {
    let row: Option<Row> = on!(connection, |c| attempts::table
        .filter(attempts::order_id.eq(order.as_str()))
        .select(Row::as_select())
        .first(c)
        .optional())?;
    row.map(Row::into_attempt).transpose()
}

/// The first that was given the name: who comes later with the same one is the likelier stranger.
pub(crate) fn of_bank_order(connection: &mut Connection, order: &BankOrderId) -> Outcome<Option<Attempt>> {
    let row: Option<Row> = on!(connection, |c| attempts::table
        .filter(attempts::bank_order_id.eq(order.as_str()))
        .order(attempts::id)
        .select(Row::as_select())
        .first(c)
        .optional())?;
    row.map(Row::into_attempt).transpose()
}

pub(crate) fn left(
    connection: &mut Connection,
    tenant: Option<TenantId>,
    after: Option<AttemptId>,
    limit: usize,
) -> Outcome<Vec<Attempt>> {
    let rows: Vec<Row> = on!(connection, |c| {
        let mut query = attempts::table
            .filter(sql::<Bool>(LEFT))
            .filter(attempts::id.gt(after.map_or(0, |after| after.0)))
            .order(attempts::id)
            .limit(rows(limit))
            .select(Row::as_select())
            .into_boxed();
        if let Some(tenant) = tenant {
            query = query.filter(attempts::tenant_id.eq(RowId(tenant.0)));
        }
        query.load(c)
    })?;
    rows.into_iter().map(Row::into_attempt).collect()
}

/// A number of rows as SQL has it.
pub(crate) fn rows(limit: usize) -> i64 {
    i64::try_from(limit).unwrap_or(i64::MAX)
}

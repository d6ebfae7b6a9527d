//! An attempt with what only people want to know of it.

use diesel::prelude::*;
use echodesk_billing::model::{Attempt, AttemptState, BankOrderId, OrderId, Refusal};
use echodesk_billing::{Currency, Money};
use echodesk_core::{AttemptId, SubscriptionId, TenantId};
use jiff::Timestamp;

use crate::error::{Failure, Outcome};
use crate::sql_types::{Exact, Stamp, UuidValue};
use crate::tables::attempts;

/// A charge attempt, and who has to do with it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LedgerEntry {
    /// The attempt.
    pub attempt: Attempt,
    /// When it was closed.
    pub closed_at: Option<Timestamp>,
    /// Who said how it ended: `answer`, `receipt`, `callback` or `person`.
    pub settled_by: Option<String>,
    /// How a person knew.
    pub because: Option<String>,
    /// Until when a run has claimed it.
    pub claimed_until: Option<Timestamp>,
}

#[derive(Queryable, Selectable)]
#[diesel(table_name = attempts)]
pub(super) struct Row {
    id: i64,
    subscription_id: i64,
    tenant_id: i64,
    schema_name: String,
    period: Stamp,
    number: i32,
    order_id: String,
    idempotency_key: UuidValue,
    parent_order_id: String,
    amount: Exact,
    currency: String,
    state: String,
    bank_order_id: Option<String>,
    prepared_at: Stamp,
    closed_at: Option<Stamp>,
    refusal_kind: Option<String>,
    refusal_status: Option<i32>,
    refusal_code: Option<String>,
    refusal_text: Option<String>,
    last_error: Option<String>,
    trouble: Option<String>,
    settled_by: Option<String>,
    because: Option<String>,
    claimed_until: Option<Stamp>,
}

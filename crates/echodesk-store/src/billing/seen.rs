//! The columns of a subscription that a charge depends on.

use diesel::prelude::*;
use echodesk_billing::model::{BankOrderId, Seen};
use echodesk_core::AttemptId;
use jiff::Timestamp;

use crate::sql_types::{RowId, Stamp};
use crate::tables::subscriptions;

/// A subscription's row, as far as a charge or a payment depends on it.
#[derive(Clone, Debug, Queryable, QueryableByName, Selectable)]
#[diesel(table_name = subscriptions)]
pub(crate) struct SubscriptionRow {
    pub(crate) id: RowId,
    is_active: bool,
    expires_at: Option<Stamp>,
    next_billing_date: Option<Stamp>,
    agent_count: i32,
    parent_order_id: Option<String>,
}

impl SubscriptionRow {
    /// What a charge is decided by; `tenant` is its `is_active` and its `payment_provider`.
    pub(crate) fn seen(&self, tenant: (bool, String), last_attempt: Option<AttemptId>) -> Seen {
        Seen {
            tenant_active: tenant.0,
            provider: tenant.1,
            active: self.is_active,
            expires_at: self.expires_at.map(Into::into),
            next_billing_date: self.next_billing_date.map(Into::into),
            agent_count: self.agent_count,
            parent: self.parent(),
            last_attempt,
        }
    }

    /// The date that it is renewed for.
    pub(crate) fn renewal_date(&self) -> Option<Timestamp> {
        self.expires_at.or(self.next_billing_date).map(Into::into)
    }

    /// The order on which its card was saved.
    pub(crate) fn parent(&self) -> Option<BankOrderId> {
        self.parent_order_id.clone().and_then(bank_order)
    }
}

/// The bank's name of an order, unless it is blank.
pub(crate) fn bank_order(text: String) -> Option<BankOrderId> {
    (!text.trim().is_empty()).then_some(BankOrderId(text))
}

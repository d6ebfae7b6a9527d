//! What a settlement starts from.

use diesel::prelude::*;
use diesel::sql_types::{BigInt, Bool, Integer, Nullable, Text};
use echodesk_billing::model::Attempt;
use echodesk_billing::rules::period::Standing as Dates;
use echodesk_billing::rules::settle::{OrderStatus, order_status};
use echodesk_core::{AttemptId, RunId};
use jiff::Timestamp;

use crate::billing::ledger::Row;
use crate::connection::{Connection, on};
use crate::error::Outcome;
use crate::sql_types::{Id, Moment, RowId, Stamp, Uuid, UuidValue};

/// An attempt, locked, with its order and its subscription, either of which may have been deleted.
pub(super) struct Standing {
    pub(super) attempt: Attempt,
    pub(super) claimed_by: Option<RunId>,
    /// The run that wrote it down, while nobody else can have called the bank for it.
    pub(super) sender: Option<RunId>,
    pub(super) order: Option<Order>,
    pub(super) subscription: Option<Subscription>,
}

/// The payment order.
pub(super) struct Order {
    pub(super) id: RowId,
    pub(super) status: String,
    pub(super) paid_at: Option<Timestamp>,
    pub(super) agent_count: i32,
    /// The bank's name of it; blank is none.
    pub(super) bank_order: Option<String>,
    pub(super) has_invoice: bool,
}

/// The subscription.
pub(super) struct Subscription {
    pub(super) id: RowId,
    pub(super) dates: Dates,
    pub(super) payment_status: String,
    pub(super) failed_payment_count: i32,
}

#[derive(QueryableByName)]
struct Found {
    #[diesel(embed)]
    attempt: Row,
    #[diesel(sql_type = Nullable<Uuid>)]
    claimed_by: Option<UuidValue>,
    #[diesel(sql_type = Nullable<Uuid>)]
    sender: Option<UuidValue>,
    #[diesel(sql_type = Nullable<Id>)]
    order_row: Option<RowId>,
    #[diesel(sql_type = Nullable<Text>)]
    order_status: Option<String>,
    #[diesel(sql_type = Nullable<Integer>)]
    order_agents: Option<i32>,
    #[diesel(sql_type = Nullable<Moment>)]
    order_paid_at: Option<Stamp>,
    #[diesel(sql_type = Nullable<Text>)]
    order_name: Option<String>,
    #[diesel(sql_type = Bool)]
    has_invoice: bool,
    #[diesel(sql_type = Nullable<Id>)]
    subscription_row: Option<RowId>,
    #[diesel(sql_type = Nullable<Bool>)]
    active: Option<bool>,
    #[diesel(sql_type = Nullable<Bool>)]
    tenant_active: Option<bool>,
    #[diesel(sql_type = Nullable<Moment>)]
    expires_at: Option<Stamp>,
    #[diesel(sql_type = Nullable<Moment>)]
    next_billing_date: Option<Stamp>,
    #[diesel(sql_type = Nullable<Text>)]
    payment_status: Option<String>,
    #[diesel(sql_type = Nullable<Integer>)]
    failed_payment_count: Option<i32>,
}

impl Standing {
    /// An order that somebody has deleted is paid by nobody.
    pub(super) fn order_status(&self, now: Timestamp) -> OrderStatus {
        let Some(order) = &self.order else { return OrderStatus::Pending };
        let dates = self.subscription.as_ref().map(|subscription| &subscription.dates);
        let renewal_date = dates.and_then(|dates| dates.expires_at.or(dates.next_billing_date));
        order_status(&order.status, order.paid_at, renewal_date, &self.attempt, now)
    }
}

/// Locks the subscription of an attempt, in a statement of its own: what is read next is then what
/// whoever held the lock before has left.
pub(super) fn lock_subscription(connection: &mut Connection, attempt: AttemptId) -> Outcome<()> {
    #[derive(QueryableByName)]
    struct Locked {
        #[expect(dead_code, reason = "only the lock matters")]
        #[diesel(sql_type = Id)]
        id: RowId,
    }
    // SQLite has locked the file already.
    if let Connection::Postgres(c) = connection {
        diesel::sql_query(
            "SELECT id FROM public.tenants_tenant_subscription \
             WHERE id = (SELECT subscription_id FROM public.echodesk_charge_attempt WHERE id = $1) FOR NO KEY UPDATE",
        )
        .bind::<BigInt, _>(attempt.0)
        .load::<Locked>(c)?;
    }
    Ok(())
}

pub(super) fn read(connection: &mut Connection, attempt: AttemptId) -> Outcome<Option<Standing>> {
    let lock = if connection.is_postgres() { " FOR UPDATE OF a" } else { "" };
    let query = format!(
        "SELECT a.*, o.id AS order_row, o.status AS order_status, o.agent_count AS order_agents, \
           o.paid_at AS order_paid_at, \
           o.bog_order_id AS order_name, \
           EXISTS (SELECT 1 FROM public.tenants_invoice i WHERE i.payment_order_id = o.id) AS has_invoice, \
           s.id AS subscription_row, s.is_active AS active, t.is_active AS tenant_active, s.expires_at, \
           s.next_billing_date, s.payment_status, s.failed_payment_count \
         FROM public.echodesk_charge_attempt a \
         LEFT JOIN public.tenants_payment_order o ON o.order_id = a.order_id \
         LEFT JOIN public.tenants_tenant_subscription s ON s.id = a.subscription_id \
         LEFT JOIN public.tenants_tenant t ON t.id = s.tenant_id \
         WHERE a.id = $1{lock}"
    );
    let found: Option<Found> =
        on!(connection, |c| diesel::sql_query(&query).bind::<BigInt, _>(attempt.0).get_result(c).optional())?;
    found.map(Found::into_standing).transpose()
}

impl Found {
    fn into_standing(self) -> Outcome<Standing> {
        let order = self.order_row.map(|id| Order {
            id,
            status: self.order_status.unwrap_or_default(),
            paid_at: self.order_paid_at.map(Into::into),
            agent_count: self.order_agents.unwrap_or_default(),
            bank_order: self.order_name.filter(|name| !name.trim().is_empty()),
            has_invoice: self.has_invoice,
        });
        let subscription = self.subscription_row.map(|id| Subscription {
            id,
            dates: Dates {
                tenant_active: self.tenant_active.unwrap_or(true),
                active: self.active.unwrap_or(true),
                expires_at: self.expires_at.map(Into::into),
                next_billing_date: self.next_billing_date.map(Into::into),
            },
            payment_status: self.payment_status.unwrap_or_default(),
            failed_payment_count: self.failed_payment_count.unwrap_or_default(),
        });
        let run = |run: UuidValue| RunId(run.0);
        let (claimed_by, sender) = (self.claimed_by.map(run), self.sender.map(run));
        Ok(Standing { attempt: self.attempt.into_attempt()?, claimed_by, sender, order, subscription })
    }
}

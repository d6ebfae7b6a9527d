//! What expires, with all that decides about it: what decides about renewals, and a few queries more for each
//! page.

use std::collections::HashMap;

use diesel::dsl::{exists, not};
use diesel::prelude::*;
use echodesk_billing::model::{Account, Candidate, RecentOrder, Told};
use echodesk_core::SubscriptionId;
use jiff::{SignedDuration, Timestamp};

use crate::billing::candidates::{self, Wanted};
use crate::billing::saved_cards;
use crate::connection::{Connection, on};
use crate::error::Outcome;
use crate::sql_types::{RowId, Stamp};
use crate::tables::{attempts, notices, payment_orders};

/// Accounts whose details are read together: far below SQLite's 32,766 parameters.
const CHUNK: usize = 500;

/// Notices older than this are of earlier periods.
const TOLD_FOR: SignedDuration = SignedDuration::from_hours(90 * 24);

/// The kinds that the watch over expiry sends.
const TOLD_KINDS: [&str; 4] = ["reminder", "urgent_reminder", "grace_warning", "suspended"];

/// An order that was paid so long before an expiry may have been paid for what follows it. Longer than the
/// rule wants, which looks at each.
const PAID_BEFORE: SignedDuration = SignedDuration::from_hours(30 * 24);

/// A customer does not take longer to pay.
const PAYING_FOR: SignedDuration = SignedDuration::from_hours(24);

#[derive(Queryable, Selectable)]
#[diesel(table_name = payment_orders)]
struct OrderRow {
    tenant_id: Option<RowId>,
    order_id: String,
    status: String,
    paid_at: Option<Stamp>,
    created_at: Stamp,
}

/// A page of accounts, ascending by subscription.
pub(super) fn load(connection: &mut Connection, wanted: &Wanted<'_>) -> Outcome<Vec<Account>> {
    let mut accounts = Vec::new();
    let mut candidates = candidates::load(connection, wanted)?.into_iter().peekable();
    while candidates.peek().is_some() {
        let chunk: Vec<Candidate> = candidates.by_ref().take(CHUNK).collect();
        let tenants: Vec<RowId> = chunk.iter().map(|candidate| RowId(candidate.tenant.id.0)).collect();
        let mut cards = saved_cards::active(connection, &tenants)?;
        let mut told = told(connection, &chunk, &tenants, wanted.now)?;
        let mut orders = orders(connection, &chunk, wanted.now)?;
        accounts.extend(chunk.into_iter().map(|candidate| {
            let tenant = RowId(candidate.tenant.id.0);
            Account {
                saved_cards: cards.remove(&tenant).unwrap_or_default(),
                told: told.remove(&subject_key(candidate.subscription)).unwrap_or_default(),
                orders: orders.remove(&tenant).unwrap_or_default(),
                candidate,
            }
        }));
    }
    Ok(accounts)
}

fn subject_key(subscription: SubscriptionId) -> String {
    format!("subscription:{subscription}")
}

/// By what they are about.
fn told(
    connection: &mut Connection,
    page: &[Candidate],
    tenants: &[RowId],
    now: Timestamp,
) -> Outcome<HashMap<String, Vec<Told>>> {
    let since = now.checked_sub(TOLD_FOR).unwrap_or(Timestamp::MIN);
    let subjects: Vec<String> = page.iter().map(|candidate| subject_key(candidate.subscription)).collect();
    // In the order of the unique index, which serves it.
    let rows: Vec<(String, String, String)> = on!(connection, |c| notices::table
        .filter(notices::tenant_id.eq_any(tenants))
        .filter(notices::kind.eq_any(TOLD_KINDS))
        .filter(notices::subject_key.eq_any(&subjects))
        .filter(notices::created_at.ge(Stamp::from(since)))
        .select((notices::subject_key, notices::kind, notices::period))
        .load(c))?;
    let mut told: HashMap<String, Vec<Told>> = HashMap::new();
    for (subject, kind, period) in rows {
        told.entry(subject).or_default().push(Told { kind, period });
    }
    Ok(told)
}

/// Orders of the tenants whose subscriptions have expired, by tenant. For a page of reminders nothing is asked.
fn orders(
    connection: &mut Connection,
    page: &[Candidate],
    now: Timestamp,
) -> Outcome<HashMap<RowId, Vec<RecentOrder>>> {
    let expired = |candidate: &Candidate| candidate.seen.expires_at.filter(|at| *at <= now);
    let Some(earliest) = page.iter().filter_map(expired).min() else { return Ok(HashMap::new()) };
    let tenants: Vec<RowId> = page
        .iter()
        .filter(|candidate| expired(candidate).is_some())
        .map(|candidate| RowId(candidate.tenant.id.0))
        .collect();
    let paid_since = Stamp::from(earliest.checked_sub(PAID_BEFORE).unwrap_or(Timestamp::MIN));
    let pending_since = Stamp::from(now.checked_sub(PAYING_FOR).unwrap_or(Timestamp::MIN));
    let ours = attempts::table.filter(attempts::order_id.eq(payment_orders::order_id));
    let rows: Vec<OrderRow> = on!(connection, |c| payment_orders::table
        .filter(payment_orders::tenant_id.eq_any(&tenants))
        .filter(
            payment_orders::status
                .eq("paid")
                .and(
                    payment_orders::paid_at
                        .ge(paid_since)
                        .assume_not_null()
                        .or(payment_orders::created_at.ge(paid_since))
                )
                .or(payment_orders::status.eq("pending").and(payment_orders::created_at.ge(pending_since))),
        )
        .filter(not(exists(ours)))
        .order(payment_orders::id)
        .select(OrderRow::as_select())
        .load(c))?;
    let mut orders: HashMap<RowId, Vec<RecentOrder>> = HashMap::new();
    for row in rows {
        if let Some(tenant) = row.tenant_id {
            let at = row.paid_at.unwrap_or(row.created_at).into();
            let recent = RecentOrder { order: row.order_id, paid: row.status == "paid", at };
            orders.entry(tenant).or_default().push(recent);
        }
    }
    Ok(orders)
}

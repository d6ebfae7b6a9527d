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
use crate::sql_types::{Readable, RowId, Stamp};
use crate::tables::{attempts, notices, payment_orders, subscriptions};

/// Accounts whose details are read together: far below SQLite's 32,766 parameters.
const CHUNK: usize = 500;

/// Notices older than this are of earlier periods.
const TOLD_FOR: SignedDuration = SignedDuration::from_hours(90 * 24);

/// The kinds that the watch over expiry sends, and the one that each run of renewals decides anew.
const TOLD_KINDS: [&str; 5] = ["reminder", "urgent_reminder", "grace_warning", "suspended", "price_changed"];

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
    amount: Readable,
    is_trial_payment: bool,
    paid_at: Option<Stamp>,
    created_at: Stamp,
}

impl OrderRow {
    fn is_paid(&self) -> bool {
        self.status == "paid"
    }

    fn at(&self) -> Timestamp {
        self.paid_at.unwrap_or(self.created_at).into()
    }

    /// An order of nothing, and what a trial cost, pay for no period.
    fn pays(&self) -> bool {
        !self.is_trial_payment && !self.amount.0.as_ref().is_ok_and(rust_decimal::Decimal::is_zero)
    }
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
        let mut orders = orders(connection, &chunk, wanted.which.orders_until(wanted.now), wanted.now)?;
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

/// Orders of the tenants whose subscriptions expire at `until` or before, by tenant: paid ones that are not booked,
/// and pending ones. Where `until` is now, for a page of reminders nothing is asked.
fn orders(
    connection: &mut Connection,
    page: &[Candidate],
    until: Timestamp,
    now: Timestamp,
) -> Outcome<HashMap<RowId, Vec<RecentOrder>>> {
    let expired = |candidate: &Candidate| candidate.seen.expires_at.filter(|at| *at <= until);
    let Some(earliest) = page.iter().filter_map(expired).min() else { return Ok(HashMap::new()) };
    // What expires in a month may have an order that was made today.
    let earliest = earliest.min(now);
    let tenants: Vec<RowId> = page
        .iter()
        .filter(|candidate| expired(candidate).is_some())
        .map(|candidate| RowId(candidate.tenant.id.0))
        .collect();
    let paid_since = Stamp::from(earliest.checked_sub(PAID_BEFORE).unwrap_or(Timestamp::MIN));
    let pending_since = Stamp::from(now.checked_sub(PAYING_FOR).unwrap_or(Timestamp::MIN));
    // A paid order that our ledger does not hold for paid was booked by nobody as far as we know. What is pending
    // of ours is an open attempt.
    let ours = attempts::table
        .filter(attempts::order_id.eq(payment_orders::order_id))
        .filter(attempts::state.eq("paid").or(payment_orders::status.eq("pending")));
    let renewals = payment_orders::order_id.like("REC-%").or(payment_orders::order_id.like("RETRY-%"));
    let booked = booked(connection, &tenants)?;
    let expiries: HashMap<RowId, Timestamp> =
        page.iter().filter_map(|candidate| Some((RowId(candidate.tenant.id.0), candidate.seen.expires_at?))).collect();
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
                .or(payment_orders::status.eq("pending").and(
                    payment_orders::created_at
                        .ge(pending_since)
                        .or(renewals.and(payment_orders::created_at.ge(paid_since)))
                )),
        )
        .filter(not(exists(ours)))
        .order(payment_orders::id)
        .select(OrderRow::as_select())
        .load(c))?;
    let mut orders: HashMap<RowId, Vec<RecentOrder>> = HashMap::new();
    for row in rows.into_iter().filter(OrderRow::pays) {
        let Some(tenant) = row.tenant_id else { continue };
        let (paid, at) = (row.is_paid(), row.at());
        // What was paid after the expiry and is booked, and has not moved it beyond that, was booked into the past.
        let is_booked = || booked.get(&tenant).is_some_and(|booked| at <= *booked);
        let is_after_expiry = || expiries.get(&tenant).is_some_and(|expiry| at > *expiry);
        if !paid || !is_booked() || is_after_expiry() {
            orders.entry(tenant).or_default().push(RecentOrder { order: row.order_id, paid, at });
        }
    }
    Ok(orders)
}

/// When the last payment of each tenant's subscription was booked (`last_billed_at`): what was paid before is in
/// its dates.
fn booked(connection: &mut Connection, tenants: &[RowId]) -> Outcome<HashMap<RowId, Timestamp>> {
    let rows: Vec<(RowId, Option<Stamp>)> = on!(connection, |c| subscriptions::table
        .filter(subscriptions::tenant_id.eq_any(tenants))
        .select((subscriptions::tenant_id, subscriptions::last_billed_at))
        .load(c))?;
    Ok(rows.into_iter().filter_map(|(tenant, at)| Some((tenant, at?.into()))).collect())
}

//! Suspending, and lifting that: decided once more under a lock on the subscription's row, by what is read
//! then. Whoever prepares a charge or settles one takes the same lock first.

use diesel::prelude::*;
use echodesk_billing::model::Account;
use echodesk_billing::ports::{Lifted, Suspended};
use echodesk_billing::rules::expiry::{self, Decision, ExpiryPolicy, Lift};
use echodesk_core::notice::NewNotice;
use echodesk_core::{SubscriptionId, TenantId};
use jiff::Timestamp;
use serde_json::json;

use super::accounts;
use crate::billing::candidates::{Wanted, Which};
use crate::billing::events::{self, StatusEvent};
use crate::billing::suspensions;
use crate::connection::{Connection, on};
use crate::error::{Failure, Outcome};
use crate::notices;
use crate::sql_types::{Id, RowId, Stamp};
use crate::tables::{subscriptions, tenants};

pub(super) fn suspend(
    connection: &mut Connection,
    subscription: SubscriptionId,
    policy: &ExpiryPolicy,
    now: Timestamp,
    with_retries: bool,
) -> Outcome<Suspended> {
    lock(connection, subscription)?;
    let wanted = Wanted { which: Which::One(subscription), tenant: None, after: None, limit: 1, now, with_retries };
    let Some(account) = accounts::load(connection, &wanted)?.pop() else { return Ok(Suspended::Changed) };
    match expiry::judge(&account, policy, now) {
        Decision::Suspend(notice) => carry_out(connection, &account, &notice, now),
        Decision::Withhold(_, why) => Ok(Suspended::Withheld(why)),
        Decision::Nothing(_) | Decision::Notify(..) => Ok(Suspended::Changed),
    }
}

fn carry_out(connection: &mut Connection, account: &Account, notice: &NewNotice, now: Timestamp) -> Outcome<Suspended> {
    let candidate = &account.candidate;
    let (subscription, tenant) = (candidate.subscription, candidate.tenant.id);
    // Only what has expired is suspended.
    let Some(expired_at) = candidate.seen.expires_at else { return Ok(Suspended::Changed) };
    // The tenant's row is not locked: it is the first that is written, so that nothing is if it has changed.
    if !set_tenant(connection, tenant, false)? {
        return Ok(Suspended::Changed);
    }
    if !set_subscription(connection, subscription, false, now)? {
        return Err(Failure::Refused("its row changed under our lock".to_owned()));
    }
    let event = StatusEvent {
        kind: "suspended",
        subscription,
        tenant,
        old: events::active(true, true),
        new: events::active(false, false),
        metadata: json!({ "source": "expiry", "expires_at": expired_at.to_string() }),
        description: format!("Suspended: not paid since it expired at {expired_at}. Nothing was deleted."),
    };
    events::write_status(connection, &event, now)?;
    suspensions::add(connection, (subscription, tenant), expired_at, now)?;
    notices::queue(connection, tenant, notice)?;
    Ok(Suspended::Done)
}

pub(super) fn lift(connection: &mut Connection, subscription: SubscriptionId, now: Timestamp) -> Outcome<Lifted> {
    lock(connection, subscription)?;
    let Some(suspension) = suspensions::of(connection, subscription)? else { return Ok(Lifted::Stands) };
    let notice = match expiry::lift(&suspension, now) {
        Lift::Stands | Lift::StandsThoughExtended(_) => return Ok(Lifted::Stands),
        Lift::Lifted => {
            suspensions::note_lifted(connection, subscription, now)?;
            return Ok(Lifted::Noted);
        }
        Lift::Reactivate(notice) => notice,
    };
    // Lifted only for a date that it is paid until.
    let Some(paid_until) = suspension.expires_at else { return Ok(Lifted::Stands) };
    let tenant = suspension.tenant.id;
    if !suspension.active {
        set_subscription(connection, subscription, true, now)?;
    }
    if !suspension.tenant.is_active {
        set_tenant(connection, tenant, true)?;
    }
    let event = StatusEvent {
        kind: "reactivated",
        subscription,
        tenant,
        old: events::active(suspension.active, suspension.tenant.is_active),
        new: events::active(true, true),
        metadata: json!({
            "source": "expiry",
            "suspended_at": suspension.suspended_at.to_string(),
            "expires_at": paid_until.to_string(),
        }),
        description: format!("Active again: paid until {paid_until}"),
    };
    events::write_status(connection, &event, now)?;
    suspensions::note_lifted(connection, subscription, now)?;
    notices::queue(connection, tenant, &notice)?;
    Ok(Lifted::Reactivated(paid_until))
}

/// In a statement of its own: what is read next is then what whoever held the lock before has left.
fn lock(connection: &mut Connection, subscription: SubscriptionId) -> Outcome<()> {
    // SQLite has locked the file already.
    if let Connection::Postgres(c) = connection {
        // Not FOR UPDATE: others may go on referring to the row.
        diesel::sql_query("SELECT id FROM public.tenants_tenant_subscription WHERE id = $1 FOR NO KEY UPDATE")
            .bind::<Id, _>(RowId(subscription.0))
            .execute(&mut **c)?;
    }
    Ok(())
}

/// Says whether it was otherwise.
fn set_tenant(connection: &mut Connection, tenant: TenantId, active: bool) -> Outcome<bool> {
    let target = tenants::table.filter(tenants::id.eq(RowId(tenant.0))).filter(tenants::is_active.eq(!active));
    Ok(on!(connection, |c| diesel::update(target).set(tenants::is_active.eq(active)).execute(c))? == 1)
}

/// Says whether it was otherwise.
fn set_subscription(
    connection: &mut Connection,
    subscription: SubscriptionId,
    active: bool,
    now: Timestamp,
) -> Outcome<bool> {
    let target = subscriptions::table
        .filter(subscriptions::id.eq(RowId(subscription.0)))
        .filter(subscriptions::is_active.eq(!active));
    let change = (subscriptions::is_active.eq(active), subscriptions::updated_at.eq(Stamp::from(now)));
    Ok(on!(connection, |c| diesel::update(target).set(change).execute(c))? == 1)
}

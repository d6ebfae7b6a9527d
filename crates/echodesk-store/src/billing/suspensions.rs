//! `echodesk_suspension`: what we have suspended, and whether it was lifted.

use diesel::prelude::*;
use echodesk_billing::model::Suspension;
use echodesk_core::{SubscriptionId, TenantId};
use jiff::Timestamp;

use super::ledger::rows;
use crate::connection::{Connection, on};
use crate::error::Outcome;
use crate::sql_types::{RowId, Stamp};
use crate::tables::{subscriptions, suspensions, tenants};
use crate::tenants::Row as TenantRow;

/// Which suspensions are wanted, of those that are not known to be lifted.
#[derive(Clone, Copy)]
pub(super) struct Wanted {
    pub(super) tenant: Option<TenantId>,
    pub(super) after: Option<SubscriptionId>,
    pub(super) limit: usize,
}

type Found = ((RowId, bool, Option<Stamp>), TenantRow, (Stamp, Stamp));

/// A page, ascending by subscription. A tenant whose schema name cannot be used is left out and the page
/// filled up with those that follow, as with candidates.
pub(super) fn load(connection: &mut Connection, wanted: Wanted) -> Outcome<Vec<Suspension>> {
    let mut page = Vec::new();
    let mut after = wanted.after.map_or(i64::MIN, |after| after.0);
    while page.len() < wanted.limit {
        let missing = wanted.limit - page.len();
        let found = read(connection, wanted.tenant, None, after, missing)?;
        let is_last = found.len() < missing;
        for found in found {
            after = found.0.0.0;
            page.extend(suspension(found));
        }
        if is_last {
            break;
        }
    }
    Ok(page)
}

/// The one of a subscription.
pub(super) fn of(connection: &mut Connection, subscription: SubscriptionId) -> Outcome<Option<Suspension>> {
    Ok(read(connection, None, Some(subscription), i64::MIN, 1)?.into_iter().find_map(suspension))
}

fn read(
    connection: &mut Connection,
    tenant: Option<TenantId>,
    subscription: Option<SubscriptionId>,
    after: i64,
    limit: usize,
) -> Outcome<Vec<Found>> {
    Ok(on!(connection, |c| {
        let mut query = suspensions::table
            .inner_join(subscriptions::table.inner_join(tenants::table))
            .filter(suspensions::lifted_at.is_null())
            .filter(suspensions::subscription_id.gt(RowId(after)))
            .order(suspensions::subscription_id)
            .limit(rows(limit))
            .select((
                (subscriptions::id, subscriptions::is_active, subscriptions::expires_at),
                TenantRow::as_select(),
                (suspensions::expired_at, suspensions::suspended_at),
            ))
            .into_boxed();
        if let Some(tenant) = tenant {
            query = query.filter(subscriptions::tenant_id.eq(RowId(tenant.0)));
        }
        if let Some(subscription) = subscription {
            query = query.filter(suspensions::subscription_id.eq(RowId(subscription.0)));
        }
        query.load(c)
    })?)
}

fn suspension(((id, active, expires_at), tenant, (expired_at, suspended_at)): Found) -> Option<Suspension> {
    let schema = tenant.schema_name().parse().ok()?;
    Some(Suspension {
        subscription: SubscriptionId(id.0),
        tenant: tenant.into_tenant(schema),
        active,
        expires_at: expires_at.map(Into::into),
        expired_at: expired_at.into(),
        suspended_at: suspended_at.into(),
    })
}

/// Writes one down. An older one that nobody has noted as lifted is over: what is suspended now was active.
pub(super) fn add(
    connection: &mut Connection,
    (subscription, tenant): (SubscriptionId, TenantId),
    expired_at: Timestamp,
    now: Timestamp,
) -> Outcome<()> {
    note_lifted(connection, subscription, now)?;
    let row = (
        suspensions::subscription_id.eq(RowId(subscription.0)),
        suspensions::tenant_id.eq(RowId(tenant.0)),
        suspensions::expired_at.eq(Stamp::from(expired_at)),
        suspensions::suspended_at.eq(Stamp::from(now)),
    );
    on!(connection, |c| diesel::insert_into(suspensions::table).values(row).execute(c))?;
    Ok(())
}

/// Notes that a subscription is not suspended any more.
pub(super) fn note_lifted(connection: &mut Connection, subscription: SubscriptionId, now: Timestamp) -> Outcome<()> {
    let open = suspensions::table
        .filter(suspensions::subscription_id.eq(RowId(subscription.0)))
        .filter(suspensions::lifted_at.is_null());
    let lifted = suspensions::lifted_at.eq(Some(Stamp::from(now)));
    on!(connection, |c| diesel::update(open).set(lifted).execute(c))?;
    Ok(())
}

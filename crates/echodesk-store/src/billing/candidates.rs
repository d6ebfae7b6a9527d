//! What may be due, with all that decides about it: a few queries for each page, however long it is.

mod details;

use diesel::define_sql_function;
use diesel::prelude::*;
use diesel::sql_types::Nullable;
use echodesk_billing::model::Candidate;
use echodesk_billing::rules::period::Window;
use echodesk_core::{SchemaName, SubscriptionId, TenantId};
use jiff::Timestamp;

use self::details::Details;
use super::ledger::rows;
use super::seen::SubscriptionRow;
use crate::connection::{Connection, on};
use crate::error::Outcome;
use crate::sql_types::{Moment, RowId, Stamp};
use crate::tables::{subscriptions, tenants};
use crate::tenants::Row as TenantRow;

define_sql_function! {
    fn coalesce(first: Nullable<Moment>, second: Nullable<Moment>) -> Nullable<Moment>;
}

/// Subscriptions whose details are read together: far below SQLite's 32,766 parameters.
const CHUNK: usize = 500;

/// Which subscriptions are wanted.
#[derive(Clone, Copy)]
pub(crate) enum Which<'a> {
    /// Those whose renewal date is in a window.
    Due(&'a Window),
    /// Active ones of active tenants that expire then or before.
    ExpiringBy(Timestamp),
    /// Active ones of active tenants whose renewal date is then or before.
    RenewingBy(Timestamp),
    /// One, whatever its state.
    One(SubscriptionId),
    /// All, whatever their state and dates.
    All,
}

impl Which<'_> {
    /// The last expiry of which orders count as well: of what expires later, none has a say yet.
    pub(crate) fn orders_until(&self, now: Timestamp) -> Timestamp {
        match self {
            Self::Due(_) | Self::ExpiringBy(_) | Self::One(_) => now,
            Self::RenewingBy(_) | Self::All => Timestamp::MAX,
        }
    }
}

/// A page of which subscriptions is wanted.
pub(crate) struct Wanted<'a> {
    pub(crate) which: Which<'a>,
    pub(crate) tenant: Option<TenantId>,
    pub(crate) after: Option<SubscriptionId>,
    pub(crate) limit: usize,
    pub(crate) now: Timestamp,
    /// Whether EchoDesk has a table of retries here.
    pub(crate) with_retries: bool,
}

/// A subscription in the window, with its tenant, whose schema name can be used.
struct Due {
    row: SubscriptionRow,
    tenant: TenantRow,
    schema: SchemaName,
    provider: String,
}

/// A page of candidates. A tenant whose schema name cannot be used is left out, and the page filled up
/// with those that follow: inspection tells of it, and it must not stop the others.
pub(crate) fn load(connection: &mut Connection, wanted: &Wanted<'_>) -> Outcome<Vec<Candidate>> {
    let mut due: Vec<Due> = Vec::new();
    let mut after = wanted.after.map_or(i64::MIN, |after| after.0);
    while due.len() < wanted.limit {
        let missing = wanted.limit - due.len();
        let page = read(connection, wanted, after, missing)?;
        let is_last = page.len() < missing;
        for (row, tenant, provider) in page {
            after = row.id.0;
            if let Ok(schema) = tenant.schema_name().parse() {
                due.push(Due { row, tenant, schema, provider });
            }
        }
        if is_last {
            break;
        }
    }
    let mut candidates = Vec::with_capacity(due.len());
    let mut due = due.into_iter().peekable();
    while due.peek().is_some() {
        let chunk: Vec<Due> = due.by_ref().take(CHUNK).collect();
        let mut details = Details::load(connection, wanted, &chunk)?;
        candidates.extend(chunk.into_iter().map(|due| details.complete(due)));
    }
    Ok(candidates)
}

/// Ascending by id from where the last page ended, so that no page looks again at what others have
/// looked at.
fn read(
    connection: &mut Connection,
    wanted: &Wanted<'_>,
    after: i64,
    limit: usize,
) -> Outcome<Vec<(SubscriptionRow, TenantRow, String)>> {
    let renewal = || coalesce(subscriptions::expires_at, subscriptions::next_billing_date);
    Ok(on!(connection, |c| {
        let mut query = subscriptions::table
            .inner_join(tenants::table)
            .filter(subscriptions::id.gt(RowId(after)))
            .order(subscriptions::id)
            .limit(rows(limit))
            .select((SubscriptionRow::as_select(), TenantRow::as_select(), tenants::payment_provider))
            .into_boxed();
        query = match wanted.which {
            Which::Due(window) => {
                query.filter(renewal().gt(Stamp::from(window.after))).filter(renewal().le(Stamp::from(window.until)))
            }
            Which::ExpiringBy(until) => query
                .filter(subscriptions::is_active.eq(true))
                .filter(tenants::is_active.eq(true))
                .filter(subscriptions::expires_at.le(Stamp::from(until))),
            Which::RenewingBy(until) => query
                .filter(subscriptions::is_active.eq(true))
                .filter(tenants::is_active.eq(true))
                .filter(renewal().le(Stamp::from(until))),
            Which::One(subscription) => query.filter(subscriptions::id.eq(RowId(subscription.0))),
            Which::All => query,
        };
        if let Some(tenant) = wanted.tenant {
            query = query.filter(subscriptions::tenant_id.eq(RowId(tenant.0)));
        }
        query.load(c)
    })?)
}

//! The ledger of charge attempts as a person sees it: listing, and deciding what no run can.

mod entry;

use diesel::dsl::sql;
use diesel::prelude::*;
use diesel::sql_types::Bool;
use echodesk_billing::model::{AttemptState, OrderId};
use echodesk_billing::ports::Claim;
use echodesk_core::{AttemptId, StoreError, TenantId};
use jiff::Timestamp;
use serde_json::json;

use crate::Store;
use crate::billing::claims::LEFT;
use crate::billing::ledger::OPEN;
use crate::connection::{Connection, Place, on};
use crate::error::{Failure, Outcome};
use crate::sql_types::{JsonText, RowId, Stamp, UuidValue};
use crate::tables::{attempts, payment_orders, subscription_events};
use crate::text::{clean, without_nul};
use entry::Row;

pub use entry::LedgerEntry;

/// Which attempts are listed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LedgerFilter {
    /// Those that a person may have to look at.
    OpenOrInTrouble,
    /// Those whose money may still move.
    Open,
    /// Those of which it is not known whether the bank has charged.
    Unknown,
    /// All.
    All,
}

impl Store {
    /// Attempts of the ledger, ascending by id after `after`, at most `limit`. Claims nothing.
    ///
    /// # Errors
    /// The database is away, or a row cannot be read.
    pub fn ledger(
        &self,
        filter: LedgerFilter,
        tenant: Option<TenantId>,
        after: Option<AttemptId>,
        limit: usize,
    ) -> Result<Vec<LedgerEntry>, StoreError> {
        let limit = i64::try_from(limit).unwrap_or(i64::MAX);
        self.read(Place::Public, "reading the charge attempts", |c| {
            let rows: Vec<Row> = on!(c, |c| {
                let mut query = attempts::table.select(Row::as_select()).order(attempts::id).limit(limit).into_boxed();
                match filter {
                    LedgerFilter::OpenOrInTrouble => query = query.filter(sql::<Bool>(LEFT)),
                    LedgerFilter::Open => {
                        query = query.filter(sql::<Bool>(LEFT)).filter(attempts::state.eq_any(OPEN));
                    }
                    LedgerFilter::Unknown => {
                        let unknown = [AttemptState::Prepared, AttemptState::Unknown].map(AttemptState::code);
                        query = query.filter(sql::<Bool>(LEFT)).filter(attempts::state.eq_any(unknown));
                    }
                    LedgerFilter::All => {}
                }
                if let Some(tenant) = tenant {
                    query = query.filter(attempts::tenant_id.eq(RowId(tenant.0)));
                }
                if let Some(after) = after {
                    query = query.filter(attempts::id.gt(after.0));
                }
                query.load(c)
            })?;
            rows.into_iter().map(Row::read).collect()
        })
    }

    /// One of them, by our name of its order.
    ///
    /// # Errors
    /// The database is away, or the row cannot be read.
    pub fn ledger_entry(&self, order: &OrderId) -> Result<Option<LedgerEntry>, StoreError> {
        self.read(Place::Public, &format!("reading the charge attempt of order {order}"), |c| {
            let row: Option<Row> = on!(c, |c| attempts::table
                .filter(attempts::order_id.eq(order.as_str()))
                .select(Row::as_select())
                .first(c)
                .optional())?;
            row.map(Row::read).transpose()
        })
    }

    /// Claims one attempt, in whatever state it is; says whether. A claim that another run holds and that
    /// has not run out is respected.
    ///
    /// # Errors
    /// The database is away.
    pub fn claim_attempt(&self, attempt: AttemptId, claim: &Claim) -> Result<bool, StoreError> {
        self.write(Place::Public, &format!("claiming charge attempt {attempt}"), |c| {
            let (now, until) = (Stamp::from(claim.now), Stamp::from(claim.until));
            let free = attempts::claimed_until.is_null().or(attempts::claimed_until.le(now));
            let wanted = attempts::table.filter(attempts::id.eq(attempt.0)).filter(free);
            // Whoever has written it down is not the only one any more who may know whether it was sent.
            let claimed = (
                attempts::claimed_by.eq(UuidValue(claim.run.0)),
                attempts::claimed_until.eq(until),
                attempts::sender.eq(None::<UuidValue>),
                attempts::updated_at.eq(now),
            );
            Ok(on!(c, |c| diesel::update(wanted).set(claimed).execute(c))? == 1)
        })
    }

    /// Takes an attempt's trouble off and writes into the subscription's history that a person has done
    /// so, and why. Says whether there was any.
    ///
    /// # Errors
    /// The database is away; there is no such attempt.
    pub fn clear_trouble(&self, attempt: AttemptId, because: &str, now: Timestamp) -> Result<bool, StoreError> {
        let what = format!("writing down that the trouble of charge attempt {attempt} is done with");
        self.write(Place::Public, &what, |c| clear_trouble(c, attempt, because, now))
    }
}

/// A tenant's attempts, newest first, at most `limit`.
pub(crate) fn newest_of(connection: &mut Connection, tenant: TenantId, limit: usize) -> Outcome<Vec<LedgerEntry>> {
    let rows: Vec<Row> = on!(connection, |c| attempts::table
        .filter(attempts::tenant_id.eq(RowId(tenant.0)))
        .order(attempts::id.desc())
        .limit(i64::try_from(limit).unwrap_or(i64::MAX))
        .select(Row::as_select())
        .load(c))?;
    rows.into_iter().map(Row::read).collect()
}

fn clear_trouble(connection: &mut Connection, attempt: AttemptId, because: &str, now: Timestamp) -> Outcome<bool> {
    let row = attempts::table.filter(attempts::id.eq(attempt.0));
    let now = Stamp::from(now);
    let found: Option<Row> = on!(&mut *connection, |c| row.select(Row::as_select()).first(c).optional())?;
    let Some(entry) = found.map(Row::read).transpose()? else {
        return Err(Failure::Refused("there is no such attempt".to_owned()));
    };
    // What comes up from here on is not what the person has dealt with.
    let in_trouble = row.filter(attempts::trouble.eq(&entry.attempt.trouble)).filter(attempts::trouble.is_not_null());
    let cleared = (attempts::trouble.eq(None::<String>), attempts::updated_at.eq(now));
    if on!(&mut *connection, |c| diesel::update(in_trouble).set(cleared).execute(c))? == 0 {
        return Ok(false);
    }
    let attempt = &entry.attempt;
    let order: Option<RowId> = on!(&mut *connection, |c| payment_orders::table
        .filter(payment_orders::order_id.eq(attempt.order.as_str()))
        .select(payment_orders::id)
        .first(c)
        .optional())?;
    // EchoDesk knows no event for this; the nearest of its own is how the attempt has ended.
    let kind = if attempt.state == AttemptState::Paid { "payment_success" } else { "payment_failed" };
    let metadata = json!({
        "type": "trouble_resolved",
        "order_id": attempt.order,
        "attempt": attempt.number,
        "source": "person",
        "because": because,
        "trouble": attempt.trouble,
    });
    let event = (
        subscription_events::event_type.eq(kind),
        subscription_events::metadata.eq(JsonText(clean(metadata).to_string())),
        subscription_events::description.eq(without_nul(&format!(
            "Order {}: a person has dealt with its trouble: {because}",
            attempt.order
        ))
        .into_owned()),
        subscription_events::created_at.eq(now),
        subscription_events::payment_order_id.eq(order),
        subscription_events::subscription_id.eq(RowId(attempt.subscription.0)),
        subscription_events::tenant_id.eq(RowId(attempt.tenant.0)),
    );
    on!(connection, |c| diesel::insert_into(subscription_events::table).values(event).execute(c))?;
    Ok(true)
}

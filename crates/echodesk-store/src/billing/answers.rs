//! What the bank's answer to a call changes, as long as it is not final.

use diesel::prelude::*;
use echodesk_billing::model::{Attempt, BankOrderId};
use echodesk_core::{AttemptId, RunId};
use jiff::Timestamp;

use super::ledger::Row;
use super::refusal::TEXT_CHARS;
use crate::connection::{Connection, on};
use crate::error::{Failure, Outcome};
use crate::sql_types::{Stamp, UuidValue};
use crate::tables::{attempts, payment_orders};
use crate::text::cut;

/// `varchar(100)` in EchoDesk's table.
pub(crate) const BANK_ORDER_CHARS: usize = 100;

pub(crate) fn accepted(
    connection: &mut Connection,
    attempt: AttemptId,
    order: &BankOrderId,
    now: Timestamp,
) -> Outcome<Attempt> {
    let name = &*cut(order.as_str(), BANK_ORDER_CHARS);
    let waiting = attempts::table
        .filter(attempts::id.eq(attempt.0))
        .filter(attempts::state.eq_any(["prepared", "unknown"]))
        .filter(attempts::bank_order_id.is_null().or(attempts::bank_order_id.eq(name)));
    let state = (
        attempts::state.eq("accepted"),
        attempts::bank_order_id.eq(Some(name)),
        attempts::last_error.eq(None::<&str>),
        attempts::updated_at.eq(Stamp::from(now)),
    );
    let row: Option<Row> = on!(&mut *connection, |c| diesel::update(waiting)
        .set(state)
        .returning(Row::as_returning())
        .get_result(c)
        .optional())?;
    let Some(row) = row else { return named_late(connection, attempt, name, now) };
    let attempt = row.into_attempt()?;
    let unnamed = payment_orders::table
        .filter(payment_orders::order_id.eq(attempt.order.as_str()))
        .filter(payment_orders::bog_order_id.is_null().or(payment_orders::bog_order_id.eq("")));
    let named = (payment_orders::bog_order_id.eq(Some(name)), payment_orders::updated_at.eq(Stamp::from(now)));
    on!(connection, |c| diesel::update(unnamed).set(named).execute(c))?;
    Ok(attempt)
}

/// The bank names an order of an attempt that has a name already, or is closed without one.
fn named_late(connection: &mut Connection, id: AttemptId, name: &str, now: Timestamp) -> Outcome<Attempt> {
    let attempt = locked(connection, id)?;
    let trouble = match &attempt.bank_order {
        Some(known) if known.as_str() == name => return Ok(attempt),
        Some(known) => format!("the bank calls its order {name} now, and {known} before: it may have charged twice"),
        None => format!("the bank has made order {name} of it after it was closed as {}", attempt.state.code()),
    };
    let known = attempt.bank_order.as_ref().map_or(name, BankOrderId::as_str);
    let target = attempts::table.filter(attempts::id.eq(id.0));
    let set = (
        attempts::bank_order_id.eq(Some(known)),
        attempts::trouble.eq(Some(&*trouble)),
        attempts::updated_at.eq(Stamp::from(now)),
    );
    let row: Row = on!(connection, |c| diesel::update(target).set(set).returning(Row::as_returning()).get_result(c))?;
    row.into_attempt()
}

pub(crate) fn unanswered(
    connection: &mut Connection,
    attempt: AttemptId,
    why: &str,
    now: Timestamp,
) -> Outcome<Attempt> {
    let waiting =
        attempts::table.filter(attempts::id.eq(attempt.0)).filter(attempts::state.eq_any(["prepared", "unknown"]));
    let state = (
        attempts::state.eq("unknown"),
        attempts::last_error.eq(Some(cut(why, TEXT_CHARS).into_owned())),
        attempts::updated_at.eq(Stamp::from(now)),
    );
    let row: Option<Row> = on!(&mut *connection, |c| diesel::update(waiting)
        .set(state)
        .returning(Row::as_returning())
        .get_result(c)
        .optional())?;
    match row {
        Some(row) => row.into_attempt(),
        None => locked(connection, attempt),
    }
}

pub(crate) fn not_sent(
    connection: &mut Connection,
    attempt: AttemptId,
    run: RunId,
    why: &str,
    now: Timestamp,
) -> Outcome<bool> {
    let run = UuidValue(run.0);
    let own = attempts::table
        .filter(attempts::id.eq(attempt.0))
        .filter(attempts::state.eq("prepared"))
        .filter(attempts::claimed_by.eq(run))
        .filter(attempts::sender.eq(run));
    let state = (
        attempts::state.eq("not_sent"),
        attempts::closed_at.eq(Some(Stamp::from(now))),
        attempts::last_error.eq(Some(cut(why, TEXT_CHARS).into_owned())),
        attempts::claimed_by.eq(None::<UuidValue>),
        attempts::claimed_until.eq(None::<Stamp>),
        attempts::sender.eq(None::<UuidValue>),
        attempts::updated_at.eq(Stamp::from(now)),
    );
    let order: Option<String> = on!(&mut *connection, |c| diesel::update(own)
        .set(state)
        .returning(attempts::order_id)
        .get_result(c)
        .optional())?;
    let Some(order) = order else { return Ok(false) };
    let pending =
        payment_orders::table.filter(payment_orders::order_id.eq(order)).filter(payment_orders::status.eq("pending"));
    let cancelled = (payment_orders::status.eq("cancelled"), payment_orders::updated_at.eq(Stamp::from(now)));
    on!(connection, |c| diesel::update(pending).set(cancelled).execute(c))?;
    Ok(true)
}

pub(crate) fn set_trouble(
    connection: &mut Connection,
    attempt: AttemptId,
    trouble: Option<&str>,
    now: Timestamp,
) -> Outcome<()> {
    let target = attempts::table.filter(attempts::id.eq(attempt.0));
    let set = (
        attempts::trouble.eq(trouble.map(|text| cut(text, TEXT_CHARS).into_owned())),
        attempts::updated_at.eq(Stamp::from(now)),
    );
    let rows = on!(connection, |c| diesel::update(target).set(set).execute(c))?;
    if rows == 0 { Err(missing(attempt)) } else { Ok(()) }
}

/// An attempt, which nobody else changes until the transaction ends.
fn locked(connection: &mut Connection, attempt: AttemptId) -> Outcome<Attempt> {
    let one = attempts::table.filter(attempts::id.eq(attempt.0));
    let row: Option<Row> = match connection {
        Connection::Postgres(c) => one.select(Row::as_select()).for_update().first(c).optional()?,
        Connection::Sqlite(c) => one.select(Row::as_select()).first(&mut **c).optional()?,
    };
    row.ok_or_else(|| missing(attempt))?.into_attempt()
}

pub(crate) fn missing(attempt: AttemptId) -> Failure {
    Failure::Refused(format!("there is no charge attempt {attempt}"))
}

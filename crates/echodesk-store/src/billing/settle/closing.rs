//! What every end of an attempt has in common: its own row and its payment order.

use diesel::prelude::*;
use echodesk_billing::model::{Attempt, AttemptState};
use echodesk_billing::ports::{Settlement, Source};

use super::standing::{Order, Standing};
use super::word;
use crate::billing::answers::BANK_ORDER_CHARS;
use crate::billing::refusal::{RefusalColumns, TEXT_CHARS};
use crate::billing::{claims, events};
use crate::connection::{Connection, on};
use crate::error::Outcome;
use crate::sql_types::{Stamp, UuidValue};
use crate::tables::{attempts, payment_orders};
use crate::text::cut;

/// The bank's name of the order: as it was known first, else as it is said now.
fn bank_order(attempt: &Attempt, settlement: &Settlement<'_>) -> Option<String> {
    let known = attempt.bank_order.as_ref().or(settlement.bank_order);
    known.map(|name| cut(name.as_str(), BANK_ORDER_CHARS).into_owned())
}

/// Closes the attempt. Trouble that there was stays, unless there is new `trouble` or a person has looked.
pub(super) fn attempt(
    connection: &mut Connection,
    standing: &Standing,
    settlement: &Settlement<'_>,
    state: AttemptState,
    trouble: Option<&str>,
) -> Outcome<()> {
    let refusal = settlement.refusal.map(RefusalColumns::write).unwrap_or_default();
    let (by, because) = events::source(settlement.source);
    let stays = standing.attempt.trouble.as_deref().filter(|_| !matches!(settlement.source, Source::Person { .. }));
    let trouble = match (stays, trouble) {
        (Some(old), Some(new)) => Some(format!("{old}; {new}")),
        (old, new) => old.or(new).map(str::to_owned),
    };
    let target = attempts::table.filter(attempts::id.eq(standing.attempt.id.0));
    let end = (
        attempts::state.eq(state.code()),
        attempts::bank_order_id.eq(bank_order(&standing.attempt, settlement)),
        attempts::closed_at.eq(Some(Stamp::from(settlement.now))),
        refusal,
        attempts::trouble.eq(trouble.map(|text| cut(&text, TEXT_CHARS).into_owned())),
        attempts::settled_by.eq(Some(by)),
        attempts::because.eq(because.map(|text| cut(text, TEXT_CHARS).into_owned())),
        attempts::sender.eq(None::<UuidValue>),
        attempts::updated_at.eq(Stamp::from(settlement.now)),
    );
    // Others keep their claims.
    let ends = settlement.run.is_some() && standing.claimed_by == settlement.run;
    let unclaimed =
        ends.then(|| (attempts::claimed_by.eq(None::<UuidValue>), attempts::claimed_until.eq(None::<Stamp>)));
    on!(connection, |c| diesel::update(target).set((end, unclaimed)).execute(c))?;
    Ok(())
}

/// Gives the claim of the run that settles back, where nothing else changes.
pub(super) fn give_back(connection: &mut Connection, attempt: &Attempt, settlement: &Settlement<'_>) -> Outcome<()> {
    match settlement.run {
        Some(run) => claims::release(connection, run, Some(&[attempt.id])),
        None => Ok(()),
    }
}

/// Sets the order's status, and says whether it did: not if it has changed since it was read.
pub(super) fn order(
    connection: &mut Connection,
    order: &Order,
    attempt: &Attempt,
    settlement: &Settlement<'_>,
    state: AttemptState,
) -> Outcome<bool> {
    let name = order.bank_order.clone().or_else(|| bank_order(attempt, settlement));
    let target =
        payment_orders::table.filter(payment_orders::id.eq(order.id)).filter(payment_orders::status.eq(&order.status));
    let end = (
        payment_orders::status.eq(word(state)),
        payment_orders::bog_order_id.eq(name),
        payment_orders::updated_at.eq(Stamp::from(settlement.now)),
    );
    let rows = if state == AttemptState::Paid {
        let paid_at = payment_orders::paid_at.eq(Some(Stamp::from(settlement.now)));
        on!(connection, |c| diesel::update(target).set((end, paid_at)).execute(c))?
    } else {
        on!(connection, |c| diesel::update(target).set(end).execute(c))?
    };
    Ok(rows > 0)
}

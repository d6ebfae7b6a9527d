//! A captured charge: the subscription is extended, once.

use diesel::prelude::*;
use echodesk_billing::model::{Attempt, AttemptState};
use echodesk_billing::ports::{Settled, Settlement};
use echodesk_billing::rules::period::{Extension, extend as extension_of, same_period};
use echodesk_core::notice::{NewNotice, NoticeKind};
use jiff::Timestamp;

use super::closing;
use super::standing::{Order, Standing, Subscription};
use crate::billing::events::{self, Event};
use crate::billing::{invoices, ledger, retries, saved_cards, suspensions};
use crate::connection::{Connection, on};
use crate::error::Outcome;
use crate::notices;
use crate::sql_types::{RowId, Stamp};
use crate::tables::{subscriptions, tenants};

/// None if the order has changed since it was read.
pub(super) fn settle(
    connection: &mut Connection,
    standing: &Standing,
    settlement: &Settlement<'_>,
    extend: bool,
    late: bool,
    with_retries: bool,
) -> Outcome<Option<Settled>> {
    let attempt = &standing.attempt;
    if extend
        && let Some(order) = &standing.order
        && !closing::order(connection, order, attempt, settlement, AttemptState::Paid)?
    {
        return Ok(None);
    }
    let mut trouble = if late { second_charge(connection, attempt)? } else { None };
    if standing.subscription.is_none() {
        trouble = Some(format!("paid, but subscription {} does not exist any more", attempt.subscription));
    }
    closing::attempt(connection, standing, settlement, AttemptState::Paid, trouble.as_deref())?;

    let mut until = standing.subscription.as_ref().and_then(|subscription| subscription.dates.next_billing_date);
    let mut reactivated = false;
    let extended = standing.subscription.as_ref().filter(|_| extend);
    if let Some(subscription) = extended {
        let extension = extension_of(&subscription.dates, settlement.now);
        (until, reactivated) = (Some(extension.next_billing_date), extension.lifts_suspension);
        prolong(connection, subscription, &extension, settlement)?;
        if reactivated {
            lift(connection, attempt, &extension, settlement)?;
        }
        events::write(connection, &events_of(standing, subscription, &extension, settlement), settlement.now)?;
    }
    let receipt =
        receipt(attempt, saved_cards::masked(connection, attempt.tenant, &attempt.parent)?, until, settlement);
    notices::queue(connection, attempt.tenant, &receipt)?;
    if with_retries {
        let why = format!("paid by order {}", attempt.order);
        retries::cancel(connection, attempt.subscription, &why, settlement.now)?;
    }
    // Last, since everybody who settles waits for the counter of invoices until this is committed.
    if extend && let Some(order) = standing.order.as_ref().filter(|order| !order.has_invoice) {
        invoice(connection, standing, order, settlement)?;
    }
    Ok(Some(Settled::Paid { until, extended: extended.is_some(), reactivated }))
}

/// What is wrong if a charge that was held for unpaid turns out to be paid, and another was made
/// meanwhile.
fn second_charge(connection: &mut Connection, attempt: &Attempt) -> Outcome<Option<String>> {
    let past = ledger::of_subscription(connection, attempt.subscription)?;
    let other = past.iter().find(|other| {
        other.order != attempt.order
            && same_period(other.period, attempt.period)
            && (other.state == AttemptState::Paid || other.state.is_open())
    });
    Ok(other.map(|other| {
        format!(
            "paid although it was closed as {}; order {} may be a second charge for the same period",
            attempt.state.code(),
            other.order
        )
    }))
}

fn prolong(
    connection: &mut Connection,
    subscription: &Subscription,
    extension: &Extension,
    settlement: &Settlement<'_>,
) -> Outcome<()> {
    let target = subscriptions::table.filter(subscriptions::id.eq(subscription.id));
    let now = Stamp::from(settlement.now);
    let paid = (
        subscriptions::expires_at.eq(extension.expires_at.map(Stamp::from)),
        subscriptions::next_billing_date.eq(Some(Stamp::from(extension.next_billing_date))),
        subscriptions::last_billed_at.eq(Some(now)),
        subscriptions::subscription_type.eq("paid"),
        subscriptions::payment_status.eq("current"),
        subscriptions::failed_payment_count.eq(0),
        subscriptions::is_active.eq(subscription.dates.active || extension.lifts_suspension),
        subscriptions::updated_at.eq(now),
    );
    on!(connection, |c| diesel::update(target).set(paid).execute(c))?;
    Ok(())
}

/// The subscription is active again already.
fn lift(
    connection: &mut Connection,
    attempt: &Attempt,
    extension: &Extension,
    settlement: &Settlement<'_>,
) -> Outcome<()> {
    let target = tenants::table.filter(tenants::id.eq(RowId(attempt.tenant.0)));
    on!(&mut *connection, |c| diesel::update(target).set(tenants::is_active.eq(true)).execute(c))?;
    suspensions::note_lifted(connection, attempt.subscription, settlement.now)?;
    let notice = NewNotice {
        kind: NoticeKind::Reactivated { paid_until: extension.next_billing_date },
        subject_key: format!("subscription:{}", attempt.subscription),
        period: attempt.order.to_string(),
        decided_at: settlement.now,
    };
    notices::queue(connection, attempt.tenant, &notice)
}

/// Told whoever has extended the subscription; its period is the order's name, so that it is told once.
fn receipt(
    attempt: &Attempt,
    card: Option<String>,
    paid_until: Option<Timestamp>,
    settlement: &Settlement<'_>,
) -> NewNotice {
    NewNotice {
        kind: NoticeKind::RenewalPaid {
            amount: attempt.amount.to_string(),
            paid_at: settlement.now,
            paid_until,
            order: attempt.order.to_string(),
            card,
        },
        subject_key: format!("subscription:{}", attempt.subscription),
        period: attempt.order.to_string(),
        decided_at: settlement.now,
    }
}

fn events_of<'a>(
    standing: &'a Standing,
    subscription: &Subscription,
    extension: &Extension,
    settlement: &'a Settlement<'_>,
) -> Vec<Event<'a>> {
    let attempt = &standing.attempt;
    let order = standing.order.as_ref().map(|order| order.id);
    let dates = &subscription.dates;
    let event = |kind, old, new, description| Event { kind, attempt, order, settlement, old, new, description };
    let mut events = vec![event(
        "payment_success",
        events::paid_until(dates.expires_at, dates.next_billing_date, &subscription.payment_status),
        events::paid_until(extension.expires_at, Some(extension.next_billing_date), "current"),
        format!("{} paid by the saved card (order {})", attempt.amount, attempt.order),
    )];
    if extension.lifts_suspension {
        events.push(event(
            "reactivated",
            events::active(dates.active, dates.tenant_active),
            events::active(true, true),
            format!("Active again: paid by order {}", attempt.order),
        ));
    }
    events
}

fn invoice(
    connection: &mut Connection,
    standing: &Standing,
    order: &Order,
    settlement: &Settlement<'_>,
) -> Outcome<()> {
    let attempt = &standing.attempt;
    invoices::add(
        connection,
        &invoices::NewInvoice {
            amount: attempt.amount,
            tenant: attempt.tenant,
            order: order.id,
            agent_count: order.agent_count,
            description: format!("Subscription renewal, {} agents (order {})", order.agent_count, attempt.order),
            now: settlement.now,
        },
    )
}

//! A charge that the bank has refused.

use diesel::prelude::*;
use echodesk_billing::model::{Attempt, AttemptState};
use echodesk_billing::ports::{Settled, Settlement};
use echodesk_billing::rules::refusal::{Meaning, meaning};
use echodesk_billing::rules::retry::{Next, next_attempt};
use echodesk_core::notice::{NewNotice, NoticeKind, PaymentProblem};

use super::closing;
use super::standing::{Standing, Subscription};
use crate::billing::events::{self, Event};
use crate::billing::ledger;
use crate::connection::{Connection, on};
use crate::error::Outcome;
use crate::notices;
use crate::sql_types::Stamp;
use crate::tables::subscriptions;

/// None if the order has changed since it was read.
pub(super) fn settle(
    connection: &mut Connection,
    standing: &Standing,
    settlement: &Settlement<'_>,
    count: bool,
) -> Outcome<Option<Settled>> {
    // Asked only about refusals.
    let Some(refusal) = settlement.refusal else { return Ok(None) };
    let attempt = &standing.attempt;
    if count
        && let Some(order) = &standing.order
        && !closing::order(connection, order, attempt, settlement, AttemptState::Failed)?
    {
        return Ok(None);
    }
    closing::attempt(connection, standing, settlement, AttemptState::Failed, None)?;

    // With this attempt among them, as it is now.
    let past = ledger::of_subscription(connection, attempt.subscription)?;
    let next = next_attempt(&past, attempt.period, &attempt.parent, settlement.time_zone);
    let meaning = meaning(refusal);
    if let Some(subscription) = standing.subscription.as_ref().filter(|_| count) {
        // What is not the customer's business does not count against them.
        let status = if meaning.problem.is_some() {
            count_failure(connection, subscription, next, settlement)?
        } else {
            &subscription.payment_status
        };
        let event = event(standing, subscription, status, &meaning, settlement);
        events::write(connection, &[event], settlement.now)?;
    }
    if let Some(problem) = meaning.problem {
        notices::queue(connection, attempt.tenant, &notice(attempt, problem, next, settlement))?;
    }
    Ok(Some(Settled::Failed(next)))
}

/// Counts a failure and says what the subscription's `payment_status` is then.
fn count_failure(
    connection: &mut Connection,
    subscription: &Subscription,
    next: Next,
    settlement: &Settlement<'_>,
) -> Outcome<&'static str> {
    let status = if matches!(next, Next::On(_)) { "retrying" } else { "failed" };
    let target = subscriptions::table.filter(subscriptions::id.eq(subscription.id));
    let now = Stamp::from(settlement.now);
    let failed = (
        subscriptions::payment_status.eq(status),
        subscriptions::failed_payment_count.eq(subscription.failed_payment_count.saturating_add(1)),
        subscriptions::last_payment_failure.eq(Some(now)),
        subscriptions::updated_at.eq(now),
    );
    on!(connection, |c| diesel::update(target).set(failed).execute(c))?;
    Ok(status)
}

fn event<'a>(
    standing: &'a Standing,
    subscription: &Subscription,
    status: &str,
    meaning: &Meaning,
    settlement: &'a Settlement<'_>,
) -> Event<'a> {
    let attempt = &standing.attempt;
    let dates = &subscription.dates;
    let with = |status| events::paid_until(dates.expires_at, dates.next_billing_date, status);
    Event {
        kind: "payment_failed",
        attempt,
        order: standing.order.as_ref().map(|order| order.id),
        settlement,
        old: with(&subscription.payment_status),
        new: with(status),
        description: format!(
            "{} not paid by the saved card (order {}): {}",
            attempt.amount, attempt.order, meaning.words
        ),
    }
}

fn notice(attempt: &Attempt, problem: PaymentProblem, next: Next, settlement: &Settlement<'_>) -> NewNotice {
    let next_attempt = match next {
        Next::On(day) => Some(day),
        Next::Now | Next::WhenCardChanges | Next::Exhausted => None,
    };
    NewNotice {
        kind: NoticeKind::PaymentFailed {
            amount: attempt.amount.to_string(),
            problem,
            next_attempt,
            renewal: attempt.period,
        },
        subject_key: format!("subscription:{}", attempt.subscription),
        period: attempt.order.to_string(),
        decided_at: settlement.now,
    }
}

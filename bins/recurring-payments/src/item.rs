//! A renewal as machines read it.

use echodesk_billing::rules::retry::Next;
use echodesk_billing::run::{Outcome, RenewalEvent};
use jiff::Timestamp;
use jiff::civil::Date;
use serde::Serialize;

/// One entry of `subscriptions` in the report.
#[derive(Debug, Serialize)]
pub(crate) struct Item<'a> {
    tenant: &'a str,
    subscription: i64,
    /// In major units with two decimals, as text: `50.00`.
    amount: Option<String>,
    currency: Option<String>,
    /// The renewal date that is paid for.
    period: Option<Timestamp>,
    order: Option<&'a str>,
    outcome: &'static str,
    /// Whether it is among those that make the exit code 1.
    failure: bool,
    /// Why it was skipped, as a name that stays the same.
    #[serde(skip_serializing_if = "Option::is_none")]
    code: Option<&'static str>,
    /// In words.
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    paid_until: Option<Timestamp>,
    #[serde(skip_serializing_if = "Option::is_none")]
    reactivated: Option<bool>,
    /// When a refused charge is tried again: `now`, `later`, `when_card_changes` or `exhausted`.
    #[serde(skip_serializing_if = "Option::is_none")]
    next: Option<&'static str>,
    /// The day that `later` means.
    #[serde(skip_serializing_if = "Option::is_none")]
    next_on: Option<Date>,
}

impl<'a> Item<'a> {
    pub(crate) fn of(event: &'a RenewalEvent) -> Self {
        let mut item = Self {
            tenant: event.tenant.as_str(),
            subscription: event.subscription.0,
            amount: event.amount.map(|amount| format!("{:.2}", amount.amount())),
            currency: event.amount.map(|amount| amount.currency().to_string()),
            period: event.period,
            order: event.order.as_ref().map(|order| order.as_str()),
            outcome: event.outcome.code(),
            failure: event.outcome.is_failure(),
            code: None,
            reason: None,
            paid_until: None,
            reactivated: None,
            next: None,
            next_on: None,
        };
        match &event.outcome {
            Outcome::Paid { until, reactivated } => {
                (item.paid_until, item.reactivated) = (*until, Some(*reactivated));
            }
            Outcome::Refused { words, next } => {
                item.reason = Some(words.clone());
                item.next = next.map(next_name);
                item.next_on = next.and_then(next_day);
            }
            Outcome::Skipped(skip) => (item.code, item.reason) = (Some(skip.code()), Some(skip.to_string())),
            Outcome::Pending(words)
            | Outcome::Unknown(words)
            | Outcome::NeedsPerson(words)
            | Outcome::WouldSettle(words)
            | Outcome::Postponed(words)
            | Outcome::Failed(words) => item.reason = Some(words.clone()),
            Outcome::WouldCharge => {}
        }
        item
    }
}

fn next_name(next: Next) -> &'static str {
    match next {
        Next::Now => "now",
        Next::On(_) => "later",
        Next::WhenCardChanges => "when_card_changes",
        Next::Exhausted => "exhausted",
    }
}

fn next_day(next: Next) -> Option<Date> {
    match next {
        Next::On(day) => Some(day),
        Next::Now | Next::WhenCardChanges | Next::Exhausted => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::words;

    #[test]
    fn every_outcome_has_an_object_of_its_own_shape() {
        let events = words::tests::events();
        let lines: Vec<String> = events.iter().map(|event| serde_json::to_string(&Item::of(event)).unwrap()).collect();
        insta::assert_snapshot!(lines.join("\n"));
    }
}

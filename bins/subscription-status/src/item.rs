//! What became of a subscription as machines read it.

use echodesk_billing::status::{StatusEvent, StatusOutcome};
use jiff::Timestamp;
use serde::Serialize;

/// One entry of `subscriptions` in the report.
#[derive(Debug, Serialize)]
pub(crate) struct Item<'a> {
    tenant: &'a str,
    subscription: i64,
    expires_at: Option<Timestamp>,
    outcome: &'static str,
    /// Whether it is among those that make the exit code 1.
    failure: bool,
    /// The calendar days that a reminder speaks of.
    #[serde(skip_serializing_if = "Option::is_none")]
    days_left: Option<i32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    suspension_at: Option<Timestamp>,
    #[serde(skip_serializing_if = "Option::is_none")]
    paid_until: Option<Timestamp>,
    /// What was withheld.
    #[serde(skip_serializing_if = "Option::is_none")]
    step: Option<&'static str>,
    /// Why, as a name that stays the same.
    #[serde(skip_serializing_if = "Option::is_none")]
    code: Option<&'static str>,
    /// In words.
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<String>,
}

impl<'a> Item<'a> {
    pub(crate) fn of(event: &'a StatusEvent) -> Self {
        let mut item = Self {
            tenant: event.tenant.as_str(),
            subscription: event.subscription.0,
            expires_at: event.expires_at,
            outcome: event.outcome.code(),
            failure: event.outcome.is_failure(),
            days_left: None,
            suspension_at: None,
            paid_until: None,
            step: None,
            code: None,
            reason: None,
        };
        match &event.outcome {
            StatusOutcome::Reminded(left) | StatusOutcome::UrgentlyReminded(left) => item.days_left = Some(*left),
            StatusOutcome::Warned { suspension_at } | StatusOutcome::InGrace { suspension_at } => {
                item.suspension_at = Some(*suspension_at);
            }
            StatusOutcome::Reactivated { paid_until } | StatusOutcome::StillSuspended { paid_until } => {
                item.paid_until = Some(*paid_until)
            }
            StatusOutcome::Withheld { step, why } => {
                (item.step, item.code, item.reason) = (Some(step.code()), Some(why.code()), Some(why.to_string()));
            }
            StatusOutcome::Failed(words) => item.reason = Some(words.clone()),
            StatusOutcome::Suspended | StatusOutcome::Changed => {}
        }
        item
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

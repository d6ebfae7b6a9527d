//! What became of one subscription in a run, as `POST /renewals` tells of it.

use echodesk_billing::rules::retry::Next;
use echodesk_billing::run::{Outcome, RenewalEvent};
use serde_json::{Value, json};

/// `outcome` is a word; what else there is to say stands under `details`, whose fields depend on that word.
pub(crate) fn as_json(event: &RenewalEvent) -> Value {
    json!({
        "tenant": event.tenant,
        "order": event.order,
        "amount": event.amount.map(|amount| amount.to_string()),
        "outcome": event.outcome.code(),
        "details": details(&event.outcome),
    })
}

fn details(outcome: &Outcome) -> Value {
    match outcome {
        Outcome::Paid { until, reactivated } => json!({ "paid_until": until, "reactivated": reactivated }),
        Outcome::Refused { words, next } => json!({ "reason": words, "next": next.map(next_try) }),
        Outcome::Skipped(skip) => json!({ "code": skip.code(), "reason": skip.to_string() }),
        Outcome::Pending(words)
        | Outcome::Unknown(words)
        | Outcome::NeedsPerson(words)
        | Outcome::WouldSettle(words)
        | Outcome::Postponed(words)
        | Outcome::Failed(words) => json!({ "reason": words }),
        Outcome::WouldCharge => json!({}),
    }
}

/// When a refused charge is tried again; `on` is a day of the service's calendar.
fn next_try(next: Next) -> Value {
    match next {
        Next::Now => json!({ "when": "now" }),
        Next::On(day) => json!({ "when": "later", "on": day }),
        Next::WhenCardChanges => json!({ "when": "when_card_changes" }),
        Next::Exhausted => json!({ "when": "exhausted" }),
    }
}

#[cfg(test)]
mod tests {
    use echodesk_billing::rules::due::Skip;

    use super::*;

    #[test]
    fn details_are_values_and_not_the_text_of_a_type() {
        let refused = |next| Outcome::Refused { words: "107: no money".to_owned(), next };
        for (outcome, expected) in [
            (
                Outcome::Paid { until: Some("2026-12-24T00:00:00Z".parse().unwrap()), reactivated: true },
                json!({ "paid_until": "2026-12-24T00:00:00Z", "reactivated": true }),
            ),
            (Outcome::Pending("processing".to_owned()), json!({ "reason": "processing" })),
            (
                refused(Some(Next::On("2026-11-25".parse().unwrap()))),
                json!({ "reason": "107: no money", "next": { "when": "later", "on": "2026-11-25" } }),
            ),
            (refused(None), json!({ "reason": "107: no money", "next": null })),
            (Outcome::Skipped(Skip::NoCard), json!({ "code": "no_card", "reason": Skip::NoCard.to_string() })),
            (Outcome::WouldCharge, json!({})),
        ] {
            assert_eq!(details(&outcome), expected);
        }
    }
}

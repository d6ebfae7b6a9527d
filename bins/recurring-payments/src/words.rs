//! What became of a renewal, in words.

use echodesk_billing::rules::retry::Next;
use echodesk_billing::run::{Outcome, RenewalEvent};
use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::TimeZone;

/// The outcome as a sentence without its full stop. May hold the bank's own words, and so anything.
pub(crate) fn outcome(event: &RenewalEvent) -> String {
    match &event.outcome {
        Outcome::Paid { until, reactivated } => {
            let until = until.map(|until| format!(" until {}", day(until))).unwrap_or_default();
            let lifted = if *reactivated { ", which lifted the suspension" } else { "" };
            format!("paid{until}{lifted}")
        }
        Outcome::Pending(status) => format!("pending ({status})"),
        Outcome::Refused { words, next } => format!("refused: {words}{}", next.map(and_next).unwrap_or_default()),
        Outcome::Unknown(why) => format!("unknown: {why}; the next run asks the bank again"),
        Outcome::NeedsPerson(what) => {
            let order = event.order.as_ref();
            let command = order.map(|order| format!("; then {}", resolve(order.as_str()))).unwrap_or_default();
            format!("needs a person: {what}{command}")
        }
        Outcome::Skipped(skip) => format!("skipped: {skip}"),
        Outcome::WouldCharge => "would charge".to_owned(),
        Outcome::WouldSettle(how) => format!("would {how}"),
        Outcome::Postponed(why) => format!("postponed: {why}"),
        Outcome::Failed(why) => format!("FAILED: {why}"),
    }
}

/// The command that tells us what a person has found out.
fn resolve(order: &str) -> String {
    format!("`echodesk orders resolve {order} --paid|--failed --because \"…\"`")
}

fn and_next(next: Next) -> String {
    match next {
        Next::Now => ", next attempt with the next run".to_owned(),
        Next::On(day) => format!(", next attempt on {day}"),
        Next::WhenCardChanges => ", not tried again with this card".to_owned(),
        Next::Exhausted => ", not tried again for this period".to_owned(),
    }
}

/// Days are those of UTC, as EchoDesk counts them.
pub(crate) fn day(moment: Timestamp) -> Date {
    TimeZone::UTC.to_datetime(moment).date()
}

#[cfg(test)]
pub(crate) mod tests {
    use echodesk_billing::model::{AttemptState, OrderId};
    use echodesk_billing::rules::due::Skip;
    use echodesk_billing::{Currency, Money};
    use echodesk_core::SubscriptionId;

    use super::*;

    /// One event of each outcome, told of `acme` unless it is about somebody else.
    pub(crate) fn events() -> Vec<RenewalEvent> {
        let money = |amount: &str| Money::new(amount.parse().unwrap(), Currency::Gel).unwrap();
        let order = || Some(OrderId("REC-ABCDEF012345".to_owned()));
        let at = |text: &str| text.parse::<Timestamp>().unwrap();
        let on = |day: &str| Some(Next::On(day.parse().unwrap()));
        let refused = |words: &str, next| Outcome::Refused { words: words.to_owned(), next };
        let outcomes = [
            (order(), Outcome::Paid { until: Some(at("2026-12-25T08:00:00Z")), reactivated: false }),
            (order(), Outcome::Paid { until: Some(at("2026-12-22T08:00:00Z")), reactivated: true }),
            (order(), Outcome::Paid { until: None, reactivated: false }),
            (order(), Outcome::Pending("processing".to_owned())),
            (order(), refused("not enough money (code 107)", on("2026-11-23"))),
            (order(), refused("the card has expired (code 105)", Some(Next::WhenCardChanges))),
            (order(), refused("over the card's limit (code 106)", Some(Next::Exhausted))),
            (order(), refused("a technical fault (code 109)", Some(Next::Now))),
            (order(), refused("rejected: no reason (code 777)", None)),
            (order(), Outcome::Unknown("no answer within 30 s".to_owned())),
            (order(), Outcome::NeedsPerson("49 GEL were paid, not 50.00 GEL".to_owned())),
            (None, Outcome::Skipped(Skip::NoCard)),
            (None, Outcome::Skipped(Skip::PriceChanged { card_amount: money("40"), price: money("50") })),
            (
                None,
                Outcome::Skipped(Skip::Open {
                    order: OrderId("REC-ABCDEF012345".to_owned()),
                    state: AttemptState::Unknown,
                }),
            ),
            (None, Outcome::WouldCharge),
            (order(), Outcome::WouldSettle("repeat the call with the same key".to_owned())),
            (None, Outcome::Postponed("the bank gives no token: HTTP 503".to_owned())),
            (None, Outcome::Failed("tenants_payment_order: permission denied".to_owned())),
        ];
        let event = |(order, outcome)| RenewalEvent {
            tenant: "acme".parse().unwrap(),
            subscription: SubscriptionId(7),
            amount: Some(money("50")),
            period: Some(at("2026-11-25T08:00:00Z")),
            order,
            outcome,
        };
        let mut events: Vec<RenewalEvent> = outcomes.map(event).into();
        events.push(RenewalEvent {
            tenant: "a_tenant_whose_name_is_longer_than_its_column".parse().unwrap(),
            subscription: SubscriptionId(8),
            amount: None,
            period: None,
            order: None,
            outcome: Outcome::Skipped(Skip::PriceUnusable("-3 agents".to_owned())),
        });
        events
    }

    #[test]
    fn a_person_is_told_the_command_if_there_is_an_order_to_resolve() {
        let all = events();
        let mut person = all.into_iter().find(|event| event.outcome.code() == "needs_person").unwrap();
        let command = "`echodesk orders resolve REC-ABCDEF012345 --paid|--failed --because \"…\"`";
        assert!(outcome(&person).ends_with(command), "{}", outcome(&person));
        person.order = None;
        assert_eq!(outcome(&person), "needs a person: 49 GEL were paid, not 50.00 GEL");
    }
}

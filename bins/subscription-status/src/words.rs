//! What became of a subscription, in words.

use echodesk_billing::rules::expiry::{Step, days_between};
use echodesk_billing::status::{StatusEvent, StatusOutcome};
use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::TimeZone;

/// Whose days are told, and whether anything was done.
#[derive(Clone, Debug)]
pub(crate) struct Words {
    pub(crate) time_zone: TimeZone,
    pub(crate) dry_run: bool,
    /// The day of the run, or the one that it is asked about.
    pub(crate) today: Date,
}

impl Words {
    /// The calendar day of a moment.
    pub(crate) fn day(&self, moment: Timestamp) -> Date {
        self.time_zone.to_datetime(moment).date()
    }

    /// The outcome as a sentence without its full stop. May hold the database's own words.
    pub(crate) fn outcome(&self, event: &StatusEvent) -> String {
        let would = |done: &str, todo: &str| if self.dry_run { format!("would {todo}") } else { done.to_owned() };
        match &event.outcome {
            StatusOutcome::Reminded(left) => format!("{}: {}", would("reminded", "remind"), days_left(*left)),
            StatusOutcome::UrgentlyReminded(left) => {
                format!("{}: {}", would("urgently reminded", "remind urgently"), days_left(*left))
            }
            StatusOutcome::Warned { suspension_at } => {
                format!("{}: {}", would("warned", "warn"), self.until_suspension(*suspension_at))
            }
            StatusOutcome::InGrace { suspension_at } => {
                format!("in grace, warned today already: {}", self.until_suspension(*suspension_at))
            }
            StatusOutcome::Suspended => would("suspended", "suspend"),
            StatusOutcome::Reactivated { paid_until } => {
                format!("{}: paid until {}", would("active again", "lift the suspension"), self.day(*paid_until))
            }
            StatusOutcome::StillSuspended { paid_until } => format!(
                "still suspended, though extended to {}: EchoDesk extends from the old date; see what was paid, then set \
                 expires_at",
                self.day(*paid_until)
            ),
            StatusOutcome::Withheld { step, why } => format!("{} withheld: {why}", noun(*step)),
            StatusOutcome::Changed => "changed meanwhile; the next run sees to it".to_owned(),
            StatusOutcome::Failed(words) => format!("FAILED: {words}"),
        }
    }

    fn until_suspension(&self, suspension_at: Timestamp) -> String {
        let day = self.day(suspension_at);
        match days_between(self.today, day) {
            ..=0 => format!("suspension on {day}, today"),
            1 => format!("suspension on {day}, in 1 day"),
            left => format!("suspension on {day}, in {left} days"),
        }
    }
}

fn days_left(left: i32) -> String {
    match left {
        ..=0 => "expires today".to_owned(),
        1 => "expires in 1 day".to_owned(),
        left => format!("expires in {left} days"),
    }
}

fn noun(step: Step) -> &'static str {
    match step {
        Step::None => "nothing",
        Step::Reminder => "reminder",
        Step::Urgent => "urgent reminder",
        Step::Grace => "warning",
        Step::Suspension => "suspension",
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use echodesk_billing::model::{AttemptState, OrderId};
    use echodesk_billing::rules::expiry::Withheld;
    use echodesk_core::SubscriptionId;

    use super::*;

    /// In Tbilisi, four hours ahead of UTC, on 22 November.
    pub(crate) fn words() -> Words {
        let time_zone = TimeZone::get("Asia/Tbilisi").unwrap();
        Words { time_zone, dry_run: false, today: "2026-11-22".parse().unwrap() }
    }

    /// An event of every kind.
    pub(crate) fn events() -> Vec<StatusEvent> {
        let at = |text: &str| text.parse::<Timestamp>().unwrap();
        let withheld = |step, why| StatusOutcome::Withheld { step, why };
        let order = || "REC-ABCDEF012345".to_owned();
        let open = Withheld::Open { order: OrderId(order()), state: AttemptState::Unknown };
        let outcomes = [
            StatusOutcome::Reminded(7),
            StatusOutcome::UrgentlyReminded(1),
            StatusOutcome::UrgentlyReminded(0),
            StatusOutcome::Warned { suspension_at: at("2026-11-24T21:00:00Z") },
            StatusOutcome::Warned { suspension_at: at("2026-11-22T21:00:00Z") },
            StatusOutcome::InGrace { suspension_at: at("2026-11-22T19:00:00Z") },
            StatusOutcome::Suspended,
            StatusOutcome::Reactivated { paid_until: at("2026-12-22T08:00:00Z") },
            withheld(Step::Urgent, open.clone()),
            withheld(Step::Suspension, open),
            withheld(Step::Suspension, Withheld::Provider("paddle".to_owned())),
            withheld(Step::Suspension, Withheld::ForeignOrder(order())),
            withheld(Step::Suspension, Withheld::EchoDeskRetry(at("2026-11-21T08:00:00Z"))),
            withheld(Step::Suspension, Withheld::PaidNotExtended(order())),
            withheld(Step::Suspension, Withheld::PayingNow(order())),
            StatusOutcome::StillSuspended { paid_until: at("2026-11-09T08:00:00Z") },
            StatusOutcome::Changed,
            StatusOutcome::Failed("tenants_tenant: permission denied".to_owned()),
        ];
        let event = |outcome| StatusEvent {
            tenant: "acme".parse().unwrap(),
            subscription: SubscriptionId(7),
            expires_at: Some(at("2026-11-17T21:00:00Z")),
            outcome,
        };
        let mut events: Vec<StatusEvent> = outcomes.map(event).into();
        events.push(StatusEvent {
            tenant: "a_tenant_whose_name_is_longer_than_its_column".parse().unwrap(),
            subscription: SubscriptionId(8),
            expires_at: None,
            outcome: StatusOutcome::Changed,
        });
        events
    }

    #[test]
    fn a_dry_run_says_what_it_would_do_and_of_nothing_that_it_was_done() {
        let dry = Words { dry_run: true, ..words() };
        let told: Vec<String> = events().iter().take(8).map(|event| dry.outcome(event)).collect();
        insta::assert_snapshot!(told.join("\n"));
    }
}

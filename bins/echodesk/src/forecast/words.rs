//! An event in words.

use echodesk_billing::forecast::{Assumed, What};
use echodesk_billing::rules::expiry::Step;
use echodesk_billing::rules::retry::Next;
use jiff::Timestamp;

pub(super) fn of(what: &What) -> String {
    match what {
        What::Charge { amount, number, card, amount_known, assumed, .. } => {
            let card = card.as_ref().map(|card| format!(" to card {card}")).unwrap_or_default();
            let attempt = if *number > 1 { format!(", attempt {number}") } else { String::new() };
            let unless = if *amount_known { "" } else { ", unless the bank says that the card has another price" };
            format!("charge {amount}{card}{attempt}{unless}: {}", outcome(assumed))
        }
        What::Notice { kind, about } => mail(kind, *about),
        What::Suspend { expired_at } => format!("suspend: expired on {}", day(*expired_at)),
        What::Reactivate { paid_until } => format!("active again: paid until {}", day(*paid_until)),
        What::NotCharged(skip) => format!("not charged: {skip}"),
        What::Withheld { step, why } => format!("{} withheld: {why}", thing(*step)),
    }
}

fn outcome(assumed: &Assumed) -> String {
    match assumed {
        Assumed::Paid { until } => format!("paid until {}", day(*until)),
        Assumed::Declined { next: Next::Now } => "declined, again at once".to_owned(),
        Assumed::Declined { next: Next::On(day) } => format!("declined, again on {day}"),
        Assumed::Declined { next: Next::WhenCardChanges } => "declined, not again with this card".to_owned(),
        Assumed::Declined { next: Next::Exhausted } => "declined, not again".to_owned(),
    }
}

fn mail(kind: &str, about: Timestamp) -> String {
    let about = day(about);
    match kind {
        "reminder" => format!("mail: reminder, expires on {about}"),
        "urgent_reminder" => format!("mail: urgent reminder, expires on {about}"),
        "grace_warning" => format!("mail: warning, suspended from {about} on"),
        "suspended" => format!("mail: suspended, expired on {about}"),
        "renewal_paid" => format!("mail: receipt, paid until {about}"),
        "payment_failed" => format!("mail: payment failed, renewal date {about}"),
        "price_changed" => format!("mail: price changed, renewal date {about}"),
        "reactivated" => format!("mail: active again, paid until {about}"),
        other => format!("mail: {}", other.replace('_', " ")),
    }
}

fn thing(step: Step) -> &'static str {
    match step {
        Step::None => "nothing",
        Step::Reminder => "reminder",
        Step::Urgent => "urgent reminder",
        Step::Grace => "warnings",
        Step::Suspension => "suspension",
    }
}

fn day(moment: Timestamp) -> String {
    moment.strftime("%Y-%m-%d").to_string()
}

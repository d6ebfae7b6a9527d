//! A forecast for machines.

use echodesk_billing::forecast::{Assumed, What};
use echodesk_billing::rules::retry::Next;
use serde_json::{Map, Value, json};

use super::tally::{Row, Totals};
use super::{CANNOT_KNOW, Forecast, words};
use crate::refusals;

/// One object. Its names and those of its values stay the same; there may be more of them one day.
pub(super) fn of(forecast: &Forecast) -> String {
    let Forecast { plan, from, tally, .. } = forecast;
    let days = tally.days.iter().map(|(day, totals)| {
        let mut object = Map::from_iter([("day".to_owned(), json!(day))]);
        object.extend(sums(totals));
        Value::Object(object)
    });
    let whole = json!({
        "from": from,
        "until": plan.end(*from),
        "assumption": plan.assumption.code(),
        "days_before": plan.renewals.days_before,
        "grace_days": plan.renewals.grace_days,
        "status_grace_days": plan.expiry.grace_days,
        "refused_here": refusals::json(&forecast.refusals),
        "events": tally.events.iter().map(item).collect::<Vec<_>>(),
        "events_left_out": tally.left_out,
        "days": days.collect::<Vec<_>>(),
        "totals": sums(&tally.totals),
        "cannot_know": CANNOT_KNOW,
    });
    format!("{whole:#}\n")
}

fn sums(totals: &Totals) -> Map<String, Value> {
    // In major units with two decimals, as text.
    let amounts: Map<String, Value> =
        totals.amounts.iter().map(|(currency, sum)| (currency.clone(), json!(format!("{sum:.2}")))).collect();
    Map::from_iter([
        ("charges".to_owned(), json!(totals.charges)),
        ("amounts".to_owned(), Value::Object(amounts)),
        ("mails".to_owned(), json!(totals.mails)),
        ("suspensions".to_owned(), json!(totals.suspensions)),
        ("reactivations".to_owned(), json!(totals.reactivations)),
        ("not_charged".to_owned(), json!(totals.not_charged)),
        ("withheld".to_owned(), json!(totals.withheld)),
    ])
}

fn item(row: &Row) -> Value {
    let event = &row.event;
    let mut item = Map::from_iter([
        ("at".to_owned(), json!(event.at)),
        ("tenant".to_owned(), json!(row.tenant)),
        ("subscription".to_owned(), json!(row.subscription)),
        ("job".to_owned(), json!(event.job.code())),
        ("what".to_owned(), json!(event.what.code())),
        ("words".to_owned(), json!(words::of(&event.what))),
    ]);
    if let Value::Object(more) = details(&event.what) {
        item.extend(more);
    }
    Value::Object(item)
}

fn details(what: &What) -> Value {
    match what {
        What::Charge { amount, number, period, card, amount_known, assumed } => {
            let (outcome, paid_until, next, next_on) = match assumed {
                Assumed::Paid { until } => ("paid", Some(until), None, None),
                Assumed::Declined { next } => ("declined", None, Some(name(*next)), day(*next)),
            };
            json!({
                "amount": format!("{:.2}", amount.amount()),
                "currency": amount.currency().to_string(),
                "attempt": number,
                "period": period,
                "card": card,
                "amount_known": amount_known,
                "outcome": outcome,
                "paid_until": paid_until,
                "next": next,
                "next_on": next_on,
            })
        }
        What::Notice { kind, about } => json!({ "kind": kind, "about": about }),
        What::Suspend { expired_at } => json!({ "expired_at": expired_at }),
        What::Reactivate { paid_until } => json!({ "paid_until": paid_until }),
        What::NotCharged(skip) => json!({ "code": skip.code(), "reason": skip.to_string() }),
        What::Withheld { step, why } => json!({ "step": step.code(), "code": why.code(), "reason": why.to_string() }),
    }
}

/// As in the report of `recurring-payments`.
fn name(next: Next) -> &'static str {
    match next {
        Next::Now => "now",
        Next::On(_) => "later",
        Next::WhenCardChanges => "when_card_changes",
        Next::Exhausted => "exhausted",
    }
}

fn day(next: Next) -> Option<jiff::civil::Date> {
    match next {
        Next::On(day) => Some(day),
        Next::Now | Next::WhenCardChanges | Next::Exhausted => None,
    }
}

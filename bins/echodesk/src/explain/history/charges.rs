//! Charges of the saved card, orders of EchoDesk's own, cards and invoices.

use std::collections::HashSet;

use echodesk_billing::model::{Attempt, AttemptState};
use echodesk_billing::rules::period::same_period;
use echodesk_billing::rules::refusal::meaning;
use echodesk_store::{BillingStory, CardStory, EventStory, LedgerEntry, OrderStory};
use jiff::Timestamp;

use super::super::entry::StoryEntry;
use super::super::shown::{amount, because, minute, together};

pub(super) fn of(story: &BillingStory) -> Vec<StoryEntry> {
    let mut entries = Vec::new();
    let mut period: Option<Timestamp> = None;
    for entry in &story.attempts.rows {
        let attempt = &entry.attempt;
        if period.is_none_or(|before| !same_period(before, attempt.period)) {
            let what = format!("to be paid: what follows {}", minute(attempt.period));
            entries.push(StoryEntry::new(attempt.prepared_at, "period", "period", what));
            period = Some(attempt.period);
        }
        entries.push(prepared(entry, story));
        entries.extend(closed(entry, story));
    }
    let ours: HashSet<&str> = story.attempts.rows.iter().map(|entry| entry.attempt.order.as_str()).collect();
    entries.extend(story.orders.rows.iter().filter(|order| !ours.contains(order.order.as_str())).flat_map(order));
    entries.extend(story.orders.rows.iter().filter_map(|order| contradiction(order, &story.attempts.rows)));
    entries.extend(story.cards.iter().map(card));
    for invoice in &story.invoices.rows {
        let order = invoice.order.as_ref().map_or_else(String::new, |order| format!(" for order {order}"));
        let what = format!("{}: {}{order}", invoice.number, amount(invoice.amount, &invoice.currency));
        entries.push(StoryEntry::new(invoice.at, "invoice", "invoice", what).about(&invoice.number));
    }
    entries
}

fn prepared(entry: &LedgerEntry, story: &BillingStory) -> StoryEntry {
    let Attempt { order, amount, number, parent, .. } = &entry.attempt;
    let masked = story.cards.iter().find(|card| card.parent == *parent).map(|card| card.masked.trim());
    let card = match masked.filter(|masked| !masked.is_empty()) {
        Some(masked) => format!("card {masked}"),
        None => format!("the card saved on the bank's order {parent}"),
    };
    let what = format!("{order}: {amount} from {card}, attempt {number}{}", standing(&entry.attempt));
    StoryEntry::new(entry.attempt.prepared_at, "charge", "charge_prepared", what).about(order)
}

/// How far a charge has come that is not closed. The ledger does not keep when the bank answered.
fn standing(attempt: &Attempt) -> String {
    let last_error = because(attempt.last_error.as_deref().unwrap_or_default());
    match (attempt.state, &attempt.bank_order) {
        (AttemptState::Prepared, _) => format!("; whether the bank was called is not known{last_error}"),
        (AttemptState::Unknown, _) => format!("; whether the bank has charged is not known{last_error}"),
        (AttemptState::Accepted, Some(order)) => {
            format!("; accepted by the bank as its order {order}, not final yet{last_error}")
        }
        (AttemptState::Accepted, None) => format!("; accepted by the bank, not final yet{last_error}"),
        _ => String::new(),
    }
}

fn closed(entry: &LedgerEntry, story: &BillingStory) -> Option<StoryEntry> {
    let (attempt, at) = (&entry.attempt, entry.closed_at?);
    let order = &attempt.order;
    let says = says(entry);
    let (event, what) = match attempt.state {
        AttemptState::Paid => {
            let until = paid_until(attempt, story).map_or_else(
                || "; no extension is in the subscription's history".to_owned(),
                |until| format!("; extended until {}", minute(until)),
            );
            ("charge_paid", format!("{order}: paid{says}{until}"))
        }
        AttemptState::Failed => {
            let words = attempt.refusal.as_ref().map(|refusal| meaning(refusal).words).unwrap_or_default();
            ("charge_refused", format!("{order}: refused{}{says}", because(&words)))
        }
        AttemptState::NotSent => {
            let why = because(attempt.last_error.as_deref().unwrap_or_default());
            ("charge_not_sent", format!("{order}: never sent to the bank{why}"))
        }
        AttemptState::Prepared | AttemptState::Unknown | AttemptState::Accepted => return None,
    };
    let trouble = attempt.trouble.as_ref().map_or_else(String::new, |trouble| format!(". NEEDS A PERSON: {trouble}"));
    Some(StoryEntry::new(at, "charge", event, what + &trouble).about(order))
}

/// Who said how it ended.
fn says(entry: &LedgerEntry) -> String {
    let of = |what: &str| match &entry.attempt.bank_order {
        Some(order) => format!("{what} to its order {order}"),
        None => what.to_owned(),
    };
    match entry.settled_by.as_deref() {
        Some("answer") => ", by the bank's answer".to_owned(),
        Some("receipt") => format!(", by {}", of("the bank's receipt")),
        Some("callback") => format!(", by {}", of("the bank's callback")),
        Some("person") => format!(", as a person said{}", because(entry.because.as_deref().unwrap_or_default())),
        Some(other) => format!(", by {other}"),
        None => String::new(),
    }
}

/// Until when a charge has extended the subscription, as its history tells.
fn paid_until(attempt: &Attempt, story: &BillingStory) -> Option<Timestamp> {
    let paid =
        |event: &&EventStory| event.kind == "payment_success" && event.order.as_deref() == Some(attempt.order.as_str());
    story.events.rows.iter().filter(paid).find_map(|event| event.expires_at.or(event.next_billing_date))
}

fn order(order: &OrderStory) -> Vec<StoryEntry> {
    let OrderStory { order: name, status, .. } = order;
    let price = amount(order.amount, &order.currency);
    let trial = if order.is_trial { ", for a trial" } else { "" };
    let bank = order.bank_order.as_ref().map_or_else(String::new, |bank| format!(" (the bank's order {bank})"));
    let saved = if order.card_saved { "; the card was saved on it" } else { "" };
    let entry = |at, event, what: String| StoryEntry::new(at, "order", event, what).about(name);
    match order.paid_at {
        Some(at) if together(at, order.created_at) => {
            vec![entry(at, "order_paid", format!("{name}: {price} {status}{trial}{bank}{saved}"))]
        }
        Some(at) => vec![
            entry(order.created_at, "order_made", format!("{name}: {price} asked for{trial}{bank}")),
            entry(at, "order_paid", format!("{name}: {status}{saved}")),
        ],
        None => {
            vec![entry(order.created_at, "order_made", format!("{name}: {price} asked for{trial}, {status}{bank}"))]
        }
    }
}

/// An order of ours of which EchoDesk's table says something else than our ledger.
fn contradiction(order: &OrderStory, attempts: &[LedgerEntry]) -> Option<StoryEntry> {
    let entry = attempts.iter().find(|entry| entry.attempt.order.as_str() == order.order)?;
    let state = entry.attempt.state;
    let agree = match order.status.as_str() {
        "paid" => state == AttemptState::Paid,
        "pending" => state.is_open(),
        _ => matches!(state, AttemptState::Failed | AttemptState::NotSent),
    };
    let what = format!(
        "{}: EchoDesk has it as {}, our ledger as {}: look it up at the bank",
        order.order,
        order.status,
        state.code().replace('_', " ")
    );
    let at = order.paid_at.or(entry.closed_at).unwrap_or(order.created_at);
    (!agree).then(|| StoryEntry::new(at, "order", "order_contradicted", what).about(&order.order))
}

fn card(card: &CardStory) -> StoryEntry {
    let CardStory { parent, masked, expiry, saved_at, active } = card;
    let number = if masked.trim().is_empty() { "a card" } else { masked.trim() };
    let expiry = if expiry.trim().is_empty() { String::new() } else { format!(", expires {}", expiry.trim()) };
    let unused = if *active { "" } else { "; not used any more" };
    let what = format!("{number} saved on the bank's order {parent}{expiry}{unused}");
    StoryEntry::new(*saved_at, "card", "card_saved", what).about(parent)
}

//! What happened to the subscription itself: EchoDesk's history of it, suspensions, EchoDesk's own retries.

use std::collections::HashSet;

use echodesk_store::{BillingStory, EventStory, RetryStory, SuspensionStory};
use jiff::Timestamp;

use super::super::entry::StoryEntry;
use super::super::shown::{because, minute, together, words};

pub(super) fn of(story: &BillingStory, now: Timestamp) -> Vec<StoryEntry> {
    let mut entries = Vec::new();
    for subscription in &story.subscriptions {
        let kind = if subscription.is_trial { "trial" } else { subscription.kind.as_str() };
        let what = format!("subscription {} begins ({kind})", subscription.id);
        entries.extend(
            (subscription.starts_at <= now)
                .then(|| StoryEntry::new(subscription.starts_at, "history", "begins", what).about(subscription.id)),
        );
    }
    let charges: HashSet<&str> = story.attempts.rows.iter().map(|entry| entry.attempt.order.as_str()).collect();
    entries.extend(story.events.rows.iter().filter(|event| !is_told(event, story, &charges)).map(event));
    entries.extend(story.suspensions.rows.iter().flat_map(|suspension| suspended(suspension, story)));
    entries.extend(story.retries.rows.iter().filter_map(|planned| retry(planned, now)));
    entries
}

/// Whether the ledger of charges or that of suspensions tells the same.
fn is_told(event: &EventStory, story: &BillingStory, charges: &HashSet<&str>) -> bool {
    let of_charge = event.attempt.is_some() && event.order.as_deref().is_some_and(|order| charges.contains(order));
    match event.kind.as_str() {
        "payment_success" | "payment_failed" => of_charge && event.detail.is_none(),
        "suspended" => story.suspensions.rows.iter().any(|suspension| together(suspension.suspended_at, event.at)),
        _ => false,
    }
}

fn event(event: &EventStory) -> StoryEntry {
    let told = event.description.trim();
    let kind = words(&event.kind);
    let what = if told.is_empty() { kind } else { format!("{kind}: {told}") };
    let entry = StoryEntry::new(event.at, "history", "history", what);
    match &event.order {
        Some(order) => entry.about(order),
        None => entry,
    }
}

fn suspended(suspension: &SuspensionStory, story: &BillingStory) -> Vec<StoryEntry> {
    let entry = |at, event, what: String| StoryEntry::new(at, "suspension", event, what).about(suspension.subscription);
    let what =
        format!("suspended: not paid since it expired at {}; nothing was deleted", minute(suspension.expired_at));
    let mut entries = vec![entry(suspension.suspended_at, "suspended", what)];
    let Some(at) = suspension.lifted_at else { return entries };
    let told = story.events.rows.iter().any(|event| event.kind == "reactivated" && together(event.at, at));
    if !told {
        entries.push(entry(at, "lifted", "found to be active again".to_owned()));
    }
    entries
}

/// What EchoDesk has charged, or given up. What it still plans is told among what comes next.
fn retry(retry: &RetryStory, now: Timestamp) -> Option<StoryEntry> {
    let at = retry.executed_at.unwrap_or(retry.scheduled_for);
    let what = format!(
        "EchoDesk's own charge, planned for {}: {}{}",
        minute(retry.scheduled_for),
        retry.status,
        because(&retry.reason)
    );
    (at <= now).then(|| StoryEntry::new(at, "echodesk", "echodesk_retry", what))
}

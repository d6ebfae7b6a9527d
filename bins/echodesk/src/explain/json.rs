//! The story for machines. Names stay the same; words may change.

use echodesk_mail::model::FolderStatus;
use echodesk_store::{FolderStory, MailboxStory, RunEntry, SubscriptionStory};
use jiff::civil::Time;
use serde_json::{Value, json};

use super::Story;
use super::entry::StoryEntry;
use super::facts::{Billing, Facts};
use super::history::cut;
use super::next::{Coming, Next, card_of, coming};
use super::refused::{self, Refused};
use crate::refusals;

pub(super) fn of(story: &Story) -> Value {
    let facts = &story.facts;
    let Facts { tenant, renewals, .. } = facts;
    let billing = facts.billing.as_ref();
    let unreadable: Vec<&String> = [billing.err(), facts.mail.as_ref().err()].into_iter().flatten().collect();
    json!({
        "as_of": facts.now,
        "tenant": {
            "id": tenant.id,
            "schema": tenant.schema,
            "name": tenant.name,
            "active": tenant.is_active,
            "admin_email": tenant.admin_email,
            "admin_name": tenant.admin_name,
            "language": tenant.language,
            "provider": billing.ok().map(|billing| &billing.story.provider),
        },
        "assumed": {
            "days_before": renewals.days_before,
            "grace_days": renewals.grace_days,
            "status_grace_days": facts.expiry.grace_days,
            "time_zone": renewals.time_zone.iana_name(),
            "payments_at": times(&facts.schedule.renewals),
            "status_at": times(&facts.schedule.status),
            "exempt": renewals.exempt.contains(&tenant.schema),
        },
        "refused_here": refusals::json(&facts.refusals),
        "subscriptions": billing.map_or(Value::Null, |billing| {
            billing.story.subscriptions.iter().map(|one| subscription(one, billing)).collect()
        }),
        "mailboxes": facts.mail.as_ref().map_or(Value::Null, |mailboxes| mailboxes.iter().map(mailbox).collect()),
        "unreadable": unreadable,
        "happened": story.happened.iter().map(entry).collect::<Value>(),
        "only_newest_of": cut(facts),
        "last_runs": facts.last_runs.iter().map(|(job, run)| last_run(job, run.as_ref())).collect::<Value>(),
        "next": story.next.iter().map(next).collect::<Value>(),
        "coming_up": coming(facts).iter().map(coming_one).collect::<Value>(),
    })
}

fn times(times: &[Time]) -> Value {
    times.iter().map(|time| time.strftime("%H:%M").to_string()).collect()
}

/// Of the card that would be charged.
fn last_refusal(subscription: &SubscriptionStory, billing: &Billing) -> Value {
    let account = billing.accounts.iter().find(|account| account.candidate.subscription == subscription.id);
    let refused = account.and_then(card_of).and_then(|(parent, _)| refused::last(billing, &parent));
    refused.map_or(
        Value::Null,
        |Refused { at, words, for_good }| json!({ "at": at, "words": words, "for_good": for_good }),
    )
}

fn subscription(subscription: &SubscriptionStory, billing: &Billing) -> Value {
    json!({
        "id": subscription.id,
        "active": subscription.active,
        "type": subscription.kind,
        "trial": subscription.is_trial,
        "agents": subscription.agents,
        "starts_at": subscription.starts_at,
        "expires_at": subscription.expires_at,
        "next_billing_date": subscription.next_billing_date,
        "last_billed_at": subscription.last_billed_at,
        "card": subscription.card,
        "payment_status": subscription.payment_status,
        "failed_payments": subscription.failed_payments,
        "last_payment_failure": subscription.last_payment_failure,
        "card_refused": last_refusal(subscription, billing),
    })
}

fn mailbox(story: &MailboxStory) -> Value {
    let mailbox = &story.mailbox;
    json!({
        "id": mailbox.key.connection,
        "address": mailbox.address,
        "active": mailbox.is_active,
        "switched_off_at": story.auto_disabled_at,
        "last_sync_at": mailbox.last_sync_at,
        "failures": mailbox.failure_count,
        "last_error": mailbox.last_error,
        "worked_on_until": story.held_until,
        "folders": story.folders.iter().map(folder).collect::<Value>(),
    })
}

fn folder(story: &FolderStory) -> Value {
    json!({
        "name": story.cursor.folder,
        "on_server": Some(story.cursor.status.messages).filter(|messages| *messages != FolderStatus::NOT_COUNTED),
        "stored": story.stored,
        "reduced": story.reduced,
        "duplicates": story.duplicates,
        "failed": story.failed,
        "pending": story.cursor.pending.len(),
        "read_at": story.updated_at,
    })
}

fn entry(entry: &StoryEntry) -> Value {
    json!({
        "at": entry.at,
        "source": entry.source,
        "event": entry.event,
        "about": entry.about,
        "what": entry.what,
    })
}

fn last_run(job: &str, run: Option<&RunEntry>) -> Value {
    json!({
        "job": job,
        "started_at": run.map(|run| run.started_at),
        "finished_at": run.and_then(|run| run.finished_at),
        "exit_code": run.and_then(|run| run.exit_code),
        "host": run.map(|run| &run.host),
    })
}

fn next(next: &Next) -> Value {
    json!({
        "job": next.job,
        "about": next.about,
        "verdict": next.verdict,
        "what": next.what,
        "to_do": next.todo,
        "at": next.at,
    })
}

fn coming_one(coming: &Coming) -> Value {
    json!({ "at": coming.at, "job": coming.job, "event": coming.event, "what": coming.what })
}

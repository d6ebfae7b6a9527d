//! What happened, from all ledgers, in the order of time.

mod charges;
mod mail;
mod notices;
mod subscription;

use echodesk_store::RunEntry;

use super::entry::StoryEntry;
use super::facts::Facts;

/// Everything since the time that was asked for. What happened at the same time stands in the order in which one
/// thing follows from another.
pub(super) fn of(facts: &Facts) -> Vec<StoryEntry> {
    let mut entries = Vec::new();
    if let Ok(billing) = &facts.billing {
        entries.extend(charges::of(&billing.story));
        entries.extend(subscription::of(&billing.story, facts.now));
    }
    entries.extend(notices::of(&facts.notices.rows));
    if let Ok(mailboxes) = &facts.mail {
        entries.extend(mailboxes.iter().flat_map(mail::of));
    }
    entries.extend(facts.runs.rows.iter().map(run));
    entries.retain(|entry| facts.since.is_none_or(|since| entry.at >= since));
    entries.sort_by_key(|entry| entry.at);
    entries
}

/// The lists of which older rows were left out, by what they hold.
pub(super) fn cut(facts: &Facts) -> Vec<&'static str> {
    let mut cut = Vec::new();
    let mut look = |is_cut: bool, name: &'static str| cut.extend(is_cut.then_some(name));
    if let Ok(billing) = &facts.billing {
        let story = &billing.story;
        look(story.attempts.cut, "charges");
        look(story.orders.cut, "orders");
        look(story.invoices.cut, "invoices");
        look(story.events.cut, "history");
        look(story.retries.cut, "EchoDesk's retries");
        look(story.suspensions.cut, "suspensions");
    }
    look(facts.notices.cut, "notices");
    look(facts.mail.iter().flatten().any(|mailbox| mailbox.failed.cut), "messages not stored");
    look(facts.runs.cut, "runs");
    cut
}

fn run(run: &RunEntry) -> StoryEntry {
    let RunEntry { job, arguments, host, .. } = run;
    let end = match run.exit_code {
        Some(code) => format!("exit code {code}"),
        None => "no end written down".to_owned(),
    };
    StoryEntry::new(run.started_at, "run", "run", format!("{job} {arguments} on {host}: {end}")).about(run.id.0)
}

//! What `sync-emails` does about each mailbox.

use echodesk_store::MailboxStory;

use super::super::facts::{Facts, MAIL};
use super::super::shown::{because, count, minute};
use super::Next;

/// So many failures in a row switch a mailbox off.
const FAILURES: u32 = 5;

pub(super) fn of(facts: &Facts) -> Vec<Next> {
    let subject = &facts.tenant.schema;
    match &facts.mail {
        Err(why) => vec![
            Next::new(MAIL, subject, "unreadable", format!("cannot read the tenant's mailboxes: {why}"))
                .todo(Some("`echodesk check`".to_owned())),
        ],
        Ok(mailboxes) if mailboxes.is_empty() => {
            let todo = format!("`echodesk mailbox add --tenant {subject} …` adds one");
            vec![Next::new(MAIL, subject, "no_mailbox", "nothing: there is no mailbox").todo(Some(todo))]
        }
        Ok(mailboxes) => mailboxes.iter().map(|mailbox| synced(mailbox, facts)).collect(),
    }
}

fn synced(story: &MailboxStory, facts: &Facts) -> Next {
    let mailbox = &story.mailbox;
    let (address, key) = (&mailbox.address, &mailbox.key);
    let error = because(&mailbox.last_error);
    let next = |verdict, what: String| Next::new(MAIL, key, verdict, format!("{address} ({key}): {what}"));
    if !mailbox.is_active {
        let by = match story.auto_disabled_at {
            Some(at) => format!("a sync has switched it off at {}", minute(at)),
            None => "somebody has switched it off".to_owned(),
        };
        let todo = format!("mend the reason, then `echodesk mailbox enable {key}`");
        return next("off", format!("not synced: {by}{error}")).todo(Some(todo));
    }
    if !facts.tenant.is_active {
        return next("tenant_inactive", "not synced: the tenant is not active".to_owned());
    }
    if let Some(until) = story.held_until {
        let what = format!("a run works on it; others skip it until {} at the latest", minute(until));
        return next("held", what).at(Some(until));
    }
    let rest = rest(story);
    if mailbox.failure_count > 0 || !error.is_empty() {
        let times = count(u64::from(mailbox.failure_count), "failure");
        let off = if mailbox.failure_count < FAILURES { "; five in a row switch it off" } else { "" };
        let todo = format!("`echodesk check --tenant {}` tries to log in", key.schema);
        return next("failing", format!("tried again{rest}, after {times} in a row{error}{off}")).todo(Some(todo));
    }
    let last = mailbox.last_sync_at.map_or_else(
        || "it was never read to its end".to_owned(),
        |at| format!("it was last read to its end at {}", minute(at)),
    );
    next("sync", format!("read{rest}; {last}"))
}

/// What is known to be left to read, and what could not be stored.
fn rest(story: &MailboxStory) -> String {
    let pending: u64 = story.folders.iter().map(|folder| folder.cursor.pending.len()).sum();
    let failed: u64 = story.folders.iter().map(|folder| folder.failed).sum();
    let mut parts = Vec::new();
    if pending > 0 {
        parts.push(format!("{} still to be read", count(pending, "message")));
    }
    if failed > 0 {
        parts.push(format!("{} not stored, tried again for three days each", count(failed, "message")));
    }
    if parts.is_empty() { String::new() } else { format!(" ({})", parts.join(", ")) }
}

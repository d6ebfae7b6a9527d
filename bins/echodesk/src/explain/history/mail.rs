//! Mailboxes: the last sync of each, and messages that could not be stored.

use echodesk_store::{FailedMessage, MailboxStory};

use super::super::entry::StoryEntry;
use super::super::shown::{because, count, together};

/// Of syncs the database keeps the last one only.
pub(super) fn of(story: &MailboxStory) -> Vec<StoryEntry> {
    let mailbox = &story.mailbox;
    let address = &mailbox.address;
    let entry = |at, event, what: String| StoryEntry::new(at, "mail", event, what).about(&mailbox.key);
    let mut entries = vec![entry(story.created_at, "mailbox_added", format!("{address}: added"))];
    if let Some(at) = mailbox.last_sync_at {
        let stored: u64 = story.folders.iter().map(|folder| folder.stored + folder.reduced).sum();
        let what = format!(
            "{address}: read to its end; {} in {}",
            count(stored, "message"),
            count(u64::try_from(story.folders.len()).unwrap_or(u64::MAX), "folder")
        );
        entries.push(entry(at, "mailbox_synced", what));
    }
    let error = because(&mailbox.last_error);
    let off = story.auto_disabled_at.filter(|_| !mailbox.is_active);
    if let Some(at) = off {
        entries.push(entry(at, "mailbox_switched_off", format!("{address}: switched off by a sync{error}")));
    }
    if !error.is_empty() && off.is_none_or(|at| !together(at, story.updated_at)) {
        let times = count(u64::from(mailbox.failure_count), "failure");
        entries.push(entry(story.updated_at, "mailbox_failed", format!("{address}: {times} in a row{error}")));
    }
    entries.extend(story.failed.rows.iter().map(|message| {
        let FailedMessage { folder, uid, size, reason, at } = message;
        let what = format!("{address}, {folder}, message {uid} ({size} bytes): not stored{}", because(reason));
        entry(*at, "message_failed", what)
    }));
    entries
}

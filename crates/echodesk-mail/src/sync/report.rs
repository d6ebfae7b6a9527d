//! What a run did: the JSON that `--report` writes and the summary is made of.

use jiff::Timestamp;
use serde::Serialize;

use crate::model::{Fate, Mailbox, Uid};
use crate::ports::MailServerError;
use crate::rules::failure::SyncFailure;

use super::read::Folder;

/// A whole run.
#[derive(Clone, Debug, Serialize)]
pub struct SyncReport {
    /// When it began, UTC.
    pub started_at: Timestamp,
    /// How long it took.
    pub seconds: f64,
    /// Whether it only looked.
    pub dry_run: bool,
    /// Whether a signal ended it before everything was done.
    pub stopped: bool,
    /// Whether the database went away before everything was done.
    pub database_away: bool,
    /// Sums over all mailboxes.
    pub totals: Totals,
    /// Tenants that could not be worked on, or that were not for a reason.
    pub tenants: Vec<TenantNote>,
    /// Every mailbox, in the order of tenants and ids.
    pub mailboxes: Vec<MailboxReport>,
}

/// Something about a tenant as a whole.
#[derive(Clone, Debug, Serialize)]
pub struct TenantNote {
    /// Its schema.
    pub tenant: String,
    /// `failed`: its mailboxes could not be read; `inactive`: it was named, but is suspended.
    pub outcome: TenantOutcome,
    /// What and why, in one line.
    pub message: String,
}

/// See [`TenantNote::outcome`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum TenantOutcome {
    /// Its mailboxes could not be read.
    Failed,
    /// It is not active.
    Inactive,
}

/// Sums.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Totals {
    /// Mailboxes looked at.
    pub mailboxes: usize,
    /// Of these: read to their end.
    pub synced: usize,
    /// Of these: read in part, to be continued by the next run.
    pub partial: usize,
    /// Of these: failed. Under a name of its own, since messages that failed are beside it.
    #[serde(rename = "failed_mailboxes")]
    pub failed: usize,
    /// Of these: left to another run that holds them, or not begun.
    pub skipped: usize,
    /// Messages by fate.
    #[serde(flatten)]
    pub messages: MessageCounts,
    /// Bytes received, decrypted.
    pub bytes: u64,
    /// Waits for a server.
    pub round_trips: u64,
}

/// Messages by fate.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct MessageCounts {
    /// New rows, whole.
    pub stored: usize,
    /// Known messages met in a further place.
    pub duplicate: usize,
    /// New rows that hold less than the message did.
    pub reduced: usize,
    /// Not stored.
    pub failed: usize,
}

impl MessageCounts {
    /// Counts one more fate.
    pub fn count(&mut self, fate: &Fate) {
        match fate {
            Fate::Stored => self.stored += 1,
            Fate::Duplicate => self.duplicate += 1,
            Fate::Reduced(_) => self.reduced += 1,
            Fate::Failed(_) => self.failed += 1,
        }
    }

    /// Adds another count.
    pub fn add(&mut self, other: Self) {
        self.stored += other.stored;
        self.duplicate += other.duplicate;
        self.reduced += other.reduced;
        self.failed += other.failed;
    }
}

/// One mailbox.
#[derive(Clone, Debug, Serialize)]
pub struct MailboxReport {
    /// The tenant's schema.
    pub tenant: String,
    /// Its id within the tenant.
    pub connection: i64,
    /// Its address.
    pub address: String,
    /// How it ended.
    pub outcome: MailboxOutcome,
    /// Why it failed, was skipped or was read only in part, in one line.
    pub error: Option<String>,
    /// Whether this failure switched it off.
    pub switched_off: bool,
    /// Sums over its folders (in a dry run: what would be).
    #[serde(flatten)]
    pub messages: MessageCounts,
    /// Flags brought up to date.
    pub flags_changed: usize,
    /// Messages found gone from the server.
    pub gone: usize,
    /// Messages in the window that the next run will read.
    pub pending: u64,
    /// The folders that are synced.
    pub folders: Vec<FolderReport>,
    /// Folders that are not, by name.
    pub folders_left_out: Vec<String>,
    /// Messages that are reduced or failed, with the reason; the first thousand.
    pub problems: Vec<Problem>,
    /// Bytes received, decrypted.
    pub bytes: u64,
    /// Waits for the server after connecting.
    pub round_trips: u32,
    /// Answers of the server that could not be understood and were passed over.
    pub skipped_answers: u32,
    /// How long it took.
    pub seconds: f64,
}

/// How a mailbox ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum MailboxOutcome {
    /// Everything in the window was read.
    Synced,
    /// Part was read; the next run goes on (`--max-messages`, the time budget, a signal).
    Partial,
    /// Something could not be read.
    Failed,
    /// Another run works on it, or this run was stopped before it began.
    Skipped,
}

/// One folder.
#[derive(Clone, Debug, Serialize)]
pub struct FolderReport {
    /// Its decoded name.
    pub name: String,
    /// How it ended.
    pub outcome: FolderOutcome,
    /// Why it failed, in one line.
    pub error: Option<String>,
    /// Messages by fate (in a dry run: what would be).
    #[serde(flatten)]
    pub messages: MessageCounts,
    /// Messages in the window that the next run will read.
    pub pending: u64,
}

/// How a folder ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum FolderOutcome {
    /// Nothing had changed.
    Unchanged,
    /// Read to its end.
    Read,
    /// Read in part.
    Partial,
    /// Could not be read.
    Failed,
}

/// A message that is not stored as it is.
#[derive(Clone, Debug, Serialize)]
pub struct Problem {
    /// Its folder.
    pub folder: String,
    /// Its UID there.
    pub uid: Uid,
    /// `reduced` or `failed`.
    pub fate: &'static str,
    /// Why.
    pub reason: String,
}

impl Totals {
    /// Adds up.
    #[must_use]
    pub fn of(mailboxes: &[MailboxReport]) -> Self {
        let mut totals = Self { mailboxes: mailboxes.len(), ..Self::default() };
        for mailbox in mailboxes {
            *match mailbox.outcome {
                MailboxOutcome::Synced => &mut totals.synced,
                MailboxOutcome::Partial => &mut totals.partial,
                MailboxOutcome::Failed => &mut totals.failed,
                MailboxOutcome::Skipped => &mut totals.skipped,
            } += 1;
            totals.messages.add(mailbox.messages);
            totals.bytes += mailbox.bytes;
            totals.round_trips += u64::from(mailbox.round_trips);
        }
        totals
    }
}

impl MailboxReport {
    /// The report of a mailbox of which nothing has been read yet.
    pub(super) fn new(mailbox: &Mailbox) -> Self {
        Self {
            tenant: mailbox.key.schema.to_string(),
            connection: mailbox.key.connection.0,
            address: mailbox.address.clone(),
            outcome: MailboxOutcome::Synced,
            error: None,
            switched_off: false,
            messages: MessageCounts::default(),
            flags_changed: 0,
            gone: 0,
            pending: 0,
            folders: Vec::new(),
            folders_left_out: Vec::new(),
            problems: Vec::new(),
            bytes: 0,
            round_trips: 0,
            skipped_answers: 0,
            seconds: 0.0,
        }
    }

    pub(super) fn skip(&mut self, why: &str) {
        self.outcome = MailboxOutcome::Skipped;
        self.error = Some(why.to_owned());
    }

    pub(super) fn continue_later(&mut self, why: &str) {
        self.outcome = MailboxOutcome::Partial;
        self.error = Some(why.to_owned());
    }

    pub(super) fn fail(&mut self, failure: &SyncFailure) {
        self.outcome = MailboxOutcome::Failed;
        self.error = Some(failure.to_string());
    }
}

impl FolderReport {
    /// The report of a folder of which nothing has been read in this run.
    pub(super) fn before(folder: &Folder) -> Self {
        Self {
            name: folder.listing.name.name.clone(),
            outcome: FolderOutcome::Unchanged,
            error: None,
            messages: MessageCounts::default(),
            pending: folder.cursor.as_ref().map_or(0, |cursor| cursor.pending.len()),
        }
    }

    pub(super) fn fail(&mut self, error: &MailServerError) {
        self.outcome = FolderOutcome::Failed;
        self.error = Some(error.one_line());
    }
}

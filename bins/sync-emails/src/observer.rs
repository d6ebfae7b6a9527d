//! Watching a run: a log line when it begins and one per mailbox, and the progress line.
//!
//! Tenants that cannot be worked on are logged by the run itself, which is the first to know.

use echodesk_job::Progress;
use echodesk_mail::sync::{MailboxOutcome, MailboxReport, SyncObserver};

use crate::summary::outcome_name;

/// Passes on what happens to people.
pub(crate) struct Watch {
    pub(crate) progress: Progress,
    /// The database without its password.
    pub(crate) database: String,
    pub(crate) dry_run: bool,
}

impl SyncObserver for Watch {
    fn started(&self, mailboxes: usize) {
        self.progress.set_total(mailboxes);
        let database = self.database.as_str();
        if mailboxes == 0 {
            // The usual cause is a setting that points to another database than was meant.
            tracing::warn!(database, mailboxes, "no mailboxes to sync: is this the database that was meant?");
        } else {
            tracing::info!(database, mailboxes, "sync begins");
        }
    }

    fn stored(&self, messages: usize, bytes: u64) {
        self.progress.add(messages, bytes);
    }

    fn finished(&self, report: &MailboxReport) {
        let failed = report.outcome == MailboxOutcome::Failed;
        self.progress.item_done(failed);
        if failed {
            warn_of(report, self.dry_run);
        } else {
            inform_of(report);
        }
    }
}

fn inform_of(report: &MailboxReport) {
    let messages = report.messages;
    tracing::info!(
        tenant = report.tenant,
        connection = report.connection,
        outcome = outcome_name(report.outcome),
        stored = messages.stored,
        duplicate = messages.duplicate,
        reduced = messages.reduced,
        failed = messages.failed,
        pending = report.pending,
        bytes = report.bytes,
        round_trips = report.round_trips,
        seconds = in_milliseconds(report.seconds),
        reason = reason(report),
        "mailbox done"
    );
}

/// A mailbox that failed half-way has stored something all the same.
fn warn_of(report: &MailboxReport, dry_run: bool) {
    // A dry run finds out that a run would switch the mailbox off, and leaves it as it is.
    let (switched_off, would_be) = (report.switched_off && !dry_run, (dry_run && report.switched_off).then_some(true));
    let messages = report.messages;
    tracing::warn!(
        tenant = report.tenant,
        connection = report.connection,
        outcome = "failed",
        error = reason(report).unwrap_or("messages failed"),
        switched_off,
        would_be_switched_off = would_be,
        stored = messages.stored,
        duplicate = messages.duplicate,
        reduced = messages.reduced,
        failed = messages.failed,
        pending = report.pending,
        bytes = report.bytes,
        round_trips = report.round_trips,
        seconds = in_milliseconds(report.seconds),
        "mailbox failed"
    );
}

/// Why a mailbox is not as it should be: its own trouble, or that of its first folder that has one.
/// Single messages are left to the report: their reasons may name correspondents.
fn reason(report: &MailboxReport) -> Option<&str> {
    let of_folder = || report.folders.iter().find_map(|folder| folder.error.as_deref());
    report.error.as_deref().or_else(of_folder)
}

fn in_milliseconds(seconds: f64) -> f64 {
    (seconds * 1000.0).round() / 1000.0
}

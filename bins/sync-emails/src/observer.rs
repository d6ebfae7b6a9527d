//! Watching a run: a log line per mailbox, and the progress line.

use echodesk_job::Progress;
use echodesk_mail::sync::{MailboxOutcome, MailboxReport, SyncObserver};

/// Passes on what happens to people.
pub(crate) struct Watch(pub(crate) Progress);

impl SyncObserver for Watch {
    fn started(&self, mailboxes: usize) {
        self.0.set_total(mailboxes);
        tracing::info!(mailboxes, "sync begins");
    }

    fn stored(&self, messages: usize, bytes: u64) {
        self.0.add(messages, bytes);
    }

    fn finished(&self, report: &MailboxReport) {
        self.0.item_done(report.outcome == MailboxOutcome::Failed);
        let MailboxReport { tenant, connection, messages, pending, bytes, round_trips, .. } = report;
        let seconds = (report.seconds * 1000.0).round() / 1000.0;
        let outcome = crate::summary::outcome_name(report.outcome);
        if report.outcome == MailboxOutcome::Failed {
            let (error, switched_off) = (report.error.as_deref().unwrap_or("see its folders"), report.switched_off);
            tracing::warn!(%tenant, connection, error, switched_off, stored = messages.stored, seconds, "mailbox failed");
        } else {
            tracing::info!(
                %tenant, connection, outcome,
                stored = messages.stored, duplicate = messages.duplicate, reduced = messages.reduced,
                failed = messages.failed, pending, bytes, round_trips, seconds,
                "mailbox done"
            );
        }
    }
}

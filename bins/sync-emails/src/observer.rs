//! Watching a run: the progress line. What becomes of each mailbox is logged by the run itself.

use echodesk_job::Progress;
use echodesk_mail::sync::{MailboxOutcome, MailboxReport, SyncObserver};

/// Counts what happens.
pub(crate) struct Watch(pub(crate) Progress);

impl SyncObserver for Watch {
    fn started(&self, mailboxes: usize) {
        self.0.set_total(mailboxes);
    }

    fn stored(&self, messages: usize, bytes: u64) {
        self.0.add(messages, bytes);
    }

    fn finished(&self, report: &MailboxReport) {
        self.0.item_done(report.outcome == MailboxOutcome::Failed);
    }
}

//! Watching a run.

use super::MailboxReport;

/// Told of a run's progress, from many threads. Must not block.
pub trait SyncObserver: Send + Sync {
    /// The run knows how many mailboxes it has to sync.
    fn started(&self, mailboxes: usize);

    /// Messages were stored (or, in a dry run, would have been).
    fn stored(&self, messages: usize, bytes: u64);

    /// A mailbox is done, one way or another.
    fn finished(&self, report: &MailboxReport);
}

/// An observer that looks away.
#[derive(Debug)]
pub struct Silent;

impl SyncObserver for Silent {
    fn started(&self, _mailboxes: usize) {}

    fn stored(&self, _messages: usize, _bytes: u64) {}

    fn finished(&self, _report: &MailboxReport) {}
}

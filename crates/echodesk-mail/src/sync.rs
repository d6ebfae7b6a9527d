//! The runs: one mailbox, and all of them.

mod all;
mod deliver;
mod dry_run;
mod fetch;
mod known;
mod mailbox;
mod memory;
mod observer;
mod pipeline;
mod progress;
mod reach;
mod read;
mod report;
mod survey;
mod writer;

use std::fmt;
use std::num::{NonZeroU32, NonZeroUsize};
use std::sync::Arc;
use std::time::Duration;

use echodesk_core::{Clock, RunId, StopToken};

pub use all::sync_all;
pub use observer::{Silent, SyncObserver};
pub use report::{
    FolderOutcome, FolderReport, MailboxOutcome, MailboxReport, MessageCounts, Problem, SyncReport, TenantNote,
    TenantOutcome, Totals,
};

use crate::credential::CredentialKeys;
use crate::ports::{AttachmentStore, MailServer, MailStore};

/// What a run works with.
#[derive(Clone)]
pub struct SyncWorld {
    /// Where mail is stored. For a dry run too: it is read from, never written to.
    pub store: Arc<dyn MailStore>,
    /// How servers are reached.
    pub server: Arc<dyn MailServer>,
    /// Where attachments go. A dry run keeps none.
    pub attachments: Arc<dyn AttachmentStore>,
    /// What stored passwords are opened with.
    pub keys: CredentialKeys,
    /// The time.
    pub clock: Arc<dyn Clock>,
    /// Set to ask the run to stop: what is in flight is finished, nothing new is begun.
    pub stop: StopToken,
    /// This run.
    pub run: RunId,
    /// Who watches.
    pub observer: Arc<dyn SyncObserver>,
}

impl fmt::Debug for SyncWorld {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SyncWorld").field("run", &self.run).field("stop", &self.stop).finish_non_exhaustive()
    }
}

/// How a run goes about it.
#[derive(Clone, Debug)]
pub struct SyncOptions {
    /// New messages read per mailbox and run; the rest waits for the next run.
    pub max_messages: NonZeroU32,
    /// A message over this many bytes is stored reduced.
    pub max_message_size: u64,
    /// Mailboxes synced at once.
    pub jobs: NonZeroUsize,
    /// Mailboxes synced at once on one server host.
    pub per_host: NonZeroUsize,
    /// How long one mailbox may take; what it has not read by then waits for the next run.
    pub mailbox_budget: Duration,
    /// Bytes of messages held in memory at once, over all mailboxes. Those over 1 MiB have a budget of
    /// their own, of `max_message_size` bytes.
    pub memory: u64,
    /// Read everything, write nothing.
    pub dry_run: bool,
}

impl Default for SyncOptions {
    fn default() -> Self {
        Self {
            max_messages: NonZeroU32::new(500).unwrap_or(NonZeroU32::MIN),
            max_message_size: 25 << 20,
            jobs: NonZeroUsize::new(16).unwrap_or(NonZeroUsize::MIN),
            per_host: NonZeroUsize::new(4).unwrap_or(NonZeroUsize::MIN),
            mailbox_budget: Duration::from_secs(240),
            memory: 16 << 20,
            dry_run: false,
        }
    }
}

/// What a panic said, unless it was put together at run time: then it may quote somebody's mail.
fn panic_text(panic: &(dyn std::any::Any + Send)) -> String {
    panic.downcast_ref::<&'static str>().copied().unwrap_or("see the log for the place").to_owned()
}

#[cfg(test)]
mod tests;

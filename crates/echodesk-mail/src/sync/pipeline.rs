//! Reading, parsing and storing at the same time.
//!
//! The thread that reads hands its work to one that parses and puts attachments into their store;
//! the next waits until those are safe there; the last writes. All queues keep the order, so
//! everything that one mailbox writes is written in the order in which it was found, by one thread:
//! a message that moved is never looked at by two transactions at once. And no row is written that
//! points to an attachment which a power cut could take back.

use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread::{Scope, ScopedJoinHandle};

use crate::model::{Flags, FolderCursor, RawMessage, Uid, UidSet};
use crate::parse::{ReadContext, read_message};
use crate::ports::{AttachmentStore, BatchItem, ItemContent};
use crate::rules::failure::SyncFailure;

use super::memory::Permit;
use super::writer::{Writer, Written};
use super::{SyncWorld, mailbox::MailboxRun};

/// Messages and orders that may wait between two threads. Bytes are bounded by permits.
const QUEUE: usize = 64;

/// Something to be written, in order. `folder` counts the folders of the mailbox that are synced.
pub(super) enum Work {
    /// A folder's cursor; the messages after it shorten its `pending`.
    Cursor { folder: usize, cursor: FolderCursor },
    /// UIDs that turned out to lie outside the window, or to be `gone`: no longer pending. That something is not named is no
    /// proof, so what is gone is looked for once more by the next run.
    NotPending { folder: usize, uids: UidSet, gone: bool },
    /// The connection broke when this message was due.
    Suspect { folder: usize, uid: Uid },
    /// Items that are gone from the server; all of that UIDVALIDITY if `uids` is none.
    Gone { folder: usize, uid_validity: u32, uids: Option<UidSet> },
    /// Flags as they are now.
    Flags { folder: usize, uid_validity: u32, flags: Vec<(Uid, Flags)> },
    /// A message, as it came.
    Message { folder: usize, raw: RawMessage, permit: Permit },
    /// A message, parsed (or given up), ready for the database.
    Item { folder: usize, item: BatchItem, permit: Option<Permit> },
}

/// The three threads behind the reader.
pub(super) struct Pipeline<'scope> {
    queue: SyncSender<Work>,
    parser: ScopedJoinHandle<'scope, Result<(), SyncFailure>>,
    keeper: ScopedJoinHandle<'scope, Result<(), SyncFailure>>,
    writer: ScopedJoinHandle<'scope, (Written, Result<(), SyncFailure>)>,
}

/// The pipeline has ended early; [`Pipeline::finish`] says why.
#[derive(Debug)]
pub(super) struct Broken;

impl<'scope> Pipeline<'scope> {
    pub(super) fn start<'env>(scope: &'scope Scope<'scope, 'env>, run: &'env MailboxRun<'env>, folders: usize) -> Self {
        let (queue, to_parse) = sync_channel(QUEUE);
        let (parsed, to_keep) = sync_channel(QUEUE);
        let (kept, to_write) = sync_channel(QUEUE);
        let parser = scope.spawn(move || parse(run, &to_parse, &parsed));
        let keeper = scope.spawn(move || keep(run.world.attachments.as_ref(), &to_keep, &kept));
        let writer = scope.spawn(move || Writer::new(run, folders).run(&to_write));
        Self { queue, parser, keeper, writer }
    }

    pub(super) fn send(&self, work: Work) -> Result<(), Broken> {
        self.queue.send(work).map_err(|_| Broken)
    }

    /// Lets everything that was sent be written, and says what was written and why no more.
    pub(super) fn finish(self) -> (Written, Result<(), SyncFailure>) {
        drop(self.queue);
        let parsed = self.parser.join().unwrap_or_else(|panic| Err(panicked(&*panic)));
        let kept = self.keeper.join().unwrap_or_else(|panic| Err(panicked(&*panic)));
        let (written, wrote) = self.writer.join().unwrap_or_else(|panic| (Written::default(), Err(panicked(&*panic))));
        // Whoever ends early shuts the queues of the others, which then end without an error.
        (written, wrote.and(kept).and(parsed))
    }
}

fn panicked(panic: &(dyn std::any::Any + Send)) -> SyncFailure {
    SyncFailure::Panic(super::panic_text(panic))
}

fn parse(run: &MailboxRun<'_>, from: &Receiver<Work>, to: &SyncSender<Work>) -> Result<(), SyncFailure> {
    let world: &SyncWorld = run.world;
    let context = ReadContext { mailbox_address: &run.mailbox.address, limits: run.limits, now: run.now };
    for work in from {
        let work = match work {
            // The mailbox's time is over: what is not stored stays pending.
            Work::Message { .. } if run.is_overdue() => continue,
            Work::Message { folder, raw, permit } => {
                let schema = &run.mailbox.key.schema;
                let read = read_message(&raw, &context, &mut |attachment| {
                    world.attachments.put(schema, &attachment.digest, attachment.content_type, attachment.bytes)
                })?;
                let content = ItemContent::Message {
                    message: read.message,
                    fingerprint: read.fingerprint,
                    reduced: read.reduced,
                };
                let size = if raw.truncated { raw.meta.size } else { raw.bytes.len() as u64 };
                let item = BatchItem { uid: raw.meta.uid, flags: raw.meta.flags, size, content };
                Work::Item { folder, item, permit: Some(permit) }
            }
            other => other,
        };
        if to.send(work).is_err() {
            break;
        }
    }
    Ok(())
}

/// Lets pass what is safe: the attachments of everything that goes on have been flushed. What
/// arrives during one flush shares the next.
fn keep(attachments: &dyn AttachmentStore, from: &Receiver<Work>, to: &SyncSender<Work>) -> Result<(), SyncFailure> {
    while let Ok(first) = from.recv() {
        let group: Vec<Work> = std::iter::once(first).chain(from.try_iter().take(QUEUE)).collect();
        attachments.flush()?;
        for work in group {
            if to.send(work).is_err() {
                return Ok(());
            }
        }
    }
    Ok(())
}

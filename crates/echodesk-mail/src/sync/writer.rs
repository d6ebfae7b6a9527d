//! The thread that writes: batches of messages with the cursor in the same transaction.

use std::sync::mpsc::{Receiver, RecvTimeoutError};
use std::time::Duration;

use crate::model::{Fate, FolderCursor};
use crate::ports::{Batch, BatchItem};
use crate::rules::failure::SyncFailure;

use super::mailbox::MailboxRun;
use super::memory::Permit;
use super::pipeline::Work;
use super::report::{MessageCounts, Problem};

/// Messages in one transaction.
const BATCH_MESSAGES: usize = 200;
/// Bytes in one transaction, as received.
const BATCH_BYTES: u64 = 8 << 20;
/// A batch that does not fill is written after this long: the reader may be waiting for the memory
/// that it holds.
const IDLE: Duration = Duration::from_millis(50);
/// Problems listed in a report; the counts go on.
const MAX_PROBLEMS: usize = 1000;

/// What was written, per folder.
#[derive(Debug, Default)]
pub(super) struct Written {
    pub(super) folders: Vec<FolderWritten>,
    pub(super) problems: Vec<Problem>,
    pub(super) flags_changed: usize,
    pub(super) gone: usize,
}

/// What was written of one folder.
#[derive(Clone, Debug, Default)]
pub(super) struct FolderWritten {
    pub(super) messages: MessageCounts,
    /// As it stands in the database; none if the folder was not touched.
    pub(super) cursor: Option<FolderCursor>,
}

pub(super) struct Writer<'a> {
    run: &'a MailboxRun<'a>,
    written: Written,
    folder: usize,
    items: Vec<BatchItem>,
    bytes: u64,
    permits: Vec<Permit>,
    /// Whether the cursor of `folder` has changed since it was written.
    cursor_is_dirty: bool,
}

impl<'a> Writer<'a> {
    pub(super) fn new(run: &'a MailboxRun<'a>, folders: usize) -> Self {
        let written = Written { folders: vec![FolderWritten::default(); folders], ..Written::default() };
        Self { run, written, folder: 0, items: Vec::new(), bytes: 0, permits: Vec::new(), cursor_is_dirty: false }
    }

    pub(super) fn run(mut self, from: &Receiver<Work>) -> Result<Written, SyncFailure> {
        loop {
            match from.recv_timeout(IDLE) {
                Ok(work) => self.take(work)?,
                Err(RecvTimeoutError::Timeout) => self.flush()?,
                Err(RecvTimeoutError::Disconnected) => {
                    self.flush()?;
                    return Ok(self.written);
                }
            }
        }
    }

    fn take(&mut self, work: Work) -> Result<(), SyncFailure> {
        let store = &self.run.world.store;
        let (key, lease, now) = (&self.run.mailbox.key, &self.run.lease, self.run.now);
        match work {
            Work::Item { folder, item, permit } => {
                self.turn_to(folder)?;
                self.bytes += item.size;
                self.items.push(item);
                self.permits.extend(permit);
                if self.items.len() >= BATCH_MESSAGES || self.bytes >= BATCH_BYTES {
                    self.flush()?;
                }
            }
            Work::Cursor { folder, cursor } => {
                self.turn_to(folder)?;
                self.flush()?;
                self.written.folders[folder].cursor = Some(cursor);
                self.cursor_is_dirty = true;
            }
            Work::NotPending { folder, uids } => {
                self.turn_to(folder)?;
                if let Some(cursor) = &mut self.written.folders[folder].cursor {
                    cursor.pending = cursor.pending.difference(&uids);
                    self.cursor_is_dirty = true;
                }
            }
            Work::Gone { folder, uid_validity, uids } => {
                self.turn_to(folder)?;
                self.flush()?;
                let name = &self.run.folders[folder];
                self.written.gone += store.mark_gone(key, lease, name, uid_validity, uids.as_ref(), now)?;
            }
            Work::Flags { folder, uid_validity, flags } => {
                self.turn_to(folder)?;
                self.flush()?;
                let name = &self.run.folders[folder];
                self.written.flags_changed += store.update_flags(key, lease, name, uid_validity, &flags, now)?;
            }
            // The parser has turned every message into an item.
            Work::Message { .. } => {}
        }
        Ok(())
    }

    fn turn_to(&mut self, folder: usize) -> Result<(), SyncFailure> {
        if self.folder != folder {
            self.flush()?;
            self.folder = folder;
        }
        Ok(())
    }

    fn flush(&mut self) -> Result<(), SyncFailure> {
        if self.items.is_empty() && !self.cursor_is_dirty {
            return Ok(());
        }
        let written = &mut self.written.folders[self.folder];
        let Some(cursor) = &mut written.cursor else { return Ok(()) };
        for item in &self.items {
            cursor.pending.remove(item.uid);
        }
        let batch = Batch { cursor: cursor.clone(), items: std::mem::take(&mut self.items), now: self.run.now };
        let fates = self.run.world.store.store(self.run.mailbox, &self.run.lease, &batch)?;
        for (item, fate) in batch.items.iter().zip(&fates) {
            written.messages.count(fate);
            if let (Some(reason), true) = (fate.reason(), self.written.problems.len() < MAX_PROBLEMS) {
                let folder = self.run.folders[self.folder].clone();
                let problem = Problem { folder, uid: item.uid, fate: fate.code(), reason: reason.to_owned() };
                self.written.problems.push(problem);
            }
        }
        let stored = fates.iter().filter(|fate| matches!(fate, Fate::Stored | Fate::Reduced(_))).count();
        self.run.world.observer.stored(stored, self.bytes);
        self.permits.clear();
        self.bytes = 0;
        self.cursor_is_dirty = false;
        Ok(())
    }
}

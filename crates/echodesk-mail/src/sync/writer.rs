//! The thread that writes: batches of messages with the cursor in the same transaction.

use std::sync::mpsc::{Receiver, RecvTimeoutError};
use std::time::Duration;

use crate::model::{Fate, FolderCursor, FolderStatus, Suspect, UidSet};
use crate::ports::{Batch, BatchItem, ItemContent, StoreError, StoreErrorKind};
use crate::rules::failure::SyncFailure;

use super::mailbox::{LEASE, MailboxRun, lease};
use super::memory::Permit;
use super::pipeline::Work;
use super::report::{MessageCounts, Problem};

/// Messages in one transaction.
const BATCH_MESSAGES: usize = 200;
/// Bytes in one transaction, as received.
const BATCH_BYTES: u64 = 8 << 20;
/// How often the writer looks whether it should go on with less than a batch.
const TICK: Duration = Duration::from_millis(50);
/// A batch that does not fill is written after this long.
const PATIENCE: Duration = Duration::from_secs(1);
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
    /// When, by the run's clock, the last batch was written.
    flushed_at: Duration,
    /// When, by the run's clock, the lease was taken or renewed.
    leased_at: Duration,
}

impl<'a> Writer<'a> {
    pub(super) fn new(run: &'a MailboxRun<'a>, folders: usize) -> Self {
        let written = Written { folders: vec![FolderWritten::default(); folders], ..Written::default() };
        let now = run.world.clock.elapsed();
        Self {
            run,
            written,
            folder: 0,
            items: Vec::new(),
            bytes: 0,
            permits: Vec::new(),
            cursor_is_dirty: false,
            flushed_at: now,
            leased_at: run.leased_at,
        }
    }

    /// Writes what comes, until there is no more, and says what was written and why no more.
    pub(super) fn run(mut self, from: &Receiver<Work>) -> (Written, Result<(), SyncFailure>) {
        let result = self.write_all(from);
        (self.written, result)
    }

    fn write_all(&mut self, from: &Receiver<Work>) -> Result<(), SyncFailure> {
        loop {
            match from.recv_timeout(TICK) {
                Ok(work) => self.take(work)?,
                Err(RecvTimeoutError::Timeout) if self.should_not_wait() => self.flush()?,
                Err(RecvTimeoutError::Timeout) => {}
                Err(RecvTimeoutError::Disconnected) => return self.flush(),
            }
            self.renew_lease()?;
        }
    }

    /// Whether a batch that is not full should be written all the same: somebody waits for the memory
    /// that it holds, or it has waited for long.
    fn should_not_wait(&self) -> bool {
        self.run.memory.is_short() || self.run.world.clock.elapsed() >= self.flushed_at + PATIENCE
    }

    /// The lease is short, so that a mailbox whose sync was killed does not rest for long.
    fn renew_lease(&mut self) -> Result<(), SyncFailure> {
        let clock = &self.run.world.clock;
        if clock.elapsed() < self.leased_at + LEASE / 4 {
            return Ok(());
        }
        self.leased_at = clock.elapsed();
        let (key, now) = (&self.run.mailbox.key, clock.now());
        if self.run.world.store.renew(key, &lease(self.run.world.run, now))? {
            return Ok(());
        }
        let what = format!("the lease on mailbox {key} is lost");
        Err(StoreError { kind: StoreErrorKind::LeaseLost, what, source: None }.into())
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
            Work::NotPending { folder, uids, gone } => {
                self.turn_to(folder)?;
                if let Some(cursor) = &mut self.written.folders[folder].cursor {
                    if gone {
                        cursor.status.messages = FolderStatus::NOT_COUNTED;
                    }
                    cursor.pending = cursor.pending.difference(&uids);
                    self.cursor_is_dirty = true;
                }
            }
            Work::Suspect { folder, uid } => {
                self.turn_to(folder)?;
                // One that was read meanwhile is none any more.
                self.flush()?;
                if let Some(cursor) = &mut self.written.folders[folder].cursor {
                    let suspect = cursor.suspect.get_or_insert(Suspect { uid, deaths: 0 });
                    // One that still waits for its turn stays, but this is not about it.
                    if suspect.uid == uid {
                        suspect.deaths += 1;
                        self.cursor_is_dirty = true;
                    }
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
        self.flushed_at = self.run.world.clock.elapsed();
        if self.items.is_empty() && !self.cursor_is_dirty {
            return Ok(());
        }
        let written = &mut self.written.folders[self.folder];
        let Some(cursor) = &mut written.cursor else { return Ok(()) };
        let done = self.items.iter().map(|item| item.uid).collect();
        let pending = cursor.pending.difference(&done);
        let before = std::mem::replace(&mut cursor.pending, pending);
        cursor.suspect = cursor.suspect.filter(|suspect| cursor.pending.contains(suspect.uid));
        let batch = Batch { cursor: cursor.clone(), items: std::mem::take(&mut self.items), now: self.run.now };
        let fates = match store(self.run, &batch) {
            Ok(fates) => fates,
            Err(error) => {
                // The report tells what is in the database.
                cursor.pending = before;
                return Err(error.into());
            }
        };
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

/// Stores a batch; or, if the database refuses something in it, one message after the other, so that
/// the one it refuses takes no other with it and is listed with the reason.
fn store(run: &MailboxRun<'_>, batch: &Batch) -> Result<Vec<Fate>, StoreError> {
    let store = |batch: &Batch| run.world.store.store(run.mailbox, &run.lease, batch);
    match store(batch) {
        Err(error) if error.kind == StoreErrorKind::Other && !batch.items.is_empty() => {}
        result => return result,
    }
    // What is not stored yet stays pending in each of these transactions.
    let mut left: UidSet = batch.items.iter().map(|item| item.uid).collect();
    let mut fates = Vec::with_capacity(batch.items.len());
    for item in &batch.items {
        left.remove(item.uid);
        let pending = batch.cursor.pending.union(&left);
        let cursor = FolderCursor { pending, ..batch.cursor.clone() };
        let mut one = Batch { cursor, items: vec![item.clone()], now: batch.now };
        let stored = store(&one).or_else(|error| {
            if error.kind != StoreErrorKind::Other {
                return Err(error);
            }
            let reason = format!("the database refuses it: {error}");
            one.items[0].content = ItemContent::Unreadable { reason };
            store(&one)
        })?;
        fates.extend(stored);
    }
    Ok(fates)
}

//! Fetching the messages of one folder, the newest first.

use std::collections::HashMap;

use crate::model::{FolderName, MessageMeta, RawMessage, Suspect, Uid, UidSet};
use crate::ports::{BatchItem, ItemContent, MailServerError, MailSession};
use crate::rules::batch::{Batches, batches};
use crate::rules::plan;

use super::deliver::{Delivery, read_large, read_whole, send};
use super::mailbox::MailboxRun;
use super::pipeline::{Pipeline, Work};
use super::read::Halt;

/// Messages described at once: enough to keep FETCH commands in flight, few enough to forget.
const CHUNK: u64 = 1000;

/// How much of a message over the size limit is fetched: its header and, with luck, its text.
const HEAD_BYTES: u64 = 256 << 10;

/// After so many runs in which the connection broke while a message was asked for, it is given up.
const MAX_DEATHS: u32 = 3;

/// What is to be fetched of one folder.
pub(super) struct Fetch {
    /// The folder's number in this run.
    pub(super) folder: usize,
    /// What it owes.
    pub(super) pending: UidSet,
    /// What the server has already said of some of it.
    pub(super) known: HashMap<Uid, MessageMeta>,
    /// How many messages it may read in this run.
    pub(super) share: u64,
    /// The message over which the connection broke in an earlier run.
    pub(super) suspect: Option<Suspect>,
}

/// What the steps of fetching share.
pub(super) struct Fetcher<'a> {
    pub(super) run: &'a MailboxRun<'a>,
    pub(super) session: &'a mut dyn MailSession,
    pub(super) pipeline: &'a Pipeline<'a>,
    pub(super) folder: usize,
    pub(super) suspect: Option<Suspect>,
}

/// Reads up to `share` of what is pending and returns what is left.
pub(super) fn fetch(
    run: &MailboxRun<'_>,
    session: &mut dyn MailSession,
    pipeline: &Pipeline<'_>,
    name: &FolderName,
    is_open: bool,
    mut job: Fetch,
) -> Result<UidSet, Halt> {
    if job.pending.is_empty() || job.share == 0 {
        return Ok(job.pending);
    }
    if !is_open {
        session.examine(name)?;
    }
    let mut fetcher = Fetcher { run, session, pipeline, folder: job.folder, suspect: job.suspect };
    // First of all, and alone: what breaks then is about it, and no other such message keeps it from its turn.
    let suspect = fetcher.suspect.map(|suspect| suspect.uid);
    if let Some(uid) = suspect.filter(|uid| job.pending.contains(*uid)) {
        let alone = [uid].into_iter().collect();
        job.share -= fetcher.read(&alone, &mut job.known)?;
        job.pending = job.pending.difference(&alone);
    }
    while job.share > 0 && !job.pending.is_empty() {
        run.time_left().ok_or(Halt::OutOfTime)?;
        let chunk = job.pending.highest_n(job.share.min(CHUNK));
        job.share -= fetcher.read(&chunk, &mut job.known)?;
        job.pending = job.pending.difference(&chunk);
    }
    Ok(job.pending)
}

impl Fetcher<'_> {
    /// Gives every UID of `chunk` its fate, unless it is gone or lies outside the window. Returns how
    /// many messages were read.
    fn read(&mut self, chunk: &UidSet, known: &mut HashMap<Uid, MessageMeta>) -> Result<u64, Halt> {
        let window = plan::window_start(self.run.now, self.run.mailbox.days_back);
        let metas = self.describe(chunk, known)?;
        let described: UidSet = metas.iter().map(|meta| meta.uid).collect();
        let undescribed: Vec<MessageMeta> = chunk.difference(&described).iter().map(unknown_meta).collect();

        let (inside, outside): (Vec<_>, Vec<_>) = metas.into_iter().partition(|meta| plan::in_window(meta, window));
        self.not_pending(outside.iter().map(|meta| meta.uid).collect(), false)?;
        let read = inside.len();
        let (suspects, inside): (Vec<_>, Vec<_>) =
            inside.into_iter().partition(|meta| self.suspect.is_some_and(|suspect| suspect.uid == meta.uid));
        let Batches { whole, large, mut oversized } = batches(inside, self.run.options.max_message_size);
        let asked = whole.iter().map(Vec::len).sum::<usize>() + large.len();
        let mut delivery = read_whole(self, &whole, &mut oversized)?;
        read_large(self, large, &mut oversized, &mut delivery)?;

        let Delivery { mut missing, refusal } = delivery;
        match refusal {
            Some(refusal) if refusal.is_temporary_refusal() => return Err(refusal.into()),
            // Nothing at all: it is the folder that is refused, not a message in it.
            Some(refusal) if missing.len() == asked && asked > 1 => return Err(refusal.into()),
            _ => {}
        }
        missing.extend(undescribed);
        self.read_missing(missing, &mut oversized)?;
        for meta in oversized {
            self.read_head(&meta)?;
        }
        for meta in suspects {
            self.read_suspect(meta)?;
        }
        Ok(read as u64)
    }

    /// A message over which the connection broke before: alone, and not for ever.
    fn read_suspect(&mut self, meta: MessageMeta) -> Result<(), Halt> {
        if let Some(reason) = self.worn_out(meta.uid) {
            return self.give_up(&meta, reason);
        }
        let mut oversized = Vec::new();
        let Delivery { missing, .. } = read_whole(self, &[vec![meta]], &mut oversized)?;
        self.read_missing(missing, &mut oversized)?;
        oversized.iter().try_for_each(|meta| self.read_head(meta))
    }

    /// Why `uid` is not asked for any more, if the connection broke too often over it.
    fn worn_out(&self, uid: Uid) -> Option<String> {
        let suspect = self.suspect.filter(|suspect| suspect.uid == uid && suspect.deaths >= MAX_DEATHS)?;
        Some(format!("the connection broke {} times when it was asked for", suspect.deaths))
    }

    fn describe(&mut self, uids: &UidSet, known: &mut HashMap<Uid, MessageMeta>) -> Result<Vec<MessageMeta>, Halt> {
        let mut metas: Vec<MessageMeta> = uids.iter().filter_map(|uid| known.remove(&uid)).collect();
        let unknown = uids.difference(&metas.iter().map(|meta| meta.uid).collect());
        if !unknown.is_empty() {
            metas.extend(self.session.metas(&unknown)?);
            metas.sort_unstable_by_key(|meta| meta.uid);
        }
        Ok(metas)
    }

    /// A FETCH may answer with fewer messages than were asked for. Either they are gone, which only
    /// a SEARCH proves; or the server lists what it does not deliver: that is asked for once more, one
    /// by one, so that a message the server stumbles over takes no other with it, and then given up,
    /// by name.
    fn read_missing(&mut self, missing: Vec<MessageMeta>, oversized: &mut Vec<MessageMeta>) -> Result<(), Halt> {
        if missing.is_empty() {
            return Ok(());
        }
        let uids: UidSet = missing.iter().map(|meta| meta.uid).collect();
        let existing = self.session.search(&uids, None)?;
        self.not_pending(uids.difference(&existing), true)?;
        let mut batches: Vec<Vec<MessageMeta>> = Vec::new();
        for meta in missing.into_iter().filter(|meta| existing.contains(meta.uid)) {
            // A suspect that the server does not describe comes here first.
            match self.worn_out(meta.uid) {
                Some(reason) => self.give_up(&meta, reason)?,
                None => batches.push(vec![meta]),
            }
        }
        let Delivery { missing, refusal } = read_whole(self, &batches, oversized)?;
        let said = match refusal {
            Some(refusal) if refusal.is_temporary_refusal() => return Err(refusal.into()),
            other => other,
        };
        missing.iter().try_for_each(|meta| self.give_up(meta, not_delivered(said.as_ref())))
    }

    /// A message over the size limit: as much of it as says what it was.
    fn read_head(&mut self, meta: &MessageMeta) -> Result<(), Halt> {
        self.run.time_left().ok_or(Halt::OutOfTime)?;
        let bytes = HEAD_BYTES.min(self.run.options.max_message_size);
        match self.session.head(meta, bytes) {
            Ok(Some(raw)) => send(self, RawMessage { truncated: true, ..raw }),
            Ok(None) => {
                let uid: UidSet = [meta.uid].into_iter().collect();
                if self.session.search(&uid, None)?.is_empty() {
                    self.not_pending(uid, true)
                } else {
                    self.give_up(meta, not_delivered(None))
                }
            }
            Err(error) if error.session_survives() && !error.is_temporary_refusal() => {
                self.give_up(meta, not_delivered(Some(&error)))
            }
            Err(error) => {
                if !error.session_survives() && !matches!(error, MailServerError::OutOfTime) {
                    self.pipeline.send(Work::Suspect { folder: self.folder, uid: meta.uid })?;
                }
                Err(error.into())
            }
        }
    }

    fn give_up(&self, meta: &MessageMeta, reason: String) -> Result<(), Halt> {
        let content = ItemContent::Unreadable { reason };
        let item = BatchItem { uid: meta.uid, flags: meta.flags, size: meta.size, content };
        Ok(self.pipeline.send(Work::Item { folder: self.folder, item, permit: None })?)
    }

    fn not_pending(&self, uids: UidSet, gone: bool) -> Result<(), Halt> {
        if uids.is_empty() {
            return Ok(());
        }
        Ok(self.pipeline.send(Work::NotPending { folder: self.folder, uids, gone })?)
    }
}

fn not_delivered(said: Option<&MailServerError>) -> String {
    let said = said.map(|error| format!(": {error}")).unwrap_or_default();
    format!("the server lists this message but does not deliver it{said}")
}

/// A message that the server has said nothing of.
fn unknown_meta(uid: Uid) -> MessageMeta {
    MessageMeta { uid, size: 0, internal_date: None, flags: crate::model::Flags::NONE }
}

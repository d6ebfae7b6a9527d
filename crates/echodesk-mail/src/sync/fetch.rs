//! Fetching the messages of one folder, the newest first.

use std::collections::HashMap;
use std::ops::ControlFlow;

use crate::model::{FolderName, MessageMeta, RawMessage, Uid, UidSet};
use crate::ports::{BatchItem, ItemContent, MailServerError, MailSession};
use crate::rules::batch::{Batches, batches};
use crate::rules::plan;

use super::mailbox::MailboxRun;
use super::pipeline::{Broken, Pipeline, Work};
use super::read::Halt;

/// Messages described at once: enough to keep FETCH commands in flight, few enough to forget.
const CHUNK: u64 = 1000;

/// How much of a message over the size limit is fetched: its header and, with luck, its text.
const HEAD_BYTES: u64 = 256 << 10;

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
    let window = plan::window_start(run.now, run.mailbox.days_back);
    while job.share > 0 && !job.pending.is_empty() {
        run.time_left().ok_or(Halt::OutOfTime)?;
        let chunk = job.pending.highest_n(job.share.min(CHUNK));
        let metas = describe(session, &chunk, &mut job.known)?;
        let (inside, _): (Vec<_>, Vec<_>) = metas.into_iter().partition(|meta| plan::in_window(meta, window));
        let wanted: UidSet = inside.iter().map(|meta| meta.uid).collect();
        let unwanted = chunk.difference(&wanted);
        if !unwanted.is_empty() {
            pipeline.send(Work::NotPending { folder: job.folder, uids: unwanted })?;
        }
        job.share -= wanted.len();
        read_chunk(run, session, pipeline, job.folder, inside)?;
        job.pending = job.pending.difference(&chunk);
    }
    Ok(job.pending)
}

fn describe(
    session: &mut dyn MailSession,
    uids: &UidSet,
    known: &mut HashMap<Uid, MessageMeta>,
) -> Result<Vec<MessageMeta>, Halt> {
    let mut metas: Vec<MessageMeta> = uids.iter().filter_map(|uid| known.remove(&uid)).collect();
    let unknown = uids.difference(&metas.iter().map(|meta| meta.uid).collect());
    if !unknown.is_empty() {
        metas.extend(session.metas(&unknown)?);
        metas.sort_unstable_by_key(|meta| meta.uid);
    }
    Ok(metas)
}

fn read_chunk(
    run: &MailboxRun<'_>,
    session: &mut dyn MailSession,
    pipeline: &Pipeline<'_>,
    folder: usize,
    metas: Vec<MessageMeta>,
) -> Result<(), Halt> {
    let asked = metas.len();
    let Batches { whole, mut oversized } = batches(metas, run.options.max_message_size);
    let Delivery { missing, refusal } = read_whole(run, session, pipeline, folder, &whole, &mut oversized)?;
    match refusal {
        Some(refusal) if refusal.is_temporary_refusal() => return Err(refusal.into()),
        // Nothing at all: it is the folder that is refused, not a message in it.
        Some(refusal) if missing.len() == asked && asked > 1 => return Err(refusal.into()),
        _ if missing.is_empty() => {}
        _ => read_missing(run, session, pipeline, folder, missing, &mut oversized)?,
    }
    for meta in oversized {
        run.time_left().ok_or(Halt::OutOfTime)?;
        match session.head(&meta, HEAD_BYTES.min(run.options.max_message_size))? {
            // Its size is what it was before the cut.
            Some(raw) => {
                send(run, pipeline, folder, RawMessage { truncated: true, ..raw })?;
            }
            None => pipeline.send(Work::NotPending { folder, uids: [meta.uid].into_iter().collect() })?,
        }
    }
    Ok(())
}

/// What came of some FETCH commands.
struct Delivery {
    /// Messages that did not come.
    missing: Vec<MessageMeta>,
    /// What the server said if it refused any of the commands. One message that it stumbles over is
    /// enough for some servers to refuse the command for all.
    refusal: Option<MailServerError>,
}

/// Reads batches. Messages that turn out to be over the limit are added to `oversized`.
fn read_whole(
    run: &MailboxRun<'_>,
    session: &mut dyn MailSession,
    pipeline: &Pipeline<'_>,
    folder: usize,
    batches: &[Vec<MessageMeta>],
    oversized: &mut Vec<MessageMeta>,
) -> Result<Delivery, Halt> {
    if batches.is_empty() {
        return Ok(Delivery { missing: Vec::new(), refusal: None });
    }
    let mut arrived = UidSet::new();
    let mut halt = None;
    let fetched = session.bodies(batches, run.options.max_message_size, &mut |raw| {
        arrived.insert(raw.meta.uid);
        if raw.truncated {
            oversized.push(raw.meta);
            return ControlFlow::Continue(());
        }
        let sent = run.time_left().ok_or(Halt::OutOfTime).and_then(|_| Ok(send(run, pipeline, folder, raw)?));
        match sent {
            Ok(()) => ControlFlow::Continue(()),
            Err(reason) => {
                halt = Some(reason);
                ControlFlow::Break(())
            }
        }
    });
    if let Some(reason) = halt {
        return Err(reason);
    }
    let refusal = match fetched {
        Ok(()) => None,
        Err(error) if error.session_survives() => Some(error),
        Err(error) => return Err(error.into()),
    };
    let missing = batches.iter().flatten().filter(|meta| !arrived.contains(meta.uid)).cloned().collect();
    Ok(Delivery { missing, refusal })
}

/// A FETCH may answer with fewer messages than were asked for. Either they are gone, or the server
/// lists what it does not deliver; the latter is asked for once more and then given up, by name.
fn read_missing(
    run: &MailboxRun<'_>,
    session: &mut dyn MailSession,
    pipeline: &Pipeline<'_>,
    folder: usize,
    missing: Vec<MessageMeta>,
    oversized: &mut Vec<MessageMeta>,
) -> Result<(), Halt> {
    let uids: UidSet = missing.iter().map(|meta| meta.uid).collect();
    let still_there = session.metas(&uids)?;
    let gone = uids.difference(&still_there.iter().map(|meta| meta.uid).collect());
    if !gone.is_empty() {
        pipeline.send(Work::NotPending { folder, uids: gone })?;
    }
    // One by one, so that a message the server stumbles over takes no other with it.
    let batches: Vec<Vec<MessageMeta>> = still_there.into_iter().map(|meta| vec![meta]).collect();
    let Delivery { missing, refusal } = read_whole(run, session, pipeline, folder, &batches, oversized)?;
    let said = match refusal {
        Some(refusal) if refusal.is_temporary_refusal() => return Err(refusal.into()),
        Some(refusal) => format!(": {refusal}"),
        None => String::new(),
    };
    for meta in missing {
        let reason = format!("the server lists this message but does not deliver it{said}");
        let content = ItemContent::Unreadable { reason };
        let item = BatchItem { uid: meta.uid, flags: meta.flags, size: meta.size, content };
        pipeline.send(Work::Item { folder, item, permit: None })?;
    }
    Ok(())
}

fn send(run: &MailboxRun<'_>, pipeline: &Pipeline<'_>, folder: usize, raw: RawMessage) -> Result<(), Broken> {
    let permit = run.memory.borrow(raw.bytes.len() as u64);
    pipeline.send(Work::Message { folder, raw, permit })
}

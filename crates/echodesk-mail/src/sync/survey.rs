//! Opening one folder and finding out what it needs: what is new, gone and changed.

use std::collections::HashMap;

use crate::model::{Flags, FolderCursor, FolderStatus, MessageMeta, Suspect, Uid, UidSet};
use crate::ports::MailSession;
use crate::rules::plan::{self, Count, FlagsStep};

use super::known::Known;
use super::mailbox::MailboxRun;
use super::pipeline::{Pipeline, Work};
use super::read::{Folder, Halt};

/// Up to this many new messages are described at once; more are looked up by SEARCH first.
const DIRECT_LIMIT: u64 = 1000;

/// What a folder still owes.
pub(super) struct Surveyed {
    /// UIDs to be read, now or by a later run.
    pub(super) pending: UidSet,
    /// Of these: those that arrived since the last run.
    pub(super) fresh: UidSet,
    /// What the server has already said of some of them.
    pub(super) metas: HashMap<Uid, MessageMeta>,
    /// What may break the connection, if one of these messages may.
    pub(super) suspect: Option<Suspect>,
}

impl Surveyed {
    /// A folder in which nothing happened, but that an earlier run has not read to its end.
    pub(super) fn unfinished(cursor: &FolderCursor) -> Self {
        Self { pending: cursor.pending.clone(), fresh: UidSet::new(), metas: HashMap::new(), suspect: cursor.suspect }
    }
}

/// Surveys the folder `index` and sends its cursor, its lost items and its changed flags to be
/// written. The folder is open afterwards.
pub(super) fn survey(
    run: &MailboxRun<'_>,
    session: &mut dyn MailSession,
    pipeline: &Pipeline<'_>,
    index: usize,
    folder: &Folder,
) -> Result<Surveyed, Halt> {
    let opened = session.examine(&folder.listing.name)?.status;
    let window = plan::window_start(run.now, run.mailbox.days_back);
    let mut plan = plan::survey(folder.cursor.as_ref(), &opened, window);
    // What was pending or suspected under another UIDVALIDITY means nothing now.
    let cursor = folder.cursor.as_ref().filter(|cursor| cursor.status.uid_validity == opened.uid_validity);
    let mut found = Surveyed {
        pending: cursor.map(|cursor| cursor.pending.clone()).unwrap_or_default(),
        fresh: std::mem::take(&mut plan.fresh),
        metas: HashMap::new(),
        suspect: cursor.and_then(|cursor| cursor.suspect),
    };
    let mut known = Known::new(run, &folder.listing.name.name, opened.uid_validity);
    let everything = UidSet::range(1, opened.uid_next.saturating_sub(1));
    let mut status = settled_status(folder.listing.status, opened);

    if let Some(uid_validity) = plan.void.filter(|uid_validity| *uid_validity != 0) {
        pipeline.send(Work::Gone { folder: index, uid_validity, uids: None })?;
    }
    if cursor.is_some_and(plan::claims_nothing) && !known.uids()?.is_empty() {
        pipeline.send(Work::Gone { folder: index, uid_validity: opened.uid_validity, uids: None })?;
        known.forget();
    }
    let arrived = found.fresh.clone();
    look_for_fresh(session, &mut found)?;
    let count = cursor.map_or(Count::AddsUp, |cursor| plan::count(cursor, found.fresh.len(), &opened));
    let look_up = !everything.is_empty() && (plan.look_up || count == Count::SomeWereMissed);
    if look_up || count != Count::AddsUp {
        // What it has described a moment ago is there, whatever SEARCH says.
        let existing = session.search(&everything, None)?.union(&found.metas.keys().copied().collect());
        let in_doubt = existing.len() < u64::from(opened.messages);
        if in_doubt {
            // Expunged a moment ago, or not told of.
            status.messages = FolderStatus::NOT_COUNTED;
        }
        // What has been named only now.
        found.fresh = found.fresh.union(&existing.intersection(&arrived));
        found.pending = found.pending.union(&found.fresh);
        if look_up {
            let hits = match plan::search_since(window) {
                Some(since) => session.search(&everything, Some(since))?,
                None => existing.clone(),
            };
            let known = if cursor.is_some() { known.uids()? } else { UidSet::new() };
            found.pending = found.pending.union(&hits.difference(&known));
        }
        if count != Count::AddsUp {
            let gone = known.uids()?.difference(&existing);
            found.pending = found.pending.intersection(&existing);
            note_gone(pipeline, index, cursor.filter(|_| in_doubt), &opened, gone)?;
        }
    }
    if let Some(cursor) = cursor {
        let flags = changed_flags(run, session, cursor, plan.flags, &mut known)?;
        if !flags.is_empty() {
            pipeline.send(Work::Flags { folder: index, uid_validity: opened.uid_validity, flags })?;
        }
    }
    let folder = folder.listing.name.name.clone();
    let (pending, suspect) = (found.pending.clone(), found.suspect);
    let cursor = FolderCursor { folder, status, pending, window_start: window, suspect };
    pipeline.send(Work::Cursor { folder: index, cursor })?;
    Ok(found)
}

/// Notes items as gone. While it is `in_doubt` whether they are, the cursor comes first: should this run end before the
/// folder's new one is written, the next looks again.
fn note_gone(
    pipeline: &Pipeline<'_>,
    folder: usize,
    in_doubt: Option<&FolderCursor>,
    opened: &FolderStatus,
    gone: UidSet,
) -> Result<(), Halt> {
    if gone.is_empty() {
        return Ok(());
    }
    if let Some(cursor) = in_doubt {
        let status = FolderStatus { messages: FolderStatus::NOT_COUNTED, ..cursor.status };
        pipeline.send(Work::Cursor { folder, cursor: FolderCursor { status, ..cursor.clone() } })?;
    }
    Ok(pipeline.send(Work::Gone { folder, uid_validity: opened.uid_validity, uids: Some(gone) })?)
}

/// Narrows `fresh` to the UIDs that exist, and adds them to what is pending.
fn look_for_fresh(session: &mut dyn MailSession, found: &mut Surveyed) -> Result<(), Halt> {
    if found.fresh.is_empty() {
        return Ok(());
    }
    let skipped = session.counters().skipped_answers;
    if found.fresh.len() <= DIRECT_LIMIT {
        // Their sizes will be needed anyway: one round trip saved.
        let metas = session.metas(&found.fresh)?;
        found.metas = metas.into_iter().map(|meta| (meta.uid, meta)).collect();
    }
    // Holes are usual; but only SEARCH tells them from answers that were not given or not understood.
    let holes = (found.metas.len() as u64) < found.fresh.len() || session.counters().skipped_answers != skipped;
    let described: UidSet = found.metas.keys().copied().collect();
    found.fresh = if holes { session.search(&found.fresh, None)?.union(&described) } else { described };
    found.pending = found.pending.union(&found.fresh);
    Ok(())
}

fn changed_flags(
    run: &MailboxRun<'_>,
    session: &mut dyn MailSession,
    cursor: &FolderCursor,
    step: FlagsStep,
    known: &mut Known<'_>,
) -> Result<Vec<(Uid, Flags)>, Halt> {
    let uids = match step {
        FlagsStep::Nothing => return Ok(Vec::new()),
        FlagsStep::ChangedSince(mod_seq) => {
            let all = UidSet::range(1, cursor.status.uid_next.saturating_sub(1));
            return if all.is_empty() { Ok(Vec::new()) } else { Ok(session.flags(&all, Some(mod_seq))?) };
        }
        FlagsStep::CompareNewest if !plan::is_flags_turn(run.now, run.mailbox.key.connection) => {
            return Ok(Vec::new());
        }
        FlagsStep::CompareNewest => known.uids()?.highest_n(plan::FLAGS_WITHOUT_MODSEQ),
        FlagsStep::CompareAll => known.uids()?,
    };
    if uids.is_empty() {
        return Ok(Vec::new());
    }
    let before: HashMap<Uid, Flags> = known.items()?.iter().map(|item| (item.uid, item.flags)).collect();
    let mut now = session.flags(&uids, None)?;
    now.retain(|(uid, flags)| before.get(uid).is_some_and(|before| before != flags));
    Ok(now)
}

/// The numbers to remember. Where STATUS and EXAMINE agree on the messages, STATUS's MODSEQ is kept:
/// it is the older, so nothing between the two is missed, and it is what the next run's STATUS is
/// compared with (some servers answer EXAMINE with NOMODSEQ and STATUS with a number).
fn settled_status(listed: Option<FolderStatus>, opened: FolderStatus) -> FolderStatus {
    let same = |listed: &FolderStatus| FolderStatus { highest_mod_seq: opened.highest_mod_seq, ..*listed } == opened;
    listed.filter(same).unwrap_or(opened)
}

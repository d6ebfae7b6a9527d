//! Opening one folder and finding out what it needs: what is new, gone and changed.

use std::collections::HashMap;

use crate::model::{Flags, FolderCursor, FolderStatus, MessageMeta, Uid, UidSet};
use crate::ports::{Item, MailSession};
use crate::rules::failure::SyncFailure;
use crate::rules::plan::{self, FlagsStep};

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
    let plan = plan::survey(folder.cursor.as_ref(), &opened, window);
    // What was pending under another UIDVALIDITY means nothing now.
    let cursor = folder.cursor.as_ref().filter(|cursor| cursor.status.uid_validity == opened.uid_validity);
    let mut found = Surveyed {
        pending: cursor.map(|cursor| cursor.pending.clone()).unwrap_or_default(),
        fresh: plan.fresh,
        metas: HashMap::new(),
    };
    let mut known = Known { run, folder: &folder.listing.name.name, uid_validity: opened.uid_validity, items: None };

    if let Some(uid_validity) = plan.void.filter(|uid_validity| *uid_validity != 0) {
        pipeline.send(Work::Gone { folder: index, uid_validity, uids: None })?;
    }
    look_for_fresh(session, &mut found)?;
    if let Some(uids) = plan.look_up.filter(|uids| !uids.is_empty()) {
        let mut hits = session.search(&uids, plan::search_since(window))?;
        if cursor.is_some() {
            hits = hits.difference(&known.uids()?);
        }
        found.pending = found.pending.union(&hits);
    }
    if let Some(cursor) = cursor {
        if plan::some_are_gone(cursor, found.fresh.len(), &opened) {
            let existing = session.search(&UidSet::range(1, opened.uid_next.saturating_sub(1)), None)?;
            let gone = known.uids()?.difference(&existing);
            found.pending = found.pending.intersection(&existing);
            if !gone.is_empty() {
                let uid_validity = opened.uid_validity;
                pipeline.send(Work::Gone { folder: index, uid_validity, uids: Some(gone) })?;
            }
        }
        let flags = changed_flags(run, session, cursor, plan.flags, &mut known)?;
        if !flags.is_empty() {
            pipeline.send(Work::Flags { folder: index, uid_validity: opened.uid_validity, flags })?;
        }
    }
    let cursor = FolderCursor {
        folder: folder.listing.name.name.clone(),
        status: settled_status(cursor, folder.listing.status, opened),
        pending: found.pending.clone(),
        window_start: window,
    };
    pipeline.send(Work::Cursor { folder: index, cursor })?;
    Ok(found)
}

/// Narrows `fresh` to the UIDs that exist, and adds them to what is pending.
fn look_for_fresh(session: &mut dyn MailSession, found: &mut Surveyed) -> Result<(), Halt> {
    if found.fresh.is_empty() {
        return Ok(());
    }
    if found.fresh.len() <= DIRECT_LIMIT {
        // Their sizes will be needed anyway: one round trip saved.
        let metas = session.metas(&found.fresh)?;
        found.fresh = metas.iter().map(|meta| meta.uid).collect();
        found.metas = metas.into_iter().map(|meta| (meta.uid, meta)).collect();
    } else {
        found.fresh = session.search(&found.fresh, None)?;
    }
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

/// The numbers to remember. UIDNEXT never falls, whatever a server says. Where STATUS and EXAMINE
/// agree on the messages, STATUS's MODSEQ is kept: it is the older, so nothing between the two is
/// missed, and it is what the next run's STATUS is compared with (some servers answer EXAMINE with
/// NOMODSEQ and STATUS with a number).
fn settled_status(cursor: Option<&FolderCursor>, listed: Option<FolderStatus>, opened: FolderStatus) -> FolderStatus {
    let same = |listed: &FolderStatus| FolderStatus { highest_mod_seq: opened.highest_mod_seq, ..*listed } == opened;
    let status = listed.filter(same).unwrap_or(opened);
    let uid_next = cursor.map_or(status.uid_next, |cursor| status.uid_next.max(cursor.status.uid_next));
    FolderStatus { uid_next, ..status }
}

/// The items of a folder, asked for at most once.
struct Known<'a> {
    run: &'a MailboxRun<'a>,
    folder: &'a str,
    uid_validity: u32,
    items: Option<Vec<Item>>,
}

impl Known<'_> {
    fn items(&mut self) -> Result<&[Item], Halt> {
        let items = match self.items.take() {
            Some(items) => items,
            None => self
                .run
                .world
                .store
                .items(&self.run.mailbox.key, self.folder, self.uid_validity)
                .map_err(|error| Halt::Failure(SyncFailure::Store(error)))?,
        };
        Ok(self.items.insert(items))
    }

    fn uids(&mut self) -> Result<UidSet, Halt> {
        Ok(self.items()?.iter().map(|item| item.uid).collect())
    }
}

//! Reading one mailbox: which folders, what they need, and then the messages.

use std::collections::{HashMap, HashSet};

use jiff::{SignedDuration, Timestamp};

use crate::model::{FolderCursor, FolderListing, FolderStatus, UidSet};
use crate::ports::{MailServerError, MailSession};
use crate::rules::allot::{Want, allot};
use crate::rules::failure::SyncFailure;
use crate::rules::folders::{Choice, choose, is_named};
use crate::rules::plan;

use super::fetch::{Fetch, fetch};
use super::mailbox::MailboxRun;
use super::pipeline::{Broken, Pipeline, Work};
use super::progress::Progress;
use super::report::{FolderOutcome, FolderReport};
use super::survey::{Surveyed, survey};

/// How long messages that could not be read are tried again.
const RETRY_FAILED_FOR: SignedDuration = SignedDuration::from_hours(72);

/// Why reading stops before its end.
#[derive(Debug)]
pub(super) enum Halt {
    /// Time or a signal: what was read is kept, the next run goes on.
    OutOfTime,
    /// The server; the session is lost.
    Server(MailServerError),
    /// The database, when asked for what is known.
    Failure(SyncFailure),
    /// The pipeline has ended, and knows why.
    Broken,
}

impl From<Broken> for Halt {
    fn from(_: Broken) -> Self {
        Self::Broken
    }
}

impl From<MailServerError> for Halt {
    fn from(error: MailServerError) -> Self {
        match error {
            MailServerError::OutOfTime => Self::OutOfTime,
            other => Self::Server(other),
        }
    }
}

/// A folder that is synced, with what an earlier run knew of it.
pub(super) struct Folder {
    pub(super) listing: FolderListing,
    pub(super) cursor: Option<FolderCursor>,
}

/// Reads every folder of the mailbox as far as budget and time allow.
///
/// # Errors
/// The session or the database was lost. A folder that the server refuses is no error here: it is
/// in `progress`, and the others are read.
pub(super) fn read(
    run: &mut MailboxRun<'_>,
    session: &mut dyn MailSession,
    progress: &mut Progress,
) -> Result<(), SyncFailure> {
    let skipped = session.counters().skipped_answers;
    let listings = session.folders()?;
    let all_understood = session.counters().skipped_answers == skipped;
    progress.incomplete = list_problem(&listings, all_understood, &run.mailbox.sync_folder);
    let listed: HashSet<String> = listings.iter().map(|listing| listing.name.name.clone()).collect();
    let mut chosen = choose_folders(listings, &run.mailbox.sync_folder, &mut progress.left_out);
    if !chosen.is_empty() && chosen.iter().all(|listing| listing.status.is_none()) {
        let names: Vec<_> = chosen.iter().map(|listing| &listing.name).collect();
        let statuses = session.status(&names)?;
        for (listing, status) in chosen.iter_mut().zip(statuses) {
            listing.status = status;
        }
    }

    let mut cursors: HashMap<String, FolderCursor> =
        run.world.store.cursors(&run.mailbox.key)?.into_iter().map(|cursor| (cursor.folder.clone(), cursor)).collect();
    let mut folders: Vec<Folder> =
        chosen.into_iter().map(|listing| Folder { cursor: cursors.remove(&listing.name.name), listing }).collect();
    // A name that cannot be read is passed over; with one of those, absence proves nothing.
    let complete = all_understood && listed.contains("INBOX");
    let vanished: Vec<FolderCursor> = cursors
        .into_values()
        .filter(|cursor| complete && !listed.contains(&cursor.folder) && cursor.status.uid_validity != 0)
        .collect();

    run.folders = folders.iter().map(|folder| folder.listing.name.name.clone()).collect();
    run.folders.extend(vanished.iter().map(|cursor| cursor.folder.clone()));
    progress.folders = folders.iter().map(FolderReport::before).collect();

    let window = plan::window_start(run.now, run.mailbox.days_back);
    let flags_turn = plan::is_flags_turn(run.now, run.mailbox.key.connection);
    if flags_turn {
        try_failed_again(run, &mut folders)?;
    }
    let changed: Vec<usize> = (0..folders.len())
        .filter(|index| {
            let folder = &folders[*index];
            let (Some(cursor), Some(status)) = (&folder.cursor, &folder.listing.status) else { return true };
            !plan::is_unchanged(cursor, status, window) || (flags_turn && status.highest_mod_seq.is_none())
        })
        .collect();
    if changed.is_empty() && vanished.is_empty() {
        return Ok(());
    }

    let run = &*run;
    let (result, written) = std::thread::scope(|scope| {
        let pipeline = Pipeline::start(scope, run, run.folders.len());
        let result = forget(&pipeline, folders.len(), vanished)
            .and_then(|()| read_changed(run, session, &pipeline, &mut folders, &changed, progress));
        (result, pipeline.finish())
    });
    let (written, wrote) = written;
    progress.written = written;
    wrote?;
    match result {
        // Broken without an error of the pipeline cannot be; its queue closes only on one.
        Ok(()) | Err(Halt::Broken) => Ok(()),
        Err(Halt::OutOfTime) => Err(MailServerError::OutOfTime.into()),
        Err(Halt::Server(error)) => Err(error.into()),
        Err(Halt::Failure(failure)) => Err(failure),
    }
}

/// What could not be read once may be readable now: a server's storage may have been away. So it
/// becomes pending again now and then, for a few days.
fn try_failed_again(run: &MailboxRun<'_>, folders: &mut [Folder]) -> Result<(), SyncFailure> {
    let since = run.now.checked_sub(RETRY_FAILED_FOR).unwrap_or(Timestamp::MIN);
    for failed in run.world.store.failed(&run.mailbox.key, since)? {
        let cursors = folders.iter_mut().filter_map(|folder| folder.cursor.as_mut());
        for cursor in cursors.filter(|cursor| cursor.folder == failed.folder) {
            if cursor.status.uid_validity == failed.uid_validity {
                cursor.pending = cursor.pending.union(&failed.uids);
            }
        }
    }
    Ok(())
}

/// Why a list of folders may not be all there is to sync.
fn list_problem(listings: &[FolderListing], all_understood: bool, sync_folder: &str) -> Option<String> {
    if !all_understood {
        return Some("a part of the list of folders could not be understood".to_owned());
    }
    if !listings.iter().any(|listing| listing.name.name == "INBOX") {
        return Some("the server lists no INBOX".to_owned());
    }
    let found = sync_folder.is_empty() || listings.iter().any(|listing| is_named(listing, sync_folder));
    (!found).then(|| format!("the server has no folder {sync_folder}, which this mailbox is set to sync"))
}

fn choose_folders(listings: Vec<FolderListing>, sync_folder: &str, left_out: &mut Vec<String>) -> Vec<FolderListing> {
    let mut chosen = Vec::new();
    for listing in listings {
        match choose(&listing, sync_folder) {
            Choice::Sync => chosen.push(listing),
            Choice::LeaveOut => left_out.push(listing.name.name),
            Choice::NotAFolder => {}
        }
    }
    chosen.sort_by_key(|listing| {
        (!is_named(listing, sync_folder), listing.name.name != "INBOX", listing.name.name.clone())
    });
    left_out.sort_unstable();
    chosen
}

/// Folders that the server no longer has: their items are gone, and should they come back, they are
/// matched again as if they were new.
fn forget(pipeline: &Pipeline<'_>, first: usize, vanished: Vec<FolderCursor>) -> Result<(), Halt> {
    for (index, cursor) in vanished.into_iter().enumerate() {
        let folder = first + index;
        // First of all the cursor claims nothing any more: should this run end in between and the folder come back as
        // it was, it is read again, and not taken to be unchanged with all its items gone.
        let unread = FolderStatus { uid_next: 1, messages: 0, highest_mod_seq: None, ..cursor.status };
        pipeline.send(Work::Cursor {
            folder,
            cursor: FolderCursor { status: unread, pending: UidSet::new(), suspect: None, ..cursor.clone() },
        })?;
        pipeline.send(Work::Gone { folder, uid_validity: cursor.status.uid_validity, uids: None })?;
        let status = FolderStatus { uid_validity: 0, uid_next: 1, messages: 0, highest_mod_seq: None };
        pipeline.send(Work::Cursor {
            folder,
            cursor: FolderCursor { status, pending: UidSet::new(), suspect: None, ..cursor },
        })?;
    }
    Ok(())
}

fn read_changed(
    run: &MailboxRun<'_>,
    session: &mut dyn MailSession,
    pipeline: &Pipeline<'_>,
    folders: &mut [Folder],
    changed: &[usize],
    progress: &mut Progress,
) -> Result<(), Halt> {
    for &index in changed {
        progress.folders[index].outcome = FolderOutcome::Partial;
    }
    let mut surveyed: Vec<(usize, Surveyed)> = Vec::new();
    let mut open = None;
    let all_time = run.time_left().ok_or(Halt::OutOfTime)?;
    for &index in changed {
        let left = run.time_left().ok_or(Halt::OutOfTime)?;
        // However many folders there are, some time is left to read messages. The others follow in the
        // next run, in which those that were read to their end need no survey.
        if left < all_time / 2 && !surveyed.is_empty() {
            break;
        }
        match look_at(run, session, pipeline, index, &folders[index]) {
            Ok((found, was_opened)) => {
                open = if was_opened { Some(index) } else { open };
                surveyed.push((index, found));
            }
            Err(Halt::Server(error)) if error.session_survives() => progress.folders[index].fail(&error),
            Err(other) => return Err(other),
        }
    }
    let all_surveyed = surveyed.len() == changed.len();

    let wants: Vec<Want> = surveyed
        .iter()
        .map(|(_, found)| Want { fresh: found.fresh.intersection(&found.pending).len(), pending: found.pending.len() })
        .collect();
    let shares = allot(u64::from(run.options.max_messages.get()), &wants);
    for ((index, found), share) in surveyed.into_iter().zip(shares) {
        run.time_left().ok_or(Halt::OutOfTime)?;
        let report = &mut progress.folders[index];
        let Surveyed { pending, metas, suspect, .. } = found;
        let job = Fetch { folder: index, pending, known: metas, share, suspect };
        let is_open = open == Some(index);
        match fetch(run, session, pipeline, &folders[index].listing.name, is_open, job) {
            Ok(left) if left.is_empty() => report.outcome = FolderOutcome::Read,
            Ok(_) => {}
            Err(Halt::Server(error)) if error.session_survives() => report.fail(&error),
            Err(other) => return Err(other),
        }
        open = Some(index);
    }
    let failed = || changed.iter().any(|index| progress.folders[*index].outcome == FolderOutcome::Failed);
    if all_surveyed || failed() { Ok(()) } else { Err(Halt::OutOfTime) }
}

/// Surveys a folder; but one in which nothing happened, and that an earlier run has only not read to
/// its end, is not opened for that.
fn look_at(
    run: &MailboxRun<'_>,
    session: &mut dyn MailSession,
    pipeline: &Pipeline<'_>,
    index: usize,
    folder: &Folder,
) -> Result<(Surveyed, bool), Halt> {
    let window = plan::window_start(run.now, run.mailbox.days_back);
    if let (Some(cursor), Some(status)) = (&folder.cursor, &folder.listing.status)
        && plan::is_only_unfinished(cursor, status, window)
    {
        // What falls out of the window today is no longer pending, so the cursor claims no more.
        let cursor = FolderCursor { window_start: window, ..cursor.clone() };
        let unfinished = Surveyed::unfinished(&cursor);
        pipeline.send(Work::Cursor { folder: index, cursor })?;
        return Ok((unfinished, false));
    }
    Ok((survey(run, session, pipeline, index, folder)?, true))
}

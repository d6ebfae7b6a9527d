//! Mailboxes, how far they are read, and what could not be.

use std::collections::HashMap;

use diesel::dsl::count_star;
use diesel::prelude::*;
use echodesk_mail::model::{FolderCursor, Mailbox, Uid};
use jiff::Timestamp;

use super::{Newest, one_more};
use crate::connection::{Connection, on};
use crate::error::Outcome;
use crate::lease;
use crate::mail::folders as cursors;
use crate::sql_types::{RowId, Stamp};
use crate::tables::{connections, folders, items};

/// A mailbox and what is known of its syncs.
#[derive(Clone, Debug)]
pub struct MailboxStory {
    /// The mailbox as it stands.
    pub mailbox: Mailbox,
    /// When it was added.
    pub created_at: Timestamp,
    /// When its row was last changed: by a sync that failed or was complete, or by a person.
    pub updated_at: Timestamp,
    /// When a sync switched it off by itself.
    pub auto_disabled_at: Option<Timestamp>,
    /// Until when a run has it to itself, if one works on it.
    pub held_until: Option<Timestamp>,
    /// Its folders, by name.
    pub folders: Vec<FolderStory>,
    /// Messages that could not be stored and are still on the server.
    pub failed: Newest<FailedMessage>,
}

/// How far a folder is read. Messages that are gone from the server are not counted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FolderStory {
    /// Where reading it stands.
    pub cursor: FolderCursor,
    /// When that was written down.
    pub updated_at: Timestamp,
    /// Messages stored whole.
    pub stored: u64,
    /// Messages stored as far as they go.
    pub reduced: u64,
    /// Messages that another folder holds as well.
    pub duplicates: u64,
    /// Messages that could not be stored.
    pub failed: u64,
}

/// A message that could not be stored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FailedMessage {
    /// Its folder.
    pub folder: String,
    /// Its UID there.
    pub uid: Uid,
    /// Its size in bytes, as far as the server told.
    pub size: u64,
    /// Why not.
    pub reason: String,
    /// When that was first found.
    pub at: Timestamp,
}

pub(super) fn load(
    connection: &mut Connection,
    mailbox: &Mailbox,
    limit: usize,
    now: Timestamp,
) -> Outcome<MailboxStory> {
    let id = mailbox.key.connection;
    let (created_at, updated_at, auto_disabled_at): (Stamp, Stamp, Option<Stamp>) =
        on!(&mut *connection, |c| connections::table
            .filter(connections::id.eq(RowId(id.0)))
            .select((connections::created_at, connections::updated_at, connections::auto_disabled_at))
            .first(c))?;
    let held_until = lease::held_until(connection, &mailbox.key)?.filter(|until| *until > now);
    Ok(MailboxStory {
        mailbox: mailbox.clone(),
        created_at: created_at.into(),
        updated_at: updated_at.into(),
        auto_disabled_at: auto_disabled_at.map(Into::into),
        held_until,
        folders: folder_stories(connection, mailbox)?,
        failed: failed(connection, id.0, limit)?,
    })
}

fn folder_stories(connection: &mut Connection, mailbox: &Mailbox) -> Outcome<Vec<FolderStory>> {
    let id = mailbox.key.connection;
    let known: Vec<(i64, String, Stamp)> = on!(&mut *connection, |c| folders::table
        .filter(folders::connection_id.eq(id.0))
        .select((folders::id, folders::name, folders::updated_at))
        .load(c))?;
    let known: HashMap<String, (i64, Timestamp)> =
        known.into_iter().map(|(row, name, at)| (name, (row, at.into()))).collect();
    let rows: Vec<i64> = known.values().map(|(row, _)| *row).collect();
    let counts: Vec<(i64, String, i64)> = on!(&mut *connection, |c| items::table
        .filter(items::folder_id.eq_any(&rows))
        .filter(items::gone_at.is_null())
        .group_by((items::folder_id, items::fate))
        .select((items::folder_id, items::fate, count_star()))
        .load(c))?;
    let counts: HashMap<(i64, String), u64> = counts
        .into_iter()
        .map(|(folder, fate, count)| ((folder, fate), u64::try_from(count).unwrap_or_default()))
        .collect();
    let story = |cursor: FolderCursor| {
        let (row, updated_at) = known.get(&cursor.folder).copied()?;
        let count = |fate: &str| counts.get(&(row, fate.to_owned())).copied().unwrap_or_default();
        Some(FolderStory {
            updated_at,
            stored: count("stored"),
            reduced: count("reduced"),
            duplicates: count("duplicate"),
            failed: count("failed"),
            cursor,
        })
    };
    Ok(cursors::load(connection, id)?.into_iter().filter_map(story).collect())
}

fn failed(connection: &mut Connection, mailbox: i64, limit: usize) -> Outcome<Newest<FailedMessage>> {
    let rows: Vec<(String, i64, i64, Option<String>, Stamp)> = on!(connection, |c| items::table
        .inner_join(folders::table)
        .filter(folders::connection_id.eq(mailbox))
        .filter(items::fate.eq("failed"))
        .filter(items::gone_at.is_null())
        .order((items::first_seen_at.desc(), items::id.desc()))
        .limit(one_more(limit))
        .select((folders::name, items::uid, items::size, items::reason, items::first_seen_at))
        .load(c))?;
    let story = |(folder, uid, size, reason, at): (String, i64, i64, Option<String>, Stamp)| FailedMessage {
        folder,
        uid: Uid(cursors::number(uid)),
        size: u64::try_from(size).unwrap_or_default(),
        reason: reason.unwrap_or_default(),
        at: at.into(),
    };
    Ok(Newest::of(rows.into_iter().map(story).collect(), limit))
}

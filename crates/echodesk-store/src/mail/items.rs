//! `echodesk_mail_item`: what became of each UID.

use std::collections::{BTreeMap, HashMap};

use diesel::prelude::*;
use diesel::upsert::excluded;
use echodesk_core::ConnectionId;
use echodesk_mail::model::{ContentDigest, Fate, Flags, Uid, UidSet};
use echodesk_mail::ports::{FailedItems, Item};
use jiff::Timestamp;

use super::folders::number;
use crate::connection::{Connection, on};
use crate::error::Outcome;
use crate::sql_types::Stamp;
use crate::tables::{folders, items};
use crate::text::without_nul;

/// Values in one IN list, and rows in one INSERT: far below SQLite's 32,766 parameters.
pub(crate) const CHUNK: usize = 500;

/// The items of a folder that are still on the server.
pub(crate) fn living(connection: &mut Connection, folder: i64, uid_validity: u32) -> Outcome<Vec<Item>> {
    let rows: Vec<(i64, i16)> = on!(connection, |c| items::table
        .filter(items::folder_id.eq(folder))
        .filter(items::uid_validity.eq(i64::from(uid_validity)))
        .filter(items::gone_at.is_null())
        .select((items::uid, items::flags))
        .order(items::uid)
        .load(c))?;
    Ok(rows.into_iter().map(|(uid, flags)| Item { uid: Uid(number(uid)), flags: Flags::from_bits(flags) }).collect())
}

/// The fates that some UIDs have already. One that was gone and is there again is decided anew: its
/// folder may have been made again under the old UIDVALIDITY, with other messages. So is one that
/// could not be read.
pub(crate) fn fates(
    connection: &mut Connection,
    folder: i64,
    uid_validity: u32,
    uids: &[Uid],
) -> Outcome<HashMap<Uid, Fate>> {
    let mut fates = HashMap::new();
    for chunk in uids.chunks(CHUNK) {
        let chunk: Vec<i64> = chunk.iter().map(|uid| i64::from(uid.0)).collect();
        let rows: Vec<(i64, String, Option<String>)> = on!(&mut *connection, |c| items::table
            .filter(items::folder_id.eq(folder))
            .filter(items::uid_validity.eq(i64::from(uid_validity)))
            .filter(items::uid.eq_any(&chunk))
            .filter(items::gone_at.is_null())
            .filter(items::fate.ne("failed"))
            .select((items::uid, items::fate, items::reason))
            .load(c))?;
        fates.extend(rows.into_iter().map(|(uid, code, reason)| (Uid(number(uid)), fate(&code, reason))));
    }
    Ok(fates)
}

fn fate(code: &str, reason: Option<String>) -> Fate {
    let reason = reason.unwrap_or_default();
    match code {
        "stored" => Fate::Stored,
        "reduced" => Fate::Reduced(reason),
        "duplicate" => Fate::Duplicate,
        _ => Fate::Failed(reason),
    }
}

/// The rows that some UIDs stood for before they were gone.
pub(crate) fn rows_of_gone(
    connection: &mut Connection,
    folder: i64,
    uid_validity: u32,
    uids: &[Uid],
) -> Outcome<HashMap<Uid, i64>> {
    let mut gone = HashMap::new();
    for chunk in uids.chunks(CHUNK) {
        let chunk: Vec<i64> = chunk.iter().map(|uid| i64::from(uid.0)).collect();
        let rows: Vec<(i64, Option<i64>)> = on!(&mut *connection, |c| items::table
            .filter(items::folder_id.eq(folder))
            .filter(items::uid_validity.eq(i64::from(uid_validity)))
            .filter(items::uid.eq_any(&chunk))
            .filter(items::gone_at.is_not_null())
            .select((items::uid, items::message_row))
            .load(c))?;
        gone.extend(rows.into_iter().filter_map(|(uid, row)| Some((Uid(number(uid)), row?))));
    }
    Ok(gone)
}

/// The living items of a mailbox that have failed, first seen at or after `since`.
pub(crate) fn failed(
    connection: &mut Connection,
    mailbox: ConnectionId,
    since: Timestamp,
) -> Outcome<Vec<FailedItems>> {
    let rows: Vec<(String, i64, i64)> = on!(connection, |c| items::table
        .inner_join(folders::table)
        .filter(folders::connection_id.eq(mailbox.0))
        .filter(items::fate.eq("failed"))
        .filter(items::gone_at.is_null())
        .filter(items::first_seen_at.ge(Stamp::from(since)))
        .select((folders::name, items::uid_validity, items::uid))
        .load(c))?;
    let mut found: BTreeMap<(String, u32), UidSet> = BTreeMap::new();
    for (folder, uid_validity, uid) in rows {
        found.entry((folder, number(uid_validity))).or_default().insert(Uid(number(uid)));
    }
    let failed = found.into_iter().map(|((folder, uid_validity), uids)| FailedItems { folder, uid_validity, uids });
    Ok(failed.collect())
}

/// An item to be written.
pub(crate) struct NewItem<'a> {
    pub(crate) uid: Uid,
    pub(crate) fate: &'a Fate,
    pub(crate) row: Option<i64>,
    pub(crate) digest: Option<ContentDigest>,
    pub(crate) flags: Flags,
    pub(crate) size: u64,
}

#[derive(Insertable)]
#[diesel(table_name = items, treat_none_as_default_value = false)]
struct Row {
    folder_id: i64,
    uid_validity: i64,
    uid: i64,
    fate: &'static str,
    reason: Option<String>,
    message_row: Option<i64>,
    digest: Option<String>,
    flags: i16,
    size: i64,
    first_seen_at: Stamp,
}

/// Writes items, none of which may be there yet, unless gone or failed.
pub(crate) fn insert(
    connection: &mut Connection,
    folder: i64,
    uid_validity: u32,
    new: &[NewItem<'_>],
    now: Timestamp,
) -> Outcome<()> {
    let row = |item: &NewItem<'_>| Row {
        folder_id: folder,
        uid_validity: i64::from(uid_validity),
        uid: i64::from(item.uid.0),
        fate: item.fate.code(),
        reason: item.fate.reason().map(|reason| without_nul(reason).into_owned()),
        message_row: item.row,
        digest: item.digest.map(|digest| digest.to_string()),
        flags: item.flags.bits(),
        size: i64::try_from(item.size).unwrap_or(i64::MAX),
        first_seen_at: Stamp::from(now),
    };
    for chunk in new.chunks(CHUNK) {
        let rows: Vec<Row> = chunk.iter().map(row).collect();
        on!(&mut *connection, |c| diesel::insert_into(items::table)
            .values(&rows)
            .on_conflict((items::folder_id, items::uid_validity, items::uid))
            .do_update()
            .set((
                items::fate.eq(excluded(items::fate)),
                items::reason.eq(excluded(items::reason)),
                items::message_row.eq(excluded(items::message_row)),
                items::digest.eq(excluded(items::digest)),
                items::flags.eq(excluded(items::flags)),
                items::size.eq(excluded(items::size)),
                items::gone_at.eq(None::<Stamp>),
            ))
            .execute(c))?;
    }
    Ok(())
}

/// Marks items as gone; returns how many were not before, and the rows that had a place there.
pub(crate) fn mark_gone(
    connection: &mut Connection,
    folder: i64,
    uid_validity: u32,
    uids: Option<&UidSet>,
    now: Timestamp,
) -> Outcome<(usize, Vec<i64>)> {
    let living: Vec<(i64, i64, Option<i64>)> = on!(&mut *connection, |c| items::table
        .filter(items::folder_id.eq(folder))
        .filter(items::uid_validity.eq(i64::from(uid_validity)))
        .filter(items::gone_at.is_null())
        .select((items::id, items::uid, items::message_row))
        .load(c))?;
    let gone: Vec<_> =
        living.into_iter().filter(|(_, uid, _)| uids.is_none_or(|uids| uids.contains(Uid(number(*uid))))).collect();
    let mut count = 0;
    for chunk in gone.chunks(CHUNK) {
        let ids: Vec<i64> = chunk.iter().map(|(id, _, _)| *id).collect();
        let marked = items::table.filter(items::id.eq_any(ids));
        count += on!(&mut *connection, |c| diesel::update(marked).set(items::gone_at.eq(Stamp::from(now))).execute(c))?;
    }
    Ok((count, gone.into_iter().filter_map(|(_, _, row)| row).collect()))
}

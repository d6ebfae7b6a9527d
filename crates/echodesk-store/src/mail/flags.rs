//! Flags, in the items and in the rows that stand for them.

use std::collections::{BTreeMap, HashMap};

use diesel::prelude::*;
use echodesk_mail::model::{Flags, Uid};
use jiff::Timestamp;

use super::folders::number;
use super::items::CHUNK;
use crate::connection::{Connection, on};
use crate::error::Outcome;
use crate::sql_types::{RowId, Stamp};
use crate::tables::{items, messages};

/// A row and how the flags of one of its places changed on the server.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Change {
    pub(crate) row: i64,
    pub(crate) before: Flags,
    pub(crate) after: Flags,
}

/// Writes the flags that differ from those of the items; returns how many did.
pub(crate) fn update(
    connection: &mut Connection,
    folder: i64,
    uid_validity: u32,
    flags: &[(Uid, Flags)],
    now: Timestamp,
) -> Outcome<usize> {
    let mut count = 0;
    let mut changes = Vec::new();
    for chunk in flags.chunks(CHUNK) {
        let wanted: HashMap<Uid, Flags> = chunk.iter().copied().collect();
        let uids: Vec<i64> = wanted.keys().map(|uid| i64::from(uid.0)).collect();
        let rows: Vec<(i64, i64, i16, Option<i64>)> = on!(&mut *connection, |c| items::table
            .filter(items::folder_id.eq(folder))
            .filter(items::uid_validity.eq(i64::from(uid_validity)))
            .filter(items::uid.eq_any(uids))
            .select((items::id, items::uid, items::flags, items::message_row))
            .order(items::id)
            .load(c))?;
        let mut by_flags: BTreeMap<i16, Vec<i64>> = BTreeMap::new();
        for (id, uid, before, row) in rows {
            let before = Flags::from_bits(before);
            let Some(after) = wanted.get(&Uid(number(uid))).copied().filter(|after| *after != before) else { continue };
            by_flags.entry(after.bits()).or_default().push(id);
            changes.extend(row.map(|row| Change { row, before, after }));
            count += 1;
        }
        for (bits, ids) in by_flags {
            let changed = items::table.filter(items::id.eq_any(ids));
            on!(&mut *connection, |c| diesel::update(changed).set(items::flags.eq(bits)).execute(c))?;
        }
    }
    apply(connection, &changes, now)?;
    Ok(count)
}

/// Lets rows follow what changed on the server, flag by flag: one that did not change there keeps
/// what staff have made of it in EchoDesk.
pub(crate) fn apply(connection: &mut Connection, changes: &[Change], now: Timestamp) -> Outcome<()> {
    for flag in [Flags::SEEN, Flags::FLAGGED, Flags::ANSWERED, Flags::DRAFT] {
        for value in [true, false] {
            let mut rows: Vec<i64> = changes
                .iter()
                .filter(|change| change.after.contains(flag) == value && change.before.contains(flag) != value)
                .map(|change| change.row)
                .collect();
            rows.sort_unstable();
            for chunk in rows.chunks(CHUNK) {
                set(connection, flag, value, chunk, now)?;
            }
        }
    }
    Ok(())
}

fn set(connection: &mut Connection, flag: Flags, value: bool, rows: &[i64], now: Timestamp) -> Outcome<()> {
    let target = messages::table.filter(messages::id.eq_any(rows.iter().map(|row| RowId(*row))));
    let touched = messages::updated_at.eq(Stamp::from(now));
    on!(connection, |c| match flag {
        Flags::SEEN => diesel::update(target).set((messages::is_read.eq(value), touched)).execute(c),
        Flags::FLAGGED => diesel::update(target).set((messages::is_starred.eq(value), touched)).execute(c),
        Flags::ANSWERED => diesel::update(target).set((messages::is_answered.eq(value), touched)).execute(c),
        _ => diesel::update(target).set((messages::is_draft.eq(value), touched)).execute(c),
    })?;
    Ok(())
}

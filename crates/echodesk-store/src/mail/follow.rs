//! Rows follow their messages: when the place that a row names is gone from the server and the
//! message is still in another, it has moved there.

use std::collections::BTreeMap;

use diesel::prelude::*;
use echodesk_mail::model::{ColumnLimits, Flags};
use jiff::Timestamp;

use super::flags::{self, Change};
use super::items::CHUNK;
use crate::connection::{Connection, on};
use crate::error::Outcome;
use crate::sql_types::{RowId, Stamp};
use crate::tables::{folders, items, messages};
use crate::text::cut;

/// A place that a message has or had.
#[derive(Queryable)]
struct Known {
    row: Option<i64>,
    connection: i64,
    folder: String,
    uid: i64,
    flags: i16,
    gone_at: Option<Stamp>,
}

/// The place that a row names.
#[derive(Queryable)]
struct Named {
    row: RowId,
    connection: RowId,
    folder: String,
    uid: String,
}

/// Lets those of `rows` that have moved name their new place. Flags that were changed along with the
/// move are taken over as any other change on the server. A row whose place we have never seen, since
/// EchoDesk itself wrote it, stays: nothing says that its place is gone.
pub(crate) fn living_places(
    connection: &mut Connection,
    rows: &[i64],
    limits: &ColumnLimits,
    now: Timestamp,
) -> Outcome<()> {
    let mut rows = rows.to_vec();
    rows.sort_unstable();
    rows.dedup();
    let mut changes = Vec::new();
    for chunk in rows.chunks(CHUNK) {
        let known: Vec<Known> = on!(&mut *connection, |c| items::table
            .inner_join(folders::table)
            .filter(items::message_row.eq_any(chunk))
            .order(items::id)
            .select((
                items::message_row,
                folders::connection_id,
                folders::name,
                items::uid,
                items::flags,
                items::gone_at,
            ))
            .load(c))?;
        let mut places: BTreeMap<i64, Vec<Known>> = BTreeMap::new();
        for place in known {
            places.entry(place.row.unwrap_or_default()).or_default().push(place);
        }
        // Only rows with a place that is gone can have moved.
        let candidates: Vec<RowId> = places
            .iter()
            .filter(|(_, places)| {
                places.iter().any(|p| p.gone_at.is_some()) && places.iter().any(|p| p.gone_at.is_none())
            })
            .map(|(row, _)| RowId(*row))
            .collect();
        if candidates.is_empty() {
            continue;
        }
        let named: Vec<Named> = on!(&mut *connection, |c| messages::table
            .filter(messages::id.eq_any(&candidates))
            .order(messages::id)
            .select((messages::id, messages::connection_id, messages::folder, messages::uid))
            .load(c))?;
        for named in named {
            let Some((from, to)) = places.get(&named.row.0).and_then(|places| moved(&named, places, limits)) else {
                continue;
            };
            go(connection, named.row, to, limits, now)?;
            let (before, after) = (Flags::from_bits(from.flags), Flags::from_bits(to.flags));
            changes.push(Change { row: named.row.0, before, after });
        }
    }
    flags::apply(connection, &changes, now)
}

/// From where to where a message has moved, if it has.
fn moved<'a>(named: &Named, places: &'a [Known], limits: &ColumnLimits) -> Option<(&'a Known, &'a Known)> {
    let is_named = |place: &&Known| {
        place.connection == named.connection.0
            && cut(&place.folder, limits.folder) == named.folder
            && place.uid.to_string() == named.uid
    };
    // The same UID can stand under two UIDVALIDITYs: as long as one of them lives, nothing moved.
    if places.iter().filter(is_named).any(|place| place.gone_at.is_none()) {
        return None;
    }
    let from = places.iter().rfind(is_named)?;
    let to = places.iter().find(|place| place.gone_at.is_none())?;
    Some((from, to))
}

fn go(connection: &mut Connection, row: RowId, to: &Known, limits: &ColumnLimits, now: Timestamp) -> Outcome<()> {
    let target = messages::table.filter(messages::id.eq(row));
    let place = (
        messages::connection_id.eq(RowId(to.connection)),
        messages::folder.eq(cut(&to.folder, limits.folder).into_owned()),
        messages::uid.eq(to.uid.to_string()),
        messages::updated_at.eq(Stamp::from(now)),
    );
    on!(connection, |c| diesel::update(target).set(place).execute(c))?;
    Ok(())
}

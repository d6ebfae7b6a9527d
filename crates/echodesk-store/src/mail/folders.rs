//! `echodesk_mail_folder`: how far each folder has been read.

use diesel::prelude::*;
use echodesk_core::ConnectionId;
use echodesk_mail::model::{FolderCursor, FolderStatus, Suspect, Uid, UidSet};
use jiff::Timestamp;

use crate::connection::{Connection, on};
use crate::error::{Failure, Outcome};
use crate::sql_types::{Day, Stamp};
use crate::tables::folders;
use crate::text::without_nul;

#[derive(Queryable, Selectable)]
#[diesel(table_name = folders)]
struct Row {
    name: String,
    uid_validity: i64,
    uid_next: i64,
    messages: i64,
    highest_mod_seq: Option<i64>,
    pending: String,
    window_start: Option<Day>,
    suspect_uid: Option<i64>,
    suspect_deaths: i64,
}

/// The cursors of a mailbox, by name.
pub(crate) fn load(connection: &mut Connection, mailbox: ConnectionId) -> Outcome<Vec<FolderCursor>> {
    let rows: Vec<Row> = on!(connection, |c| folders::table
        .filter(folders::connection_id.eq(mailbox.0))
        .select(Row::as_select())
        .load(c))?;
    let mut cursors = rows.into_iter().map(cursor).collect::<Outcome<Vec<_>>>()?;
    cursors.sort_by(|a, b| a.folder.cmp(&b.folder));
    Ok(cursors)
}

fn cursor(row: Row) -> Outcome<FolderCursor> {
    let pending = row
        .pending
        .parse::<UidSet>()
        .map_err(|error| Failure::Refused(format!("echodesk_mail_folder.pending of folder {:?}: {error}", row.name)))?;
    Ok(FolderCursor {
        status: FolderStatus {
            uid_validity: number(row.uid_validity),
            uid_next: number(row.uid_next),
            messages: number(row.messages),
            highest_mod_seq: row.highest_mod_seq.map(|seq| u64::try_from(seq).unwrap_or(0)),
        },
        folder: row.name,
        pending,
        window_start: row.window_start.map(|day| day.0),
        suspect: row.suspect_uid.map(|uid| Suspect { uid: Uid(number(uid)), deaths: number(row.suspect_deaths) }),
    })
}

/// A 32-bit number of IMAP's from its column, which a check keeps within its range.
pub(crate) fn number(column: i64) -> u32 {
    u32::try_from(column).unwrap_or(0)
}

/// The id of a folder, if it has been read before.
pub(crate) fn find(connection: &mut Connection, mailbox: ConnectionId, name: &str) -> Outcome<Option<i64>> {
    let name = without_nul(name);
    let found = on!(connection, |c| folders::table
        .filter(folders::connection_id.eq(mailbox.0))
        .filter(folders::name.eq(&*name))
        .select(folders::id)
        .first(c)
        .optional())?;
    Ok(found)
}

/// Writes a cursor and returns the folder's id.
pub(crate) fn write(
    connection: &mut Connection,
    mailbox: ConnectionId,
    cursor: &FolderCursor,
    now: Timestamp,
) -> Outcome<i64> {
    // RFC 7162 §3.1: mod-sequences have 63 bits.
    let highest_mod_seq = cursor.status.highest_mod_seq.map(|seq| i64::try_from(seq).unwrap_or(i64::MAX));
    let state = (
        folders::uid_validity.eq(i64::from(cursor.status.uid_validity)),
        folders::uid_next.eq(i64::from(cursor.status.uid_next)),
        folders::messages.eq(i64::from(cursor.status.messages)),
        folders::highest_mod_seq.eq(highest_mod_seq),
        folders::pending.eq(cursor.pending.to_string()),
        folders::window_start.eq(cursor.window_start.map(Day)),
        folders::suspect_uid.eq(cursor.suspect.map(|suspect| i64::from(suspect.uid.0))),
        folders::suspect_deaths.eq(cursor.suspect.map_or(0, |suspect| i64::from(suspect.deaths))),
        folders::updated_at.eq(Stamp::from(now)),
    );
    let name = without_nul(&cursor.folder);
    let row = (folders::connection_id.eq(mailbox.0), folders::name.eq(&*name), state.clone());
    let id = on!(connection, |c| diesel::insert_into(folders::table)
        .values(row)
        .on_conflict((folders::connection_id, folders::name))
        .do_update()
        .set(state)
        .returning(folders::id)
        .get_result(c))?;
    Ok(id)
}

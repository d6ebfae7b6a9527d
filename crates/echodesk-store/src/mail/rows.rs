//! `social_integrations_emailmessage`: looking rows up and adding some.

use std::borrow::Cow;
use std::collections::HashMap;

use diesel::prelude::*;
use echodesk_core::ConnectionId;
use echodesk_mail::model::{ColumnLimits, ContentDigest, Flags, MailMessage, Uid};
use echodesk_mail::rules::identity::Existing;
use jiff::Timestamp;

use super::items::CHUNK;
use super::json::{addresses, attachments};
use crate::connection::{Connection, on};
use crate::error::Outcome;
use crate::sql_types::{JsonText, RowId, Stamp};
use crate::tables::{items, messages};
use crate::text::{cut, without_nul};

/// Rows in one INSERT. More gain nothing, and each has 29 parameters.
const ROWS: usize = 100;

#[derive(Queryable, Selectable)]
#[diesel(table_name = messages)]
struct Found {
    id: RowId,
    message_id: String,
    from_email: String,
    subject: String,
    timestamp: Stamp,
    connection_id: RowId,
    folder: String,
    uid: String,
}

/// The rows that have one of these Message-IDs.
pub(crate) fn existing(connection: &mut Connection, ids: &[String]) -> Outcome<Vec<Existing>> {
    let mut existing = Vec::new();
    for chunk in ids.chunks(CHUNK) {
        let names: Vec<Cow<'_, str>> = chunk.iter().map(|id| without_nul(id)).collect();
        let found: Vec<Found> = on!(&mut *connection, |c| messages::table
            .filter(messages::message_id.eq_any(&names))
            .select(Found::as_select())
            .load(c))?;
        existing.extend(found.into_iter().map(|row| Existing {
            row: row.id.0,
            message_id: row.message_id,
            digests: Vec::new(),
            from_email: row.from_email,
            subject: row.subject,
            timestamp: row.timestamp.into(),
            connection: row.connection_id.0,
            folder: row.folder,
            uid: row.uid,
        }));
    }
    let rows: Vec<i64> = existing.iter().map(|row| row.row).collect();
    let mut digests = digests(connection, &rows)?;
    for row in &mut existing {
        row.digests = digests.remove(&row.row).unwrap_or_default();
    }
    Ok(existing)
}

/// The digests of the messages that came to each of these rows.
fn digests(connection: &mut Connection, rows: &[i64]) -> Outcome<HashMap<i64, Vec<ContentDigest>>> {
    let mut digests: HashMap<i64, Vec<ContentDigest>> = HashMap::new();
    for chunk in rows.chunks(CHUNK) {
        let found: Vec<(Option<i64>, Option<String>)> = on!(&mut *connection, |c| items::table
            .filter(items::message_row.eq_any(chunk))
            .filter(items::digest.is_not_null())
            .select((items::message_row, items::digest))
            .distinct()
            .load(c))?;
        for (row, digest) in found {
            if let (Some(row), Some(digest)) = (row, digest.as_deref().and_then(ContentDigest::from_hex)) {
                digests.entry(row).or_default().push(digest);
            }
        }
    }
    Ok(digests)
}

/// A row to be added, and the place it is found in.
pub(crate) struct NewRow<'a> {
    pub(crate) message_id: &'a str,
    pub(crate) message: &'a MailMessage,
    pub(crate) connection: ConnectionId,
    pub(crate) folder: &'a str,
    pub(crate) uid: Uid,
    pub(crate) flags: Flags,
}

#[derive(Insertable)]
#[diesel(table_name = messages, treat_none_as_default_value = false)]
struct Row<'a> {
    message_id: Cow<'a, str>,
    thread_id: Cow<'a, str>,
    in_reply_to: Cow<'a, str>,
    references_: Cow<'a, str>,
    from_email: Cow<'a, str>,
    from_name: Cow<'a, str>,
    to_emails: JsonText,
    cc_emails: JsonText,
    bcc_emails: JsonText,
    reply_to: Cow<'a, str>,
    subject: Cow<'a, str>,
    body_text: Cow<'a, str>,
    body_html: Cow<'a, str>,
    attachments: JsonText,
    timestamp: Stamp,
    folder: Cow<'a, str>,
    uid: String,
    is_from_business: bool,
    is_read: bool,
    is_starred: bool,
    is_answered: bool,
    is_draft: bool,
    labels: JsonText,
    is_read_by_staff: bool,
    is_deleted: bool,
    created_at: Stamp,
    updated_at: Stamp,
    connection_id: RowId,
}

/// Adds rows, and returns the ids of those that were added by their Message-ID. One whose Message-ID
/// somebody else used in the meantime is not added and not an error.
pub(crate) fn insert(
    connection: &mut Connection,
    new: &[NewRow<'_>],
    limits: &ColumnLimits,
    now: Timestamp,
) -> Outcome<HashMap<String, i64>> {
    // In one order everywhere, so that two transactions that add the same rows wait for each other
    // instead of each holding what the other needs.
    let mut sorted: Vec<&NewRow<'_>> = new.iter().collect();
    sorted.sort_by_key(|row| row.message_id);
    let mut added = HashMap::new();
    for chunk in sorted.chunks(ROWS) {
        let rows: Vec<Row<'_>> = chunk.iter().map(|new| row(new, limits, now)).collect();
        let ids: Vec<(String, RowId)> = on!(&mut *connection, |c| diesel::insert_into(messages::table)
            .values(&rows)
            .on_conflict_do_nothing()
            .returning((messages::message_id, messages::id))
            .get_results(c))?;
        added.extend(ids.into_iter().map(|(message_id, row)| (message_id, row.0)));
    }
    Ok(added)
}

fn row<'a>(new: &NewRow<'a>, limits: &ColumnLimits, now: Timestamp) -> Row<'a> {
    let message = new.message;
    Row {
        message_id: cut(new.message_id, limits.message_id),
        thread_id: cut(&message.thread_id, limits.thread_id),
        in_reply_to: cut(&message.in_reply_to, limits.in_reply_to),
        references_: without_nul(&message.references),
        from_email: cut(&message.from.email, limits.from_email),
        from_name: cut(&message.from.name, limits.from_name),
        to_emails: addresses(&message.to),
        cc_emails: addresses(&message.cc),
        bcc_emails: addresses(&message.bcc),
        reply_to: cut(&message.reply_to, limits.reply_to),
        subject: cut(&message.subject, limits.subject),
        body_text: without_nul(&message.body_text),
        body_html: without_nul(&message.body_html),
        attachments: attachments(&message.attachments),
        timestamp: Stamp::from(message.timestamp),
        folder: cut(new.folder, limits.folder),
        uid: new.uid.to_string(),
        is_from_business: message.is_from_business,
        is_read: new.flags.contains(Flags::SEEN),
        is_starred: new.flags.contains(Flags::FLAGGED),
        is_answered: new.flags.contains(Flags::ANSWERED),
        is_draft: new.flags.contains(Flags::DRAFT),
        labels: JsonText("[]".to_owned()),
        is_read_by_staff: false,
        is_deleted: false,
        created_at: Stamp::from(now),
        updated_at: Stamp::from(now),
        connection_id: RowId(new.connection.0),
    }
}

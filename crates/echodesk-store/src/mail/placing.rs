//! Storing a batch: each message gets a row, or finds the one it has, and each UID its fate.

use std::collections::HashMap;

use echodesk_core::ConnectionId;
use echodesk_mail::model::{ColumnLimits, ContentDigest, Fate, Flags, FolderCursor, MailMessage, Uid};
use echodesk_mail::ports::{Batch, BatchItem, ItemContent};
use echodesk_mail::rules::identity::{self, Candidate, Existing, Fingerprint, Placement, names, place};

use super::{flags, follow, items, rows};
use crate::connection::Connection;
use crate::error::{Failure, Outcome};
use crate::text::{cut, without_nul};

/// Where the batch comes from.
pub(crate) struct Place<'a> {
    pub(crate) connection: ConnectionId,
    /// The id of the folder's row.
    pub(crate) folder: i64,
    pub(crate) cursor: &'a FolderCursor,
}

/// A message without a fate yet.
struct Waiting<'a> {
    /// Its position in the batch.
    at: usize,
    item: &'a BatchItem,
    message: &'a MailMessage,
    /// The Message-ID it would like to be stored under, as a column takes it.
    message_id: String,
    fingerprint: &'a Fingerprint,
    reduced: Option<&'a str>,
}

/// A second round is for reused Message-IDs, and more only where other transactions come in between.
const ROUNDS: usize = 8;

/// Stores a batch and returns the fate of each of its items, in order.
pub(crate) fn store(
    connection: &mut Connection,
    place: &Place<'_>,
    limits: &ColumnLimits,
    batch: &Batch,
) -> Outcome<Vec<Fate>> {
    let uid_validity = place.cursor.status.uid_validity;
    let uids: Vec<Uid> = batch.items.iter().map(|item| item.uid).collect();
    let known = items::fates(connection, place.folder, uid_validity, &uids)?;

    let mut fates: Vec<Option<(Fate, Option<i64>)>> = vec![None; batch.items.len()];
    let mut first_of: HashMap<Uid, usize> = HashMap::new();
    let mut waiting: Vec<Waiting<'_>> = Vec::new();
    for (at, item) in batch.items.iter().enumerate() {
        // A UID that has a fate keeps it, and one that comes twice has the fate of its first.
        if known.contains_key(&item.uid) || first_of.contains_key(&item.uid) {
            continue;
        }
        first_of.insert(item.uid, at);
        match &item.content {
            ItemContent::Unreadable { reason } => fates[at] = Some((Fate::Failed(reason.clone()), None)),
            ItemContent::Message { message, fingerprint, reduced } => waiting.push(Waiting {
                at,
                item,
                message,
                message_id: without_nul(&message.message_id).into_owned(),
                fingerprint,
                reduced: reduced.as_deref(),
            }),
        }
    }

    settle(connection, place, limits, batch, waiting, &mut fates)?;

    let new: Vec<items::NewItem<'_>> = fates
        .iter()
        .zip(&batch.items)
        .filter_map(|(fate, item)| {
            let (fate, row) = fate.as_ref()?;
            Some(items::NewItem {
                uid: item.uid,
                fate,
                row: *row,
                digest: item.digest().filter(|_| row.is_some()),
                flags: item.flags,
                size: item.size,
            })
        })
        .collect();
    // The same message in a place that was gone: what changed meanwhile shows in its row.
    let gone = items::rows_of_gone(connection, place.folder, uid_validity, &uids)?;
    let is_back = |item: &&items::NewItem<'_>| item.row.is_some() && gone.get(&item.uid) == item.row.as_ref();
    let back: Vec<(Uid, Flags)> = new.iter().filter(is_back).map(|item| (item.uid, item.flags)).collect();
    flags::update(connection, place.folder, uid_validity, &back, batch.now)?;
    items::insert(connection, place.folder, uid_validity, &new, batch.now)?;

    let met: Vec<i64> =
        fates.iter().flatten().filter(|(fate, _)| *fate == Fate::Duplicate).filter_map(|(_, row)| *row).collect();
    follow::living_places(connection, &met, limits, batch.now)?;

    let fate_of = |(at, item): (usize, &BatchItem)| {
        let first = first_of.get(&item.uid).copied().unwrap_or(at);
        let decided = fates[first].as_ref().map(|(fate, _)| fate);
        decided.or_else(|| known.get(&item.uid)).cloned().unwrap_or(Fate::Duplicate)
    };
    Ok(batch.items.iter().enumerate().map(fate_of).collect())
}

/// Finds or adds a row for every message that waits.
fn settle(
    connection: &mut Connection,
    place_of: &Place<'_>,
    limits: &ColumnLimits,
    batch: &Batch,
    mut waiting: Vec<Waiting<'_>>,
    fates: &mut [Option<(Fate, Option<i64>)>],
) -> Outcome<()> {
    // The folder as a row has it, to be compared with that of rows.
    let folder = cut(&place_of.cursor.folder, limits.folder);
    // Rows added or recognised here, whose items are yet to be written.
    let mut added: HashMap<i64, ContentDigest> = HashMap::new();
    for _ in 0..ROUNDS {
        if waiting.is_empty() {
            return Ok(());
        }
        let existing = existing(connection, &waiting, limits, &added)?;
        let candidates: Vec<Candidate<'_>> = waiting
            .iter()
            .map(|message| Candidate {
                message_id: &message.message_id,
                fingerprint: message.fingerprint,
                place: identity::Place { connection: place_of.connection.0, folder: &folder, uid: message.item.uid },
            })
            .collect();
        let placements = place(&candidates, &existing, limits.message_id);
        let has = |name: &str| existing.iter().any(|row| row.message_id == name);
        let new: Vec<rows::NewRow<'_>> = waiting
            .iter()
            .zip(&placements)
            .filter_map(|(message, placement)| match placement {
                // A variant only makes sense beside a row that has the name itself. Where that row is to
                // be added in this very round, somebody else may be faster with another message, and
                // the variant may turn out to be that one: so it waits for the next round.
                Placement::New { message_id } if *message_id == message.message_id || has(&message.message_id) => {
                    Some(rows::NewRow {
                        message_id,
                        message: message.message,
                        connection: place_of.connection,
                        folder: &place_of.cursor.folder,
                        uid: message.item.uid,
                        flags: message.item.flags,
                    })
                }
                _ => None,
            })
            .collect();
        let ids = if new.is_empty() { HashMap::new() } else { rows::insert(connection, &new, limits, batch.now)? };

        let row_of = |placement: &Placement| match placement {
            Placement::New { message_id } => ids.get(message_id).copied(),
            Placement::Row(row) => Some(*row),
            Placement::Earlier(_) => None,
        };
        let mut left = Vec::new();
        for (message, placement) in waiting.into_iter().zip(&placements) {
            let row = match placement {
                Placement::Earlier(earlier) => placements.get(*earlier).and_then(row_of),
                other => row_of(other),
            };
            // Not added in this round, or somebody else took the name in the meantime: look again.
            let Some(row) = row else {
                left.push(message);
                continue;
            };
            let fate = match (placement, message.reduced) {
                (Placement::New { .. }, None) => Fate::Stored,
                (Placement::New { .. }, Some(reason)) => Fate::Reduced(reason.to_owned()),
                (Placement::Row(_) | Placement::Earlier(_), _) => Fate::Duplicate,
            };
            added.insert(row, message.fingerprint.digest);
            fates[message.at] = Some((fate, Some(row)));
        }
        waiting = left;
    }
    if waiting.is_empty() { Ok(()) } else { Err(Failure::Refused("no free Message-ID was found".to_owned())) }
}

fn existing(
    connection: &mut Connection,
    waiting: &[Waiting<'_>],
    limits: &ColumnLimits,
    added: &HashMap<i64, ContentDigest>,
) -> Outcome<Vec<Existing>> {
    let mut wanted: Vec<String> = waiting
        .iter()
        .flat_map(|message| names(&message.message_id, &message.fingerprint.digest, limits.message_id))
        .collect();
    wanted.sort_unstable();
    wanted.dedup();
    let mut existing = rows::existing(connection, &wanted)?;
    for row in &mut existing {
        row.digests.extend(added.get(&row.row));
    }
    Ok(existing)
}

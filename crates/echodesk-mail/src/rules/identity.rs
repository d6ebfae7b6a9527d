//! When two messages are the same message.
//!
//! A place is (folder, UIDVALIDITY, UID). A Message-ID is content like any other: senders leave it
//! out, reuse it and forge it. But EchoDesk's table allows each only once per tenant, so it decides
//! under which name a message can be stored:
//!
//! - a Message-ID nobody has: under that;
//! - one that a row with the same content has: that row, which now has one more place;
//! - one that only rows with other content have: under a distinguishable variant of it.

use std::collections::HashMap;

use jiff::Timestamp;
use sha2::{Digest, Sha256};

use crate::model::{ContentDigest, Uid};

/// What a message is compared by.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fingerprint {
    /// Over everything that makes it itself.
    pub digest: ContentDigest,
    /// Author's address, for comparing with rows that EchoDesk wrote and that have no digest.
    pub from_email: String,
    /// Subject as stored, for the same.
    pub subject: String,
    /// Date as stored, for the same.
    pub timestamp: Timestamp,
}

/// A row that has one of the Message-IDs in question.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Existing {
    /// `id` of the row.
    pub row: i64,
    /// `message_id` of the row.
    pub message_id: String,
    /// Digests of the messages that came to this row; none if EchoDesk itself wrote it.
    pub digests: Vec<ContentDigest>,
    /// `from_email` of the row.
    pub from_email: String,
    /// `subject` of the row.
    pub subject: String,
    /// `timestamp` of the row.
    pub timestamp: Timestamp,
    /// `connection_id` of the row.
    pub connection: i64,
    /// `folder` of the row.
    pub folder: String,
    /// `uid` of the row.
    pub uid: String,
}

/// Where a message lies, in the terms in which EchoDesk's rows have it: without UIDVALIDITY.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Place<'a> {
    /// The id of its mailbox.
    pub connection: i64,
    /// Its folder, as a row would have it.
    pub folder: &'a str,
    /// Its UID there.
    pub uid: Uid,
}

/// A message that wants a place.
#[derive(Clone, Copy, Debug)]
pub struct Candidate<'a> {
    /// The Message-ID it would like to be stored under.
    pub message_id: &'a str,
    /// What it is compared by.
    pub fingerprint: &'a Fingerprint,
    /// Where it lies.
    pub place: Place<'a>,
}

/// Where a candidate goes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Placement {
    /// A new row under this `message_id`.
    New {
        /// The candidate's own Message-ID or a variant of it.
        message_id: String,
    },
    /// The row is there already.
    Row(i64),
    /// An earlier candidate of the same batch is the same message.
    Earlier(usize),
}

/// Names under which a message may be found: its Message-ID as written (angle brackets included, as
/// EchoDesk's own sync keeps it), the same without brackets, and the variant that [`place`] would
/// give it.
#[must_use]
pub fn names(message_id: &str, digest: &ContentDigest, max_chars: usize) -> Vec<String> {
    let mut names = vec![message_id.to_owned(), variant(message_id, digest, max_chars)];
    let bare = message_id.trim_start_matches('<').trim_end_matches('>');
    if bare != message_id && !bare.is_empty() {
        names.push(bare.to_owned());
    }
    names
}

/// Decides where each candidate goes. `existing` holds every row that has one of their [`names`].
///
/// The answer does not depend on how messages are cut into batches: placing a batch, storing it and
/// placing the next gives the same as placing both at once.
#[must_use]
pub fn place(candidates: &[Candidate<'_>], existing: &[Existing], max_chars: usize) -> Vec<Placement> {
    let mut rows: HashMap<&str, &Existing> = HashMap::new();
    for row in existing {
        rows.insert(&row.message_id, row);
    }
    // Names given away within this batch, with the candidate that got them.
    let mut taken: HashMap<String, usize> = HashMap::new();
    // Rows without a digest that a candidate was recognised as: from then on they have its digest.
    let mut recognised: HashMap<i64, ContentDigest> = HashMap::new();
    let mut placements = Vec::with_capacity(candidates.len());

    for (index, candidate) in candidates.iter().enumerate() {
        let same_row = names(candidate.message_id, &candidate.fingerprint.digest, max_chars)
            .iter()
            .filter_map(|name| rows.get(name.as_str()))
            .find(|row| is_same(row, candidate, recognised.get(&row.row)))
            .map(|row| row.row);
        if let Some(row) = same_row {
            recognised.insert(row, candidate.fingerprint.digest);
            placements.push(Placement::Row(row));
            continue;
        }
        let plain = candidate.message_id.to_owned();
        let other = variant(candidate.message_id, &candidate.fingerprint.digest, max_chars);
        let earlier = [&plain, &other]
            .into_iter()
            .filter_map(|name| taken.get(name).copied())
            .find(|earlier| candidates[*earlier].fingerprint.digest == candidate.fingerprint.digest);
        if let Some(earlier) = earlier {
            placements.push(Placement::Earlier(earlier));
            continue;
        }
        let free = |name: &String| !rows.contains_key(name.as_str()) && !taken.contains_key(name);
        // The variant holds 128 bits of the digest: that it is taken by something else is not to be
        // expected, and if it were, the unique index would refuse the row rather than lose it.
        let message_id = if free(&plain) { plain } else { other };
        taken.insert(message_id.clone(), index);
        placements.push(Placement::New { message_id });
    }
    placements
}

/// Whether a row is the candidate's. Digests decide where the row has any, also one that it only has
/// `recognised` since.
///
/// A row without is EchoDesk's own: another parser read the mail, so small differences are to be
/// expected, and a Message-ID alone proves nothing. The author must agree (in any case of letters), and
/// then date and subject both, or either of them if the row says that it lies where the candidate lies.
/// Anything looser takes another mail of the same author (a reminder, say, that reuses Message-ID and
/// subject) for the one that is there, and it would never be stored.
fn is_same(row: &Existing, candidate: &Candidate<'_>, recognised: Option<&ContentDigest>) -> bool {
    let message = candidate.fingerprint;
    if !row.digests.is_empty() || recognised.is_some() {
        return row.digests.iter().chain(recognised).any(|digest| *digest == message.digest);
    }
    let same_author = row.from_email.eq_ignore_ascii_case(&message.from_email);
    let same_second = row.timestamp.as_second() == message.timestamp.as_second();
    let same_subject = row.subject.split_whitespace().eq(message.subject.split_whitespace());
    let place = &candidate.place;
    let same_place =
        row.connection == place.connection && row.folder == place.folder && row.uid == place.uid.to_string();
    same_author && ((same_second && same_subject) || (same_place && (same_second || same_subject)))
}

/// `<a@b>` becomes `<a@b>#0123456789abcdef0123456789abcdef`, within `max_chars`.
fn variant(message_id: &str, digest: &ContentDigest, max_chars: usize) -> String {
    let suffix: String = format!("#{}", &digest.to_string()[..32]);
    let keep = max_chars.saturating_sub(suffix.len());
    message_id.chars().take(keep).chain(suffix.chars()).collect()
}

/// Cuts a Message-ID to `max_chars` so that different long ones stay different.
#[must_use]
pub fn shorten(message_id: &str, max_chars: usize) -> String {
    if message_id.chars().count() <= max_chars {
        return message_id.to_owned();
    }
    let digest = ContentDigest(Sha256::digest(message_id.as_bytes()).into());
    variant(message_id, &digest, max_chars)
}

/// A Message-ID for a message that has none, the same each time it is seen.
#[must_use]
pub fn synthetic(digest: &ContentDigest) -> String {
    format!("<{}@no-message-id.invalid>", &digest.to_string()[..32])
}

#[cfg(test)]
mod tests;

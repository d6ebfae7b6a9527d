//! LIST and STATUS answers, brought together.

use std::collections::{HashMap, HashSet};

use super::names;
use super::response::Data;
use super::tokens::{Malformed, Value};
use crate::model::{FolderListing, FolderName, FolderStatus, SpecialUse};

/// More folders than any mailbox has; a server that lists on and on fills no memory.
const MOST_FOLDERS: usize = 100_000;

/// The longest name of a folder that is taken, in bytes; far above anything that people type.
const LONGEST_NAME: usize = 8 << 10;

/// The most bytes of names that are held of one listing.
const MOST_BYTES: usize = 16 << 20;

/// What a folder's wire name is compared by: INBOX has no case.
pub(super) fn key(wire: &[u8]) -> Vec<u8> {
    if wire.eq_ignore_ascii_case(b"INBOX") { b"INBOX".to_vec() } else { wire.to_vec() }
}

/// Reads `* STATUS name (ITEM n …)`: the folder's key and its numbers. None for the numbers if
/// UIDVALIDITY or UIDNEXT is not among them, without which they are of no use.
pub(super) fn read_status(data: Data<'_>) -> Result<(Vec<u8>, Option<FolderStatus>), Malformed> {
    let mut tokens = data.tokens;
    let name = tokens.expect()?;
    let key = key(bounded(&name)?);
    let items = tokens.expect()?;
    let items = items.list().ok_or(Malformed)?;
    let number =
        |wanted: &str| items.chunks_exact(2).find(|pair| is_atom(&pair[0], wanted)).and_then(|pair| pair[1].number());
    let nonzero = |wanted: &str| number(wanted).and_then(|n| u32::try_from(n).ok()).filter(|n| *n > 0);
    let status = nonzero("UIDVALIDITY").zip(nonzero("UIDNEXT")).map(|(uid_validity, uid_next)| FolderStatus {
        uid_validity,
        uid_next,
        messages: number("MESSAGES").map_or(0, |n| u32::try_from(n).unwrap_or(u32::MAX)),
        // Zero is how a folder without modification sequences says so (RFC 7162 §3.1.7).
        highest_mod_seq: number("HIGHESTMODSEQ").filter(|n| *n > 0),
    });
    Ok((key, status))
}

/// The wire name in `value`, unless it is too long to be one.
fn bounded<'v>(value: &'v Value<'_>) -> Result<&'v [u8], Malformed> {
    value.name().filter(|wire| wire.len() <= LONGEST_NAME).ok_or(Malformed)
}

fn is_atom(value: &Value<'_>, name: &str) -> bool {
    matches!(value, Value::Atom(atom) if atom.eq_ignore_ascii_case(name.as_bytes()))
}

/// Folders as they come in, in the order of the server's LIST.
#[derive(Default)]
pub(super) struct Folders {
    listings: Vec<FolderListing>,
    by_key: HashMap<Vec<u8>, usize>,
    statuses: HashMap<Vec<u8>, FolderStatus>,
    /// What all names take.
    bytes: usize,
}

impl Folders {
    /// What there is too much of, if anything.
    pub(super) fn excess(&self) -> Option<String> {
        if self.listings.len().max(self.statuses.len()) > MOST_FOLDERS {
            Some(format!("more than {MOST_FOLDERS} folders"))
        } else if self.bytes > MOST_BYTES {
            Some(format!("more than {MOST_BYTES} bytes of names of folders"))
        } else {
            None
        }
    }

    /// Reads `* LIST (attributes) separator name …`. A folder that is listed twice is one folder.
    pub(super) fn list(&mut self, data: Data<'_>) -> Result<(), Malformed> {
        let mut tokens = data.tokens;
        let attributes = tokens.expect()?;
        let separator = tokens.expect()?;
        let mailbox = tokens.expect()?;
        let wire = bounded(&mailbox)?;
        let attributes: Vec<&[u8]> = attributes.list().ok_or(Malformed)?.iter().filter_map(Value::name).collect();
        let has = |name: &str| attributes.iter().any(|attribute| attribute.eq_ignore_ascii_case(name.as_bytes()));
        let listing = FolderListing {
            name: FolderName { name: names::read(wire), wire: wire.to_vec() },
            separator: separator.string().and_then(|text| std::str::from_utf8(text).ok()?.chars().next()),
            selectable: !has("\\Noselect") && !has("\\NonExistent"),
            special_use: special_use(has),
            status: None,
        };
        match self.by_key.get(&key(wire)).and_then(|index| self.listings.get_mut(*index)) {
            Some(known) => {
                // Where the lines contradict each other, opening it will tell.
                known.selectable |= listing.selectable;
                known.special_use = known.special_use.or(listing.special_use);
                known.separator = known.separator.or(listing.separator);
            }
            None => {
                // The name as it was sent, as it is read, and as it is compared.
                self.bytes += listing.name.wire.len() * 2 + listing.name.name.len();
                self.by_key.insert(key(wire), self.listings.len());
                self.listings.push(listing);
            }
        }
        Ok(())
    }

    /// Keeps a STATUS answer for the folder that it names.
    pub(super) fn status(&mut self, data: Data<'_>) -> Result<(), Malformed> {
        let (key, status) = read_status(data)?;
        if let Some(status) = status {
            let length = key.len();
            if self.statuses.insert(key, status).is_none() {
                self.bytes += length;
            }
        }
        Ok(())
    }

    /// The listings with their numbers, no two under one name.
    pub(super) fn finish(mut self) -> Vec<FolderListing> {
        let (well, badly): (Vec<_>, Vec<_>) =
            self.listings.iter_mut().partition(|listing| names::is_well_encoded(&listing.name.wire));
        let taken: HashSet<&str> = well.iter().map(|listing| listing.name.name.as_str()).collect();
        for listing in badly {
            // Whichever was listed first: the name belongs to the folder that spells it well.
            if taken.contains(listing.name.name.as_str()) {
                listing.name.name = names::spelt_out(&listing.name.wire);
            }
        }
        for listing in &mut self.listings {
            listing.status = self.statuses.get(&key(&listing.name.wire)).copied();
        }
        self.listings
    }
}

fn special_use(has: impl Fn(&str) -> bool) -> Option<SpecialUse> {
    [
        ("\\All", SpecialUse::All),
        ("\\Drafts", SpecialUse::Drafts),
        ("\\Junk", SpecialUse::Junk),
        ("\\Sent", SpecialUse::Sent),
        ("\\Trash", SpecialUse::Trash),
        ("\\Flagged", SpecialUse::Flagged),
    ]
    .into_iter()
    .find(|(name, _)| has(name))
    .map(|(_, special_use)| special_use)
}

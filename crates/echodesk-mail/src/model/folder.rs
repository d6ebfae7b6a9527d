//! Folders: how a server describes them and how far we have read them.

use std::fmt;

use jiff::civil::Date;

use super::{Uid, UidSet};

/// A folder's name, as people read it and as the server wants to hear it.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct FolderName {
    /// Decoded from modified UTF-7 (RFC 3501 §5.1.3); `INBOX` in capitals, since its case is free.
    pub name: String,
    /// The bytes on the wire, to be quoted when sent.
    pub wire: Vec<u8>,
}

impl fmt::Display for FolderName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.name)
    }
}

/// What a folder is for, as far as the server says (RFC 6154).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum SpecialUse {
    /// `\All`: every message once more.
    All,
    /// `\Drafts`.
    Drafts,
    /// `\Junk`.
    Junk,
    /// `\Sent`.
    Sent,
    /// `\Trash`.
    Trash,
    /// `\Flagged`: the starred ones once more.
    Flagged,
}

/// One LIST answer, with its STATUS where one came.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FolderListing {
    /// Its name.
    pub name: FolderName,
    /// The hierarchy separator; none in a flat namespace.
    pub separator: Option<char>,
    /// Whether it can be opened at all (`\Noselect`, `\NonExistent` cannot).
    pub selectable: bool,
    /// What the server says it is for.
    pub special_use: Option<SpecialUse>,
    /// Its numbers. A folder without a STATUS line still exists.
    pub status: Option<FolderStatus>,
}

/// A folder's numbers (STATUS, or what EXAMINE answered).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FolderStatus {
    /// UIDVALIDITY: while it stands, a UID means the same message for ever.
    pub uid_validity: u32,
    /// UIDNEXT: every message to come will have a UID of at least this.
    pub uid_next: u32,
    /// MESSAGES: how many there are.
    pub messages: u32,
    /// HIGHESTMODSEQ (RFC 7162); none where the server or the folder keeps none.
    pub highest_mod_seq: Option<u64>,
}

impl FolderStatus {
    /// In place of the number of messages in a cursor: the server has not named all that it had counted. No folder has as
    /// many (a UID is at least 1, and UIDNEXT above the last), so the numbers differ until a run has seen all of them.
    pub const NOT_COUNTED: u32 = u32::MAX;
}

/// How far a folder has been read: a row of `echodesk_mail_folder`.
///
/// Every UID below `status.uid_next` has a fate, or is in `pending`, or lay outside the history
/// window, or was gone before it was read. That is the invariant that makes a killed run harmless.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FolderCursor {
    /// The folder's decoded name: what identifies it within its mailbox.
    pub folder: String,
    /// The folder's numbers when it was last looked at.
    pub status: FolderStatus,
    /// UIDs that were seen and not read yet.
    pub pending: UidSet,
    /// First day of the history window that `pending` was computed for; none means all history.
    pub window_start: Option<Date>,
    /// A message that may be what breaks the connection, if any.
    pub suspect: Option<Suspect>,
}

/// A message that was being read when the connection broke. It may be innocent; but some servers
/// break the connection over one message, each time they are asked for it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Suspect {
    /// Which one.
    pub uid: Uid,
    /// How often the connection broke when it was asked for: first among others, then alone.
    pub deaths: u32,
}

//! What one mail server holds of one mailbox.

use std::collections::BTreeMap;
use std::sync::Arc;

use echodesk_mail::model::{Flags, FolderStatus, SpecialUse};
use jiff::Timestamp;

use super::letters::Letter;

/// A mailbox on its server.
#[derive(Clone, Debug)]
pub struct Account {
    /// Its folders by name.
    pub folders: BTreeMap<String, Folder>,
    /// Whether LIST tells the numbers of folders along.
    pub lists_status: bool,
    /// Whether the server numbers changes (CONDSTORE).
    pub keeps_mod_seq: bool,
}

/// A folder.
#[derive(Clone, Debug)]
pub struct Folder {
    /// UIDVALIDITY.
    pub uid_validity: u32,
    /// UIDNEXT.
    pub uid_next: u32,
    /// HIGHESTMODSEQ.
    pub mod_seq: u64,
    /// What it is for, if the server says so.
    pub special_use: Option<SpecialUse>,
    /// Until which slot of time it is not there.
    pub hidden_until: u64,
    /// Whether it is there.
    pub is_hidden: bool,
    /// Its messages by UID.
    pub messages: BTreeMap<u32, Message>,
}

/// A message in a folder.
#[derive(Clone, Debug)]
pub struct Message {
    /// What it is, wherever it lies.
    pub letter: Arc<Letter>,
    /// INTERNALDATE, which a message keeps when it is moved.
    pub received: Timestamp,
    /// Its flags.
    pub flags: Flags,
    /// When they were changed, as the server numbers changes.
    pub mod_seq: u64,
}

/// Where a message lies: folder, UIDVALIDITY, UID.
pub type Place = (String, u32, u32);

impl Account {
    /// The places of all messages in folders that are synced and there, with the messages.
    pub fn places(&self) -> impl Iterator<Item = (Place, &Message)> {
        let there = self.folders.iter().filter(|(_, folder)| !folder.is_hidden && folder.special_use.is_none());
        there.flat_map(|(name, folder)| {
            folder.messages.iter().map(|(uid, message)| ((name.clone(), folder.uid_validity, *uid), message))
        })
    }

    /// A folder that is there.
    #[must_use]
    pub fn folder(&self, name: &str) -> Option<&Folder> {
        self.folders.get(name).filter(|folder| !folder.is_hidden)
    }

    /// The numbers of a folder.
    #[must_use]
    pub fn status(&self, folder: &Folder) -> FolderStatus {
        FolderStatus {
            uid_validity: folder.uid_validity,
            uid_next: folder.uid_next,
            messages: u32::try_from(folder.messages.len()).unwrap_or(u32::MAX),
            highest_mod_seq: self.keeps_mod_seq.then_some(folder.mod_seq),
        }
    }
}

impl Folder {
    /// An empty one.
    #[must_use]
    pub fn new(uid_validity: u32, special_use: Option<SpecialUse>) -> Self {
        Self {
            uid_validity,
            uid_next: 1,
            mod_seq: 1,
            special_use,
            hidden_until: 0,
            is_hidden: false,
            messages: BTreeMap::new(),
        }
    }

    /// A message arrives, and gets the next UID.
    pub fn append(&mut self, letter: Arc<Letter>, received: Timestamp, flags: Flags) -> u32 {
        let uid = self.uid_next;
        self.uid_next += 1;
        self.mod_seq += 1;
        self.messages.insert(uid, Message { letter, received, flags, mod_seq: self.mod_seq });
        uid
    }

    /// A message goes.
    pub fn expunge(&mut self, uid: u32) -> Option<Message> {
        self.mod_seq += 1;
        self.messages.remove(&uid)
    }

    /// A message's flags change.
    pub fn set_flags(&mut self, uid: u32, flags: Flags) {
        self.mod_seq += 1;
        if let Some(message) = self.messages.get_mut(&uid) {
            (message.flags, message.mod_seq) = (flags, self.mod_seq);
        }
    }

    /// All messages get new UIDs, in their order.
    pub fn renumber(&mut self, uid_validity: u32) {
        let messages = std::mem::take(&mut self.messages);
        (self.uid_validity, self.uid_next) = (uid_validity, 1);
        for (_, message) in messages {
            self.append(message.letter, message.received, message.flags);
        }
    }

    /// One of its UIDs.
    #[must_use]
    pub fn any(&self, number: u64) -> Option<u32> {
        let count = self.messages.len() as u64;
        let nth = usize::try_from(number.checked_rem(count)?).ok()?;
        self.messages.keys().nth(nth).copied()
    }
}

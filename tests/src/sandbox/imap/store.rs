//! What the sandbox server holds.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use jiff::Timestamp;

/// All mail of a server, by user name.
#[derive(Clone, Debug, Default)]
pub struct Mailstore {
    pub(super) accounts: BTreeMap<String, Account>,
}

/// One user.
#[derive(Clone, Debug)]
pub struct Account {
    pub(super) password: String,
    pub(super) folders: BTreeMap<String, Folder>,
    /// RFC 7162: grows with every change, over all folders.
    pub(super) mod_seq: u64,
}

/// One folder.
#[derive(Clone, Debug)]
pub struct Folder {
    /// `\Sent` and the like (RFC 6154).
    pub(super) special_use: Option<String>,
    pub(super) selectable: bool,
    pub(super) uid_validity: u32,
    pub(super) uid_next: u32,
    pub(super) highest_mod_seq: u64,
    /// Ascending by UID.
    pub(super) messages: Vec<Message>,
}

/// One message in its folder.
#[derive(Clone, Debug)]
pub struct Message {
    pub(super) uid: u32,
    pub(super) flags: BTreeSet<String>,
    pub(super) internal_date: Timestamp,
    pub(super) mod_seq: u64,
    pub(super) bytes: Arc<[u8]>,
}

impl Account {
    /// An account with an empty INBOX.
    #[must_use]
    pub fn new(password: &str) -> Self {
        let mut account = Self { password: password.to_owned(), folders: BTreeMap::new(), mod_seq: 1 };
        account.folder("INBOX");
        account
    }

    /// Makes sure that there is a folder of this name.
    pub fn folder(&mut self, name: &str) -> &mut Folder {
        let number = u32::try_from(self.folders.len()).unwrap_or(0);
        self.folders.entry(name.to_owned()).or_insert_with(|| Folder {
            special_use: None,
            selectable: true,
            uid_validity: 1_700_000_000 + number,
            uid_next: 1,
            highest_mod_seq: 1,
            messages: Vec::new(),
        })
    }

    /// Adds a message and returns its UID.
    pub fn append(&mut self, folder: &str, received: Timestamp, flags: &[&str], bytes: impl Into<Arc<[u8]>>) -> u32 {
        self.mod_seq += 1;
        let mod_seq = self.mod_seq;
        let folder = self.folder(folder);
        let uid = folder.uid_next;
        folder.uid_next += 1;
        folder.highest_mod_seq = mod_seq;
        folder.messages.push(Message {
            uid,
            flags: flags.iter().map(|flag| (*flag).to_owned()).collect(),
            internal_date: received,
            mod_seq,
            bytes: bytes.into(),
        });
        uid
    }

    /// Removes a message for good; returns it if it was there.
    pub fn expunge(&mut self, folder: &str, uid: u32) -> Option<Message> {
        self.mod_seq += 1;
        let mod_seq = self.mod_seq;
        let folder = self.folder(folder);
        let index = folder.messages.iter().position(|message| message.uid == uid)?;
        folder.highest_mod_seq = mod_seq;
        Some(folder.messages.remove(index))
    }

    /// Replaces the flags of a message.
    pub fn set_flags(&mut self, folder: &str, uid: u32, flags: &[&str]) {
        self.mod_seq += 1;
        let mod_seq = self.mod_seq;
        let folder = self.folder(folder);
        if let Some(message) = folder.messages.iter_mut().find(|message| message.uid == uid) {
            message.flags = flags.iter().map(|flag| (*flag).to_owned()).collect();
            message.mod_seq = mod_seq;
            folder.highest_mod_seq = mod_seq;
        }
    }

    /// Moves a message (RFC 6851); returns its new UID.
    pub fn move_message(&mut self, from: &str, uid: u32, to: &str) -> Option<u32> {
        let message = self.expunge(from, uid)?;
        let flags: Vec<&str> = message.flags.iter().map(String::as_str).collect();
        Some(self.append(to, message.internal_date, &flags, message.bytes))
    }

    /// Gives a folder a new UIDVALIDITY, as a server does that has lost its index: all UIDs start
    /// again at 1.
    pub fn renumber(&mut self, folder: &str) {
        let folder = self.folder(folder);
        folder.uid_validity += 1000;
        for (uid, message) in (1..).zip(&mut folder.messages) {
            message.uid = uid;
        }
        folder.uid_next = u32::try_from(folder.messages.len()).unwrap_or(u32::MAX - 1) + 1;
    }

    /// All messages: folder, UID, flags.
    pub fn messages(&self) -> impl Iterator<Item = (&str, u32, &BTreeSet<String>)> {
        self.folders.iter().flat_map(|(name, folder)| {
            folder.messages.iter().map(move |message| (name.as_str(), message.uid, &message.flags))
        })
    }
}

impl Folder {
    /// Says what the folder is for: `\Sent`, `\Junk`, … (RFC 6154).
    pub fn special_use(&mut self, attribute: &str) -> &mut Self {
        self.special_use = Some(attribute.to_owned());
        self
    }

    /// Makes it a name in the hierarchy that cannot be opened.
    pub fn no_select(&mut self) -> &mut Self {
        self.selectable = false;
        self
    }
}

impl Mailstore {
    /// A server with one user.
    #[must_use]
    pub fn with(user: &str, account: Account) -> Self {
        let mut store = Self::default();
        store.add(user, account);
        store
    }

    /// Adds a user.
    pub fn add(&mut self, user: &str, account: Account) {
        self.accounts.insert(user.to_owned(), account);
    }

    /// A user's account, made with an empty password if there is none.
    pub fn account(&mut self, user: &str) -> &mut Account {
        self.accounts.entry(user.to_owned()).or_insert_with(|| Account::new(""))
    }
}

/// A store that a server serves and a test changes meanwhile.
#[derive(Clone, Debug)]
pub struct SharedStore(Arc<Mutex<Mailstore>>);

impl SharedStore {
    pub(super) fn new(store: Mailstore) -> Self {
        Self(Arc::new(Mutex::new(store)))
    }

    /// The store, for as long as the guard lives: the server waits meanwhile.
    pub fn lock(&self) -> MutexGuard<'_, Mailstore> {
        // A panic in one test thread says nothing about the store.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

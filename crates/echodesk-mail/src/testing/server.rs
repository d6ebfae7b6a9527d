//! A mail server in memory, whose connection can be cut.

use std::collections::BTreeMap;
use std::ops::ControlFlow;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use echodesk_core::Secret;
use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::TimeZone;

use crate::model::{
    Endpoint, Flags, FolderListing, FolderName, FolderStatus, MessageMeta, RawMessage, SpecialUse, Uid, UidSet,
};
use crate::ports::{MailServer, MailServerError, MailSession, Opened, SessionCounters, Sink};

/// One account on one server. Clones share it.
#[derive(Clone, Debug, Default)]
pub struct FakeServer {
    state: Arc<Mutex<State>>,
}

#[derive(Debug, Default)]
struct State {
    folders: BTreeMap<String, FakeFolder>,
    /// Bodies that are delivered before the connection breaks; then once more, and so on.
    cut_after: Option<usize>,
    refuse_login: bool,
    refuse_folder: Option<String>,
    examined: Vec<String>,
}

/// A folder.
#[derive(Clone, Debug)]
pub struct FakeFolder {
    /// UIDVALIDITY.
    pub uid_validity: u32,
    /// UIDNEXT.
    pub uid_next: u32,
    /// HIGHESTMODSEQ.
    pub mod_seq: u64,
    /// What it is for.
    pub special_use: Option<SpecialUse>,
    /// Its messages.
    pub messages: BTreeMap<u32, FakeMessage>,
}

/// A message.
#[derive(Clone, Debug)]
pub struct FakeMessage {
    /// Its bytes.
    pub bytes: Vec<u8>,
    /// Its flags.
    pub flags: Flags,
    /// INTERNALDATE.
    pub received: Option<Timestamp>,
    /// MODSEQ.
    pub mod_seq: u64,
    /// Whether FETCH leaves it out although it is listed.
    pub undeliverable: bool,
    /// What the server says instead of a batch with this message in it.
    pub refused: Option<&'static str>,
}

impl FakeServer {
    /// A server with an empty INBOX.
    #[must_use]
    pub fn new() -> Self {
        let server = Self::default();
        server.add_folder("INBOX", None);
        server
    }

    /// Makes a folder.
    pub fn add_folder(&self, name: &str, special_use: Option<SpecialUse>) {
        let folder =
            FakeFolder { uid_validity: 1, uid_next: 1, mod_seq: 1, special_use, messages: BTreeMap::default() };
        self.lock().folders.insert(name.to_owned(), folder);
    }

    /// Changes a folder in any way; the folder is made if it is not there.
    pub fn change(&self, name: &str, change: impl FnOnce(&mut FakeFolder)) {
        if !self.lock().folders.contains_key(name) {
            self.add_folder(name, None);
        }
        if let Some(folder) = self.lock().folders.get_mut(name) {
            change(folder);
        }
    }

    /// Removes a folder with its messages.
    pub fn remove_folder(&self, name: &str) {
        self.lock().folders.remove(name);
    }

    /// Delivers a message and returns its UID.
    pub fn deliver(&self, folder: &str, bytes: impl Into<Vec<u8>>) -> Uid {
        let mut uid = 0;
        self.change(folder, |folder| uid = folder.append(bytes.into()));
        Uid(uid)
    }

    /// Moves a message.
    pub fn move_message(&self, from: &str, uid: Uid, to: &str) {
        let mut moved = None;
        self.change(from, |folder| moved = folder.expunge(uid.0));
        if let Some(message) = moved {
            self.deliver(to, message.bytes);
        }
    }

    /// Breaks the connection each time so many bodies were delivered.
    pub fn cut_after(&self, bodies: Option<usize>) {
        self.lock().cut_after = bodies;
    }

    /// Refuses every login from now on.
    pub fn refuse_login(&self, refuse: bool) {
        self.lock().refuse_login = refuse;
    }

    /// Refuses to open one folder.
    pub fn refuse_folder(&self, name: Option<&str>) {
        self.lock().refuse_folder = name.map(str::to_owned);
    }

    /// Folders that were opened since the last call.
    #[must_use]
    pub fn take_examined(&self) -> Vec<String> {
        std::mem::take(&mut self.lock().examined)
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl FakeFolder {
    /// Adds a message and returns its UID.
    pub fn append(&mut self, bytes: Vec<u8>) -> u32 {
        let uid = self.uid_next;
        self.uid_next += 1;
        self.mod_seq += 1;
        let mod_seq = self.mod_seq;
        let message =
            FakeMessage { bytes, flags: Flags::NONE, received: None, mod_seq, undeliverable: false, refused: None };
        self.messages.insert(uid, message);
        uid
    }

    /// Takes a message out.
    pub fn expunge(&mut self, uid: u32) -> Option<FakeMessage> {
        self.mod_seq += 1;
        self.messages.remove(&uid)
    }

    /// Sets a message's flags.
    pub fn set_flags(&mut self, uid: u32, flags: Flags) {
        self.mod_seq += 1;
        let mod_seq = self.mod_seq;
        if let Some(message) = self.messages.get_mut(&uid) {
            (message.flags, message.mod_seq) = (flags, mod_seq);
        }
    }

    fn status(&self) -> FolderStatus {
        FolderStatus {
            uid_validity: self.uid_validity,
            uid_next: self.uid_next,
            messages: u32::try_from(self.messages.len()).unwrap_or(u32::MAX),
            highest_mod_seq: Some(self.mod_seq),
        }
    }
}

impl MailServer for FakeServer {
    fn open(
        &self,
        _: &Endpoint,
        username: &str,
        _: &Secret,
        _: Duration,
    ) -> Result<Box<dyn MailSession>, MailServerError> {
        if self.lock().refuse_login {
            return Err(MailServerError::Login { username: username.to_owned(), answer: "wrong password".to_owned() });
        }
        Ok(Box::new(FakeSession { server: self.clone(), open: None, delivered: 0, round_trips: 2 }))
    }
}

struct FakeSession {
    server: FakeServer,
    open: Option<String>,
    delivered: usize,
    round_trips: u32,
}

impl FakeSession {
    fn messages(&mut self, uids: &UidSet) -> Vec<(Uid, FakeMessage)> {
        self.round_trips += 1;
        let state = self.server.lock();
        let folder = self.open.as_ref().and_then(|name| state.folders.get(name));
        let all = folder.into_iter().flat_map(|folder| &folder.messages);
        all.filter(|(uid, _)| uids.contains(Uid(**uid))).map(|(uid, message)| (Uid(*uid), message.clone())).collect()
    }

    fn count_body(&mut self) -> Result<(), MailServerError> {
        self.delivered += 1;
        if self.server.lock().cut_after.is_some_and(|limit| self.delivered > limit) {
            let source = std::io::ErrorKind::ConnectionReset.into();
            return Err(MailServerError::Lost { doing: "fetching messages", source });
        }
        Ok(())
    }
}

fn meta(uid: Uid, message: &FakeMessage) -> MessageMeta {
    MessageMeta { uid, size: message.bytes.len() as u64, internal_date: message.received, flags: message.flags }
}

impl MailSession for FakeSession {
    fn folders(&mut self) -> Result<Vec<FolderListing>, MailServerError> {
        self.round_trips += 1;
        let state = self.server.lock();
        let list = state.folders.iter().map(|(name, folder)| FolderListing {
            name: FolderName { name: name.clone(), wire: name.clone().into_bytes() },
            separator: Some('/'),
            selectable: true,
            special_use: folder.special_use,
            status: Some(folder.status()),
        });
        Ok(list.collect())
    }

    fn status(&mut self, folders: &[&FolderName]) -> Result<Vec<Option<FolderStatus>>, MailServerError> {
        self.round_trips += 1;
        let state = self.server.lock();
        Ok(folders.iter().map(|name| state.folders.get(&name.name).map(FakeFolder::status)).collect())
    }

    fn examine(&mut self, folder: &FolderName) -> Result<Opened, MailServerError> {
        self.round_trips += 1;
        let mut state = self.server.lock();
        let refused = state.refuse_folder.as_ref() == Some(&folder.name);
        state.examined.push(folder.name.clone());
        let Some(found) = state.folders.get(&folder.name).filter(|_| !refused) else {
            return Err(MailServerError::Refused { command: "EXAMINE", answer: "no such folder".to_owned() });
        };
        self.open = Some(folder.name.clone());
        Ok(Opened { status: found.status() })
    }

    fn search(&mut self, uids: &UidSet, since: Option<Date>) -> Result<UidSet, MailServerError> {
        let day = |message: &FakeMessage| message.received.map(|at| at.to_zoned(TimeZone::UTC).date());
        let hit = |message: &FakeMessage| since.is_none_or(|since| day(message).is_none_or(|day| day >= since));
        Ok(self.messages(uids).into_iter().filter(|(_, message)| hit(message)).map(|(uid, _)| uid).collect())
    }

    fn metas(&mut self, uids: &UidSet) -> Result<Vec<MessageMeta>, MailServerError> {
        Ok(self.messages(uids).iter().map(|(uid, message)| meta(*uid, message)).collect())
    }

    fn bodies(&mut self, batches: &[Vec<MessageMeta>], limit: u64, sink: &mut Sink<'_>) -> Result<(), MailServerError> {
        let mut refusal = Ok(());
        for batch in batches {
            let uids: UidSet = batch.iter().map(|meta| meta.uid).collect();
            let messages = self.messages(&uids);
            if let Some(answer) = messages.iter().find_map(|(_, message)| message.refused) {
                refusal = Err(MailServerError::Refused { command: "FETCH", answer: answer.to_owned() });
                continue;
            }
            for (uid, message) in messages {
                if message.undeliverable {
                    continue;
                }
                self.count_body()?;
                let truncated = message.bytes.len() as u64 > limit;
                let meta = meta(uid, &message);
                let bytes = if truncated { Vec::new() } else { message.bytes };
                if let ControlFlow::Break(()) = sink(RawMessage { meta, bytes, truncated }) {
                    return Ok(());
                }
            }
        }
        refusal
    }

    fn head(&mut self, wanted: &MessageMeta, bytes: u64) -> Result<Option<RawMessage>, MailServerError> {
        let uids = [wanted.uid].into_iter().collect();
        let found = self.messages(&uids).pop();
        Ok(found.map(|(uid, message)| {
            let meta = meta(uid, &message);
            let cut = message.bytes.len().min(usize::try_from(bytes).unwrap_or(usize::MAX));
            RawMessage { truncated: cut < message.bytes.len(), meta, bytes: message.bytes[..cut].to_vec() }
        }))
    }

    fn flags(&mut self, uids: &UidSet, mod_seq: Option<u64>) -> Result<Vec<(Uid, Flags)>, MailServerError> {
        let changed = |message: &FakeMessage| mod_seq.is_none_or(|since| message.mod_seq > since);
        let found = self.messages(uids).into_iter().filter(|(_, message)| changed(message));
        Ok(found.map(|(uid, message)| (uid, message.flags)).collect())
    }

    fn logout(self: Box<Self>) {}

    fn counters(&self) -> SessionCounters {
        SessionCounters { bytes: 0, round_trips: self.round_trips, skipped_answers: 0 }
    }
}

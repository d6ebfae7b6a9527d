//! One session.

use std::io::ErrorKind;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use echodesk_mail::model::{Flags, FolderListing, FolderName, FolderStatus, MessageMeta, RawMessage, Uid, UidSet};
use echodesk_mail::ports::{MailServerError, MailSession, Opened, SessionCounters, Sink};
use jiff::civil::Date;
use jiff::tz::{Offset, TimeZone};

use super::{Course, Sight};
use crate::world::mail::account::{Account, Folder, Message};
use crate::world::mail::letters::Trouble;

/// By which clock servers compare days: not ours.
const SERVER_HOURS: i8 = 4;

/// A session that goes its course.
pub(super) struct ImapSession {
    course: Course,
    before: Arc<Account>,
    after: Arc<Account>,
    sight: Arc<Sight>,
    /// The folder that is open, and its UIDVALIDITY.
    open: Option<(String, u32)>,
    calls: u32,
    bodies: u32,
    is_lost: bool,
}

impl ImapSession {
    pub(super) fn new(course: Course, (before, after): (Arc<Account>, Arc<Account>), sight: Arc<Sight>) -> Self {
        Self { course, before, after, sight, open: None, calls: 0, bodies: 0, is_lost: false }
    }

    fn account(&self) -> Arc<Account> {
        Arc::clone(if self.calls < self.course.change_at_call { &self.before } else { &self.after })
    }

    fn call(&mut self) -> Result<Arc<Account>, MailServerError> {
        self.calls += 1;
        if self.is_lost || self.course.cut_at_call == Some(self.calls) {
            return Err(self.cut());
        }
        Ok(self.account())
    }

    fn cut(&mut self) -> MailServerError {
        self.is_lost = true;
        self.sight.cut();
        MailServerError::Lost { doing: "reading", source: ErrorKind::ConnectionReset.into() }
    }

    /// Gives out bodies as far as they come. `due` is what may come next, as far as the client can tell: messages at
    /// the end of a command that were passed over, and the next.
    fn deliver(
        &mut self,
        batches: &[Vec<MessageMeta>],
        limit: u64,
        sink: &mut Sink<'_>,
        due: &mut Vec<Uid>,
    ) -> Result<(), MailServerError> {
        for batch in batches {
            let uids: UidSet = batch.iter().map(|meta| meta.uid).collect();
            let before = due.len();
            due.extend(uids.iter().next());
            for (uid, message) in self.messages(&uids)? {
                due.push(uid);
                self.bodies += 1;
                let breaks = message.letter.trouble == Some(Trouble::BreaksConnection);
                if breaks || self.course.cut_at_body == Some(self.bodies) {
                    return Err(self.cut());
                }
                if message.letter.trouble == Some(Trouble::Undeliverable) {
                    continue;
                }
                let truncated = message.letter.bytes.len() as u64 > limit;
                let bytes = if truncated { Vec::new() } else { message.letter.bytes.clone() };
                if sink(RawMessage { meta: meta(uid, &message), bytes, truncated }).is_break() {
                    return Ok(());
                }
                due.truncate(before);
            }
        }
        Ok(())
    }

    /// The beginning of a message.
    fn head_of(&mut self, uid: &UidSet, bytes: u64) -> Result<Option<RawMessage>, MailServerError> {
        let Some((uid, message)) = self.messages(uid)?.pop() else { return Ok(None) };
        match message.letter.trouble {
            Some(Trouble::BreaksConnection) => return Err(self.cut()),
            Some(Trouble::Undeliverable) => return Ok(None),
            None => {}
        }
        let all = &message.letter.bytes;
        let cut = all.len().min(usize::try_from(bytes).unwrap_or(usize::MAX));
        Ok(Some(RawMessage { truncated: cut < all.len(), meta: meta(uid, &message), bytes: all[..cut].to_vec() }))
    }

    /// The connection has just broken when one of these was to come.
    fn broke_over(&self, due: impl IntoIterator<Item = Uid>) {
        let Some((name, uid_validity)) = &self.open else { return };
        self.sight.broke_over(due.into_iter().map(|uid| (name.clone(), *uid_validity, uid.0)));
    }

    /// Those of `uids` that exist in the open folder.
    fn messages(&mut self, uids: &UidSet) -> Result<Vec<(Uid, Message)>, MailServerError> {
        let account = self.call()?;
        let folder = self.open.as_ref().and_then(|(name, _)| account.folder(name));
        let all = folder.into_iter().flat_map(|folder| &folder.messages);
        let found = all.map(|(uid, message)| (Uid(*uid), message)).filter(|(uid, _)| uids.contains(*uid));
        Ok(found.map(|(uid, message)| (uid, message.clone())).collect())
    }
}

fn meta(uid: Uid, message: &Message) -> MessageMeta {
    let size = message.letter.bytes.len() as u64;
    MessageMeta { uid, size, internal_date: Some(message.received), flags: message.flags }
}

fn refused(command: &'static str, for_now: bool) -> MailServerError {
    let answer = if for_now { "[UNAVAILABLE] try later" } else { "not now" };
    MailServerError::Refused { command, answer: answer.to_owned() }
}

impl MailSession for ImapSession {
    fn folders(&mut self) -> Result<Vec<FolderListing>, MailServerError> {
        let account = self.call()?;
        let list = |(name, folder): (&String, &Folder)| FolderListing {
            name: FolderName { name: name.clone(), wire: name.clone().into_bytes() },
            separator: Some('/'),
            selectable: true,
            special_use: folder.special_use,
            status: account.lists_status.then(|| account.status(folder)),
        };
        Ok(account.folders.iter().filter(|(_, folder)| !folder.is_hidden).map(list).collect())
    }

    fn status(&mut self, folders: &[&FolderName]) -> Result<Vec<Option<FolderStatus>>, MailServerError> {
        let account = self.call()?;
        let status = |name: &&FolderName| account.folder(&name.name).map(|folder| account.status(folder));
        Ok(folders.iter().map(status).collect())
    }

    fn examine(&mut self, folder: &FolderName) -> Result<Opened, MailServerError> {
        let account = self.call()?;
        let refusal = self.course.refused.filter(|(name, _)| *name == folder.name);
        let found = account.folder(&folder.name).filter(|_| refusal.is_none());
        let Some(found) = found else {
            self.sight.folder_refused.store(true, Ordering::Release);
            return Err(refused("EXAMINE", refusal.is_some_and(|(_, for_now)| for_now)));
        };
        self.open = Some((folder.name.clone(), found.uid_validity));
        Ok(Opened { status: account.status(found) })
    }

    fn search(&mut self, uids: &UidSet, since: Option<Date>) -> Result<UidSet, MailServerError> {
        let zone = TimeZone::fixed(Offset::constant(SERVER_HOURS));
        let day = |message: &Message| message.received.to_zoned(zone.clone()).date();
        let found = self.messages(uids)?.into_iter();
        Ok(found.filter(|(_, message)| since.is_none_or(|since| day(message) >= since)).map(|(uid, _)| uid).collect())
    }

    fn metas(&mut self, uids: &UidSet) -> Result<Vec<MessageMeta>, MailServerError> {
        Ok(self.messages(uids)?.iter().map(|(uid, message)| meta(*uid, message)).collect())
    }

    fn bodies(&mut self, batches: &[Vec<MessageMeta>], limit: u64, sink: &mut Sink<'_>) -> Result<(), MailServerError> {
        let (was_lost, mut due) = (self.is_lost, Vec::new());
        let done = self.deliver(batches, limit, sink, &mut due);
        if self.is_lost && !was_lost {
            self.broke_over(due);
        }
        done
    }

    fn head(&mut self, wanted: &MessageMeta, bytes: u64) -> Result<Option<RawMessage>, MailServerError> {
        let was_lost = self.is_lost;
        let head = self.head_of(&[wanted.uid].into_iter().collect(), bytes);
        if self.is_lost && !was_lost {
            self.broke_over([wanted.uid]);
        }
        head
    }

    fn flags(&mut self, uids: &UidSet, mod_seq: Option<u64>) -> Result<Vec<(Uid, Flags)>, MailServerError> {
        let changed = |message: &Message| mod_seq.is_none_or(|since| message.mod_seq > since);
        let found = self.messages(uids)?.into_iter().filter(|(_, message)| changed(message));
        Ok(found.map(|(uid, message)| (uid, message.flags)).collect())
    }

    fn logout(self: Box<Self>) {}

    fn counters(&self) -> SessionCounters {
        SessionCounters { bytes: 0, round_trips: self.calls, skipped_answers: 0 }
    }
}

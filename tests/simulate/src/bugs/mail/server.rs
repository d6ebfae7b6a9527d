//! Bugs of reading.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use echodesk_core::Secret;
use echodesk_mail::model::{
    Endpoint, Flags, FolderListing, FolderName, FolderStatus, MailboxKey, MessageMeta, RawMessage, Uid, UidSet,
};
use echodesk_mail::ports::{
    MailServer, MailServerError, MailSession, MailStore as _, Opened, Scope, SessionCounters, Sink,
};
use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::TimeZone;

use crate::bugs::Bug;
use crate::ports::imap::ImapPort;
use crate::process::Process;
use crate::world::World;

/// The mail servers, with a bug before them.
pub(super) struct BuggyServer {
    process: Arc<Process>,
    inner: ImapPort,
    bug: Bug,
}

impl BuggyServer {
    pub(super) fn new(process: &Arc<Process>, inner: ImapPort, bug: Bug) -> Self {
        Self { process: Arc::clone(process), inner, bug }
    }
}

impl MailServer for BuggyServer {
    fn open(
        &self,
        endpoint: &Endpoint,
        username: &str,
        password: &Secret,
        time_left: Duration,
    ) -> Result<Box<dyn MailSession>, MailServerError> {
        let inner = self.inner.open(endpoint, username, password, time_left)?;
        let world = &self.process.world;
        let Some(number) = world.mail.of_user(username) else { return Ok(inner) };
        let key = world.mail.get(number).key;
        let cursors = world.database.store.cursors(&key).unwrap_or_default();
        let validities = cursors.into_iter().map(|cursor| (cursor.folder, cursor.status.uid_validity)).collect();
        let (world, last_sync) = (Arc::clone(world), last_sync(world, &key));
        let (known, undelivered) = (UidSet::new(), UidSet::new());
        Ok(Box::new(BuggySession { world, inner, bug: self.bug, key, validities, last_sync, known, undelivered }))
    }
}

/// When the mailbox was last read to its end.
fn last_sync(world: &World, key: &MailboxKey) -> Option<Timestamp> {
    let listed = world.database.store.tenants(&Scope::One(key.schema.clone())).ok()?;
    let mailboxes = listed.into_iter().filter_map(|tenant| tenant.mailboxes.ok()).flat_map(|(_, mailboxes)| mailboxes);
    mailboxes.into_iter().find(|mailbox| mailbox.key == *key)?.last_sync_at
}

struct BuggySession {
    world: Arc<World>,
    inner: Box<dyn MailSession>,
    bug: Bug,
    key: MailboxKey,
    /// UIDVALIDITY of each folder as it is remembered.
    validities: HashMap<String, u32>,
    last_sync: Option<Timestamp>,
    /// UIDs of the open folder that have a fate.
    known: UidSet,
    /// UIDs that were asked for and did not come.
    undelivered: UidSet,
}

impl BuggySession {
    fn status_of(&self, folder: &FolderName, mut status: FolderStatus) -> FolderStatus {
        let before = self.validities.get(&folder.name).filter(|validity| **validity != 0);
        if let (Bug::UidValidityIgnored, Some(before)) = (self.bug, before) {
            status.uid_validity = *before;
        }
        status
    }

    /// What is not known yet counts only if it is younger than the last sync.
    fn is_overlooked(&self, meta: &MessageMeta) -> bool {
        let day = |at: Timestamp| at.to_zoned(TimeZone::UTC).date();
        let (Bug::NewByDate, Some(last), Some(received)) = (self.bug, self.last_sync, meta.internal_date) else {
            return false;
        };
        !self.known.contains(meta.uid) && day(received) < day(last)
    }

    /// A lost connection is the end of what there is.
    fn forgive<T: Default>(&self, result: Result<T, MailServerError>) -> Result<T, MailServerError> {
        match result {
            Err(MailServerError::Lost { .. }) if self.bug == Bug::CutCountsAsRead => Ok(T::default()),
            other => other,
        }
    }
}

impl MailSession for BuggySession {
    fn folders(&mut self) -> Result<Vec<FolderListing>, MailServerError> {
        let mut listings = self.inner.folders()?;
        for listing in &mut listings {
            listing.status = listing.status.map(|status| self.status_of(&listing.name, status));
        }
        Ok(listings)
    }

    fn status(&mut self, folders: &[&FolderName]) -> Result<Vec<Option<FolderStatus>>, MailServerError> {
        let statuses = self.inner.status(folders)?.into_iter().zip(folders);
        Ok(statuses.map(|(status, name)| status.map(|status| self.status_of(name, status))).collect())
    }

    fn examine(&mut self, folder: &FolderName) -> Result<Opened, MailServerError> {
        let opened = self.inner.examine(folder)?;
        if self.bug == Bug::NewByDate {
            let items = self.world.database.store.items(&self.key, &folder.name, opened.status.uid_validity);
            self.known = items.unwrap_or_default().iter().map(|item| item.uid).collect();
        }
        Ok(Opened { status: self.status_of(folder, opened.status) })
    }

    fn search(&mut self, uids: &UidSet, since: Option<Date>) -> Result<UidSet, MailServerError> {
        let found = self.inner.search(uids, since);
        let found = self.forgive(found)?.difference(&self.undelivered);
        if self.bug != Bug::NewByDate || found.is_empty() {
            return Ok(found);
        }
        let metas = self.inner.metas(&found)?;
        Ok(metas.iter().filter(|meta| !self.is_overlooked(meta)).map(|meta| meta.uid).collect())
    }

    fn metas(&mut self, uids: &UidSet) -> Result<Vec<MessageMeta>, MailServerError> {
        let found = self.inner.metas(uids);
        Ok(self.forgive(found)?.into_iter().filter(|meta| !self.is_overlooked(meta)).collect())
    }

    fn bodies(&mut self, batches: &[Vec<MessageMeta>], limit: u64, sink: &mut Sink<'_>) -> Result<(), MailServerError> {
        let mut arrived = UidSet::new();
        let result = self.inner.bodies(batches, limit, &mut |raw| {
            arrived.insert(raw.meta.uid);
            sink(raw)
        });
        if self.bug == Bug::UndeliveredIsGone {
            let asked: UidSet = batches.iter().flatten().map(|meta| meta.uid).collect();
            self.undelivered = asked.difference(&arrived);
        }
        self.forgive(result)
    }

    fn head(&mut self, meta: &MessageMeta, bytes: u64) -> Result<Option<RawMessage>, MailServerError> {
        let head = self.inner.head(meta, bytes);
        self.forgive(head)
    }

    fn flags(&mut self, uids: &UidSet, mod_seq: Option<u64>) -> Result<Vec<(Uid, Flags)>, MailServerError> {
        let flags = self.inner.flags(uids, mod_seq);
        self.forgive(flags)
    }

    fn logout(self: Box<Self>) {
        self.inner.logout();
    }

    fn counters(&self) -> SessionCounters {
        self.inner.counters()
    }
}

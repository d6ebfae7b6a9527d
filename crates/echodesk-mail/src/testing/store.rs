//! A store in memory that keeps the promises of [`MailStore`].

use std::collections::{BTreeMap, HashMap};
use std::sync::{Mutex, MutexGuard, PoisonError};

use echodesk_core::{Language, SchemaName, Tenant, TenantId};
use jiff::Timestamp;

use crate::model::{
    ColumnLimits, ContentDigest, Fate, Flags, FolderCursor, MailMessage, Mailbox, MailboxKey, Uid, UidSet,
};
use crate::ports::{
    Batch, BatchItem, FailedItems, FailureRecord, Item, ItemContent, Lease, MailStore, Scope, StoreError,
    StoreErrorKind, TenantMailboxes,
};
use crate::rules::identity::{self, Candidate, Existing, Placement, names, place};

/// Tenants, mailboxes, rows and items in memory. For tests; looks at everything it holds.
#[derive(Debug, Default)]
pub struct MemoryStore {
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    mailboxes: Vec<Mailbox>,
    leases: HashMap<MailboxKey, Lease>,
    cursors: HashMap<MailboxKey, Vec<FolderCursor>>,
    rows: Vec<Row>,
    items: BTreeMap<Place, PlacedItem>,
    failures: Vec<(MailboxKey, FailureRecord)>,
    writes_left: Option<u32>,
    refused: Option<String>,
}

/// A stored message.
#[derive(Clone, Debug)]
pub struct Row {
    /// The tenant it belongs to.
    pub schema: SchemaName,
    /// Its Message-ID as stored.
    pub message_id: String,
    /// The message.
    pub message: MailMessage,
    /// The mailbox it is shown in.
    pub connection: i64,
    /// The folder it is shown in.
    pub folder: String,
    /// Its UID there.
    pub uid: Uid,
    /// Its flags.
    pub flags: Flags,
}

/// (schema, connection, folder, UIDVALIDITY, UID).
type Place = (SchemaName, i64, String, u32, Uid);

#[derive(Clone, Debug)]
struct PlacedItem {
    fate: Fate,
    row: Option<usize>,
    digest: Option<ContentDigest>,
    flags: Flags,
    gone: bool,
}

impl MemoryStore {
    /// A store with these mailboxes, each in an active tenant.
    #[must_use]
    pub fn with(mailboxes: impl IntoIterator<Item = Mailbox>) -> Self {
        let state = State { mailboxes: mailboxes.into_iter().collect(), ..State::default() };
        Self { state: Mutex::new(state) }
    }

    /// The rows, in the order of their making.
    #[must_use]
    pub fn rows(&self) -> Vec<Row> {
        self.lock().rows.clone()
    }

    /// The fate of every UID of a mailbox that is not gone: (folder, UID) and the fate.
    #[must_use]
    pub fn fates(&self, key: &MailboxKey) -> Vec<(String, Uid, Fate)> {
        let state = self.lock();
        let of = |place: &Place| place.0 == key.schema && place.1 == key.connection.0;
        let live = state.items.iter().filter(|(place, item)| of(place) && !item.gone);
        live.map(|(place, item)| (place.2.clone(), place.4, item.fate.clone())).collect()
    }

    /// The mailbox as it stands.
    #[must_use]
    pub fn mailbox(&self, key: &MailboxKey) -> Option<Mailbox> {
        self.lock().mailboxes.iter().find(|mailbox| mailbox.key == *key).cloned()
    }

    /// Failures that were recorded, in order.
    #[must_use]
    pub fn failures(&self) -> Vec<FailureRecord> {
        self.lock().failures.iter().map(|(_, failure)| failure.clone()).collect()
    }

    /// Lets `writes` more batches and changes of messages through and then loses the database, as if the process had died.
    pub fn die_after(&self, writes: Option<u32>) {
        self.lock().writes_left = writes;
    }

    /// Refuses every batch with a message of this Message-ID in it, as a constraint would.
    pub fn refuse(&self, message_id: &str) {
        self.lock().refused = Some(message_id.to_owned());
    }

    /// Gives the lease on a mailbox to somebody else.
    pub fn steal(&self, key: &MailboxKey, lease: Lease) {
        self.lock().leases.insert(key.clone(), lease);
    }

    /// Nobody holds the lease on a mailbox from now on.
    pub fn free(&self, key: &MailboxKey) {
        self.lock().leases.remove(key);
    }

    /// Sets a mailbox's `sync_days_back`; false if there is no such mailbox.
    pub fn widen(&self, key: &MailboxKey, days_back: u32) -> bool {
        let mut state = self.lock();
        let found = state.mailboxes.iter_mut().find(|mailbox| mailbox.key == *key);
        found.map(|mailbox| mailbox.days_back = days_back).is_some()
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn check(&self, key: &MailboxKey, lease: &Lease) -> Result<(), StoreError> {
        if self.leases.get(key).is_some_and(|held| held.holder == lease.holder) {
            return Ok(());
        }
        Err(error(StoreErrorKind::LeaseLost, format!("the lease on {key} is lost")))
    }

    fn write(&mut self) -> Result<(), StoreError> {
        match &mut self.writes_left {
            Some(0) => Err(error(StoreErrorKind::Unavailable, "the database is away".to_owned())),
            Some(left) => {
                *left -= 1;
                Ok(())
            }
            None => Ok(()),
        }
    }

    fn existing(&self, schema: &SchemaName, ids: &[String]) -> Vec<Existing> {
        let rows = self.rows.iter().enumerate();
        rows.filter(|(_, row)| row.schema == *schema && ids.contains(&row.message_id))
            .map(|(index, row)| Existing {
                row: i64::try_from(index).unwrap_or(i64::MAX),
                message_id: row.message_id.clone(),
                digests: self
                    .items
                    .values()
                    .filter(|item| item.row == Some(index))
                    .filter_map(|item| item.digest)
                    .collect(),
                from_email: row.message.from.email.clone(),
                subject: row.message.subject.clone(),
                timestamp: row.message.timestamp,
                connection: row.connection,
                folder: row.folder.clone(),
                uid: row.uid.to_string(),
            })
            .collect()
    }

    /// Lets rows whose place is gone follow to a living one.
    fn follow(&mut self) {
        for index in 0..self.rows.len() {
            let row = &self.rows[index];
            let places = || self.items.iter().filter(|(_, item)| item.row == Some(index) && !item.gone);
            let stays = places().any(|(place, _)| place.2 == row.folder && place.4 == row.uid);
            if let (false, Some((place, item))) = (stays, places().next()) {
                let (connection, folder, uid, flags) = (place.1, place.2.clone(), place.4, item.flags);
                let row = &mut self.rows[index];
                (row.connection, row.folder, row.uid, row.flags) = (connection, folder, uid, flags);
            }
        }
    }
}

impl MailStore for MemoryStore {
    fn tenants(&self, scope: &Scope) -> Result<Vec<TenantMailboxes>, StoreError> {
        let state = self.lock();
        let mut by_tenant: BTreeMap<SchemaName, Vec<Mailbox>> = BTreeMap::new();
        for mailbox in &state.mailboxes {
            by_tenant.entry(mailbox.key.schema.clone()).or_default().push(mailbox.clone());
        }
        if let Scope::One(schema) = scope {
            by_tenant.retain(|name, _| name == schema);
            if by_tenant.is_empty() {
                return Err(error(StoreErrorKind::UnknownTenant, format!("no tenant {schema}")));
            }
        }
        let tenants = (1..).zip(by_tenant).map(|(id, (schema, mailboxes))| TenantMailboxes {
            tenant: Tenant {
                id: TenantId(id),
                name: schema.to_string(),
                admin_email: format!("admin@{schema}.example"),
                admin_name: "Admin".to_owned(),
                language: Language::En,
                is_active: true,
                schema,
            },
            mailboxes: Ok((ColumnLimits::default(), mailboxes)),
        });
        Ok(tenants.collect())
    }

    fn acquire(&self, mailbox: &MailboxKey, lease: &Lease, now: Timestamp) -> Result<bool, StoreError> {
        let mut state = self.lock();
        let free = state.leases.get(mailbox).is_none_or(|held| held.until <= now || held.holder == lease.holder);
        if free {
            state.leases.insert(mailbox.clone(), lease.clone());
        }
        Ok(free)
    }

    fn renew(&self, mailbox: &MailboxKey, lease: &Lease) -> Result<bool, StoreError> {
        let mut state = self.lock();
        let held = state.leases.get_mut(mailbox).filter(|held| held.holder == lease.holder);
        Ok(held.map(|held| held.until = lease.until).is_some())
    }

    fn release(&self, mailbox: &MailboxKey, lease: &Lease) -> Result<(), StoreError> {
        let mut state = self.lock();
        if state.check(mailbox, lease).is_ok() {
            state.leases.remove(mailbox);
        }
        Ok(())
    }

    fn refresh(&self, mailbox: &Mailbox) -> Result<Option<Mailbox>, StoreError> {
        Ok(self.mailbox(&mailbox.key).filter(|mailbox| mailbox.is_active))
    }

    fn cursors(&self, mailbox: &MailboxKey) -> Result<Vec<FolderCursor>, StoreError> {
        Ok(self.lock().cursors.get(mailbox).cloned().unwrap_or_default())
    }

    fn items(&self, mailbox: &MailboxKey, folder: &str, uid_validity: u32) -> Result<Vec<Item>, StoreError> {
        let state = self.lock();
        let live = state.items.iter().filter(|(place, item)| is_at(place, mailbox, folder, uid_validity) && !item.gone);
        Ok(live.map(|(place, item)| Item { uid: place.4, flags: item.flags }).collect())
    }

    fn failed(&self, mailbox: &MailboxKey, _since: Timestamp) -> Result<Vec<FailedItems>, StoreError> {
        let mut failed: Vec<FailedItems> = Vec::new();
        for (place, item) in &self.lock().items {
            let of_mailbox = place.0 == mailbox.schema && place.1 == mailbox.connection.0;
            if of_mailbox && !item.gone && matches!(item.fate, Fate::Failed(_)) {
                let uids = [place.4].into_iter().collect();
                failed.push(FailedItems { folder: place.2.clone(), uid_validity: place.3, uids });
            }
        }
        Ok(failed)
    }

    fn existing(&self, schema: &SchemaName, ids: &[String]) -> Result<Vec<Existing>, StoreError> {
        Ok(self.lock().existing(schema, ids))
    }

    fn store(&self, mailbox: &Mailbox, lease: &Lease, batch: &Batch) -> Result<Vec<Fate>, StoreError> {
        let mut state = self.lock();
        state.check(&mailbox.key, lease)?;
        state.write()?;
        let refused = |item: &BatchItem| match &item.content {
            ItemContent::Message { message, .. } => Some(&message.message_id) == state.refused.as_ref(),
            ItemContent::Unreadable { .. } => false,
        };
        if batch.items.iter().any(refused) {
            return Err(error(StoreErrorKind::Other, "storing messages".to_owned()));
        }
        let max = ColumnLimits::default().message_id;
        let mut fates = Vec::new();
        for item in &batch.items {
            let place_at = place_of(&mailbox.key, &batch.cursor, item.uid);
            if let Some(known) =
                state.items.get(&place_at).filter(|known| !known.gone && !matches!(known.fate, Fate::Failed(_)))
            {
                fates.push(known.fate.clone());
                continue;
            }
            let (fate, row) = match &item.content {
                ItemContent::Unreadable { reason } => (Fate::Failed(reason.clone()), None),
                ItemContent::Message { message, fingerprint, reduced } => {
                    let ids = names(&message.message_id, &fingerprint.digest, max);
                    let existing = state.existing(&mailbox.key.schema, &ids);
                    let (connection, folder) = (mailbox.key.connection.0, batch.cursor.folder.as_str());
                    let lies = identity::Place { connection, folder, uid: item.uid };
                    let candidate = Candidate { message_id: &message.message_id, fingerprint, place: lies };
                    match place(&[candidate], &existing, max).remove(0) {
                        Placement::New { message_id } => {
                            state.rows.push(Row {
                                schema: mailbox.key.schema.clone(),
                                message_id,
                                message: (**message).clone(),
                                connection,
                                folder: batch.cursor.folder.clone(),
                                uid: item.uid,
                                flags: item.flags,
                            });
                            let fate = reduced.clone().map_or(Fate::Stored, Fate::Reduced);
                            (fate, Some(state.rows.len() - 1))
                        }
                        Placement::Row(row) => (Fate::Duplicate, usize::try_from(row).ok()),
                        Placement::Earlier(_) => (Fate::Duplicate, None),
                    }
                }
            };
            // The same message, there again: what changed meanwhile shows in its row.
            if let Some(row) = row.filter(|row| state.items.get(&place_at).is_some_and(|old| old.row == Some(*row))) {
                state.rows[row].flags = item.flags;
            }
            fates.push(fate.clone());
            let placed = PlacedItem { fate, row, digest: item.digest(), flags: item.flags, gone: false };
            state.items.insert(place_at, placed);
        }
        let cursors = state.cursors.entry(mailbox.key.clone()).or_default();
        cursors.retain(|cursor| cursor.folder != batch.cursor.folder);
        cursors.push(batch.cursor.clone());
        state.follow();
        Ok(fates)
    }

    fn update_flags(
        &self,
        mailbox: &MailboxKey,
        lease: &Lease,
        folder: &str,
        uid_validity: u32,
        flags: &[(Uid, Flags)],
        _now: Timestamp,
    ) -> Result<usize, StoreError> {
        let mut state = self.lock();
        state.check(mailbox, lease)?;
        state.write()?;
        let mut changed = 0;
        for (uid, flags) in flags {
            let place = (mailbox.schema.clone(), mailbox.connection.0, folder.to_owned(), uid_validity, *uid);
            let Some(item) = state.items.get_mut(&place).filter(|item| item.flags != *flags) else { continue };
            item.flags = *flags;
            changed += 1;
            if let Some(row) = item.row {
                let row = &mut state.rows[row];
                if row.folder == folder && row.uid == *uid {
                    row.flags = *flags;
                }
            }
        }
        Ok(changed)
    }

    fn mark_gone(
        &self,
        mailbox: &MailboxKey,
        lease: &Lease,
        folder: &str,
        uid_validity: u32,
        uids: Option<&UidSet>,
        _now: Timestamp,
    ) -> Result<usize, StoreError> {
        let mut state = self.lock();
        state.check(mailbox, lease)?;
        state.write()?;
        let mut marked = 0;
        for (place, item) in &mut state.items {
            let hit = uids.is_none_or(|uids| uids.contains(place.4));
            if is_at(place, mailbox, folder, uid_validity) && hit && !item.gone {
                item.gone = true;
                marked += 1;
            }
        }
        state.follow();
        Ok(marked)
    }

    fn record_success(&self, mailbox: &MailboxKey, lease: &Lease, at: Timestamp) -> Result<(), StoreError> {
        let mut state = self.lock();
        state.check(mailbox, lease)?;
        if let Some(mailbox) = state.mailboxes.iter_mut().find(|known| known.key == *mailbox) {
            mailbox.last_sync_at = Some(at);
            mailbox.last_error.clear();
            mailbox.failure_count = 0;
        }
        Ok(())
    }

    fn record_failure(&self, mailbox: &Mailbox, lease: &Lease, failure: &FailureRecord) -> Result<bool, StoreError> {
        let mut state = self.lock();
        state.check(&mailbox.key, lease)?;
        let as_read = |known: &&mut Mailbox| {
            known.key == mailbox.key
                && known.is_active == mailbox.is_active
                && known.stored_password.expose() == mailbox.stored_password.expose()
        };
        let Some(known) = state.mailboxes.iter_mut().find(as_read) else { return Ok(false) };
        known.last_error.clone_from(&failure.error);
        known.failure_count = failure.failure_count;
        known.is_active &= failure.switch_off.is_none();
        state.failures.push((mailbox.key.clone(), failure.clone()));
        Ok(true)
    }
}

fn is_at(place: &Place, mailbox: &MailboxKey, folder: &str, uid_validity: u32) -> bool {
    place.0 == mailbox.schema && place.1 == mailbox.connection.0 && place.2 == folder && place.3 == uid_validity
}

fn place_of(mailbox: &MailboxKey, cursor: &FolderCursor, uid: Uid) -> Place {
    (mailbox.schema.clone(), mailbox.connection.0, cursor.folder.clone(), cursor.status.uid_validity, uid)
}

fn error(kind: StoreErrorKind, what: String) -> StoreError {
    StoreError { kind, what, source: None }
}

//! The store of mail: [`MailStore`] on both back ends. Each method is one transaction.

mod flags;
pub(crate) mod folders;
mod follow;
mod items;
mod json;
mod outcome;
mod placing;
mod rows;

use echodesk_core::SchemaName;
use echodesk_mail::model::{Fate, Flags, FolderCursor, Mailbox, MailboxKey, Uid, UidSet};
use echodesk_mail::ports::{
    Batch, FailedItems, FailureRecord, Item, Lease, MailStore, Scope, StoreError, TenantMailboxes,
};
use echodesk_mail::rules::identity::Existing;
use jiff::Timestamp;

use crate::Store;
use crate::connection::Place;
use crate::lease;
use crate::mailboxes;

impl MailStore for Store {
    fn tenants(&self, scope: &Scope) -> Result<Vec<TenantMailboxes>, StoreError> {
        self.mailboxes(scope)
    }

    fn acquire(&self, mailbox: &MailboxKey, lease: &Lease, now: Timestamp) -> Result<bool, StoreError> {
        self.write(Place::Public, &format!("taking the lease on mailbox {mailbox}"), |c| {
            lease::acquire(c, mailbox, lease, now)
        })
    }

    fn renew(&self, mailbox: &MailboxKey, lease: &Lease) -> Result<bool, StoreError> {
        self.write(Place::Public, &format!("renewing the lease on mailbox {mailbox}"), |c| {
            lease::renew(c, mailbox, lease)
        })
    }

    fn release(&self, mailbox: &MailboxKey, lease: &Lease) -> Result<(), StoreError> {
        self.write(Place::Public, &format!("giving back the lease on mailbox {mailbox}"), |c| {
            lease::release(c, mailbox, lease)
        })
    }

    fn refresh(&self, mailbox: &Mailbox) -> Result<Option<Mailbox>, StoreError> {
        let key = &mailbox.key;
        self.read(Place::Tenant(&key.schema), &format!("reading mailbox {key} again"), |c| mailboxes::active(c, key))
    }

    fn cursors(&self, mailbox: &MailboxKey) -> Result<Vec<FolderCursor>, StoreError> {
        self.read(Place::Tenant(&mailbox.schema), &format!("reading the folders of mailbox {mailbox}"), |c| {
            folders::load(c, mailbox.connection)
        })
    }

    fn items(&self, mailbox: &MailboxKey, folder: &str, uid_validity: u32) -> Result<Vec<Item>, StoreError> {
        self.read(Place::Tenant(&mailbox.schema), &format!("reading the items of mailbox {mailbox}"), |c| {
            let Some(folder) = folders::find(c, mailbox.connection, folder)? else { return Ok(Vec::new()) };
            items::living(c, folder, uid_validity)
        })
    }

    fn failed(&self, mailbox: &MailboxKey, since: Timestamp) -> Result<Vec<FailedItems>, StoreError> {
        self.read(Place::Tenant(&mailbox.schema), &format!("reading the failures of mailbox {mailbox}"), |c| {
            items::failed(c, mailbox.connection, since)
        })
    }

    fn existing(&self, schema: &SchemaName, ids: &[String]) -> Result<Vec<Existing>, StoreError> {
        self.read(Place::Tenant(schema), &format!("looking up Message-IDs in {schema}"), |c| rows::existing(c, ids))
    }

    fn store(&self, mailbox: &Mailbox, lease: &Lease, batch: &Batch) -> Result<Vec<Fate>, StoreError> {
        let key = &mailbox.key;
        self.write(Place::Tenant(&key.schema), &format!("storing messages of mailbox {key}"), |c| {
            lease::hold(c, key, lease)?;
            let limits = self.limits(c, &key.schema)?;
            let folder = folders::write(c, key.connection, &batch.cursor, batch.now)?;
            let place = placing::Place { connection: key.connection, folder, cursor: &batch.cursor };
            placing::store(c, &place, &limits, batch)
        })
    }

    fn update_flags(
        &self,
        mailbox: &MailboxKey,
        lease: &Lease,
        folder: &str,
        uid_validity: u32,
        flags: &[(Uid, Flags)],
        now: Timestamp,
    ) -> Result<usize, StoreError> {
        self.write(Place::Tenant(&mailbox.schema), &format!("updating flags of mailbox {mailbox}"), |c| {
            lease::hold(c, mailbox, lease)?;
            let Some(folder) = folders::find(c, mailbox.connection, folder)? else { return Ok(0) };
            flags::update(c, folder, uid_validity, flags, now)
        })
    }

    fn mark_gone(
        &self,
        mailbox: &MailboxKey,
        lease: &Lease,
        folder: &str,
        uid_validity: u32,
        uids: Option<&UidSet>,
        now: Timestamp,
    ) -> Result<usize, StoreError> {
        let what = format!("marking messages of mailbox {mailbox} as gone");
        self.write(Place::Tenant(&mailbox.schema), &what, |c| {
            lease::hold(c, mailbox, lease)?;
            let limits = self.limits(c, &mailbox.schema)?;
            let Some(folder) = folders::find(c, mailbox.connection, folder)? else { return Ok(0) };
            let (count, rows) = items::mark_gone(c, folder, uid_validity, uids, now)?;
            follow::living_places(c, &rows, &limits, now)?;
            Ok(count)
        })
    }

    fn record_success(&self, mailbox: &MailboxKey, lease: &Lease, at: Timestamp) -> Result<(), StoreError> {
        self.write(Place::Tenant(&mailbox.schema), &format!("recording the sync of mailbox {mailbox}"), |c| {
            lease::hold(c, mailbox, lease)?;
            outcome::success(c, mailbox, at)
        })
    }

    fn record_failure(&self, mailbox: &Mailbox, lease: &Lease, failure: &FailureRecord) -> Result<bool, StoreError> {
        let key = &mailbox.key;
        self.write(Place::Tenant(&key.schema), &format!("recording the failure of mailbox {key}"), |c| {
            lease::hold(c, key, lease)?;
            let limits = self.limits(c, &key.schema)?;
            outcome::failure(c, mailbox, &limits, failure)
        })
    }
}

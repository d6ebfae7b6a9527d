//! A dry run is a run whose store writes nothing: the same code decides.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use echodesk_core::SchemaName;
use jiff::Timestamp;

use crate::model::{ContentDigest, Fate, Flags, FolderCursor, Mailbox, MailboxKey, Uid, UidSet};
use crate::ports::{
    AttachmentError, AttachmentStore, Batch, FailedItems, FailureRecord, Item, ItemContent, Lease, MailStore, Scope,
    StoreError, TenantMailboxes,
};
use crate::rules::identity::{Candidate, Existing, Place, Placement, names, place};

/// Reads through to a store and only remembers what would have been written.
pub(super) struct DryRunStore {
    inner: Arc<dyn MailStore>,
    tenants: Mutex<HashMap<SchemaName, TenantState>>,
}

#[derive(Default)]
struct TenantState {
    /// How long a Message-ID may be.
    max_id: usize,
    /// Rows that would exist by now.
    rows: Vec<Existing>,
}

impl DryRunStore {
    pub(super) fn new(inner: Arc<dyn MailStore>) -> Self {
        Self { inner, tenants: Mutex::default() }
    }
}

impl MailStore for DryRunStore {
    fn tenants(&self, scope: &Scope) -> Result<Vec<TenantMailboxes>, StoreError> {
        let listed = self.inner.tenants(scope)?;
        let mut tenants = self.tenants.lock().unwrap_or_else(PoisonError::into_inner);
        for tenant in &listed {
            if let Ok((limits, _)) = &tenant.mailboxes {
                let state = TenantState { max_id: limits.message_id, rows: Vec::new() };
                tenants.insert(tenant.tenant.schema.clone(), state);
            }
        }
        drop(tenants);
        Ok(listed)
    }

    fn acquire(&self, _: &MailboxKey, _: &Lease, _: Timestamp) -> Result<bool, StoreError> {
        Ok(true)
    }

    fn renew(&self, _: &MailboxKey, _: &Lease) -> Result<bool, StoreError> {
        Ok(true)
    }

    fn release(&self, _: &MailboxKey, _: &Lease) -> Result<(), StoreError> {
        Ok(())
    }

    fn refresh(&self, mailbox: &Mailbox) -> Result<Option<Mailbox>, StoreError> {
        self.inner.refresh(mailbox)
    }

    fn cursors(&self, mailbox: &MailboxKey) -> Result<Vec<FolderCursor>, StoreError> {
        self.inner.cursors(mailbox)
    }

    fn items(&self, mailbox: &MailboxKey, folder: &str, uid_validity: u32) -> Result<Vec<Item>, StoreError> {
        self.inner.items(mailbox, folder, uid_validity)
    }

    fn failed(&self, mailbox: &MailboxKey, since: Timestamp) -> Result<Vec<FailedItems>, StoreError> {
        self.inner.failed(mailbox, since)
    }

    fn existing(&self, schema: &SchemaName, ids: &[String]) -> Result<Vec<Existing>, StoreError> {
        self.inner.existing(schema, ids)
    }

    fn store(&self, mailbox: &Mailbox, _: &Lease, batch: &Batch) -> Result<Vec<Fate>, StoreError> {
        let schema = &mailbox.key.schema;
        let mut tenants = self.tenants.lock().unwrap_or_else(PoisonError::into_inner);
        let TenantState { max_id, rows } = tenants.entry(schema.clone()).or_default();
        let mut candidates = Vec::new();
        let mut ids = Vec::new();
        for item in &batch.items {
            if let ItemContent::Message { message, fingerprint, .. } = &item.content {
                ids.extend(names(&message.message_id, &fingerprint.digest, *max_id));
                let (connection, folder) = (mailbox.key.connection.0, batch.cursor.folder.as_str());
                let place = Place { connection, folder, uid: item.uid };
                candidates.push(Candidate { message_id: &message.message_id, fingerprint, place });
            }
        }
        let mut existing = self.inner.existing(schema, &ids)?;
        existing.extend(rows.iter().filter(|row| ids.contains(&row.message_id)).cloned());

        let placements = place(&candidates, &existing, *max_id);
        for (placement, candidate) in placements.iter().zip(&candidates) {
            if let Placement::New { message_id } = placement {
                rows.push(Existing {
                    // No row of a database has it.
                    row: -1 - i64::try_from(rows.len()).unwrap_or(i64::MAX - 1),
                    message_id: message_id.clone(),
                    digests: vec![candidate.fingerprint.digest],
                    from_email: candidate.fingerprint.from_email.clone(),
                    subject: candidate.fingerprint.subject.clone(),
                    timestamp: candidate.fingerprint.timestamp,
                    connection: candidate.place.connection,
                    folder: candidate.place.folder.to_owned(),
                    uid: candidate.place.uid.to_string(),
                });
            }
        }
        let mut placements = placements.into_iter();
        Ok(batch.items.iter().map(|item| fate(&item.content, &mut placements)).collect())
    }

    fn update_flags(
        &self,
        _: &MailboxKey,
        _: &Lease,
        _: &str,
        _: u32,
        flags: &[(Uid, Flags)],
        _: Timestamp,
    ) -> Result<usize, StoreError> {
        Ok(flags.len())
    }

    fn mark_gone(
        &self,
        mailbox: &MailboxKey,
        _: &Lease,
        folder: &str,
        uid_validity: u32,
        uids: Option<&UidSet>,
        _: Timestamp,
    ) -> Result<usize, StoreError> {
        let known = self.inner.items(mailbox, folder, uid_validity)?;
        Ok(known.iter().filter(|item| uids.is_none_or(|uids| uids.contains(item.uid))).count())
    }

    fn record_success(&self, _: &MailboxKey, _: &Lease, _: Timestamp) -> Result<(), StoreError> {
        Ok(())
    }

    fn record_failure(&self, _: &Mailbox, _: &Lease, _: &FailureRecord) -> Result<bool, StoreError> {
        Ok(true)
    }
}

fn fate(content: &ItemContent, placements: &mut impl Iterator<Item = Placement>) -> Fate {
    match content {
        ItemContent::Unreadable { reason } => Fate::Failed(reason.clone()),
        ItemContent::Message { reduced, .. } => match (placements.next(), reduced) {
            (Some(Placement::New { .. }), Some(reason)) => Fate::Reduced(reason.clone()),
            (Some(Placement::New { .. }), None) => Fate::Stored,
            _ => Fate::Duplicate,
        },
    }
}

/// Keeps nothing.
pub(super) struct NoAttachments;

impl AttachmentStore for NoAttachments {
    fn put(&self, _: &SchemaName, _: &ContentDigest, _: &str, _: &[u8]) -> Result<String, AttachmentError> {
        Ok(String::new())
    }

    fn flush(&self) -> Result<(), AttachmentError> {
        Ok(())
    }
}

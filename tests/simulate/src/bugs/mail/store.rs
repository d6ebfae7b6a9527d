//! Bugs of storing.

use std::collections::HashMap;
use std::sync::Arc;

use echodesk_core::notice::{NewNotice, NoticeKind};
use echodesk_core::{Clock as _, SchemaName, StoreError};
use echodesk_mail::model::{ContentDigest, Fate, Flags, FolderCursor, Mailbox, MailboxKey, Uid, UidSet};
use echodesk_mail::ports::{
    Batch, BatchItem, FailedItems, FailureRecord, Item, ItemContent, Lease, MailStore, Scope, TenantMailboxes,
};
use echodesk_mail::rules::identity::Existing;
use jiff::{SignedDuration, Timestamp};

use crate::bugs::Bug;
use crate::ports::mail::MailPort;
use crate::process::Process;

/// So often a connection has to break over a message for it to be given up.
const CUTS: u32 = 3;

/// How long a lease lasts.
const LEASE: SignedDuration = SignedDuration::from_mins(2);

/// The store, with a bug before it.
pub(super) struct BuggyStore {
    process: Arc<Process>,
    inner: Arc<MailPort>,
    bug: Bug,
}

impl BuggyStore {
    pub(super) fn new(process: &Arc<Process>, inner: Arc<MailPort>, bug: Bug) -> Self {
        Self { process: Arc::clone(process), inner, bug }
    }

    /// Before a write: the lease is ours again, whoever holds it or as soon as nobody does.
    fn take_back(&self, mailbox: &MailboxKey, lease: &Lease) -> Result<(), StoreError> {
        let now = self.process.clock.now();
        let free_at = match self.bug {
            Bug::LeaseUnchecked => Timestamp::MAX,
            Bug::RenewsALostLease => now,
            _ => return Ok(()),
        };
        self.inner.acquire(mailbox, &Lease { until: now + LEASE, ..lease.clone() }, free_at)?;
        Ok(())
    }

    /// Messages whose Message-ID is known are made to look like the message that has it.
    fn by_message_id(&self, schema: &SchemaName, items: &mut [BatchItem]) -> Result<(), StoreError> {
        let names: Vec<String> = items.iter().filter_map(message_id).map(str::to_owned).collect();
        let mut known: HashMap<String, ContentDigest> = HashMap::new();
        for row in self.inner.existing(schema, &names)? {
            known.extend(row.digests.first().map(|digest| (row.message_id.clone(), *digest)));
        }
        for item in items {
            let Some(name) = message_id(item).map(str::to_owned) else { continue };
            if let ItemContent::Message { fingerprint, .. } = &mut item.content {
                fingerprint.digest = *known.entry(name).or_insert(fingerprint.digest);
            }
        }
        Ok(())
    }
}

fn message_id(item: &BatchItem) -> Option<&str> {
    match &item.content {
        ItemContent::Message { message, .. } => Some(&message.message_id),
        ItemContent::Unreadable { .. } => None,
    }
}

/// A message is known by where it lies.
fn by_place(cursor: &FolderCursor, item: &mut BatchItem) {
    if let ItemContent::Message { message, fingerprint, .. } = &mut item.content {
        let place = format!("{} {} {}", cursor.folder, cursor.status.uid_validity, item.uid);
        message.message_id = format!("{}/{place}", message.message_id);
        for (byte, of_place) in fingerprint.digest.0.iter_mut().zip(place.bytes().rev()) {
            *byte ^= of_place;
        }
    }
}

fn is_odd(item: &BatchItem) -> bool {
    !matches!(&item.content, ItemContent::Message { reduced: None, .. })
}

impl MailStore for BuggyStore {
    fn tenants(&self, scope: &Scope) -> Result<Vec<TenantMailboxes>, StoreError> {
        self.inner.tenants(scope)
    }

    fn acquire(&self, mailbox: &MailboxKey, lease: &Lease, now: Timestamp) -> Result<bool, StoreError> {
        let now = if self.bug == Bug::LeaseWithoutExpiry { Timestamp::UNIX_EPOCH } else { now };
        self.inner.acquire(mailbox, lease, now)
    }

    fn renew(&self, mailbox: &MailboxKey, lease: &Lease) -> Result<bool, StoreError> {
        self.inner.renew(mailbox, lease)
    }

    fn release(&self, mailbox: &MailboxKey, lease: &Lease) -> Result<(), StoreError> {
        self.inner.release(mailbox, lease)
    }

    fn refresh(&self, mailbox: &Mailbox) -> Result<Option<Mailbox>, StoreError> {
        if self.bug == Bug::DryRunTakesLease {
            let now = self.process.world.time.now();
            let until = now + LEASE;
            self.inner.acquire(&mailbox.key, &Lease { holder: self.process.run, until }, now)?;
        }
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

    fn store(&self, mailbox: &Mailbox, lease: &Lease, batch: &Batch) -> Result<Vec<Fate>, StoreError> {
        self.take_back(&mailbox.key, lease)?;
        let mut batch = batch.clone();
        match self.bug {
            Bug::CursorBeforeStoring => {
                self.inner.store(mailbox, lease, &Batch { items: Vec::new(), ..batch.clone() })?;
            }
            Bug::MessageIdOnly => self.by_message_id(&mailbox.key.schema, &mut batch.items)?,
            Bug::PlaceIsIdentity => batch.items.iter_mut().for_each(|item| by_place(&batch.cursor, item)),
            Bug::GivenUpAtOnce => batch.cursor.suspect.iter_mut().for_each(|suspect| suspect.deaths = CUTS),
            Bug::PendingForgotten => batch.cursor.pending = UidSet::new(),
            Bug::OddMessageSkipped => {
                let odd: Vec<bool> = batch.items.iter().map(is_odd).collect();
                batch.items.retain(|item| !is_odd(item));
                let mut fates = self.inner.store(mailbox, lease, &batch)?.into_iter();
                let fate = |odd: bool| if odd { None } else { fates.next() };
                return Ok(odd.into_iter().map(fate).map(|fate| fate.unwrap_or(Fate::Duplicate)).collect());
            }
            _ => {}
        }
        self.inner.store(mailbox, lease, &batch)
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
        let flags = if self.bug == Bug::FlagsIgnored { &[] } else { flags };
        self.take_back(mailbox, lease)?;
        self.inner.update_flags(mailbox, lease, folder, uid_validity, flags, now)
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
        if self.bug == Bug::DeletionsIgnored {
            return Ok(0);
        }
        self.take_back(mailbox, lease)?;
        let marked = self.inner.mark_gone(mailbox, lease, folder, uid_validity, uids, now)?;
        if self.bug == Bug::GoneForgotten {
            let forget = "DELETE FROM echodesk_mail_item WHERE gone_at IS NOT NULL RETURNING '' AS value";
            self.process.world.database.tenant_values(&mailbox.schema, forget);
        }
        Ok(marked)
    }

    fn record_success(&self, mailbox: &MailboxKey, lease: &Lease, at: Timestamp) -> Result<(), StoreError> {
        self.take_back(mailbox, lease)?;
        self.inner.record_success(mailbox, lease, at)
    }

    fn record_failure(&self, mailbox: &Mailbox, lease: &Lease, failure: &FailureRecord) -> Result<bool, StoreError> {
        self.take_back(&mailbox.key, lease)?;
        let mut failure = failure.clone();
        if self.bug == Bug::RefusedFolderCountsAsRead && failure.error.starts_with("folder ") {
            return self.inner.record_success(&mailbox.key, lease, failure.at).map(|()| true);
        }
        if self.bug == Bug::SwitchedOffAtOnce && failure.failure_count > 0 && failure.switch_off.is_none() {
            let (address, reason) = (mailbox.address.clone(), failure.error.clone());
            failure.switch_off = Some(NewNotice {
                kind: NoticeKind::MailboxSwitchedOff { address, reason },
                subject_key: format!("mailbox:{}", mailbox.key.connection),
                period: failure.at.to_string(),
                decided_at: failure.at,
            });
        }
        self.inner.record_failure(mailbox, lease, &failure)
    }
}

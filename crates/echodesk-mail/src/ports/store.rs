//! Storing mail.

use echodesk_core::notice::NewNotice;
use echodesk_core::{RunId, SchemaName, StoreError, Tenant};
use jiff::Timestamp;

use crate::model::{
    ColumnLimits, ContentDigest, Fate, Flags, FolderCursor, MailMessage, Mailbox, MailboxKey, Uid, UidSet,
};
use crate::rules::identity::{Existing, Fingerprint};

/// What the sync needs from a database. Every method is one transaction.
///
/// All methods that write take the [`Lease`] under which the caller works and do nothing but fail
/// with [`StoreErrorKind::LeaseLost`](echodesk_core::StoreErrorKind::LeaseLost) if it is no longer theirs: a run that was suspended for an
/// hour cannot write over the one that took its place.
pub trait MailStore: Send + Sync {
    /// The tenants of `scope` with their mailboxes, active and switched off, in a stable order.
    ///
    /// # Errors
    /// [`StoreErrorKind::UnknownTenant`](echodesk_core::StoreErrorKind::UnknownTenant); the database is away.
    fn tenants(&self, scope: &Scope) -> Result<Vec<TenantMailboxes>, StoreError>;

    /// Takes the lease on a mailbox if nobody holds it at `now`, and says whether it did.
    ///
    /// # Errors
    /// The database is away.
    fn acquire(&self, mailbox: &MailboxKey, lease: &Lease, now: Timestamp) -> Result<bool, StoreError>;

    /// Puts off the end of the lease to `lease.until`, and says whether it did: not if it is no longer the caller's,
    /// be it that another holds it or that another has held it and given it back. What the caller has read is old
    /// then.
    ///
    /// # Errors
    /// The database is away.
    fn renew(&self, mailbox: &MailboxKey, lease: &Lease) -> Result<bool, StoreError>;

    /// Gives the lease back; harmless if it is no longer held.
    ///
    /// # Errors
    /// The database is away.
    fn release(&self, mailbox: &MailboxKey, lease: &Lease) -> Result<(), StoreError>;

    /// The mailbox as it stands now; none if it is gone or was switched off meanwhile. A run may read
    /// its list of mailboxes long before a mailbox has its turn.
    ///
    /// # Errors
    /// The database is away.
    fn refresh(&self, mailbox: &Mailbox) -> Result<Option<Mailbox>, StoreError>;

    /// The cursors of all folders of a mailbox.
    ///
    /// # Errors
    /// The database is away.
    fn cursors(&self, mailbox: &MailboxKey) -> Result<Vec<FolderCursor>, StoreError>;

    /// The items of one folder under one UIDVALIDITY that are not marked gone, ascending by UID.
    ///
    /// # Errors
    /// The database is away.
    fn items(&self, mailbox: &MailboxKey, folder: &str, uid_validity: u32) -> Result<Vec<Item>, StoreError>;

    /// Messages of the mailbox that could not be read when they were first met, at or after `since`,
    /// and are still on the server as far as is known.
    ///
    /// # Errors
    /// The database is away.
    fn failed(&self, mailbox: &MailboxKey, since: Timestamp) -> Result<Vec<FailedItems>, StoreError>;

    /// What the tenant's table already holds for these Message-IDs: any row whose `message_id` is
    /// one of `ids`, whoever wrote it.
    ///
    /// # Errors
    /// The database is away.
    fn existing(&self, schema: &SchemaName, ids: &[String]) -> Result<Vec<Existing>, StoreError>;

    /// Writes the cursor and a batch of messages with their fates, all or nothing, and returns the
    /// fate of each in the same order. A UID that has a fate already keeps it (repeats are harmless),
    /// unless it was marked as gone (it is there again, perhaps with another message) or has failed.
    /// Where a message comes to an existing row whose place is gone from the server, the row's
    /// `folder`, `uid` and connection follow it: it has moved.
    ///
    /// # Errors
    /// [`StoreErrorKind::LeaseLost`](echodesk_core::StoreErrorKind::LeaseLost); the database is away.
    fn store(&self, mailbox: &Mailbox, lease: &Lease, batch: &Batch) -> Result<Vec<Fate>, StoreError>;

    /// Brings flags up to date, in the items and in the rows that stand for them; returns how many
    /// differed. Rows follow only a change on the server: what staff set in EchoDesk stands until then.
    ///
    /// # Errors
    /// [`StoreErrorKind::LeaseLost`](echodesk_core::StoreErrorKind::LeaseLost); the database is away.
    fn update_flags(
        &self,
        mailbox: &MailboxKey,
        lease: &Lease,
        folder: &str,
        uid_validity: u32,
        flags: &[(Uid, Flags)],
        now: Timestamp,
    ) -> Result<usize, StoreError>;

    /// Marks items as gone from the server and returns how many were not marked before. Rows stay;
    /// one that has another living place follows it. `uids` of `None` means all of that UIDVALIDITY.
    ///
    /// # Errors
    /// [`StoreErrorKind::LeaseLost`](echodesk_core::StoreErrorKind::LeaseLost); the database is away.
    fn mark_gone(
        &self,
        mailbox: &MailboxKey,
        lease: &Lease,
        folder: &str,
        uid_validity: u32,
        uids: Option<&UidSet>,
        now: Timestamp,
    ) -> Result<usize, StoreError>;

    /// Everything was read to its end: `last_sync_at = at`, no error, no failures.
    ///
    /// # Errors
    /// [`StoreErrorKind::LeaseLost`](echodesk_core::StoreErrorKind::LeaseLost); the database is away.
    fn record_success(&self, mailbox: &MailboxKey, lease: &Lease, at: Timestamp) -> Result<(), StoreError>;

    /// Something was not read: writes what [`FailureRecord`] says, and queues its notice with it. Says
    /// whether it did: a mailbox whose password was changed, or that was switched on or off, since
    /// `mailbox` was read is left as it is, because the failure is not one of what stands there now.
    ///
    /// # Errors
    /// [`StoreErrorKind::LeaseLost`](echodesk_core::StoreErrorKind::LeaseLost); the database is away.
    fn record_failure(&self, mailbox: &Mailbox, lease: &Lease, failure: &FailureRecord) -> Result<bool, StoreError>;
}

/// Which tenants a run is about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Scope {
    /// All active tenants.
    AllActive,
    /// One tenant, active or not.
    One(SchemaName),
}

/// A tenant and its mailboxes, or why those cannot be read.
#[derive(Debug)]
pub struct TenantMailboxes {
    /// The tenant.
    pub tenant: Tenant,
    /// Lengths of the columns in this tenant's schema, and its mailboxes.
    pub mailboxes: Result<(ColumnLimits, Vec<Mailbox>), TenantProblem>,
}

/// Why a tenant's mailboxes cannot be synced. Costs no other tenant anything.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TenantProblem {
    /// The schema is not there.
    #[error("schema {schema} does not exist")]
    SchemaMissing {
        /// Its name.
        schema: String,
    },
    /// EchoDesk's mail tables are not in the schema: the tenant was never migrated.
    #[error("schema {schema} has no table {table}: EchoDesk has not migrated it")]
    NotMigrated {
        /// Its name.
        schema: String,
        /// The first table that is missing.
        table: String,
    },
    /// Our own tables are not there or are old.
    #[error("schema {schema} has no {table} table of ours: run `echodesk migrate`")]
    OwnTablesMissing {
        /// Its name.
        schema: String,
        /// The first table that is missing.
        table: String,
    },
    /// A column that must be filled and that we do not know.
    #[error("{schema}.{table}.{column} is NOT NULL without a default, and this version does not know how to fill it")]
    UnknownRequiredColumn {
        /// The schema.
        schema: String,
        /// The table.
        table: String,
        /// The column.
        column: String,
    },
    /// A column that we need is not there.
    #[error("{schema}.{table} has no column {column}")]
    ColumnMissing {
        /// The schema.
        schema: String,
        /// The table.
        table: String,
        /// The column.
        column: String,
    },
    /// The database will not show them, for example for want of a privilege.
    #[error("schema {schema} cannot be read: {reason}")]
    Unreadable {
        /// The schema.
        schema: String,
        /// What the database said.
        reason: String,
    },
    /// The name in `tenants_tenant.schema_name` cannot be a schema's.
    #[error("its schema name cannot be used: {0}")]
    BadName(String),
}

/// The right to work on one mailbox until a given time.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Lease {
    /// The run that holds it.
    pub holder: RunId,
    /// When it ends by itself, should the holder die.
    pub until: Timestamp,
}

/// One UID of a folder as we know it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Item {
    /// The UID.
    pub uid: Uid,
    /// The server's flags when last seen.
    pub flags: Flags,
}

/// UIDs of one folder whose messages could not be read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FailedItems {
    /// The folder.
    pub folder: String,
    /// The UIDVALIDITY that the UIDs belong to.
    pub uid_validity: u32,
    /// Which ones.
    pub uids: UidSet,
}

/// What [`MailStore::store`] writes at once.
#[derive(Clone, Debug)]
pub struct Batch {
    /// The cursor as it is once the items are in.
    pub cursor: FolderCursor,
    /// The messages; may be empty, to write the cursor alone.
    pub items: Vec<BatchItem>,
    /// The time of the run.
    pub now: Timestamp,
}

/// One UID to be given its fate.
#[derive(Clone, Debug)]
pub struct BatchItem {
    /// Its UID under the cursor's UIDVALIDITY.
    pub uid: Uid,
    /// Its flags.
    pub flags: Flags,
    /// Its size in bytes, as received.
    pub size: u64,
    /// What it is.
    pub content: ItemContent,
}

/// A message, or why there is none.
#[derive(Clone, Debug)]
pub enum ItemContent {
    /// A message, to be placed beside what is there.
    Message {
        /// The row, should it become one.
        message: Box<MailMessage>,
        /// What it is compared by.
        fingerprint: Fingerprint,
        /// Set if it holds less than the message did.
        reduced: Option<String>,
    },
    /// It could not be read.
    Unreadable {
        /// Why.
        reason: String,
    },
}

impl BatchItem {
    /// The digest of its content, if it has any.
    #[must_use]
    pub fn digest(&self) -> Option<ContentDigest> {
        match &self.content {
            ItemContent::Message { fingerprint, .. } => Some(fingerprint.digest),
            ItemContent::Unreadable { .. } => None,
        }
    }
}

/// How a failed sync is written down.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FailureRecord {
    /// `last_sync_error`.
    pub error: String,
    /// `sync_failure_count` from now on.
    pub failure_count: u32,
    /// Whether the mailbox is switched off (`is_active = false`, `auto_disabled_at`), with the notice
    /// that its tenant gets.
    pub switch_off: Option<NewNotice>,
    /// The time of the run.
    pub at: Timestamp,
}

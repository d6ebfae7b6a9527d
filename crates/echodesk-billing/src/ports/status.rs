//! The subscriptions as the watch over expiry reads and changes them.

use echodesk_core::notice::NewNotice;
use echodesk_core::{StoreError, SubscriptionId, TenantId};
use jiff::Timestamp;

use crate::model::{Account, Suspension};
use crate::rules::expiry::ExpiryPolicy;

/// What the watch over expiry needs from a database. Every method is one transaction: done wholly or not
/// at all.
pub trait StatusStore: Send + Sync {
    /// Active subscriptions of active tenants that expire, or expired, at `until` or before; of all tenants
    /// or of one, ascending by id after `after`, at most `limit`. A limit of 0 asks for nothing.
    ///
    /// # Errors
    /// The database is away, or a row cannot be read; it is named.
    fn accounts(
        &self,
        until: Timestamp,
        tenant: Option<TenantId>,
        after: Option<SubscriptionId>,
        limit: usize,
        now: Timestamp,
    ) -> Result<Vec<Account>, StoreError>;

    /// Queues notices, each with the tenant it is for, and says of each whether that was done: one that is in
    /// the ledger already is not queued again.
    ///
    /// # Errors
    /// The database is away; then none is queued.
    fn queue_notices(&self, notices: &[(TenantId, NewNotice)]) -> Result<Vec<bool>, StoreError>;

    /// Suspends a subscription and its tenant, with an event, a row of our own and the notice, if
    /// [`judge`](crate::rules::expiry::judge) still says so of what is read under a lock on its row. Whoever
    /// was faster (a payment, another run) wins. Nothing is deleted.
    ///
    /// # Errors
    /// The database is away, or the row is locked for too long.
    fn suspend(
        &self,
        subscription: SubscriptionId,
        policy: &ExpiryPolicy,
        now: Timestamp,
    ) -> Result<Suspended, StoreError>;

    /// Suspensions of ours that nobody has lifted as far as is written down, of all tenants or of one,
    /// ascending by subscription after `after`, at most `limit`.
    ///
    /// # Errors
    /// The database is away.
    fn suspensions(
        &self,
        tenant: Option<TenantId>,
        after: Option<SubscriptionId>,
        limit: usize,
    ) -> Result<Vec<Suspension>, StoreError>;

    /// Does what [`lift`](crate::rules::expiry::lift) says of what is read under a lock: notes that a suspension
    /// was lifted, or lifts it, with an event and the notice.
    ///
    /// # Errors
    /// The database is away, or the row is locked for too long.
    fn lift(&self, subscription: SubscriptionId, now: Timestamp) -> Result<Lifted, StoreError>;
}

/// What became of a suspension that was decided.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Suspended {
    /// It was done.
    Done,
    /// It is not due any more: paid, or suspended by somebody else.
    Changed,
    /// It is withheld now.
    Withheld(crate::rules::expiry::Withheld),
}

/// What became of a suspension that may be over.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Lifted {
    /// Nothing: it stands.
    Stands,
    /// Somebody has lifted it; that was noted.
    Noted,
    /// It was lifted now; until when it is paid.
    Reactivated(Timestamp),
}

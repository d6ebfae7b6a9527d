//! The watch over expiry.

use std::sync::Arc;

use echodesk_billing::model::{Account, Suspension};
use echodesk_billing::ports::{Lifted, StatusStore, Suspended};
use echodesk_billing::rules::expiry::ExpiryPolicy;
use echodesk_core::notice::NewNotice;
use echodesk_core::{StoreError, SubscriptionId, TenantId};
use jiff::Timestamp;

use crate::process::{Effect, Process};

/// The real store, as one process reaches it.
#[derive(Debug)]
pub struct StatusPort {
    process: Arc<Process>,
}

impl StatusPort {
    /// That of a process.
    #[must_use]
    pub fn new(process: &Arc<Process>) -> Arc<Self> {
        Arc::new(Self { process: Arc::clone(process) })
    }

    fn store(&self) -> &dyn StatusStore {
        &self.process.world.database.store
    }
}

impl StatusStore for StatusPort {
    fn accounts(
        &self,
        until: Timestamp,
        tenant: Option<TenantId>,
        after: Option<SubscriptionId>,
        limit: usize,
        now: Timestamp,
    ) -> Result<Vec<Account>, StoreError> {
        let read = || self.store().accounts(until, tenant, after, limit, now);
        self.process.store_call("accounts", None, Effect::Reads, read)
    }

    fn queue_notices(&self, notices: &[(TenantId, NewNotice)]) -> Result<Vec<bool>, StoreError> {
        self.process.store_call("queue_notices", None, Effect::Writes, || self.store().queue_notices(notices))
    }

    fn suspend(
        &self,
        subscription: SubscriptionId,
        policy: &ExpiryPolicy,
        now: Timestamp,
    ) -> Result<Suspended, StoreError> {
        let tenant = self.process.world.accounts.of_subscription(subscription);
        let write = || self.store().suspend(subscription, policy, now);
        self.process.store_call("suspend", tenant, Effect::Writes, write)
    }

    fn suspensions(
        &self,
        tenant: Option<TenantId>,
        after: Option<SubscriptionId>,
        limit: usize,
    ) -> Result<Vec<Suspension>, StoreError> {
        let read = || self.store().suspensions(tenant, after, limit);
        self.process.store_call("suspensions", None, Effect::Reads, read)
    }

    fn lift(&self, subscription: SubscriptionId, now: Timestamp) -> Result<Lifted, StoreError> {
        let tenant = self.process.world.accounts.of_subscription(subscription);
        self.process.store_call("lift", tenant, Effect::Writes, || self.store().lift(subscription, now))
    }
}

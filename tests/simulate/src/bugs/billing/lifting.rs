//! Bugs in lifting suspensions.

use std::sync::Arc;

use echodesk_billing::model::{Account, Suspension};
use echodesk_billing::ports::{Lifted, StatusStore, Suspended};
use echodesk_billing::rules::expiry::ExpiryPolicy;
use echodesk_core::notice::NewNotice;
use echodesk_core::{StoreError, SubscriptionId, TenantId};
use jiff::Timestamp;

use crate::bugs::Bug;
use crate::process::Process;

/// A store that lifts the suspension of the subscription and forgets the tenant, if the bug is that.
pub(crate) fn forgetful(process: &Arc<Process>, store: Arc<dyn StatusStore>) -> Arc<dyn StatusStore> {
    if process.world.plan.bug != Some(Bug::ReactivationForgetsTenant) {
        return store;
    }
    Arc::new(Forgetful { process: Arc::clone(process), real: store })
}

struct Forgetful {
    process: Arc<Process>,
    real: Arc<dyn StatusStore>,
}

impl StatusStore for Forgetful {
    fn accounts(
        &self,
        until: Timestamp,
        tenant: Option<TenantId>,
        after: Option<SubscriptionId>,
        limit: usize,
        now: Timestamp,
    ) -> Result<Vec<Account>, StoreError> {
        self.real.accounts(until, tenant, after, limit, now)
    }

    fn queue_notices(&self, notices: &[(TenantId, NewNotice)]) -> Result<Vec<bool>, StoreError> {
        self.real.queue_notices(notices)
    }

    fn suspend(
        &self,
        subscription: SubscriptionId,
        policy: &ExpiryPolicy,
        now: Timestamp,
    ) -> Result<Suspended, StoreError> {
        self.real.suspend(subscription, policy, now)
    }

    fn suspensions(
        &self,
        tenant: Option<TenantId>,
        after: Option<SubscriptionId>,
        limit: usize,
    ) -> Result<Vec<Suspension>, StoreError> {
        self.real.suspensions(tenant, after, limit)
    }

    fn lift(&self, subscription: SubscriptionId, now: Timestamp) -> Result<Lifted, StoreError> {
        let lifted = self.real.lift(subscription, now)?;
        let world = &self.process.world;
        if let (Lifted::Reactivated(_), Some(number)) = (&lifted, world.accounts.of_subscription(subscription)) {
            let tenant = world.accounts.read(number, |account| account.tenant);
            world.database.execute(&format!("UPDATE tenants_tenant SET is_active = false WHERE id = {tenant}"));
            world.check_account(number);
        }
        Ok(lifted)
    }
}

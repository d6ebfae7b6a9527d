//! Subscriptions as a forecast, or somebody who wants to explain one, needs them.

use echodesk_billing::model::Account;
use echodesk_core::{StoreError, SubscriptionId, TenantId};
use jiff::Timestamp;

use super::accounts;
use crate::Store;
use crate::billing::candidates::{Wanted, Which};
use crate::connection::Place;

/// A tenant has one subscription; should it have more, these are enough.
const OF_ONE_TENANT: usize = 100;

impl Store {
    /// Active subscriptions of active tenants whose renewal date (`expires_at`, else `next_billing_date`) is
    /// `until` or before, however long ago: of all tenants or of one, ascending by id after `after`, at most
    /// `limit`. Unlike those of [`StatusStore`](echodesk_billing::ports::StatusStore::accounts), accounts that
    /// have not expired come with their orders too.
    ///
    /// # Errors
    /// The database is away, or a row cannot be read; it is named.
    pub fn accounts_renewing_by(
        &self,
        until: Timestamp,
        tenant: Option<TenantId>,
        after: Option<SubscriptionId>,
        limit: usize,
        now: Timestamp,
    ) -> Result<Vec<Account>, StoreError> {
        self.read(Place::Public, "reading the subscriptions that are renewed", |c| {
            let with_retries = self.has_retries(c)?;
            accounts::load(c, &Wanted { which: Which::RenewingBy(until), tenant, after, limit, now, with_retries })
        })
    }

    /// The subscriptions of a tenant, whatever their dates and states, with their orders: one, or none.
    ///
    /// # Errors
    /// The database is away, or a row cannot be read; it is named.
    pub fn accounts_of(&self, tenant: TenantId, now: Timestamp) -> Result<Vec<Account>, StoreError> {
        self.read(Place::Public, &format!("reading the subscription of tenant {tenant}"), |c| {
            let with_retries = self.has_retries(c)?;
            let (tenant, which, limit) = (Some(tenant), Which::All, OF_ONE_TENANT);
            accounts::load(c, &Wanted { which, tenant, after: None, limit, now, with_retries })
        })
    }
}

//! Subscriptions as a forecast needs them.

use echodesk_billing::model::Account;
use echodesk_core::{StoreError, SubscriptionId, TenantId};
use jiff::Timestamp;

use super::accounts;
use crate::Store;
use crate::billing::candidates::{Wanted, Which};
use crate::connection::Place;

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
}

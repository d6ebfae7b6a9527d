//! The store of the watch over expiry: [`StatusStore`] on both back ends.

mod accounts;
mod change;
mod outlook;

use echodesk_billing::model::{Account, Suspension};
use echodesk_billing::ports::{Lifted, StatusStore, Suspended};
use echodesk_billing::rules::expiry::ExpiryPolicy;
use echodesk_core::notice::NewNotice;
use echodesk_core::{StoreError, SubscriptionId, TenantId};
use jiff::Timestamp;

use super::candidates::{Wanted, Which};
use super::suspensions;
use crate::Store;
use crate::connection::Place;
use crate::notices;

impl Store {
    /// Subscriptions with all that decides about them, whatever their state and dates: what the rules of renewal
    /// (by its `candidate`) and of expiry judge. Of all tenants or of one, ascending by id after `after`, at most
    /// `limit`. Those that have not expired come with their orders too. Claims nothing.
    ///
    /// # Errors
    /// The database is away, or a row cannot be read; it is named.
    pub fn all_accounts(
        &self,
        tenant: Option<TenantId>,
        after: Option<SubscriptionId>,
        limit: usize,
        now: Timestamp,
    ) -> Result<Vec<Account>, StoreError> {
        self.read(Place::Public, "reading the subscriptions", |c| {
            let with_retries = self.has_retries(c)?;
            accounts::load(c, &Wanted { which: Which::All, tenant, after, limit, now, with_retries })
        })
    }
}

impl StatusStore for Store {
    fn accounts(
        &self,
        until: Timestamp,
        tenant: Option<TenantId>,
        after: Option<SubscriptionId>,
        limit: usize,
        now: Timestamp,
    ) -> Result<Vec<Account>, StoreError> {
        self.read(Place::Public, "reading the subscriptions that expire", |c| {
            let with_retries = self.has_retries(c)?;
            let which = Which::ExpiringBy(until);
            accounts::load(c, &Wanted { which, tenant, after, limit, now, with_retries })
        })
    }

    fn queue_notices(&self, notices: &[(TenantId, NewNotice)]) -> Result<Vec<bool>, StoreError> {
        if notices.is_empty() {
            return Ok(Vec::new());
        }
        self.write(Place::Public, "queueing notices", |c| notices::queue_all(c, notices))
    }

    fn suspend(
        &self,
        subscription: SubscriptionId,
        policy: &ExpiryPolicy,
        now: Timestamp,
    ) -> Result<Suspended, StoreError> {
        self.write(Place::Public, &format!("suspending subscription {subscription}"), |c| {
            let with_retries = self.has_retries(c)?;
            change::suspend(c, subscription, policy, now, with_retries)
        })
    }

    fn suspensions(
        &self,
        tenant: Option<TenantId>,
        after: Option<SubscriptionId>,
        limit: usize,
    ) -> Result<Vec<Suspension>, StoreError> {
        let wanted = suspensions::Wanted { tenant, after, limit };
        self.read(Place::Public, "reading the suspensions", |c| suspensions::load(c, wanted))
    }

    fn lift(&self, subscription: SubscriptionId, now: Timestamp) -> Result<Lifted, StoreError> {
        self.write(Place::Public, &format!("lifting the suspension of subscription {subscription}"), |c| {
            change::lift(c, subscription, now)
        })
    }
}

//! The subscriptions that the watch over expiry sees, in memory.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use echodesk_core::notice::NewNotice;
use echodesk_core::{StoreError, StoreErrorKind, SubscriptionId, TenantId};
use jiff::Timestamp;

use crate::model::{Account, Suspension, Told};
use crate::ports::{Lifted, StatusStore, Suspended};
use crate::rules::expiry::{Decision, ExpiryPolicy, Lift, judge, lift};

/// A store in memory that keeps the contracts of [`StatusStore`].
#[derive(Debug, Default)]
pub struct MemoryStatus {
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    accounts: BTreeMap<SubscriptionId, Account>,
    suspensions: BTreeMap<SubscriptionId, Suspension>,
    notices: Vec<(TenantId, NewNotice)>,
}

impl MemoryStatus {
    /// Adds an account, or puts another in its place.
    pub fn add(&self, account: Account) {
        self.lock().accounts.insert(account.candidate.subscription, account);
    }

    /// Changes an account, as a payment would.
    pub fn change(&self, subscription: SubscriptionId, change: impl FnOnce(&mut Account)) {
        if let Some(account) = self.lock().accounts.get_mut(&subscription) {
            change(account);
        }
    }

    /// An account as it is.
    #[must_use]
    pub fn account(&self, subscription: SubscriptionId) -> Option<Account> {
        self.lock().accounts.get(&subscription).cloned()
    }

    /// All notices that were queued, in order.
    #[must_use]
    pub fn notices(&self) -> Vec<NewNotice> {
        self.lock().notices.iter().map(|(_, notice)| notice.clone()).collect()
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn no_subscription(id: SubscriptionId) -> StoreError {
    StoreError { kind: StoreErrorKind::Other, what: format!("there is no subscription {id}"), source: None }
}

impl State {
    fn told(&self, account: &Account) -> Account {
        let key = format!("subscription:{}", account.candidate.subscription);
        let about = self.notices.iter().filter(|(_, notice)| notice.subject_key == key);
        let told = about.map(|(_, notice)| Told { kind: notice.kind.code().to_owned(), period: notice.period.clone() });
        Account { told: told.collect(), ..account.clone() }
    }

    fn queue(&mut self, tenant: TenantId, notice: &NewNotice) -> bool {
        let same = |(of, other): &(TenantId, NewNotice)| {
            *of == tenant
                && other.kind.code() == notice.kind.code()
                && (&other.subject_key, &other.period) == (&notice.subject_key, &notice.period)
        };
        let fresh = !self.notices.iter().any(same);
        if fresh {
            self.notices.push((tenant, notice.clone()));
        }
        fresh
    }

    /// As they are now, whatever they were when they were suspended.
    fn suspension(&self, suspension: &Suspension) -> Suspension {
        let mut now = suspension.clone();
        if let Some(account) = self.accounts.get(&suspension.subscription) {
            let seen = &account.candidate.seen;
            now.tenant.is_active = seen.tenant_active;
            (now.active, now.expires_at) = (seen.active, seen.expires_at);
        }
        now
    }

    fn activate(&mut self, subscription: SubscriptionId, active: bool) {
        if let Some(account) = self.accounts.get_mut(&subscription) {
            account.candidate.seen.active = active;
            account.candidate.seen.tenant_active = active;
            account.candidate.tenant.is_active = active;
        }
    }
}

impl StatusStore for MemoryStatus {
    fn accounts(
        &self,
        until: Timestamp,
        tenant: Option<TenantId>,
        after: Option<SubscriptionId>,
        limit: usize,
        _now: Timestamp,
    ) -> Result<Vec<Account>, StoreError> {
        let state = self.lock();
        let wanted = |(id, account): &(&SubscriptionId, &Account)| {
            let seen = &account.candidate.seen;
            after.is_none_or(|after| **id > after)
                && tenant.is_none_or(|tenant| account.candidate.tenant.id == tenant)
                && seen.active
                && seen.tenant_active
                && seen.expires_at.is_some_and(|at| at <= until)
        };
        Ok(state.accounts.iter().filter(wanted).take(limit).map(|(_, account)| state.told(account)).collect())
    }

    fn queue_notices(&self, notices: &[(TenantId, NewNotice)]) -> Result<Vec<bool>, StoreError> {
        let mut state = self.lock();
        Ok(notices.iter().map(|(tenant, notice)| state.queue(*tenant, notice)).collect())
    }

    fn suspend(
        &self,
        subscription: SubscriptionId,
        policy: &ExpiryPolicy,
        now: Timestamp,
    ) -> Result<Suspended, StoreError> {
        let mut state = self.lock();
        let account = state.accounts.get(&subscription).ok_or_else(|| no_subscription(subscription))?;
        let account = state.told(account);
        let seen = &account.candidate.seen;
        match (judge(&account, policy, now), seen.expires_at) {
            (Decision::Suspend(notice), Some(expired_at)) => {
                let tenant = account.candidate.tenant.clone();
                state.queue(tenant.id, &notice);
                state.activate(subscription, false);
                let expires_at = Some(expired_at);
                let suspended_at = now;
                let row = Suspension { subscription, tenant, active: false, expires_at, expired_at, suspended_at };
                state.suspensions.insert(subscription, row);
                Ok(Suspended::Done)
            }
            (Decision::Withhold(_, why), _) => Ok(Suspended::Withheld(why)),
            _ => Ok(Suspended::Changed),
        }
    }

    fn suspensions(
        &self,
        tenant: Option<TenantId>,
        after: Option<SubscriptionId>,
        limit: usize,
    ) -> Result<Vec<Suspension>, StoreError> {
        let state = self.lock();
        let wanted = |suspension: &&Suspension| {
            after.is_none_or(|after| suspension.subscription > after)
                && tenant.is_none_or(|tenant| suspension.tenant.id == tenant)
        };
        Ok(state.suspensions.values().filter(wanted).take(limit).map(|row| state.suspension(row)).collect())
    }

    fn lift(&self, subscription: SubscriptionId, now: Timestamp) -> Result<Lifted, StoreError> {
        let mut state = self.lock();
        let Some(row) = state.suspensions.get(&subscription) else { return Ok(Lifted::Stands) };
        let suspension = state.suspension(row);
        match (lift(&suspension, now), suspension.expires_at) {
            (Lift::Reactivate(notice), Some(until)) => {
                state.queue(suspension.tenant.id, &notice);
                state.activate(subscription, true);
                state.suspensions.remove(&subscription);
                Ok(Lifted::Reactivated(until))
            }
            (Lift::Lifted, _) => {
                state.suspensions.remove(&subscription);
                Ok(Lifted::Noted)
            }
            _ => Ok(Lifted::Stands),
        }
    }
}

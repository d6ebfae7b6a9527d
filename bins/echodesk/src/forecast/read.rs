//! What a forecast is made of: all that may be due within its days, page by page.

use echodesk_billing::forecast::{Plan, forecast};
use echodesk_billing::model::{Account, Suspension};
use echodesk_billing::ports::StatusStore as _;
use echodesk_billing::rules::expiry::{Lift, lift};
use echodesk_core::{StoreError, TenantId};
use echodesk_store::Store;
use jiff::Timestamp;

use super::tally::Tally;

/// Subscriptions held at once.
const PAGE: usize = 256;

/// Plays everything that is active, and what will be again with the next run.
pub(super) fn all(store: &Store, tenant: Option<TenantId>, plan: &Plan, from: Timestamp) -> Result<Tally, StoreError> {
    let mut tally = Tally::default();
    active(store, tenant, plan, from, &mut tally)?;
    suspended(store, tenant, plan, from, &mut tally)?;
    tally.sort();
    Ok(tally)
}

fn active(
    store: &Store,
    tenant: Option<TenantId>,
    plan: &Plan,
    from: Timestamp,
    tally: &mut Tally,
) -> Result<(), StoreError> {
    let until = plan.horizon(from);
    let mut after = None;
    loop {
        let page = store.accounts_renewing_by(until, tenant, after, PAGE, from)?;
        let Some(last) = page.last() else { return Ok(()) };
        after = Some(last.candidate.subscription);
        for account in &page {
            tally.add(account, forecast(account, None, plan, from));
        }
    }
}

/// Suspensions of ours whose subscriptions were extended since.
fn suspended(
    store: &Store,
    tenant: Option<TenantId>,
    plan: &Plan,
    from: Timestamp,
    tally: &mut Tally,
) -> Result<(), StoreError> {
    let mut after = None;
    loop {
        let page = store.suspensions(tenant, after, PAGE)?;
        let Some(last) = page.last() else { return Ok(()) };
        after = Some(last.subscription);
        for suspension in page.iter().filter(|suspension| matches!(lift(suspension, from), Lift::Reactivate(_))) {
            if let Some(account) = account_of(store, suspension, from)? {
                tally.add(&account, forecast(&account, Some(suspension), plan, from));
            }
        }
    }
}

/// Unless it has become active meanwhile, and was read with the others.
fn account_of(store: &Store, suspension: &Suspension, from: Timestamp) -> Result<Option<Account>, StoreError> {
    let accounts = store.accounts_of(suspension.tenant.id, from)?;
    Ok(accounts.into_iter().find(|account| {
        let seen = &account.candidate.seen;
        account.candidate.subscription == suspension.subscription && !(seen.active && seen.tenant_active)
    }))
}

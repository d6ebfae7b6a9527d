//! Ways to suspend that the store does not have.

use std::sync::Arc;

use echodesk_billing::ports::{StatusStore as _, Suspended};
use echodesk_billing::rules::expiry::ExpiryPolicy;
use echodesk_core::notice::{NewNotice, NoticeKind};
use echodesk_core::{StoreError, SubscriptionId};
use jiff::Timestamp;

use crate::database::literal;
use crate::process::{Effect, Process};

/// Suspends whoever was judged to be due before, whatever charge is open, and whatever has happened since unless
/// `looks_again`.
pub(super) fn blindly(
    process: &Arc<Process>,
    subscription: SubscriptionId,
    looks_again: Option<&ExpiryPolicy>,
    now: Timestamp,
) -> Result<Suspended, StoreError> {
    let world = &process.world;
    let number = world.accounts.of_subscription(subscription);
    process.store_call("suspend", number, Effect::Writes, || {
        let Some(number) = number else { return Ok(Suspended::Changed) };
        let (tenant, expired_at, is_suspended) =
            world.accounts.read(number, |account| (account.tenant, account.expires_at, account.suspended_at.is_some()));
        let is_early = looks_again.is_some_and(|policy| now < policy.suspension_at(expired_at));
        if is_suspended || is_early {
            return Ok(Suspended::Changed);
        }
        world.database.execute(&format!(
            "UPDATE tenants_tenant SET is_active = false WHERE id = {tenant}; \
             UPDATE tenants_tenant_subscription SET is_active = false WHERE id = {subscription}; \
             INSERT INTO echodesk_suspension (subscription_id, tenant_id, expired_at, suspended_at) \
               VALUES ({subscription}, {tenant}, {}, {})",
            literal(expired_at),
            literal(now)
        ));
        let notice = NewNotice {
            kind: NoticeKind::Suspended { expired_at, price: None },
            subject_key: format!("subscription:{subscription}"),
            period: now.to_string(),
            decided_at: now,
        };
        world.database.store.queue_notices(&[(tenant, notice)])?;
        Ok(Suspended::Done)
    })
}

/// Suspends in one transaction, and queues the notice in another.
pub(super) fn with_its_notice_apart(
    process: &Arc<Process>,
    subscription: SubscriptionId,
    policy: &ExpiryPolicy,
    now: Timestamp,
) -> Result<Suspended, StoreError> {
    let (world, store) = (&process.world, &process.world.database.store);
    let number = world.accounts.of_subscription(subscription);
    let mut notice = None;
    let suspended = process.store_call("suspend", number, Effect::Writes, || {
        let suspended = store.suspend(subscription, policy, now)?;
        if let (Suspended::Done, Some(number)) = (&suspended, number) {
            let (tenant, expired_at) = world.accounts.read(number, |account| (account.tenant, account.expires_at));
            let last = format!("SELECT max(id) FROM echodesk_notice WHERE tenant_id = {tenant} AND kind = 'suspended'");
            world.database.execute(&format!("DELETE FROM echodesk_notice WHERE id = ({last})"));
            let kind = NoticeKind::Suspended { expired_at, price: None };
            let (subject_key, period) = (format!("subscription:{subscription}"), now.to_string());
            notice = Some((tenant, NewNotice { kind, subject_key, period, decided_at: now }));
        }
        Ok(suspended)
    })?;
    if let Some(notice) = notice {
        process.store_call("queue_notices", number, Effect::Writes, || store.queue_notices(&[notice]))?;
    }
    Ok(suspended)
}

/// Deletes what the tenant has saved.
pub(super) fn delete_what_is_saved(process: &Process, subscription: SubscriptionId) {
    let Some(number) = process.world.accounts.of_subscription(subscription) else { return };
    let tenant = process.world.accounts.read(number, |account| account.tenant);
    process.world.database.execute(&format!(
        "DELETE FROM tenants_saved_card WHERE tenant_id = {tenant}; \
         UPDATE tenants_payment_order SET card_saved = false WHERE tenant_id = {tenant}; \
         UPDATE tenants_tenant_subscription SET parent_order_id = NULL WHERE tenant_id = {tenant}"
    ));
}

/// What is left if only the suspension of the subscription is lifted.
pub(super) fn forget_the_tenant(process: &Process, subscription: SubscriptionId) {
    let world = &process.world;
    if let Some(number) = world.accounts.of_subscription(subscription) {
        let tenant = world.accounts.read(number, |account| account.tenant);
        world.database.execute(&format!("UPDATE tenants_tenant SET is_active = false WHERE id = {tenant}"));
        world.check_account(number);
    }
}

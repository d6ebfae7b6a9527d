//! Bugs of reminders, warnings and suspensions.

use std::sync::Arc;

use echodesk_billing::model::{Account, Suspension};
use echodesk_billing::ports::{Lifted, StatusStore, Suspended};
use echodesk_billing::rules::expiry::{ExpiryPolicy, days_between};
use echodesk_billing::status::StatusOptions;
use echodesk_core::notice::{NewNotice, NoticeKind};
use echodesk_core::{StoreError, SubscriptionId, TenantId};
use jiff::Timestamp;
use jiff::tz::TimeZone;

use crate::bugs::{Bug, suspensions};
use crate::ports::status::StatusPort;
use crate::process::Process;
use crate::world::World;

/// The watch's store as a process sees it.
pub(crate) fn status_store(process: &Arc<Process>) -> Arc<dyn StatusStore> {
    let port = StatusPort::new(process);
    match process.world.plan.bug {
        Some(
            bug @ (Bug::ReminderOnExactDay
            | Bug::SuspensionUnconditional
            | Bug::SuspensionDeletes
            | Bug::ReactivationDeletes
            | Bug::SuspensionNoticeApart
            | Bug::OpenChargeIgnored
            | Bug::SuspensionNotLifted
            | Bug::ReactivationForgetsTenant
            | Bug::NoticeNotUnique),
        ) => Arc::new(Layer { bug, port, process: Arc::clone(process) }),
        _ => port,
    }
}

/// What the watch is told of expiry.
pub(crate) fn expiry_policy(world: &World) -> ExpiryPolicy {
    let mut policy = ExpiryPolicy { time_zone: world.billing_zone.clone(), ..ExpiryPolicy::default() };
    match world.plan.bug {
        Some(Bug::GraceADayShort) => policy.grace_days -= 1,
        Some(Bug::DaysInUtc) => policy.time_zone = TimeZone::UTC,
        _ => {}
    }
    policy
}

/// The store of a dry run, and what it is told.
pub(crate) fn dry_run(world: &World, options: StatusOptions) -> (&dyn StatusStore, StatusOptions) {
    match world.plan.bug {
        Some(Bug::DryRunWrites) => (&world.database.store, StatusOptions { dry_run: None, ..options }),
        _ => (&world.database.read_only, options),
    }
}

struct Layer {
    bug: Bug,
    port: Arc<StatusPort>,
    process: Arc<Process>,
}

impl StatusStore for Layer {
    fn accounts(
        &self,
        until: Timestamp,
        tenant: Option<TenantId>,
        after: Option<SubscriptionId>,
        limit: usize,
        now: Timestamp,
    ) -> Result<Vec<Account>, StoreError> {
        let mut accounts = self.port.accounts(until, tenant, after, limit, now)?;
        for account in &mut accounts {
            match self.bug {
                Bug::OpenChargeIgnored => account.candidate.attempts.retain(|attempt| !attempt.state.is_open()),
                Bug::NoticeNotUnique => account.told.clear(),
                _ => {}
            }
        }
        Ok(accounts)
    }

    fn queue_notices(&self, notices: &[(TenantId, NewNotice)]) -> Result<Vec<bool>, StoreError> {
        let zone = &self.process.world.billing_zone;
        match self.bug {
            Bug::ReminderOnExactDay => {
                let exact: Vec<bool> = notices.iter().map(|(_, notice)| is_on_its_day(notice, zone)).collect();
                let kept = notices.iter().zip(&exact).filter(|(_, exact)| **exact).map(|(notice, _)| notice.clone());
                let mut queued = self.port.queue_notices(&kept.collect::<Vec<_>>())?.into_iter();
                Ok(exact.into_iter().map(|exact| exact && queued.next().unwrap_or(false)).collect())
            }
            Bug::NoticeNotUnique => {
                let anew = |(tenant, notice): &(TenantId, NewNotice)| {
                    let period = format!("{} by {}", notice.period, self.process.run);
                    (*tenant, NewNotice { period, ..notice.clone() })
                };
                self.port.queue_notices(&notices.iter().map(anew).collect::<Vec<_>>())
            }
            _ => self.port.queue_notices(notices),
        }
    }

    fn suspend(
        &self,
        subscription: SubscriptionId,
        policy: &ExpiryPolicy,
        now: Timestamp,
    ) -> Result<Suspended, StoreError> {
        match self.bug {
            Bug::SuspensionUnconditional => suspensions::blindly(&self.process, subscription, None, now),
            Bug::OpenChargeIgnored => suspensions::blindly(&self.process, subscription, Some(policy), now),
            Bug::SuspensionNoticeApart => suspensions::with_its_notice_apart(&self.process, subscription, policy, now),
            Bug::SuspensionDeletes => {
                let suspended = self.port.suspend(subscription, policy, now)?;
                if suspended == Suspended::Done {
                    suspensions::delete_what_is_saved(&self.process, subscription);
                }
                Ok(suspended)
            }
            _ => self.port.suspend(subscription, policy, now),
        }
    }

    fn suspensions(
        &self,
        tenant: Option<TenantId>,
        after: Option<SubscriptionId>,
        limit: usize,
    ) -> Result<Vec<Suspension>, StoreError> {
        match self.bug {
            Bug::SuspensionNotLifted => Ok(Vec::new()),
            _ => self.port.suspensions(tenant, after, limit),
        }
    }

    fn lift(&self, subscription: SubscriptionId, now: Timestamp) -> Result<Lifted, StoreError> {
        let lifted = self.port.lift(subscription, now)?;
        if self.bug == Bug::ReactivationForgetsTenant && matches!(lifted, Lifted::Reactivated(_)) {
            suspensions::forget_the_tenant(&self.process, subscription);
        }
        if self.bug == Bug::ReactivationDeletes && matches!(lifted, Lifted::Reactivated(_)) {
            suspensions::delete_what_is_saved(&self.process, subscription);
        }
        Ok(lifted)
    }
}

/// Whether a reminder is queued a week, or three days, before the expiry; warnings always are.
fn is_on_its_day(notice: &NewNotice, zone: &TimeZone) -> bool {
    let left = |until: Timestamp| {
        let day = |moment| zone.to_datetime(moment).date();
        days_between(day(notice.decided_at), day(until))
    };
    match &notice.kind {
        NoticeKind::Reminder { expires_at, .. } => left(*expires_at) == 7,
        NoticeKind::UrgentReminder { expires_at, .. } => left(*expires_at) == 3,
        _ => true,
    }
}

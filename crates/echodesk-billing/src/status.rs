//! The watch over expiry: who is reminded, warned, suspended, and active again.
//!
//! It decides and writes down; sending what it queued is delivery's work. It waits for the database
//! only, so it is synchronous: services call it from a thread that may block.

mod outcome;
#[cfg(test)]
mod tests;

use echodesk_core::{Clock, StopToken, StoreError, StoreErrorKind, SubscriptionId, Tenant, TenantId};
use jiff::Timestamp;

pub use outcome::{StatusEvent, StatusOutcome, StatusTotals};

use crate::model::{Account, Suspension};
use crate::ports::{Lifted, StatusStore, Suspended};
use crate::rules::expiry::{self, Decision, ExpiryPolicy, Lift, Step};
use echodesk_core::notice::{NewNotice, NoticeKind};

/// A subscription's row may be locked by somebody. If so many in a row cannot be worked on, it may be the database.
const UNAVAILABLE_IN_A_ROW: u32 = 3;

/// So many subscriptions are held at once.
const PAGE: usize = 256;

/// How the watch goes about it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct StatusOptions {
    /// Who is reminded and suspended when.
    pub policy: ExpiryPolicy,
    /// One tenant; all otherwise.
    pub tenant: Option<Tenant>,
    /// Whether to write nothing, and at what time it is asked what would be done.
    pub dry_run: Option<Timestamp>,
}

/// Is told what a run does, as it does it.
pub trait StatusObserver: Send + Sync {
    /// What became of one subscription, or would in a dry run.
    fn event(&self, event: &StatusEvent);
}

/// What a run did, beside the events.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct StatusReport {
    /// How many of each.
    pub totals: StatusTotals,
    /// Whether it was asked to stop before everything was done.
    pub stopped: bool,
    /// Whether the database went away before everything was done.
    pub database_away: bool,
}

/// Looks once at everything that expires: lifts suspensions that were paid, then reminds, warns and
/// suspends.
///
/// # Errors
/// The database refuses something that every further step depends on. That it is away is no error but
/// [`StatusReport::database_away`]. What fails for one subscription is told as its event.
pub fn watch(
    store: &dyn StatusStore,
    clock: &dyn Clock,
    stop: &StopToken,
    observer: &dyn StatusObserver,
    options: &StatusOptions,
) -> Result<StatusReport, StoreError> {
    let mut run = Run { store, clock, stop, observer, options, report: StatusReport::default(), unavailable: 0 };
    let done = run.lift_all().and_then(|()| run.watch_all());
    match done {
        Err(error) if error.kind == StoreErrorKind::Unavailable => run.report.database_away = true,
        done => done?,
    }
    Ok(run.report)
}

struct Run<'a> {
    store: &'a dyn StatusStore,
    clock: &'a dyn Clock,
    stop: &'a StopToken,
    observer: &'a dyn StatusObserver,
    options: &'a StatusOptions,
    report: StatusReport,
    unavailable: u32,
}

impl Run<'_> {
    fn now(&self) -> Timestamp {
        self.options.dry_run.unwrap_or_else(|| self.clock.now())
    }

    fn is_dry(&self) -> bool {
        self.options.dry_run.is_some()
    }

    fn tenant(&self) -> Option<TenantId> {
        self.options.tenant.as_ref().map(|tenant| tenant.id)
    }

    fn tell(&mut self, event: &StatusEvent) {
        self.report.totals.count(event);
        self.observer.event(event);
    }

    fn stopped(&mut self) -> bool {
        self.report.stopped |= self.stop.is_stopped();
        self.report.stopped
    }

    fn lift_all(&mut self) -> Result<(), StoreError> {
        let mut after = None;
        loop {
            let page = self.store.suspensions(self.tenant(), after, PAGE)?;
            let Some(last) = page.last() else { return Ok(()) };
            after = Some(last.subscription);
            for suspension in &page {
                if self.stopped() {
                    return Ok(());
                }
                self.lift(suspension)?;
            }
        }
    }

    fn lift(&mut self, suspension: &Suspension) -> Result<(), StoreError> {
        let now = self.now();
        let outcome = match (expiry::lift(suspension, now), suspension.expires_at) {
            (Lift::Stands, _) | (_, None) => return Ok(()),
            (Lift::StandsThoughExtended(until), _) => StatusOutcome::StillSuspended { paid_until: until },
            (Lift::Lifted, _) if self.is_dry() => return Ok(()),
            (Lift::Reactivate(_), Some(paid_until)) if self.is_dry() => StatusOutcome::Reactivated { paid_until },
            _ => match self.one(self.store.lift(suspension.subscription, now))? {
                Ok(Lifted::Stands | Lifted::Noted) => return Ok(()),
                Ok(Lifted::Reactivated(paid_until)) => StatusOutcome::Reactivated { paid_until },
                Err(words) => StatusOutcome::Failed(words),
            },
        };
        self.tell(&StatusEvent {
            tenant: suspension.tenant.schema.clone(),
            subscription: suspension.subscription,
            expires_at: suspension.expires_at,
            outcome,
        });
        Ok(())
    }

    fn watch_all(&mut self) -> Result<(), StoreError> {
        let mut after: Option<SubscriptionId> = None;
        loop {
            if self.stopped() {
                return Ok(());
            }
            let now = self.now();
            let until = self.options.policy.horizon(now);
            let page = self.store.accounts(until, self.tenant(), after, PAGE, now)?;
            let Some(last) = page.last() else { return Ok(()) };
            after = Some(last.candidate.subscription);
            self.page(&page, now)?;
        }
    }

    fn page(&mut self, page: &[Account], now: Timestamp) -> Result<(), StoreError> {
        let mut notices: Vec<(&Account, Step, NewNotice)> = Vec::new();
        let mut to_suspend: Vec<&Account> = Vec::new();
        for account in page {
            match expiry::judge(account, &self.options.policy, now) {
                Decision::Nothing(Step::Grace) => {
                    self.tell(&event(account, StatusOutcome::InGrace { suspension_at: self.suspension_at(account) }));
                }
                Decision::Nothing(_) => {}
                Decision::Notify(step, notice) => notices.push((account, step, *notice)),
                Decision::Suspend(_) => to_suspend.push(account),
                Decision::Withhold(step, why) => self.tell(&event(account, StatusOutcome::Withheld { step, why })),
            }
        }
        self.queue(notices)?;
        for account in to_suspend {
            if self.stopped() {
                return Ok(());
            }
            self.suspend(account, now)?;
        }
        Ok(())
    }

    fn queue(&mut self, notices: Vec<(&Account, Step, NewNotice)>) -> Result<(), StoreError> {
        if notices.is_empty() {
            return Ok(());
        }
        let rows: Vec<(TenantId, NewNotice)> =
            notices.iter().map(|(account, _, notice)| (account.candidate.tenant.id, notice.clone())).collect();
        let queued = if self.is_dry() { vec![true; rows.len()] } else { self.store.queue_notices(&rows)? };
        for ((account, _, notice), queued) in notices.iter().zip(queued) {
            let outcome = match &notice.kind {
                // Another host was faster.
                _ if !queued => continue,
                NoticeKind::GraceWarning { suspension_at, .. } => {
                    StatusOutcome::Warned { suspension_at: *suspension_at }
                }
                NoticeKind::UrgentReminder { expires_at, .. } => {
                    StatusOutcome::UrgentlyReminded(self.days_to(*expires_at))
                }
                NoticeKind::Reminder { expires_at, .. } => StatusOutcome::Reminded(self.days_to(*expires_at)),
                _ => continue,
            };
            self.tell(&event(account, outcome));
        }
        Ok(())
    }

    fn suspend(&mut self, account: &Account, now: Timestamp) -> Result<(), StoreError> {
        let outcome = if self.is_dry() {
            StatusOutcome::Suspended
        } else {
            let done = self.store.suspend(account.candidate.subscription, &self.options.policy, now);
            match self.one(done)? {
                Ok(Suspended::Done) => StatusOutcome::Suspended,
                Ok(Suspended::Changed) => StatusOutcome::Changed,
                Ok(Suspended::Withheld(why)) => StatusOutcome::Withheld { step: Step::Suspension, why },
                Err(words) => StatusOutcome::Failed(words),
            }
        };
        self.tell(&event(account, outcome));
        Ok(())
    }

    /// What concerns one subscription must not stop the others, and its row may be locked; that the database is
    /// away concerns all.
    fn one<T>(&mut self, done: Result<T, StoreError>) -> Result<Result<T, String>, StoreError> {
        let is_unavailable = done.as_ref().is_err_and(|error| error.kind == StoreErrorKind::Unavailable);
        self.unavailable = if is_unavailable { self.unavailable + 1 } else { 0 };
        match done {
            Ok(done) => Ok(Ok(done)),
            // Somebody may hold many rows. Whether the database itself is there, a look at it tells.
            Err(error) if self.unavailable >= UNAVAILABLE_IN_A_ROW => {
                let looked = self.store.accounts(Timestamp::MIN, None, None, 1, self.now());
                if looked.is_err_and(|error| error.kind == StoreErrorKind::Unavailable) {
                    return Err(error);
                }
                Ok(Err(crate::run::charge::in_words(&error)))
            }
            Err(error) => Ok(Err(crate::run::charge::in_words(&error))),
        }
    }

    fn days_to(&self, expires_at: Timestamp) -> i32 {
        let policy = &self.options.policy;
        expiry::days_between(policy.day(self.now()), policy.day(expires_at))
    }

    fn suspension_at(&self, account: &Account) -> Timestamp {
        account.candidate.seen.expires_at.map_or(Timestamp::MAX, |at| self.options.policy.suspension_at(at))
    }
}

fn event(account: &Account, outcome: StatusOutcome) -> StatusEvent {
    let candidate = &account.candidate;
    StatusEvent {
        tenant: candidate.tenant.schema.clone(),
        subscription: candidate.subscription,
        expires_at: candidate.seen.expires_at,
        outcome,
    }
}

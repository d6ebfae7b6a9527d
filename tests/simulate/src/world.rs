//! The simulated world: its truth, and what happens in it.

pub mod accounts;
pub mod agenda;
pub mod bank;
pub mod callbacks;
pub mod customers;
pub(crate) mod echodesk;
pub mod mail;
pub mod mishaps;
pub mod notices;
pub(crate) mod operator;
pub mod post_office;
pub(crate) mod retries;
mod setup;
pub(crate) mod wall_clocks;

use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};

use crate::chance::Chance;
use crate::database::Database;
use crate::fault::{FaultKind, Faults};
use crate::panics::Panics;
use crate::plan::Plan;
use crate::process::Effect;
use crate::time::{HostClock, TrueTime};
use crate::trace::{TenantNumber, Trace};
use crate::violation::{Invariant, Violation};
use accounts::Accounts;
use agenda::{Agenda, Event};
use bank::BankWorld;
use callbacks::Signatures;
use mail::MailWorld;
use mishaps::Mishaps;
use notices::Notices;
use post_office::PostOffice;

/// How far ahead something may be that happens in the middle of a run instead.
const SOON: SignedDuration = SignedDuration::from_hours(12);

/// A simulated world.
pub struct World {
    /// What is simulated.
    pub plan: Plan,
    /// What all chance follows from.
    pub chance: Chance,
    /// What time it really is.
    pub time: TrueTime,
    /// What goes wrong.
    pub faults: Faults,
    /// What happened.
    pub trace: Trace,
    /// The database.
    pub database: Database,
    /// What will happen.
    pub agenda: Agenda,
    /// The truth about subscriptions.
    pub accounts: Accounts,
    /// The bank.
    pub bank: BankWorld,
    /// What has befallen charges of ours.
    pub mishaps: Mishaps,
    /// Whatever has panicked.
    pub panics: Panics,
    /// The mailboxes.
    pub mail: MailWorld,
    /// The notices that were queued.
    pub notices: Notices,
    /// The mail server.
    pub post_office: PostOffice,
    /// Who signs callbacks.
    pub signatures: Signatures,
    /// The clocks of the hosts.
    pub clocks: Vec<HostClock>,
    /// Whose calendar days count for customers.
    pub billing_zone: TimeZone,
    /// By whose clock the crontab runs.
    pub cron_zone: TimeZone,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    violation: Option<Violation>,
    counts: Counts,
    database_away_until: Option<Timestamp>,
    cron_off_until: Option<Timestamp>,
    /// Whether something happens in the middle of a run just now.
    meanwhile: bool,
    /// How often something has happened, runs in the middle of others included.
    happenings: u64,
    /// When a run has last cancelled what EchoDesk had planned for periods that are paid.
    retries_cancelled_at: Option<Timestamp>,
}

/// What is counted for the summary.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// Captures of the bank.
    pub captures: u64,
    /// Runs of programs, by name.
    pub runs: BTreeMap<&'static str, u64>,
    /// Notices that were queued.
    pub notices: u64,
    /// Mails that a mail server took.
    pub mails: u64,
    /// Suspensions.
    pub suspensions: u64,
    /// Suspensions that were lifted.
    pub reactivations: u64,
    /// Charges that were left to a person.
    pub left_to_a_person: u64,
    /// Messages that arrived in mailboxes.
    pub messages: u64,
}

impl fmt::Debug for World {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("World").field("plan", &self.plan).field("time", &self.time).finish_non_exhaustive()
    }
}

impl World {
    /// A promise was broken. The first time counts.
    pub fn violated(&self, invariant: Invariant, tenant: impl Into<Option<TenantNumber>>, what: String) {
        let violation = Violation { invariant, tenant: tenant.into(), at: self.time.now(), what };
        self.trace.note(violation.tenant, format_args!("VIOLATION of {}: {}", invariant.number(), violation.what));
        self.lock().violation.get_or_insert(violation);
    }

    /// Holds that nothing has panicked, even where a run goes on after it.
    pub(crate) fn check_no_panic(&self) {
        for panic in self.panics.take() {
            self.violated(Invariant::AllResolved, None, format!("something has panicked: {panic}"));
        }
    }

    /// What was broken first, if anything was.
    #[must_use]
    pub fn violation(&self) -> Option<Violation> {
        self.lock().violation.clone()
    }

    /// Counts something.
    pub fn count(&self, change: impl FnOnce(&mut Counts)) {
        change(&mut self.lock().counts);
    }

    /// What was counted.
    #[must_use]
    pub fn counts(&self) -> Counts {
        self.lock().counts.clone()
    }

    /// Nobody reaches the database for so long.
    pub fn set_database_away_for(&self, time: Duration) {
        self.lock().database_away_until = self.time.now().checked_add(time).ok();
    }

    /// Whether nobody reaches the database.
    #[must_use]
    pub fn is_database_away(&self) -> bool {
        self.lock().database_away_until.is_some_and(|until| self.time.now() < until)
    }

    /// No host's cron runs until then.
    pub(crate) fn set_cron_off_until(&self, until: Timestamp) {
        self.lock().cron_off_until = Some(until);
    }

    /// Whether no host's cron runs. On days on which nothing goes wrong it does.
    pub(crate) fn is_cron_off(&self) -> bool {
        let until = self.lock().cron_off_until;
        !self.faults.is_quiet() && until.is_some_and(|until| self.time.now() < until)
    }

    /// What may happen in the world while a process is about to make a call.
    pub(crate) fn meanwhile(self: &Arc<Self>, place: &str, tenant: Option<TenantNumber>, effect: Effect) {
        if std::mem::replace(&mut self.lock().meanwhile, true) {
            return;
        }
        let now = self.time.now();
        if self.faults.happens(FaultKind::WorldMeanwhile, place) {
            let event = match tenant {
                Some(tenant) => self.agenda.take_of(tenant, now + SOON).map(|(_, event)| (Some(tenant), event)),
                None => self.agenda.take_until(now + SOON).map(|(_, tenant, event)| (tenant, event)),
            };
            if let Some((tenant, event)) = event {
                self.trace.note(tenant, format_args!("meanwhile, at {place}:"));
                self.happens(tenant, event);
            }
        }
        if self.faults.happens(FaultKind::RunMeanwhile, place) {
            self.trace.note(tenant, format_args!("meanwhile, at {place}, another host looks at what expires"));
            self.lock().happenings += 1;
            self.run_meanwhile(place);
        }
        // Beside a call of a sync that only reads, another thread of the sync may write.
        if effect != Effect::Reads && self.faults.happens(FaultKind::DryRunMeanwhile, place) {
            self.trace.note(tenant, format_args!("meanwhile, at {place}, somebody asks what the runs would do"));
            self.check_dry_runs();
        }
        self.lock().meanwhile = false;
    }

    /// Lets everything happen that happens until then.
    pub(crate) fn live_until(self: &Arc<Self>, then: Timestamp) {
        while let Some((at, tenant, event)) = self.agenda.take_until(then) {
            self.time.pass_until(at);
            self.happens(tenant, event);
        }
        self.time.pass_until(then);
    }

    /// Lets the world live while runs do: what is due happens as time passes. Never ends.
    pub(crate) async fn live(self: Arc<Self>) {
        const GLANCE: Duration = Duration::from_millis(250);
        loop {
            let now = self.time.now();
            while let Some((_, tenant, event)) = self.agenda.take_until(now) {
                self.happens(tenant, event);
            }
            let next = self.agenda.next_at().map(|at| at.duration_since(now).unsigned_abs());
            tokio::time::sleep(next.unwrap_or(GLANCE).clamp(Duration::from_millis(1), GLANCE)).await;
        }
    }

    /// How often something has happened in the world.
    pub(crate) fn happenings(&self) -> u64 {
        self.lock().happenings
    }

    /// A run has cancelled what EchoDesk had planned for periods that are paid.
    pub(crate) fn retries_are_cancelled(&self) {
        self.lock().retries_cancelled_at = Some(self.time.now());
    }

    /// When a run has last done so.
    pub(crate) fn retries_cancelled_at(&self) -> Option<Timestamp> {
        self.lock().retries_cancelled_at
    }

    pub(crate) fn happens(self: &Arc<Self>, tenant: Option<TenantNumber>, event: Event) {
        self.lock().happenings += 1;
        match (event, tenant) {
            (Event::PaymentEnds { order }, _) => self.payment_ends(&order),
            (Event::Callback(callback), _) => self.callback_arrives(&callback),
            (Event::Customer(act), Some(tenant)) => self.customer_acts(tenant, act),
            (Event::Operator, _) => self.operator_looks(),
            (Event::DryRuns, _) => self.check_dry_runs(),
            (Event::EchoDeskRetry { retry }, Some(tenant)) => retries::charge(self, tenant, retry),
            (Event::Customer(_) | Event::EchoDeskRetry { .. }, None) => {}
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

//! `sync-emails`.

use std::num::{NonZeroU32, NonZeroUsize};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use echodesk_core::{Clock, StopToken};
use echodesk_mail::attachments::NullStore;
use echodesk_mail::ports::Scope;
use echodesk_mail::sync::{MailboxOutcome, MailboxReport, SyncObserver, SyncOptions, SyncWorld, sync_all};
use jiff::Timestamp;

use crate::bugs;
use crate::gate::{self, Gate};
use crate::ports::imap::Shown;
use crate::ports::mail::Kind;
use crate::process::Process;
use crate::time::HostClock;
use crate::trace::TenantNumber;
use crate::violation::Invariant;
use crate::world::World;
use crate::world::mail::letters::SIZE_LIMIT;
use crate::world::mail::{MailboxNumber, address};

/// How long a mailbox may take: less than a quarter of a lease, so that no lease is renewed. Renewals would come when
/// threads have turned out to be slow, which is different every time.
const BUDGET: Duration = Duration::from_secs(25);

/// The clock of one sync. How much time has passed it tells only where the run does one thing at a time, as if the
/// machine slept in between: several threads look at it.
#[derive(Clone, Debug)]
pub struct MailClock {
    host: HostClock,
    elapsed: Arc<AtomicU64>,
}

impl MailClock {
    /// Time passes.
    pub fn pass(&self, time: Duration) {
        self.elapsed.fetch_add(u64::try_from(time.as_nanos()).unwrap_or(0), Ordering::AcqRel);
    }
}

impl Clock for MailClock {
    fn now(&self) -> Timestamp {
        self.host.now()
    }

    fn elapsed(&self) -> Duration {
        Duration::from_nanos(self.elapsed.load(Ordering::Acquire))
    }
}

impl World {
    /// A run of all mailboxes; now and then somebody only looks what it would do, before. Says whether it came to its
    /// end with the database still there.
    pub(super) fn sync_mailboxes(self: &Arc<Self>, process: &Arc<Process>) -> bool {
        let mut dice = self.chance.at(&format!("dry {}", process.name));
        if dice.per_mille(30) {
            let name = format!("{} --dry-run", process.name);
            let dry = Process::begin(self, name, process.clock.clone(), Arc::new(Gate::opened()));
            self.changes_no_mail(|| {
                self.sync(&dry, Scope::AllActive, Kind::DryRun);
            });
        }
        self.sync(process, Scope::AllActive, Kind::Cron) && !process.is_dead()
    }

    /// Another host's run over one tenant's mailboxes, from its beginning to its end.
    pub(crate) fn sync_meanwhile(self: &Arc<Self>, beside: &Process, place: &str, tenant: TenantNumber) {
        let clock = self.clocks.iter().find(|clock| !clock.is(&beside.clock)).unwrap_or(&beside.clock).clone();
        let process = Process::begin(self, format!("meanwhile {place}"), clock, Arc::new(Gate::opened()));
        let schema = self.accounts.read(tenant, |account| account.schema.clone());
        self.sync(&process, Scope::One(schema), Kind::Meanwhile);
    }

    fn sync(self: &Arc<Self>, process: &Arc<Process>, scope: Scope, kind: Kind) -> bool {
        let clock = MailClock { host: process.clock.clone(), elapsed: Arc::default() };
        let shown = Arc::new(Shown::default());
        let world = SyncWorld {
            store: bugs::mail_store(process, &shown, kind),
            server: bugs::mail_server(process, &clock, &shown),
            attachments: Arc::new(NullStore),
            keys: crate::world::mail::keys(),
            clock: Arc::new(clock),
            stop: StopToken::new(),
            run: process.run,
            observer: Arc::new(Heard { process: Arc::clone(process), kind }),
        };
        let mut dice = self.chance.at(&format!("options of {}", process.name));
        // A small number now and then, so that one run does not get through what has come.
        let few = !self.faults.is_quiet() && dice.per_mille(250);
        let max_messages = if few { dice.between(2, 12) } else { 500 };
        let options = SyncOptions {
            max_messages: NonZeroU32::new(u32::try_from(max_messages).unwrap_or(1)).unwrap_or(NonZeroU32::MIN),
            max_message_size: SIZE_LIMIT,
            jobs: NonZeroUsize::MIN,
            mailbox_budget: BUDGET,
            dry_run: kind == Kind::DryRun && !bugs::dry_run_stores(self),
            ..SyncOptions::default()
        };
        let done = gate::run(&self.time, &Arc::new(Gate::opened()), sync_all(world, scope, options));
        match done {
            Ok(report) => {
                self.trace.note(None, format_args!("{} ends", process.name));
                if kind == Kind::Cron && self.faults.is_quiet() {
                    let listed: Vec<&str> = report.mailboxes.iter().map(|mailbox| mailbox.address.as_str()).collect();
                    self.check_listed(&listed);
                }
                !report.database_away
            }
            Err(error) => {
                self.trace.note(None, format_args!("{} ends: {error}", process.name));
                false
            }
        }
    }
}

struct Heard {
    process: Arc<Process>,
    kind: Kind,
}

impl SyncObserver for Heard {
    fn started(&self, _: usize) {}

    fn stored(&self, _: usize, _: u64) {}

    /// How far a run got that died or was taken over is a matter of milliseconds: only how it ended is told.
    fn finished(&self, report: &MailboxReport) {
        let world = &self.process.world;
        let Some(number) = world.mail.of_user(&report.address) else { return };
        // Parts of it have threads of their own.
        if let Some(error) = report.error.as_ref().filter(|error| error.contains("a part of the program panicked")) {
            world.violated(Invariant::AllResolved, number.tenant, format!("mailbox {number}: {error}"));
        }
        if self.process.is_dead() {
            return;
        }
        let (outcome, counts) = (report.outcome, report.messages);
        let error = report.error.as_deref().unwrap_or("well");
        world.trace.note(number.tenant, format_args!("told of mailbox {number}: {outcome:?}, {error}, {counts:?}"));
        if self.kind == Kind::Cron {
            let quiet = world.faults.is_quiet();
            world.mail.change(number, |mailbox| {
                let was_read = outcome == MailboxOutcome::Synced || !quiet;
                mailbox.unread_in_quiet = if was_read { 0 } else { mailbox.unread_in_quiet + 1 };
            });
        }
    }
}

impl World {
    /// A run that nothing disturbs is about every mailbox that is switched on.
    fn check_listed(&self, listed: &[&str]) {
        let is_on = |number: &MailboxNumber| {
            let is_active = self.accounts.read(number.tenant, |account| account.suspended_at.is_none());
            is_active && self.mail.get(*number).off_since.is_none()
        };
        for number in self.mail.numbers().into_iter().filter(is_on) {
            if !listed.contains(&address(number).as_str()) {
                let what = format!("mailbox {number} is left out although it is switched on");
                self.violated(Invariant::ExactMail, number.tenant, what);
            }
        }
    }
}

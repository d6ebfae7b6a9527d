//! One mailbox, from its lease to its record.

use std::time::Duration;

use echodesk_core::RunId;
use jiff::Timestamp;

use crate::credential;
use crate::model::{ColumnLimits, Mailbox};
use crate::ports::{FailureRecord, Lease, MailServerError, StoreError, StoreErrorKind};
use crate::rules::failure::{self, SyncFailure};

use super::memory::Memory;
use super::progress::Progress;
use super::reach::Reach;
use super::read::read;
use super::report::{MailboxOutcome, MailboxReport, MessageCounts};
use super::{SyncOptions, SyncWorld};

/// How long a lease lives unless it is renewed: longer than connecting and logging in may take, and
/// short enough that the mailbox of a killed run does not rest for long.
pub(super) const LEASE: Duration = Duration::from_secs(120);

/// How long what is in flight when a mailbox's time is over may still take to be stored.
const OVERTIME: Duration = Duration::from_secs(15);

/// The lease of a run from `now` on.
pub(super) fn lease(holder: RunId, now: Timestamp) -> Lease {
    Lease { holder, until: now.checked_add(LEASE).unwrap_or(Timestamp::MAX) }
}

/// What all steps of one mailbox's sync share.
pub(super) struct MailboxRun<'a> {
    pub(super) world: &'a SyncWorld,
    pub(super) options: &'a SyncOptions,
    pub(super) mailbox: &'a Mailbox,
    pub(super) limits: &'a ColumnLimits,
    pub(super) memory: Memory,
    pub(super) lease: Lease,
    /// The time of the run.
    pub(super) now: Timestamp,
    /// When, by [`echodesk_core::Clock::elapsed`], the mailbox's time is over.
    pub(super) deadline: Duration,
    /// When, by the same clock, the lease was taken.
    pub(super) leased_at: Duration,
    /// Names of the folders that are synced, once they are known.
    pub(super) folders: Vec<String>,
}

impl MailboxRun<'_> {
    /// How much of the mailbox's time is left; none if it is over or the run was asked to stop.
    pub(super) fn time_left(&self) -> Option<Duration> {
        let left = self.deadline.saturating_sub(self.world.clock.elapsed());
        (!left.is_zero() && !self.world.stop.is_stopped()).then_some(left)
    }

    /// Whether `error` means that the database itself is away, and not only a lock that somebody holds.
    fn database_is_away(&self, error: &StoreError) -> bool {
        let again = || self.world.store.refresh(self.mailbox);
        error.kind == StoreErrorKind::Unavailable
            && again().is_err_and(|error| error.kind == StoreErrorKind::Unavailable)
    }

    /// Whether even what is in flight should be left to the next run.
    pub(super) fn is_overdue(&self) -> bool {
        self.world.clock.elapsed() > self.deadline + OVERTIME
    }
}

/// Syncs one mailbox. Blocks; everything that goes wrong is in the report.
pub(super) fn sync_mailbox(
    world: &SyncWorld,
    options: &SyncOptions,
    mailbox: &Mailbox,
    limits: &ColumnLimits,
    memory: Memory,
    reach: &Reach,
) -> MailboxReport {
    let started = world.clock.elapsed();
    let mut report = MailboxReport::new(mailbox);
    if world.stop.is_stopped() {
        report.skip("the run was stopped before this mailbox was begun");
        return report;
    }
    if reach.database_is_away() {
        report.skip("the database is away");
        return report;
    }
    let now = world.clock.now();
    let lease = lease(world.run, now);
    // The list of mailboxes may be minutes old: somebody may have mended or switched off this one.
    let taken = world
        .store
        .acquire(&mailbox.key, &lease, now)
        .and_then(|free| if free { world.store.refresh(mailbox).map(Some) } else { Ok(None) });
    match taken {
        Ok(Some(Some(mailbox))) => {
            let deadline = started + options.mailbox_budget;
            let folders = Vec::new();
            let mailbox = &mailbox;
            let run = MailboxRun {
                world,
                options,
                mailbox,
                limits,
                memory,
                lease,
                now,
                deadline,
                leased_at: started,
                folders,
            };
            work(run, reach, &mut report);
        }
        Ok(Some(None)) => {
            report.skip("it was switched off or removed before its turn");
            give_back(world, mailbox, &lease);
        }
        Ok(None) => report.skip("another run works on it"),
        Err(error) => {
            // The lease may have been taken before; giving back what is not held is harmless.
            if error.kind != StoreErrorKind::Unavailable {
                give_back(world, mailbox, &lease);
            }
            fail_in_store(error, reach, &mut report);
        }
    }
    report.seconds = world.clock.elapsed().saturating_sub(started).as_secs_f64();
    report
}

fn give_back(world: &SyncWorld, mailbox: &Mailbox, lease: &Lease) {
    if let Err(error) = world.store.release(&mailbox.key, lease) {
        tracing::warn!(mailbox = %mailbox.key, %error, "cannot give the lease back; it will end by itself");
    }
}

fn fail_in_store(error: StoreError, reach: &Reach, report: &mut MailboxReport) {
    if error.kind == StoreErrorKind::Unavailable {
        reach.lost_database();
    }
    report.fail(&SyncFailure::Store(error));
}

fn work(mut run: MailboxRun<'_>, reach: &Reach, report: &mut MailboxReport) {
    let mut progress = Progress::default();
    let result = open_and_read(&mut run, reach, &mut progress, report);
    let at = run.now;
    let got_on = report.messages != MessageCounts::default();
    let record = match result {
        Ok(()) if report.pending == 0 => None,
        Ok(()) => {
            let out_of_time = run.time_left().is_none();
            report.continue_later(if out_of_time { "its time is used up" } else { "--max-messages is reached" });
            Some(failure::progress(at))
        }
        Err(SyncFailure::Server(MailServerError::OutOfTime)) if run.world.stop.is_stopped() => {
            report.continue_later("the run was stopped");
            Some(failure::progress(at))
        }
        Err(SyncFailure::Server(MailServerError::OutOfTime)) if progress.wrote_a_cursor() => {
            report.continue_later("the time budget of the mailbox is used up");
            Some(failure::progress(at))
        }
        // With the lease gone, the mailbox is somebody else's to write about; with the database gone,
        // there is nowhere to write, and the lease ends by itself.
        Err(SyncFailure::Store(error)) if error.kind == StoreErrorKind::LeaseLost || run.database_is_away(&error) => {
            return fail_in_store(error, reach, report);
        }
        Err(error) => {
            report.fail(&error);
            let evidence = reach.others_than(&run.mailbox.endpoint.host);
            Some(failure::record(run.mailbox, &error, evidence, got_on, at))
        }
    };
    if let Err(error) = write_down(&run, record, report) {
        tracing::error!(mailbox = %run.mailbox.key, %error, "cannot record the result");
        if report.outcome != MailboxOutcome::Failed {
            fail_in_store(error, reach, report);
        }
    }
    give_back(run.world, run.mailbox, &run.lease);
}

fn write_down(
    run: &MailboxRun<'_>,
    record: Option<FailureRecord>,
    report: &mut MailboxReport,
) -> Result<(), StoreError> {
    let (store, key) = (&run.world.store, &run.mailbox.key);
    match record {
        None => store.record_success(key, &run.lease, run.now),
        Some(mut record) => {
            let max = run.limits.sync_error;
            if record.error.chars().count() > max {
                record.error = record.error.chars().take(max).collect();
            }
            let recorded = store.record_failure(run.mailbox, &run.lease, &record)?;
            report.switched_off = recorded && record.switch_off.is_some();
            Ok(())
        }
    }
}

fn open_and_read(
    run: &mut MailboxRun<'_>,
    reach: &Reach,
    progress: &mut Progress,
    report: &mut MailboxReport,
) -> Result<(), SyncFailure> {
    let (mailbox, world) = (run.mailbox, run.world);
    let password = credential::open(&mailbox.stored_password, &world.keys, &mailbox.key.schema)?;
    let opened = world.server.open(&mailbox.endpoint, &mailbox.username, &password, run.options.mailbox_budget);
    drop(password);
    // A refused login came over a connection whose certificate was accepted.
    if matches!(opened, Ok(_) | Err(MailServerError::Login { .. })) {
        reach.reached(&mailbox.endpoint.host);
    }
    let mut session = opened?;
    let result = read(run, session.as_mut(), progress);
    let counters = session.counters();
    progress.fill(report);
    report.bytes = counters.bytes;
    report.round_trips = counters.round_trips;
    report.skipped_answers = counters.skipped_answers;
    result?;
    session.logout();
    progress.folder_errors()
}

//! One mailbox, from its lease to its record.

use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;

use crate::credential;
use crate::model::{ColumnLimits, Mailbox};
use crate::ports::{FailureRecord, Lease, MailServerError, StoreErrorKind};
use crate::rules::failure::{self, SyncFailure};

use super::memory::ByteBudget;
use super::reach::Reach;
use super::read::{Progress, read};
use super::report::{MailboxOutcome, MailboxReport};
use super::{SyncOptions, SyncWorld};

/// How much longer than its time budget a mailbox's lease lives: what is in flight when the budget
/// ends is still written.
const LEASE_GRACE: Duration = Duration::from_secs(120);

/// What all steps of one mailbox's sync share.
pub(super) struct MailboxRun<'a> {
    pub(super) world: &'a SyncWorld,
    pub(super) options: &'a SyncOptions,
    pub(super) mailbox: &'a Mailbox,
    pub(super) limits: &'a ColumnLimits,
    pub(super) memory: Arc<ByteBudget>,
    pub(super) lease: Lease,
    /// The time of the run.
    pub(super) now: Timestamp,
    /// When, by [`echodesk_core::Clock::elapsed`], the mailbox's time is over.
    pub(super) deadline: Duration,
    /// Names of the folders that are synced, once they are known.
    pub(super) folders: Vec<String>,
}

impl MailboxRun<'_> {
    /// How much of the mailbox's time is left; none if it is over or the run was asked to stop.
    pub(super) fn time_left(&self) -> Option<Duration> {
        let left = self.deadline.saturating_sub(self.world.clock.elapsed());
        (!left.is_zero() && !self.world.stop.is_stopped()).then_some(left)
    }
}

/// Syncs one mailbox. Blocks; everything that goes wrong is in the report.
pub(super) fn sync_mailbox(
    world: &SyncWorld,
    options: &SyncOptions,
    mailbox: &Mailbox,
    limits: &ColumnLimits,
    memory: Arc<ByteBudget>,
    reach: &Reach,
) -> MailboxReport {
    let started = world.clock.elapsed();
    let mut report = MailboxReport::new(mailbox);
    if world.stop.is_stopped() {
        report.skip("the run was stopped before this mailbox was begun");
        return report;
    }
    let now = world.clock.now();
    let until = now.checked_add(options.mailbox_budget + LEASE_GRACE).unwrap_or(Timestamp::MAX);
    let run = MailboxRun {
        world,
        options,
        mailbox,
        limits,
        memory,
        lease: Lease { holder: world.run, until },
        now,
        deadline: started + options.mailbox_budget,
        folders: Vec::new(),
    };
    match world.store.acquire(&mailbox.key, &run.lease, now) {
        Ok(true) => {
            work(run, reach, &mut report);
        }
        Ok(false) => report.skip("another run works on it"),
        Err(error) => report.fail(&SyncFailure::Store(error)),
    }
    report.seconds = world.clock.elapsed().saturating_sub(started).as_secs_f64();
    report
}

fn work(mut run: MailboxRun<'_>, reach: &Reach, report: &mut MailboxReport) {
    let result = open_and_read(&mut run, reach, report);
    let at = run.now;
    let record = match &result {
        Ok(()) if report.pending == 0 => None,
        Ok(()) | Err(SyncFailure::Server(MailServerError::OutOfTime)) => {
            report.outcome = MailboxOutcome::Partial;
            Some(failure::progress(at))
        }
        Err(error) => {
            report.fail(error);
            Some(failure::record(run.mailbox, error, reach.others_than(&run.mailbox.endpoint.host), at))
        }
    };
    // With the lease gone, the mailbox is somebody else's to write about.
    let lost = matches!(&result, Err(SyncFailure::Store(error)) if error.kind == StoreErrorKind::LeaseLost);
    if lost {
        return;
    }
    if let Err(error) = write_down(&run, record, report) {
        let error = SyncFailure::Store(error);
        tracing::error!(mailbox = %run.mailbox.key, %error, "cannot record the result");
        if report.outcome != MailboxOutcome::Failed {
            report.fail(&error);
        }
    }
    if let Err(error) = run.world.store.release(&run.mailbox.key, &run.lease) {
        tracing::warn!(mailbox = %run.mailbox.key, %error, "cannot give the lease back; it will end by itself");
    }
}

fn write_down(
    run: &MailboxRun<'_>,
    record: Option<FailureRecord>,
    report: &mut MailboxReport,
) -> Result<(), crate::ports::StoreError> {
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

fn open_and_read(run: &mut MailboxRun<'_>, reach: &Reach, report: &mut MailboxReport) -> Result<(), SyncFailure> {
    let (mailbox, world) = (run.mailbox, run.world);
    let password = credential::open(&mailbox.stored_password, &world.keys, &mailbox.key.schema)?;
    let opened = world.server.open(&mailbox.endpoint, &mailbox.username, &password, run.options.mailbox_budget);
    drop(password);
    if opened.as_ref().map_or_else(was_reached, |_| true) {
        reach.reached(&mailbox.endpoint.host);
    }
    let mut session = opened?;
    let mut progress = Progress::default();
    let result = read(run, session.as_mut(), &mut progress);
    let counters = session.counters();
    progress.fill(report);
    report.bytes = counters.bytes;
    report.round_trips = counters.round_trips;
    report.skipped_answers = counters.skipped_answers;
    result?;
    session.logout();
    progress.folder_errors()
}

/// Whether an error shows that the server, and so our network, was there.
fn was_reached(error: &MailServerError) -> bool {
    !matches!(
        error,
        MailServerError::Resolve { .. }
            | MailServerError::Connect { .. }
            | MailServerError::Timeout { .. }
            | MailServerError::Lost { .. }
    )
}

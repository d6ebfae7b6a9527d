//! All mailboxes: many at once, few on one server, none in another's way.

use std::collections::HashMap;
use std::sync::Arc;

use tokio::sync::Semaphore;
use tokio::task::JoinSet;

use crate::model::{ColumnLimits, Mailbox};
use crate::ports::{MailStore, Scope, StoreError, StoreErrorKind};
use crate::rules::failure::SyncFailure;

use super::dry_run::{DryRunStore, NoAttachments};
use super::mailbox::sync_mailbox;
use super::memory::Memory;
use super::reach::Reach;
use super::report::{MailboxReport, SyncReport, TenantNote, TenantOutcome, Totals};
use super::{SyncOptions, SyncWorld};

/// A mailbox to be synced, with its place in the report.
struct Job {
    index: usize,
    mailbox: Mailbox,
    limits: Arc<ColumnLimits>,
}

/// Syncs every mailbox of `scope`: bounded in how many at once, oldest `last_sync_at` first, none
/// delayed or stopped by another's trouble. Failures of mailboxes and tenants are in the report.
///
/// # Errors
/// The list of tenants cannot be read, or the one that was named is unknown.
pub async fn sync_all(mut world: SyncWorld, scope: Scope, options: SyncOptions) -> Result<SyncReport, StoreError> {
    let (started_at, started) = (world.clock.now(), world.clock.elapsed());
    if options.dry_run {
        world.store = Arc::new(DryRunStore::new(Arc::clone(&world.store)));
        world.attachments = Arc::new(NoAttachments);
    }
    let (tenants, mut jobs) = list(&world.store, scope).await?;
    world.observer.started(jobs.len());
    let names: Vec<Mailbox> = jobs.iter().map(|job| job.mailbox.clone()).collect();
    // Whoever has waited longest goes first, so that a run cut short is fair over many runs.
    jobs.sort_by_key(|job| job.mailbox.last_sync_at);

    let hosts = Hosts::new(&jobs, options.per_host.get());
    let reach = Arc::new(Reach::new(hosts.0.len()));
    let memory = Memory::new(options.memory, options.max_message_size);
    let slots = Arc::new(Semaphore::new(options.jobs.get()));
    let options = Arc::new(options);
    let mut tasks = JoinSet::new();
    for job in jobs {
        let host = hosts.of(&job.mailbox);
        let (world, options, memory) = (world.clone(), Arc::clone(&options), memory.clone());
        let (slots, shared) = (Arc::clone(&slots), Arc::clone(&reach));
        tasks.spawn(async move {
            // The host's place first: who waits for a busy server holds up nobody else.
            let _host = host.acquire_owned().await.ok();
            let _slot = slots.acquire_owned().await.ok();
            let index = job.index;
            let key = job.mailbox.clone();
            let observer = Arc::clone(&world.observer);
            let synced = tokio::task::spawn_blocking(move || {
                sync_mailbox(&world, &options, &job.mailbox, &job.limits, memory, &shared)
            });
            let report = synced.await.unwrap_or_else(|error| crashed(&key, error));
            observer.finished(&report);
            (index, report)
        });
    }

    let mut reports: Vec<Option<MailboxReport>> = names.iter().map(|_| None).collect();
    while let Some(done) = tasks.join_next().await {
        if let Ok((index, report)) = done {
            reports[index] = Some(report);
        }
    }
    let mailboxes = reports
        .into_iter()
        .zip(&names)
        .map(|(report, mailbox)| report.unwrap_or_else(|| lost(mailbox)))
        .collect::<Vec<_>>();
    Ok(SyncReport {
        started_at,
        seconds: world.clock.elapsed().saturating_sub(started).as_secs_f64(),
        dry_run: options.dry_run,
        stopped: world.stop.is_stopped(),
        database_away: reach.database_is_away(),
        totals: Totals::of(&mailboxes),
        tenants,
        mailboxes,
    })
}

async fn list(store: &Arc<dyn MailStore>, scope: Scope) -> Result<(Vec<TenantNote>, Vec<Job>), StoreError> {
    let store = Arc::clone(store);
    let listed = tokio::task::spawn_blocking(move || store.tenants(&scope)).await.unwrap_or_else(|error| {
        let what = "listing the tenants ended in a panic".to_owned();
        Err(StoreError { kind: StoreErrorKind::Other, what, source: Some(Box::new(error)) })
    })?;
    let (mut notes, mut jobs) = (Vec::new(), Vec::new());
    for entry in listed {
        let tenant = entry.tenant.schema.to_string();
        if !entry.tenant.is_active {
            let message = "the tenant is not active (suspended): its mailboxes are not synced".to_owned();
            tracing::warn!(tenant, "{message}");
            notes.push(TenantNote { tenant, outcome: TenantOutcome::Inactive, message });
            continue;
        }
        match entry.mailboxes {
            Ok((limits, mailboxes)) => {
                let limits = Arc::new(limits);
                for mailbox in mailboxes.into_iter().filter(|mailbox| mailbox.is_active) {
                    jobs.push(Job { index: jobs.len(), mailbox, limits: Arc::clone(&limits) });
                }
            }
            Err(problem) => {
                let message = problem.to_string();
                tracing::warn!(tenant, error = message, "tenant failed");
                notes.push(TenantNote { tenant, outcome: TenantOutcome::Failed, message });
            }
        }
    }
    Ok((notes, jobs))
}

/// A semaphore per server host.
struct Hosts(HashMap<String, Arc<Semaphore>>);

impl Hosts {
    fn new(jobs: &[Job], per_host: usize) -> Self {
        let host = |job: &Job| job.mailbox.endpoint.host.to_ascii_lowercase();
        Self(jobs.iter().map(|job| (host(job), Arc::new(Semaphore::new(per_host)))).collect())
    }

    fn of(&self, mailbox: &Mailbox) -> Arc<Semaphore> {
        let host = mailbox.endpoint.host.to_ascii_lowercase();
        self.0.get(&host).map_or_else(|| Arc::new(Semaphore::new(1)), Arc::clone)
    }
}

fn crashed(mailbox: &Mailbox, error: tokio::task::JoinError) -> MailboxReport {
    let text = error.try_into_panic().map_or_else(|error| error.to_string(), |panic| super::panic_text(&*panic));
    let mut report = MailboxReport::new(mailbox);
    report.fail(&SyncFailure::Panic(text));
    report
}

fn lost(mailbox: &Mailbox) -> MailboxReport {
    let mut report = MailboxReport::new(mailbox);
    report.fail(&SyncFailure::Panic("the task was lost".to_owned()));
    report
}

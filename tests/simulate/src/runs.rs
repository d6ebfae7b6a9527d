//! The programs as cron starts them, on one or several hosts at once.

mod delivery;
mod dry;
mod expiry;
mod renewals;
mod sync;

use std::sync::Arc;
use std::time::Duration;

use echodesk_core::{StoreError, StoreErrorKind};

use crate::gate::{self, Gate};
use crate::process::{Process, Trouble};
use crate::violation::Invariant;
use crate::world::World;
use delivery::delivery;
use expiry::expiry;
use renewals::renewals;
pub use sync::MailClock;

/// A program of the crontab.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Job {
    /// `recurring-payments`.
    Payments,
    /// `subscription-status`.
    Status,
    /// `sync-emails`.
    Sync,
}

impl Job {
    /// Its name.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Payments => "recurring-payments",
            Self::Status => "subscription-status",
            Self::Sync => "sync-emails",
        }
    }
}

impl World {
    /// Cron starts a program on some hosts, each a moment after the one before.
    pub(crate) fn cron(self: &Arc<Self>, job: Job, hosts: &[usize]) {
        let at = self.time.now();
        let gate = Arc::new(Gate::default());
        let begin = |host: usize| {
            self.count(|counts| *counts.runs.entry(job.name()).or_default() += 1);
            let name = format!("{at} h{host} {}", job.name());
            (name, self.clocks[host].clone())
        };
        // As with the watch, mailboxes are not synced by several hosts at once but by one within another: see
        // `sync_meanwhile`. Their notices are delivered at once.
        let sync = |host: &usize| {
            let (name, clock) = begin(*host);
            self.sync_mailboxes(&Process::begin(self, name, clock, Arc::new(Gate::opened())))
        };
        let hosts: Vec<usize> = match job {
            Job::Sync => {
                self.mend_mailboxes();
                hosts.iter().copied().filter(sync).collect()
            }
            _ => hosts.to_vec(),
        };
        let mut begun = Vec::new();
        gate::run(&self.time, &gate, async {
            let life = tokio::spawn(Arc::clone(self).live());
            let mut runs = tokio::task::JoinSet::new();
            for host in hosts {
                let (name, clock) = match job {
                    Job::Sync => (format!("{at} h{host} {}, its notices", job.name()), self.clocks[host].clone()),
                    _ => begin(host),
                };
                let wait = self.chance.at(&format!("start {name}")).between(0, 3_000);
                let process = Process::begin(self, name, clock, Arc::clone(&gate));
                begun.push(Arc::clone(&process));
                runs.spawn(async move {
                    tokio::time::sleep(Duration::from_millis(wait)).await;
                    run(job, &process).await;
                });
            }
            while let Some(ended) = runs.join_next().await {
                if let Err(error) = ended {
                    self.violated(Invariant::AllResolved, None, format!("{} has panicked: {error}", job.name()));
                }
            }
            life.abort();
            // What the world does on the way is ours; a bug in it must not go unseen either.
            if let Err(error) = life.await
                && error.is_panic()
            {
                std::panic::resume_unwind(error.into_panic());
            }
        });
        self.check_no_panic();
        if job == Job::Payments {
            let trouble = begun.iter().map(|process| process.trouble());
            self.mishaps.have_run(at, trouble.fold(Trouble::default(), |all, one| all.and(&one)));
        }
    }
}

/// A program from its start to its end, or its death. As every job: its own work, then delivery, unless the database
/// is away.
async fn run(job: Job, process: &Arc<Process>) {
    let can_deliver = match job {
        Job::Payments => unless_it_dies(process, renewals(process)).await.unwrap_or(false),
        Job::Status => expiry(process).await,
        Job::Sync => true,
    };
    if can_deliver && !process.is_dead() {
        unless_it_dies(process, delivery(process)).await;
    }
    if process.is_dead() {
        process.world.post_office.silence(process.run);
    }
}

async fn unless_it_dies<T>(process: &Process, work: impl Future<Output = T>) -> Option<T> {
    tokio::select! {
        biased;
        () = process.death() => None,
        done = work => Some(done),
    }
}

/// Whether a job delivers after work that ended so.
fn can_deliver<T>(done: &Result<T, StoreError>, is_away: impl FnOnce(&T) -> bool) -> bool {
    match done {
        Ok(report) => !is_away(report),
        Err(error) => error.kind != StoreErrorKind::Unavailable,
    }
}

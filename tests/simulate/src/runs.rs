//! The programs as cron starts them, on one or several hosts at once.

mod expiry;
mod renewals;
mod sync;

use std::sync::Arc;
use std::time::Duration;

use crate::gate::{self, Gate};
use crate::process::Process;
use crate::world::World;
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
        match job {
            // It waits for nothing but the database, so several at once are one within another: see `run_meanwhile`.
            Job::Status => {
                for host in hosts {
                    let (name, clock) = begin(*host);
                    self.look_at_expiry(&Process::begin(self, name, clock, Arc::new(Gate::opened())));
                }
            }
            // As with the watch, other hosts' runs are one within another: see `sync_meanwhile`.
            Job::Sync => {
                self.mend_mailboxes();
                for host in hosts {
                    let (name, clock) = begin(*host);
                    self.sync_mailboxes(&Process::begin(self, name, clock, Arc::new(Gate::opened())));
                }
            }
            Job::Payments => gate::run(&self.time, &gate, async {
                let life = tokio::spawn(Arc::clone(self).live());
                let mut runs = tokio::task::JoinSet::new();
                for host in hosts {
                    let (name, clock) = begin(*host);
                    let wait = self.chance.at(&format!("start {name}")).between(0, 3_000);
                    let process = Process::begin(self, name, clock, Arc::clone(&gate));
                    runs.spawn(async move {
                        tokio::time::sleep(Duration::from_millis(wait)).await;
                        tokio::select! {
                            biased;
                            () = process.death() => {}
                            () = renewals(&process) => {}
                        }
                    });
                }
                while runs.join_next().await.is_some() {}
                life.abort();
            }),
        }
    }
}

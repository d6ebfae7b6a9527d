//! Telling monitors how runs go: a ping, a file of metrics, and a warning about jobs that have not succeeded
//! for too long. None of it ever changes what a run does or how it ends.

pub mod metrics;
pub mod overdue;
pub mod ping;

use std::sync::Arc;
use std::time::Duration;

use echodesk_core::{Clock, Environment, RunId};
use echodesk_store::{JobHealth, Store};
use serde_json::Value;

use crate::error::one_line;
use crate::exit::ExitStatus;
use metrics::{MetricsFile, Sample};
use overdue::Limits;
use ping::Pinger;

/// The monitors of one run. A dry run has none, nor has one for a single tenant: it says nothing of the others.
pub(crate) struct Monitors {
    job: &'static str,
    clock: Arc<dyn Clock>,
    begun: Duration,
    address: Option<ping::Address>,
    pinger: Option<Pinger>,
    metrics: Option<MetricsFile>,
    limits: Limits,
}

impl Monitors {
    /// Reads their settings. One that cannot be used is only warned of.
    pub(crate) fn new(job: &'static str, environment: &Environment, clock: &Arc<dyn Clock>, run: RunId) -> Self {
        let address = ping::Address::read(environment, job, run).unwrap_or_else(|error| {
            tracing::warn!("nobody is pinged: {}", one_line(&error));
            None
        });
        let limits = Limits::read(environment).unwrap_or_else(|error| {
            tracing::warn!("the usual limits are used: {}", one_line(&error));
            Limits::default()
        });
        Self {
            job,
            clock: Arc::clone(clock),
            begun: clock.elapsed(),
            address,
            pinger: None,
            metrics: MetricsFile::read(environment, job),
            limits,
        }
    }

    /// Tells that the run begins: everything that could have refused it was looked at.
    pub(crate) fn started(&mut self) {
        self.pinger = self.address.clone().and_then(Pinger::new);
        if let Some(pinger) = &self.pinger {
            pinger.start();
        }
    }

    /// Tells how the run has ended. `text` is its error or its summary; `store` is there if the database was
    /// opened. Of a copy only this machine's own file tells: the address for pings may be the original's.
    pub(crate) fn end(self, status: ExitStatus, text: &str, numbers: &Value, store: Option<&Store>, is_copy: bool) {
        let (now, took) = (self.clock.now(), self.clock.elapsed().saturating_sub(self.begun));
        // A database that is away is told already, and would only be waited for once more.
        let store = store.filter(|_| status != ExitStatus::TryAgainLater);
        let health = store.and_then(|store| store.job_health().ok());
        let of = |job: &str| health.iter().flatten().find(|health| health.job == job);
        if let Some(metrics) = &self.metrics {
            let last_success = match status {
                ExitStatus::Done => Some(now),
                _ => of(self.job).and_then(|health: &JobHealth| health.last_success),
            };
            metrics.replace(&Sample { ended_at: now, took, code: status.code(), last_success, numbers });
        }
        for health in health.iter().flatten() {
            let just_succeeded = health.job == self.job && status == ExitStatus::Done;
            if let Some(overdue) = overdue::judge(health, &self.limits, now).filter(|_| !just_succeeded) {
                tracing::warn!("{overdue}");
            }
        }
        if is_copy {
            return;
        }
        if let Some(pinger) = self.pinger.or_else(|| self.address.and_then(Pinger::new)) {
            pinger.end(status, text);
        }
    }
}

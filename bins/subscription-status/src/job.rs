//! The job: how the parts are wired, and what its outcome means.

use std::collections::BTreeSet;
use std::sync::Arc;

use echodesk_billing::ports::StatusStore;
use echodesk_billing::rules::expiry::ExpiryPolicy;
use echodesk_billing::status::{StatusOptions, watch};
use echodesk_core::{Clock, SchemaName, StopToken};
use echodesk_job::{
    CommonArgs, Delivery, Items, Job, JobContext, JobError, JobReport, Needs, Progress, ProgressWords, Settings,
    SettingsError, Spool, tenant, time_zone,
};
use jiff::Timestamp;

use crate::cli::SubscriptionStatus;
use crate::line;
use crate::observer::{PROGRESS, Watch};
use crate::summary::Summary;
use crate::words::Words;

/// Flags and settings, checked.
pub(crate) struct Plan {
    policy: ExpiryPolicy,
    as_of: Option<Timestamp>,
    /// Whom flags and settings exempt, each with the name of what does.
    exempt: [(&'static str, BTreeSet<SchemaName>); 2],
    spool: Arc<Spool>,
    /// The database as logs show it, without its password.
    database: String,
}

impl Job for SubscriptionStatus {
    const NAME: &'static str = env!("CARGO_PKG_NAME");
    const VERSION: &'static str = env!("CARGO_PKG_VERSION");
    const NEEDS: Needs = Needs::Billing;
    const PROGRESS: ProgressWords = PROGRESS;
    // Somebody would be suspended who was never told.
    const DELIVERY: Delivery = Delivery::Required;
    type Plan = Plan;

    fn common(&self) -> &CommonArgs {
        &self.common
    }

    fn exempt(&self) -> &[SchemaName] {
        &self.exempt
    }

    fn plan(&self, settings: &Settings, _: &Arc<dyn Clock>, _: &StopToken) -> Result<Plan, SettingsError> {
        let from_settings = tenant::exempt(&settings.environment)?;
        let time_zone = time_zone::billing(&settings.environment)?;
        let spool = Spool::new().map_err(|error| SettingsError::wrong("the folder for temporary files", error))?;
        Ok(Plan {
            policy: self.policy(&from_settings, time_zone),
            as_of: self.as_of.as_of,
            exempt: [("--exempt", self.exempt.iter().cloned().collect()), (tenant::EXEMPT, from_settings)],
            spool: Arc::new(spool),
            database: settings.database.to_string(),
        })
    }

    async fn work(plan: Plan, context: JobContext) -> Result<JobReport, JobError> {
        let JobContext { store, tenant, clock, dry_run, stop, progress, .. } = context;
        let as_of = plan.as_of;
        let shown_as_of = as_of.map(tracing::field::display);
        tracing::info!(database = plan.database, dry_run, as_of = shown_as_of, "looking at what expires");
        // It waits for the database only.
        let done = tokio::task::spawn_blocking(move || {
            for (origin, exempt) in &plan.exempt {
                tenant::refuse_unknown_exempt(&store, origin, exempt)?;
            }
            let now = as_of.unwrap_or_else(|| clock.now());
            let options = StatusOptions { policy: plan.policy, tenant, dry_run: dry_run.then_some(now) };
            let status = Status { store: &store, clock: clock.as_ref(), stop: &stop, options, as_of };
            status.look(progress, plan.spool)
        });
        done.await.unwrap_or_else(|panic| Err(JobError::Panicked { message: panic.to_string() }))
    }
}

/// A run with all that it needs.
struct Status<'a> {
    store: &'a dyn StatusStore,
    clock: &'a dyn Clock,
    stop: &'a StopToken,
    options: StatusOptions,
    as_of: Option<Timestamp>,
}

impl Status<'_> {
    fn look(self, progress: Progress, spool: Arc<Spool>) -> Result<JobReport, JobError> {
        let Self { store, clock, stop, options, as_of } = self;
        let (started_at, begun) = (clock.now(), clock.elapsed());
        let dry_run = options.dry_run.is_some();
        let today = options.policy.day(options.dry_run.unwrap_or(started_at));
        let words = Words { time_zone: options.policy.time_zone.clone(), dry_run, today };
        let observer = Watch::new(progress, Arc::clone(&spool), words);
        let report = watch(store, clock, stop, &observer, &options)?;
        let took = clock.elapsed().saturating_sub(begun);
        let withheld = observer.withheld();
        Ok(conclude(&Summary { started_at, took, dry_run, as_of, report, withheld }, spool))
    }
}

fn conclude(summary: &Summary, spool: Arc<Spool>) -> JobReport {
    JobReport {
        report: summary.json(),
        record: summary.record(),
        items: Some(Items { name: "subscriptions", heading: line::heading(), spool }),
        summary: summary.text(),
        failed: summary.report.totals.failures > 0,
        stopped: summary.report.stopped,
        try_again: summary.report.database_away,
    }
}

#[cfg(test)]
mod tests;

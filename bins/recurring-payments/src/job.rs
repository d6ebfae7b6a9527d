//! The job: how the parts are wired, and what its outcome means.

use std::sync::Arc;

use echodesk_billing::bank::BogBank;
use echodesk_billing::ports::{Bank, BillingStore, SystemRandom};
use echodesk_billing::run::{RenewalOptions, RenewalReport, RenewalWorld, preview, renew};
use echodesk_core::{Clock, RunId, StopToken};
use echodesk_job::{
    CommonArgs, Items, Job, JobContext, JobError, JobReport, Needs, Progress, ProgressWords, Settings, SettingsError,
    Spool, bank, tenant, time_zone,
};
use jiff::Timestamp;

use crate::cli::RecurringPayments;
use crate::line;
use crate::observer::{PROGRESS, Watch};
use crate::summary::Summary;

/// Flags and settings, checked, and what could be built from them.
pub(crate) struct Plan {
    /// None for a dry run, which talks to nobody.
    bank: Option<Arc<BogBank>>,
    options: RenewalOptions,
    as_of: Option<Timestamp>,
    spool: Arc<Spool>,
    /// The database as logs show it, without its password.
    database: String,
}

impl Job for RecurringPayments {
    const NAME: &'static str = env!("CARGO_PKG_NAME");
    const VERSION: &'static str = env!("CARGO_PKG_VERSION");
    const NEEDS: Needs = Needs::Billing;
    const PROGRESS: ProgressWords = PROGRESS;
    const CHARGES: bool = true;
    type Plan = Plan;

    fn common(&self) -> &CommonArgs {
        &self.common
    }

    fn plan(&self, settings: &Settings, clock: &Arc<dyn Clock>, _: &StopToken) -> Result<Plan, SettingsError> {
        let environment = &settings.environment;
        self.check_window()?;
        let bank = if self.common.dry_run {
            None
        } else {
            Some(Arc::new(bank::client(environment, Arc::clone(clock), Arc::new(SystemRandom))?))
        };
        // Its files are made now, since what is charged has to be told of.
        let spool = Spool::new().map_err(|error| SettingsError::wrong("the folder for temporary files", error))?;
        Ok(Plan {
            bank,
            options: self.options(tenant::exempt(environment)?, time_zone::billing(environment)?, None),
            as_of: self.as_of.as_of,
            spool: Arc::new(spool),
            database: settings.database.to_string(),
        })
    }

    async fn work(plan: Plan, context: JobContext) -> Result<JobReport, JobError> {
        let JobContext { store, tenant, clock, run, stop, progress, .. } = context;
        let dry_run = plan.bank.is_none();
        tracing::info!(
            database = plan.database,
            dry_run,
            as_of = plan.as_of.map(tracing::field::display),
            "renewals begin"
        );
        let exempt = plan.options.policy.exempt.clone();
        let for_exempt = store.clone();
        blocking(move || tenant::refuse_unknown_exempt(&for_exempt, tenant::EXEMPT, &exempt)).await?;
        let renewal = Renewal {
            store: Arc::new(store),
            bank: plan.bank,
            options: RenewalOptions { tenant, ..plan.options },
            as_of: plan.as_of,
            clock,
            run,
            stop,
            progress,
            spool: plan.spool,
        };
        renewal.work().await
    }
}

/// A run with all that it needs.
struct Renewal<B: Bank> {
    store: Arc<dyn BillingStore>,
    bank: Option<Arc<B>>,
    options: RenewalOptions,
    as_of: Option<Timestamp>,
    clock: Arc<dyn Clock>,
    run: RunId,
    stop: StopToken,
    progress: Progress,
    spool: Arc<Spool>,
}

impl<B: Bank> Renewal<B> {
    async fn work(self) -> Result<JobReport, JobError> {
        let Self { store, bank, options, as_of, clock, run, stop, progress, spool } = self;
        let (started_at, begun) = (clock.now(), clock.elapsed());
        let observer = Arc::new(Watch { progress, spool: Arc::clone(&spool) });
        let dry_run = bank.is_none();
        let report = match bank {
            None => {
                let now = as_of.unwrap_or(started_at);
                blocking(move || Ok(preview(store.as_ref(), observer.as_ref(), &options, now)?)).await?
            }
            Some(bank) => {
                let (clock, random) = (Arc::clone(&clock), Arc::new(SystemRandom));
                renew(RenewalWorld { store, bank, clock, random, stop, run, observer }, options).await?
            }
        };
        let took = clock.elapsed().saturating_sub(begun);
        Ok(conclude(&Summary { started_at, took, dry_run, as_of, report }, spool))
    }
}

fn conclude(summary: &Summary, spool: Arc<Spool>) -> JobReport {
    let RenewalReport { totals, stopped, database_away, bank_away } = &summary.report;
    JobReport {
        report: summary.json(),
        record: summary.record(),
        items: Some(Items { name: "subscriptions", heading: line::heading(), spool }),
        summary: summary.text(),
        // Charges that are only waited for are no failures, but a bank that never answers is one.
        failed: totals.failures > 0 || bank_away.is_some(),
        stopped: *stopped,
        try_again: *database_away,
    }
}

/// Works with the database on a thread where that may block.
async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, JobError> + Send + 'static,
) -> Result<T, JobError> {
    let done = tokio::task::spawn_blocking(work).await;
    done.unwrap_or_else(|panic| Err(JobError::Panicked { message: panic.to_string() }))
}

#[cfg(test)]
mod tests;

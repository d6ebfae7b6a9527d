//! The skeleton of a job: what happens around its work, and in which order.
//!
//! Everything that can be wrong with flags, settings, the report's path and the database is found
//! out before the work begins (exit code 2 or 75); after that, only what the work itself meets.

use std::collections::BTreeSet;
use std::future::Future;
use std::panic::AssertUnwindSafe;
use std::process::ExitCode;
use std::sync::Arc;

use echodesk_core::{Clock, DatabaseUrl, Environment, RunId, SchemaName, StopToken, Tenant};
use echodesk_store::{Access, NewRun, Store};
use jiff::Timestamp;

use crate::args::CommonArgs;
use crate::ending::{Ending, JobReport};
use crate::error::{JobError, one_line};
use crate::exit::ExitStatus;
use crate::identity::{self, Acts, Permission};
use crate::monitoring::Monitors;
use crate::notices::{Courier, Delivery, NO_EMAIL_SETTINGS, NOT_BOUND, NoticeSettings, PROGRESS as NOTICES_PROGRESS};
use crate::process::Process;
use crate::progress::{Progress, ProgressWords};
use crate::readiness::Needs;
use crate::report::ReportTarget;
use crate::run_record::{self, RunRecord};
use crate::settings::{Settings, SettingsError};
use crate::signals::Signals;
use crate::terminal::Terminal;
use crate::{generate, readiness, tenant};

/// A job: its command line, and its work.
pub trait Job: clap::Parser {
    /// The binary's name, which is also the job's name in `echodesk_run`.
    const NAME: &'static str;
    /// The binary's version.
    const VERSION: &'static str;
    /// Which tables it cannot do without.
    const NEEDS: Needs;
    /// What its progress counts.
    const PROGRESS: ProgressWords;
    /// How much it depends on notices being delivered at its end.
    const DELIVERY: Delivery = Delivery::Optional;
    /// Whether it charges cards.
    const CHARGES: bool = false;

    /// What its flags and settings amount to once they are checked.
    type Plan: Send + 'static;

    /// The flags that it shares with the others.
    fn common(&self) -> &CommonArgs;

    /// Who pays nothing by its flags, beside those of the settings.
    fn exempt(&self) -> &[SchemaName] {
        &[]
    }

    /// Checks flags and settings and builds what needs no database. Starts nothing; called outside of
    /// the asynchronous runtime.
    ///
    /// # Errors
    /// A setting is missing or wrong.
    fn plan(&self, settings: &Settings, clock: &Arc<dyn Clock>, stop: &StopToken) -> Result<Self::Plan, SettingsError>;

    /// The work. Failures of single items are in the report; an error means that it could not go on.
    fn work(
        plan: Self::Plan,
        context: JobContext,
    ) -> impl Future<Output = Result<JobReport, JobError>> + Send + 'static;
}

/// What a job works with.
#[derive(Clone)]
pub struct JobContext {
    /// The database.
    pub store: Store,
    /// The tenant that was named, active or not; `None` for all active ones.
    pub tenant: Option<Tenant>,
    /// Whether to look only.
    pub dry_run: bool,
    /// The time.
    pub clock: Arc<dyn Clock>,
    /// This run.
    pub run: RunId,
    /// Set by the first signal.
    pub stop: StopToken,
    /// Where to count.
    pub progress: Progress,
}

/// The whole of a job's `main`.
#[must_use]
pub fn run<J: Job>() -> ExitCode {
    if let Some(code) = generate::asked::<J>() {
        return code;
    }
    let job = J::parse();
    let process = Process::start(&job.common().global);
    let (terminal, clock) = (process.terminal.clone(), Arc::clone(&process.clock));
    let outcome = process.work(|environment| Ok(watched(&job, environment, &terminal, &clock)));
    let status = outcome.unwrap_or_else(|error: JobError| {
        tracing::error!("{}", one_line(&error));
        error.status()
    });
    status.into()
}

/// What is known of a run besides how it ended, as far as it came.
#[derive(Default)]
struct Told {
    store: Option<Store>,
    /// Where the database is, once the settings say so.
    database: Option<DatabaseUrl>,
    /// Its row in `echodesk_run`, once that was begun.
    record: Option<RunRecord>,
    summary: String,
    numbers: serde_json::Value,
}

/// A run under the eyes of the monitors. A run for one tenant says nothing of the others, so nobody is told.
fn watched<J: Job>(job: &J, environment: Environment, terminal: &Terminal, clock: &Arc<dyn Clock>) -> ExitStatus {
    let (common, run) = (job.common(), RunId::random());
    let is_whole = !common.dry_run && common.tenant.is_none();
    let mut monitors = is_whole.then(|| Monitors::new(J::NAME, &environment, clock, run));
    let begun = clock.now();
    let mut told = Told::default();
    let work = || execute(job, environment.clone(), terminal, clock, run, monitors.as_mut(), &mut told);
    // The panic hook has told where.
    let bug = |_| Err(JobError::Panicked { message: "see the log for the place".to_owned() });
    let outcome = std::panic::catch_unwind(AssertUnwindSafe(work)).unwrap_or_else(bug);
    let status = match &outcome {
        Ok(status) => *status,
        Err(error) => {
            told.summary = one_line(error);
            tracing::error!("{}", told.summary);
            error.status()
        }
    };
    let mut is_copy = matches!(outcome, Err(JobError::NotOurs { is_copy: true, .. }));
    if let (Err(error), None, false) = (&outcome, &told.record, common.dry_run) {
        told.numbers = serde_json::json!({ "error": one_line(error) });
        let refused = new_run::<J>(common, &environment, run, begun);
        is_copy |= !note_refusal(&refused, &environment, status, &told, clock);
    }
    if let Some(record) = told.record {
        record.finish(status, &told.numbers);
    }
    if let Some(monitors) = monitors {
        monitors.end(status, &told.summary, &told.numbers, told.store.as_ref(), is_copy);
    }
    status
}

/// Writes down that a run was refused before it began. Says whether it was in its own database, as far as is known:
/// a copy of the original's settings holds the original's addresses, and nobody there may hear of a copy.
fn note_refusal(
    run: &NewRun<'_>,
    environment: &Environment,
    status: ExitStatus,
    told: &Told,
    clock: &Arc<dyn Clock>,
) -> bool {
    // Connecting was tried, and would only be waited for once more.
    if status == ExitStatus::TryAgainLater {
        return true;
    }
    let opened = || told.database.as_ref().and_then(run_record::store_for_refusal);
    let Some(store) = told.store.clone().or_else(opened) else { return true };
    if identity::is_somebody_elses(&store, environment) {
        return false;
    }
    run_record::refused(&store, run, clock.now(), status, &told.numbers);
    true
}

fn new_run<'a, J: Job>(common: &CommonArgs, environment: &Environment, id: RunId, started_at: Timestamp) -> NewRun<'a> {
    NewRun {
        id,
        job: J::NAME,
        host: run_record::host(environment),
        version: J::VERSION,
        arguments: run_record::shown_arguments(std::env::args_os().skip(1)),
        tenant: common.tenant.clone(),
        started_at,
    }
}

fn execute<J: Job>(
    job: &J,
    environment: Environment,
    terminal: &Terminal,
    clock: &Arc<dyn Clock>,
    run: RunId,
    monitors: Option<&mut Monitors>,
    told: &mut Told,
) -> Result<ExitStatus, JobError> {
    let common = job.common();
    let settings = Settings::new(&common.global, environment)?;
    told.database = Some(settings.database.clone());
    let report = common.report.as_deref().map(|path| ReportTarget::probe(path, run)).transpose()?;
    let stop = StopToken::new();
    let plan = job.plan(&settings, clock, &stop)?;
    let notices = NoticeSettings::read(&settings)?;
    if J::DELIVERY == Delivery::Required && !common.dry_run {
        notices.email()?;
    }
    let carrier = notices.carrier(terminal)?;
    let mut exempt: BTreeSet<SchemaName> = tenant::exempt(&settings.environment)?;
    exempt.extend(job.exempt().iter().cloned());

    let access = if common.dry_run { Access::ReadOnly } else { Access::ReadWrite };
    let store = Store::open(&settings.database, access)?;
    readiness::check(&store, J::NEEDS)?;
    told.store = Some(store.clone());
    let acts = Acts { charges: J::CHARGES, must_mail: J::DELIVERY == Delivery::Required };
    let permission = match identity::guard(&store, &settings.environment, &notices, acts) {
        // It acts on nobody, and may be how somebody finds out.
        Err(error @ (JobError::NotBound { .. } | JobError::NotOurs { .. })) if common.dry_run => {
            tracing::warn!("a run would be refused: {error}");
            Permission::NotBound
        }
        permission => permission?,
    };
    let (carrier, why_waiting) = match permission {
        Permission::NotBound if notices.sends_to_a_server() => (None, NOT_BOUND),
        _ => (carrier, NO_EMAIL_SETTINGS),
    };
    let tenant = common.tenant.as_ref().map(|schema| tenant::find(&store, schema)).transpose()?;

    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .map_err(|source| JobError::System { what: "start threads", source })?;
    let signals = {
        let _inside = runtime.enter();
        Signals::listen(stop.clone(), terminal.clone())
            .map_err(|source| JobError::System { what: "listen for signals", source })?
    };
    if !common.dry_run {
        let begun = new_run::<J>(common, &settings.environment, run, clock.now());
        told.record = Some(RunRecord::begin(&store, &begun, clock)?);
    }
    if let Some(monitors) = monitors {
        monitors.started();
    }

    let visible = !common.global.quiet && common.global.log_format == crate::args::LogFormat::Text;
    let progress = |words| if visible { Progress::start(words, terminal, clock) } else { Progress::hidden() };
    let courier = Courier {
        outbox: Arc::new(store.clone()),
        carrier,
        why_waiting,
        templates: notices.templates,
        time_zone: notices.time_zone,
        tenant: tenant.as_ref().map(|tenant| tenant.id),
        exempt,
        clock: Arc::clone(clock),
        stop: stop.clone(),
        run,
    };
    let work_progress = progress(J::PROGRESS);
    let context = JobContext {
        store,
        tenant,
        dry_run: common.dry_run,
        clock: Arc::clone(clock),
        run,
        stop: stop.clone(),
        progress: work_progress.clone(),
    };
    let done = runtime.block_on(async { tokio::spawn(J::work(plan, context)).await });
    work_progress.finish();
    let mut done = done.unwrap_or_else(|error| Err(JobError::Panicked { message: error.to_string() }));
    let mut notices = None;
    if !common.dry_run && !stop.is_stopped() && leaves_delivery_possible(&done) {
        let progress = progress(NOTICES_PROGRESS);
        let outcome = runtime.block_on(courier.deliver(progress.clone()));
        progress.finish();
        match &mut done {
            Ok(report) => outcome.add_to(report),
            Err(_) => {
                outcome.log();
                notices = Some(outcome.json());
            }
        }
    }

    let ending = Ending { target: report.as_ref(), signal: signals.received(), common, terminal };
    let status = ending.tell(done.as_ref());
    (told.summary, told.numbers) = match done {
        Ok(done) => (done.summary, done.record),
        Err(error) => {
            let line = one_line(&error);
            let numbers = match notices {
                None => serde_json::json!({ "error": line }),
                Some(notices) => serde_json::json!({ "error": line, "notices": notices }),
            };
            (line, numbers)
        }
    };
    // Threads that hang in a call to the outside must not keep a finished process alive.
    runtime.shutdown_background();
    Ok(status)
}

/// Whether notices are delivered after work that ended so: what other jobs have queued must not wait for this one's
/// error. Not while the database is away, and not if nothing was begun since the job was called wrongly.
fn leaves_delivery_possible(done: &Result<JobReport, JobError>) -> bool {
    match done {
        Ok(report) => !report.try_again,
        Err(error) => !matches!(error.status(), ExitStatus::TryAgainLater | ExitStatus::Usage),
    }
}

#[cfg(test)]
mod tests {
    use echodesk_core::{StoreError, StoreErrorKind};

    use super::*;

    #[test]
    fn an_error_of_the_work_does_not_keep_notices_back_unless_the_database_is_away() {
        let store = |kind| JobError::Store(StoreError { kind, what: "looking".to_owned(), source: None });
        let schema: SchemaName = "acne".parse().unwrap();
        for (error, delivers) in [
            (store(StoreErrorKind::Other), true),
            (JobError::Panicked { message: "a bug".to_owned() }, true),
            (store(StoreErrorKind::Unavailable), false),
            (JobError::UnknownExempt { origin: "--exempt", schema, close: Vec::new() }, false),
        ] {
            assert_eq!(leaves_delivery_possible(&Err(error)), delivers);
        }
    }
}

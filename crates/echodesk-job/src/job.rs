//! The skeleton of a job: what happens around its work, and in which order.
//!
//! Everything that can be wrong with flags, settings, the report's path and the database is found
//! out before the work begins (exit code 2 or 75); after that, only what the work itself meets.

use std::future::Future;
use std::process::ExitCode;
use std::sync::Arc;

use echodesk_core::{Clock, Environment, RunId, StopToken, Tenant};
use echodesk_store::{Access, NewRun, Store};

use crate::args::CommonArgs;
use crate::error::{JobError, one_line};
use crate::exit::{ExitStatus, Signal};
use crate::process::Process;
use crate::progress::{Progress, ProgressWords};
use crate::readiness::Needs;
use crate::report::ReportTarget;
use crate::run_record::{self, RunRecord};
use crate::settings::{Settings, SettingsError};
use crate::signals::Signals;
use crate::terminal::Terminal;
use crate::{output, readiness, tenant};

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

    /// What its flags and settings amount to once they are checked.
    type Plan: Send + 'static;

    /// The flags that it shares with the others.
    fn common(&self) -> &CommonArgs;

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

/// What a job did.
#[derive(Clone, Debug)]
pub struct JobReport {
    /// What `--report` writes.
    pub report: serde_json::Value,
    /// The part of it that is kept in `echodesk_run`.
    pub record: serde_json::Value,
    /// What people read at the end.
    pub summary: String,
    /// Whether anything failed.
    pub failed: bool,
    /// Whether it was asked to stop before everything was done.
    pub stopped: bool,
    /// Whether it could not go on for want of something that is only away (the database).
    pub try_again: bool,
}

/// The whole of a job's `main`.
#[must_use]
pub fn run<J: Job>() -> ExitCode {
    let job = J::parse();
    let process = Process::start(&job.common().global);
    let (terminal, clock) = (process.terminal.clone(), Arc::clone(&process.clock));
    let outcome = process.work(|environment| execute(&job, environment, &terminal, &clock));
    let status = outcome.unwrap_or_else(|error: JobError| {
        tracing::error!("{}", one_line(&error));
        error.status()
    });
    status.into()
}

fn execute<J: Job>(
    job: &J,
    environment: Environment,
    terminal: &Terminal,
    clock: &Arc<dyn Clock>,
) -> Result<ExitStatus, JobError> {
    let common = job.common();
    let run = RunId::random();
    let settings = Settings::new(&common.global, environment)?;
    let report = common.report.as_deref().map(|path| ReportTarget::probe(path, run)).transpose()?;
    let stop = StopToken::new();
    let plan = job.plan(&settings, clock, &stop)?;

    let access = if common.dry_run { Access::ReadOnly } else { Access::ReadWrite };
    let store = Store::open(&settings.database, access)?;
    readiness::check(&store, J::NEEDS)?;
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
    let record = if common.dry_run {
        None
    } else {
        let begun = NewRun {
            id: run,
            job: J::NAME,
            host: run_record::host(&settings.environment),
            version: J::VERSION,
            arguments: run_record::shown_arguments(std::env::args_os().skip(1)),
            started_at: clock.now(),
        };
        Some(RunRecord::begin(&store, &begun, clock)?)
    };

    let visible = !common.global.quiet && common.global.log_format == crate::args::LogFormat::Text;
    let progress = if visible { Progress::start(J::PROGRESS, terminal, clock) } else { Progress::hidden() };
    let context = JobContext {
        store,
        tenant,
        dry_run: common.dry_run,
        clock: Arc::clone(clock),
        run,
        stop,
        progress: progress.clone(),
    };
    let done = runtime.block_on(async { tokio::spawn(J::work(plan, context)).await });
    progress.finish();
    let done = done.unwrap_or_else(|error| Err(JobError::Panicked { message: error.to_string() }));

    let ending = Ending { report: report.as_ref(), signal: signals.received(), common, terminal };
    let status = ending.tell(done.as_ref());
    if let Some(record) = record {
        let summary = match &done {
            Ok(done) => done.record.clone(),
            Err(error) => serde_json::json!({ "error": one_line(error) }),
        };
        record.finish(status, &summary);
    }
    // Threads that hang in a call to the outside must not keep a finished process alive.
    runtime.shutdown_background();
    Ok(status)
}

/// What the end of a run depends on, beside what was done.
struct Ending<'a> {
    report: Option<&'a ReportTarget>,
    signal: Option<Signal>,
    common: &'a CommonArgs,
    terminal: &'a Terminal,
}

impl Ending<'_> {
    /// Tells what was done, to machines and people, and which exit code that is.
    fn tell(&self, done: Result<&JobReport, &JobError>) -> ExitStatus {
        let done = match done {
            Ok(done) => done,
            Err(error) => {
                tracing::error!("{}", one_line(error));
                return error.status();
            }
        };
        let written = self.report.map_or(Ok(()), |target| target.write(&done.report));
        let status = status_of(done, self.signal);
        // A cron job that is asked to be quiet and has nothing to complain of says nothing at all.
        let silent = self.common.global.quiet && !self.common.dry_run && status == ExitStatus::Done;
        let summarised = if silent { Ok(()) } else { self.summarise(&done.summary) };
        let told = written.map_err(JobError::from).and(summarised);
        match told {
            Err(error) => {
                tracing::error!("{}", one_line(&error));
                error.status()
            }
            Ok(()) => status,
        }
    }

    /// On standard output, unless that is the report's alone.
    fn summarise(&self, summary: &str) -> Result<(), JobError> {
        if self.report == Some(&ReportTarget::Stdout) {
            // Nobody can be told that standard error is gone.
            drop(self.terminal.print(summary.as_bytes()));
            return Ok(());
        }
        output::print(summary.as_bytes())
            .map_err(|source| JobError::System { what: "write the summary to standard output", source })
    }
}

fn status_of(done: &JobReport, signal: Option<Signal>) -> ExitStatus {
    match signal {
        // A signal that came when everything was done already has stopped nothing.
        Some(signal) if done.stopped => ExitStatus::Stopped(signal),
        _ if done.try_again => ExitStatus::TryAgainLater,
        _ if done.failed => ExitStatus::DoneWithFailures,
        _ => ExitStatus::Done,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_exit_code_follows_from_failures_and_signals() {
        let report = |failed, stopped| JobReport {
            report: serde_json::Value::Null,
            record: serde_json::Value::Null,
            summary: String::new(),
            failed,
            stopped,
            try_again: false,
        };
        let term = Some(Signal::Terminate);
        let table = [
            (report(false, false), None, 0),
            (report(true, false), None, 1),
            (report(false, true), term, 143),
            (report(true, true), term, 143),
            (report(true, true), Some(Signal::Interrupt), 130),
            (report(false, false), term, 0),
            (report(true, false), term, 1),
        ];
        for (done, signal, code) in table {
            assert_eq!(status_of(&done, signal).code(), code, "{done:?} {signal:?}");
        }
        let away = JobReport { try_again: true, ..report(true, false) };
        assert_eq!(status_of(&away, None), ExitStatus::TryAgainLater);
    }
}

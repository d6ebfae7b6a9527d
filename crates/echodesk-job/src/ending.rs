//! What is told at the end of a run: the report, the summary, the exit code.

use std::sync::Arc;

use serde::ser::SerializeMap as _;
use serde::{Serialize, Serializer};

use crate::args::CommonArgs;
use crate::error::{JobError, one_line};
use crate::exit::{ExitStatus, Signal};
use crate::output;
use crate::report::ReportTarget;
use crate::spool::Spool;
use crate::terminal::Terminal;

/// What a job did.
#[derive(Clone, Debug)]
pub struct JobReport {
    /// What `--report` writes, a JSON object.
    pub report: serde_json::Value,
    /// The part of it that is kept in `echodesk_run`.
    pub record: serde_json::Value,
    /// What it has to tell of single items, where they may be too many for `report` and `summary`.
    pub items: Option<Items>,
    /// What people read at the end, after the lines of `items`.
    pub summary: String,
    /// Whether anything failed.
    pub failed: bool,
    /// Whether it was asked to stop before everything was done.
    pub stopped: bool,
    /// Whether it could not go on for want of something that is only away (the database).
    pub try_again: bool,
}

/// The items of a report.
#[derive(Clone, Debug)]
pub struct Items {
    /// The name of their list in the report, for example `subscriptions`.
    pub name: &'static str,
    /// What stands above their lines in the summary, ending with a line break.
    pub heading: String,
    /// The items.
    pub spool: Arc<Spool>,
}

/// What the end of a run depends on, beside what was done.
pub(crate) struct Ending<'a> {
    pub(crate) target: Option<&'a ReportTarget>,
    pub(crate) signal: Option<Signal>,
    pub(crate) common: &'a CommonArgs,
    pub(crate) terminal: &'a Terminal,
}

impl Ending<'_> {
    /// Tells what was done, to machines and people, and which exit code that is.
    pub(crate) fn tell(&self, done: Result<&JobReport, &JobError>) -> ExitStatus {
        let done = match done {
            Ok(done) => done,
            Err(error) => {
                tracing::error!("{}", one_line(error));
                return error.status();
            }
        };
        let written = self.target.map_or(Ok(()), |target| target.write(&Whole(done)));
        let status = status_of(done, self.signal);
        let asked_to_be_quiet = self.common.global.quiet && !self.common.dry_run;
        // A cron job that is asked to be quiet and has nothing to complain of says nothing at all.
        let silent = asked_to_be_quiet && status == ExitStatus::Done;
        let summarised = if silent { Ok(()) } else { self.summarise(done, asked_to_be_quiet) };
        let told = written.map_err(JobError::from).and(summarised);
        match told {
            Err(error) => {
                tracing::error!("{}", one_line(&error));
                // What was done is not undone by an untold word of it: a worse status stays.
                if status == ExitStatus::Done { error.status() } else { status }
            }
            Ok(()) => status,
        }
    }

    /// On standard output, unless that is the report's alone.
    fn summarise(&self, done: &JobReport, only_failed: bool) -> Result<(), JobError> {
        if self.target == Some(&ReportTarget::Stdout) {
            // Nobody can be told that standard error is gone.
            drop(summarise(done, only_failed, |piece| self.terminal.print(piece)));
            return Ok(());
        }
        output::stream(|out| summarise(done, only_failed, |piece| out.write_all(piece)))
            .map_err(|source| JobError::System { what: "write the summary to standard output", source })
    }
}

/// The items' lines under their heading, then the summary, even if the lines cannot be read.
fn summarise(
    done: &JobReport,
    only_failed: bool,
    mut out: impl FnMut(&[u8]) -> std::io::Result<()>,
) -> std::io::Result<()> {
    let mut listed = Ok(());
    if let Some(Items { heading, spool, .. }) = &done.items {
        let mut heading = Some(heading.as_bytes());
        listed = spool.lines(only_failed, |piece| {
            if let Some(heading) = heading.take() {
                out(heading)?;
            }
            out(piece)
        });
    }
    out(done.summary.as_bytes())?;
    listed
}

/// The report with its items as its last entry.
struct Whole<'a>(&'a JobReport);

impl Serialize for Whole<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let JobReport { report, items, .. } = self.0;
        let (serde_json::Value::Object(entries), Some(items)) = (report, items) else {
            return report.serialize(serializer);
        };
        let mut map = serializer.serialize_map(None)?;
        for (name, value) in entries {
            map.serialize_entry(name, value)?;
        }
        map.serialize_entry(items.name, items.spool.as_ref())?;
        map.end()
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

    fn report(failed: bool, stopped: bool) -> JobReport {
        JobReport {
            report: serde_json::json!({ "totals": 2 }),
            record: serde_json::Value::Null,
            items: None,
            summary: "2 items\n".to_owned(),
            failed,
            stopped,
            try_again: false,
        }
    }

    fn with_items(done: JobReport) -> JobReport {
        let spool = Spool::new().unwrap();
        spool.append(&serde_json::json!({ "tenant": "acme" }), "acme  paid", false);
        spool.append(&serde_json::json!({ "tenant": "bell" }), "bell  refused", true);
        let heading = "TENANT\n".to_owned();
        JobReport { items: Some(Items { name: "subscriptions", heading, spool: Arc::new(spool) }), ..done }
    }

    fn summarised(done: &JobReport, only_failed: bool) -> String {
        let mut text = Vec::new();
        summarise(done, only_failed, |piece| {
            text.extend_from_slice(piece);
            Ok(())
        })
        .unwrap();
        String::from_utf8(text).unwrap()
    }

    #[test]
    fn the_exit_code_follows_from_failures_and_signals() {
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

    #[test]
    fn lines_of_items_stand_above_the_summary_and_under_their_heading() {
        let done = with_items(report(true, false));
        assert_eq!(summarised(&done, false), "TENANT\nacme  paid\nbell  refused\n2 items\n");
        assert_eq!(summarised(&done, true), "TENANT\nbell  refused\n2 items\n");
    }

    #[test]
    fn without_items_there_is_no_heading() {
        let none = Items { name: "none", heading: "TENANT\n".to_owned(), spool: Arc::new(Spool::new().unwrap()) };
        assert_eq!(summarised(&JobReport { items: Some(none), ..report(false, false) }, false), "2 items\n");
        assert_eq!(summarised(&report(false, false), false), "2 items\n");
    }

    #[test]
    fn items_are_the_last_entry_of_the_report() {
        let text = serde_json::to_string(&Whole(&with_items(report(false, false)))).unwrap();
        assert_eq!(text, r#"{"totals":2,"subscriptions":[{"tenant":"acme"},{"tenant":"bell"}]}"#);
        assert_eq!(serde_json::to_string(&Whole(&report(false, false))).unwrap(), r#"{"totals":2}"#);
    }
}

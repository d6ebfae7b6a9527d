//! Metrics as a file that Prometheus' node exporter reads (its textfile collector): one per job, replaced as
//! a whole.
//!
//! Format: <https://prometheus.io/docs/instrumenting/exposition_formats/#text-based-format>.

use std::fmt::Write as _;
use std::fs::Permissions;
use std::os::unix::fs::PermissionsExt as _;
use std::path::PathBuf;
use std::time::Duration;

use echodesk_core::Environment;
use jiff::Timestamp;
use serde_json::Value;

/// The setting.
pub const METRICS_FOLDER: &str = "ECHODESK_METRICS_FOLDER";

const LAST_SUCCESS: &str = "echodesk_job_last_success_timestamp_seconds";

/// How a run has ended.
#[derive(Clone, Debug)]
pub struct Sample<'a> {
    /// When.
    pub ended_at: Timestamp,
    /// How long it took.
    pub took: Duration,
    /// Its exit code.
    pub code: u8,
    /// When the job last succeeded; `None` if that is not known now, which keeps what the file says.
    pub last_success: Option<Timestamp>,
    /// What it did; numbers among it become samples.
    pub numbers: &'a Value,
}

/// The file of one job.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MetricsFile {
    job: &'static str,
    path: PathBuf,
}

impl MetricsFile {
    /// The file, if the setting names a folder.
    #[must_use]
    pub fn read(environment: &Environment, job: &'static str) -> Option<Self> {
        let folder = environment.get(METRICS_FOLDER)?;
        let name = format!("echodesk_{}.prom", job.replace('-', "_"));
        Some(Self { job, path: PathBuf::from(folder).join(name) })
    }

    /// Replaces the file. That it cannot be written is only warned of.
    pub fn replace(&self, sample: &Sample<'_>) {
        let before = std::fs::read_to_string(&self.path).unwrap_or_default();
        let text = self.text(sample, &before);
        // A name that does not end in .prom is not read by the collector.
        let draft = self.path.with_extension(format!("prom.{}", std::process::id()));
        // The collector is another user, and the jobs' umask may keep others out.
        let written = std::fs::write(&draft, text)
            .and_then(|()| std::fs::set_permissions(&draft, Permissions::from_mode(0o644)))
            .and_then(|()| std::fs::rename(&draft, &self.path));
        if let Err(error) = written {
            drop(std::fs::remove_file(&draft));
            tracing::warn!("metrics were not written to {}: {error}", self.path.display());
        }
    }

    fn text(&self, sample: &Sample<'_>, before: &str) -> String {
        let job = self.job;
        let mut text = String::new();
        let mut gauge = |name: &str, help: &str, value: String| {
            // Writing to a string does not fail.
            let _ = write!(text, "# HELP {name} {help}\n# TYPE {name} gauge\n{name}{{job=\"{job}\"}} {value}\n");
        };
        gauge(
            "echodesk_job_last_end_timestamp_seconds",
            "When the last run ended (Unix time).",
            seconds(sample.ended_at),
        );
        gauge("echodesk_job_last_exit_code", "Exit code of the last run; 0 is success.", sample.code.to_string());
        gauge(
            "echodesk_job_last_duration_seconds",
            "How long the last run took.",
            format!("{:.3}", sample.took.as_secs_f64()),
        );
        let known = sample.last_success.map(seconds).or_else(|| last_success(before));
        if let Some(value) = known {
            gauge(LAST_SUCCESS, "When a run last ended with exit code 0 (Unix time).", value);
        }
        let mut counts = Vec::new();
        flatten("", sample.numbers, &mut counts);
        if !counts.is_empty() {
            text.push_str("# HELP echodesk_job_last_count What the last run did, in numbers.\n");
            text.push_str("# TYPE echodesk_job_last_count gauge\n");
        }
        for (what, count) in counts {
            let _ = writeln!(text, "echodesk_job_last_count{{job=\"{job}\",what=\"{what}\"}} {count}");
        }
        text
    }
}

fn seconds(moment: Timestamp) -> String {
    moment.as_second().to_string()
}

/// The last success that a file tells of.
fn last_success(before: &str) -> Option<String> {
    let line = before.lines().find(|line| line.starts_with(LAST_SUCCESS))?;
    let value = line.rsplit(' ').next()?;
    value.parse::<i64>().ok().map(|seconds| seconds.to_string())
}

/// The numbers of a summary by their names, those of inner objects as `outer_inner`.
fn flatten(prefix: &str, value: &Value, counts: &mut Vec<(String, String)>) {
    for (name, value) in value.as_object().into_iter().flatten() {
        let name: String = name.chars().map(|c| if c.is_ascii_alphanumeric() { c } else { '_' }).collect();
        let name = if prefix.is_empty() { name } else { format!("{prefix}_{name}") };
        match value {
            Value::Number(number) => counts.push((name, number.to_string())),
            Value::Object(_) => flatten(&name, value, counts),
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file(folder: &std::path::Path) -> MetricsFile {
        let environment = [(METRICS_FOLDER, folder.display().to_string())].into_iter().collect();
        MetricsFile::read(&environment, "sync-emails").unwrap()
    }

    #[test]
    fn what_a_run_did_is_written_in_the_format_of_prometheus() {
        let folder = tempfile::tempdir().unwrap();
        let numbers = serde_json::json!({ "stored": 3, "notices": { "sent": 1, "trouble": null }, "sum": "5.00" });
        let sample = Sample {
            ended_at: Timestamp::from_second(1_800_000_000).unwrap(),
            took: Duration::from_millis(1_234),
            code: 0,
            last_success: Some(Timestamp::from_second(1_800_000_000).unwrap()),
            numbers: &numbers,
        };
        file(folder.path()).replace(&sample);
        let text = std::fs::read_to_string(folder.path().join("echodesk_sync_emails.prom")).unwrap();
        insta::assert_snapshot!(text, @r##"
        # HELP echodesk_job_last_end_timestamp_seconds When the last run ended (Unix time).
        # TYPE echodesk_job_last_end_timestamp_seconds gauge
        echodesk_job_last_end_timestamp_seconds{job="sync-emails"} 1800000000
        # HELP echodesk_job_last_exit_code Exit code of the last run; 0 is success.
        # TYPE echodesk_job_last_exit_code gauge
        echodesk_job_last_exit_code{job="sync-emails"} 0
        # HELP echodesk_job_last_duration_seconds How long the last run took.
        # TYPE echodesk_job_last_duration_seconds gauge
        echodesk_job_last_duration_seconds{job="sync-emails"} 1.234
        # HELP echodesk_job_last_success_timestamp_seconds When a run last ended with exit code 0 (Unix time).
        # TYPE echodesk_job_last_success_timestamp_seconds gauge
        echodesk_job_last_success_timestamp_seconds{job="sync-emails"} 1800000000
        # HELP echodesk_job_last_count What the last run did, in numbers.
        # TYPE echodesk_job_last_count gauge
        echodesk_job_last_count{job="sync-emails",what="notices_sent"} 1
        echodesk_job_last_count{job="sync-emails",what="stored"} 3
        "##);
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1, "no draft stays");
    }

    #[test]
    fn the_collector_can_read_the_file_whatever_the_umask_is() {
        let folder = tempfile::tempdir().unwrap();
        let file = file(folder.path());
        // A draft that nobody else may read, as the umask of the services makes it.
        let draft = file.path.with_extension(format!("prom.{}", std::process::id()));
        std::fs::write(&draft, "").unwrap();
        std::fs::set_permissions(&draft, Permissions::from_mode(0o600)).unwrap();
        file.replace(&Sample {
            ended_at: Timestamp::UNIX_EPOCH,
            took: Duration::ZERO,
            code: 0,
            last_success: None,
            numbers: &Value::Null,
        });
        assert_eq!(std::fs::metadata(&file.path).unwrap().permissions().mode() & 0o777, 0o644);
    }

    #[test]
    fn while_the_database_is_away_the_last_success_stays_what_it_was() {
        let folder = tempfile::tempdir().unwrap();
        let at = |second| Timestamp::from_second(second).unwrap();
        let sample = Sample {
            ended_at: at(100),
            took: Duration::ZERO,
            code: 0,
            last_success: Some(at(100)),
            numbers: &Value::Null,
        };
        file(folder.path()).replace(&sample);
        file(folder.path()).replace(&Sample { ended_at: at(200), code: 75, last_success: None, ..sample });
        let text = std::fs::read_to_string(folder.path().join("echodesk_sync_emails.prom")).unwrap();
        assert!(text.contains("\nechodesk_job_last_success_timestamp_seconds{job=\"sync-emails\"} 100\n"), "{text}");
        assert!(text.contains("exit_code{job=\"sync-emails\"} 75"), "{text}");
    }

    #[test]
    fn a_folder_that_is_not_there_is_no_failure() {
        file(std::path::Path::new("/nonexistent/folder")).replace(&Sample {
            ended_at: Timestamp::UNIX_EPOCH,
            took: Duration::ZERO,
            code: 0,
            last_success: None,
            numbers: &Value::Null,
        });
        assert!(MetricsFile::read(&Environment::default(), "sync-emails").is_none());
    }
}

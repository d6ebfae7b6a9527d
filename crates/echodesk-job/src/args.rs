//! The flags that all binaries share.

use std::path::PathBuf;

use clap::{Args, ValueEnum};
use echodesk_core::SchemaName;
use jiff::Timestamp;

use crate::settings::names::SettingsGroup;
use crate::values;

/// Flags that every command has.
#[derive(Args, Clone, Default)]
pub struct GlobalArgs {
    /// The database: postgres://USER:PASSWORD@HOST/NAME or sqlite://FOLDER
    ///
    /// Without it DATABASE_URL, then EchoDesk's DB_NAME, DB_USER, …, then sqlite://echodesk-data.
    /// Others on the machine can see the arguments of a process: a URL with a password belongs into
    /// the environment or into .env.
    #[arg(long, value_name = "URL", global = true, help_heading = "Database")]
    pub database_url: Option<String>,

    /// How log lines look on standard error
    #[arg(long, value_name = "FORMAT", value_enum, default_value_t, global = true, help_heading = "Output")]
    pub log_format: LogFormat,

    /// Log more: -v what is done, -vv how
    #[arg(short, long, action = clap::ArgAction::Count, global = true, help_heading = "Output")]
    pub verbose: u8,

    /// Log errors only; a job that has nothing to complain of prints no summary either
    #[arg(short, long, global = true, conflicts_with = "verbose", help_heading = "Output")]
    pub quiet: bool,
}

/// Flags that every job has.
#[derive(Args, Clone, Debug, Default)]
pub struct CommonArgs {
    /// See [`GlobalArgs`].
    #[command(flatten)]
    pub global: GlobalArgs,

    /// Work for this tenant only, by the name of its schema
    #[arg(long, value_name = "SCHEMA", help_heading = "What to work on")]
    pub tenant: Option<SchemaName>,

    /// Show what a run would do; write nothing, change nothing
    #[arg(long, help_heading = "What to work on")]
    pub dry_run: bool,

    /// Write a report as JSON to this file, replaced as a whole (- for standard output)
    #[arg(long, value_name = "FILE", help_heading = "Output")]
    pub report: Option<PathBuf>,
}

/// The flag of jobs whose decisions depend on the day.
#[derive(Args, Clone, Copy, Debug, Default)]
pub struct AsOfArgs {
    /// With --dry-run: what a run at another time would do (RFC 3339, or a day for its 00:00 UTC)
    #[arg(long, value_name = "TIME", requires = "dry_run", value_parser = values::moment)]
    #[arg(help_heading = "What to work on")]
    pub as_of: Option<Timestamp>,
}

/// How log lines look.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum LogFormat {
    /// One line per event, for people
    #[default]
    Text,
    /// One JSON object per event, for machines
    Json,
}

/// The database URL may hold a password.
impl std::fmt::Debug for GlobalArgs {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("GlobalArgs")
            .field("database_url", &self.database_url.as_ref().map(|_| "[secret]"))
            .field("log_format", &self.log_format)
            .field("verbose", &self.verbose)
            .field("quiet", &self.quiet)
            .finish()
    }
}

/// What `--help` says of exit codes, the same for every job.
pub const EXIT_CODES: &str = "\
Exit codes:
  0    done
  1    done, with failures that are listed
  2    wrong usage or settings, or another installation's database; nothing was started
  75   the database is away; try again later
  130  stopped by SIGINT, after finishing what was in flight
  143  stopped by SIGTERM, likewise (a second signal stops at once)";

/// Groups of settings of the environment as a section of `--help`.
#[must_use]
pub fn environment_help(groups: &[SettingsGroup]) -> String {
    let mut text = String::from("Environment (flags win over it, and it wins over .env in the working folder):");
    for (name, what) in groups.iter().flat_map(|group| group.names) {
        text.push_str(&format!("\n  {name:<26}{what}"));
    }
    text
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;

    #[derive(Debug, Parser)]
    struct Probe {
        #[command(flatten)]
        common: CommonArgs,
        #[command(flatten)]
        as_of: AsOfArgs,
    }

    fn parse(line: &str) -> Result<CommonArgs, String> {
        let words = std::iter::once("probe").chain(line.split_whitespace());
        Probe::try_parse_from(words).map(|probe| probe.common).map_err(|error| error.to_string())
    }

    #[test]
    fn nothing_given_means_all_tenants_and_text() {
        let args = parse("").unwrap();
        assert!(args.tenant.is_none() && !args.dry_run && args.report.is_none());
        assert_eq!((args.global.log_format, args.global.verbose, args.global.quiet), (LogFormat::Text, 0, false));
    }

    #[test]
    fn every_flag_is_understood() {
        let args = parse("--database-url sqlite://d --tenant acme --dry-run --report - --log-format json -vv").unwrap();
        assert_eq!(args.global.database_url.as_deref(), Some("sqlite://d"));
        assert_eq!(args.tenant.unwrap().as_str(), "acme");
        assert!(args.dry_run);
        assert_eq!(args.report.unwrap(), PathBuf::from("-"));
        assert_eq!((args.global.log_format, args.global.verbose), (LogFormat::Json, 2));
    }

    #[test]
    fn what_makes_no_sense_is_refused_by_name() {
        let table = [
            ("--tenant public", "reserved"),
            ("--tenant a/b", "only letters, digits, _ and - may be used"),
            ("-q -v", "cannot be used with"),
            ("--log-format xml", "text, json"),
            ("--report", "--report <FILE>"),
            ("--nonsense", "--nonsense"),
            ("--as-of 2026-12-01", "--dry-run"),
            ("--dry-run --as-of tomorrow", "2026-12-01T10:00:00Z"),
        ];
        for (line, part) in table {
            let error = parse(line).unwrap_err();
            assert!(error.contains(part), "{line}: {error}");
        }
    }

    #[test]
    fn another_time_is_asked_about_in_a_dry_run_only() {
        let line = ["probe", "--dry-run", "--as-of", "2026-12-01"];
        let probe = Probe::try_parse_from(line).unwrap();
        assert_eq!(probe.as_of.as_of, Some("2026-12-01T00:00:00Z".parse().unwrap()));
        assert!(probe.common.dry_run);
    }

    #[test]
    fn debug_output_does_not_show_the_database_url() {
        let shown = format!("{:?}", parse("--database-url postgres://bob:hunter2@db/x").unwrap());
        assert!(!shown.contains("hunter2"), "{shown}");
    }
}

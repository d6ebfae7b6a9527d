//! The commands about notices.

use std::path::PathBuf;

use clap::builder::PossibleValuesParser;
use clap::{Args, Subcommand};
use echodesk_core::{NoticeId, SchemaName};
use echodesk_job::values;
use echodesk_notify::examples;

use super::LanguageCode;
use crate::validate;

#[derive(Debug, Subcommand)]
pub(crate) enum NoticesCommand {
    /// List notices: those that are queued or parked, unless said otherwise
    ///
    /// Queued means that a job will send it: the next one, or the first after the time that is shown.
    /// Parked means that it will not be sent until a person says so; the last column says why.
    /// Withdrawn means that it did not hold any more when it was about to be sent.
    List(NoticesListArgs),
    /// Queue parked notices again, and let queued ones wait no longer
    ///
    /// The next job sends them, whichever it is. What does not hold any more by then is withdrawn.
    Retry(NoticesRetryArgs),
    /// Show what a notice says, with made-up values
    ///
    /// Templates of ECHODESK_NOTICE_TEMPLATES are used, so this is how to try them out.
    Preview(NoticesPreviewArgs),
}

#[derive(Args, Debug)]
pub(crate) struct NoticesListArgs {
    /// Those that wait to be sent
    #[arg(long)]
    pub(crate) queued: bool,
    /// Those that were refused for good
    #[arg(long)]
    pub(crate) parked: bool,
    /// Those that were sent
    #[arg(long)]
    pub(crate) sent: bool,
    /// Those that did not hold any more
    #[arg(long)]
    pub(crate) withdrawn: bool,
    /// This tenant's only
    #[arg(long, value_name = "SCHEMA")]
    pub(crate) tenant: Option<SchemaName>,
    /// At most so many, the newest
    #[arg(long, value_name = "N", default_value = "100", value_parser = values::positive::<std::num::NonZeroUsize>)]
    pub(crate) limit: std::num::NonZeroUsize,
    /// Answer as JSON
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Args, Debug)]
pub(crate) struct NoticesRetryArgs {
    /// The notices as `notices list` shows them
    #[arg(value_name = "ID", required_unless_present = "all", value_parser = notice_id)]
    pub(crate) ids: Vec<NoticeId>,
    /// All that are parked or wait
    #[arg(long, conflicts_with = "ids")]
    pub(crate) all: bool,
    /// This tenant's only
    #[arg(long, value_name = "SCHEMA")]
    pub(crate) tenant: Option<SchemaName>,
}

#[derive(Args, Debug)]
pub(crate) struct NoticesPreviewArgs {
    /// Which one
    #[arg(value_parser = kinds())]
    pub(crate) kind: String,
    /// In which language
    #[arg(long, value_enum, default_value_t)]
    pub(crate) language: LanguageCode,
    /// Write it as HTML to this file (- for standard output)
    #[arg(long, value_name = "FILE")]
    pub(crate) html: Option<PathBuf>,
}

#[derive(Args, Debug)]
pub(crate) struct SendTestEmailArgs {
    /// Where it goes
    #[arg(value_name = "ADDRESS", value_parser = validate::address)]
    pub(crate) to: String,
    /// In which language
    #[arg(long, value_enum, default_value_t)]
    pub(crate) language: LanguageCode,
}

fn kinds() -> PossibleValuesParser {
    PossibleValuesParser::new(examples().into_iter().map(|example| example.name))
}

fn notice_id(value: &str) -> Result<NoticeId, String> {
    match value.parse() {
        Ok(id) if id > 0 => Ok(NoticeId(id)),
        _ => Err("expected a number as `echodesk notices list` shows it".to_owned()),
    }
}

//! The command line of `echodesk forecast`.

use clap::{Args, ValueEnum};
use echodesk_billing::forecast::Assumption;
use echodesk_core::SchemaName;
use echodesk_job::values;
use jiff::Timestamp;

use super::schedule::ScheduleArgs;

const EXAMPLES: &str = "\
Examples:
  echodesk forecast --days 7
  echodesk forecast --tenant acme --if declined
  echodesk forecast --as-of 2026-12-01 --days 14 --json
  echodesk forecast --payments-at 02:00,14:00 --status-at 04:30

It is made of what the database holds now. It cannot know who pays by hand, saves another card or
orders something else, which cards the bank declines (see --if), what becomes of orders that are
open, or what EchoDesk charges by itself. What sync-emails will find is on the mail servers.";

#[derive(Args, Debug)]
#[command(after_long_help = EXAMPLES)]
pub(crate) struct ForecastArgs {
    /// So many days of 24 hours, from now on
    #[arg(long, value_name = "N", default_value_t = 30, value_parser = clap::value_parser!(u32).range(1..=90))]
    pub(crate) days: u32,
    /// This tenant's only
    #[arg(long, value_name = "SCHEMA")]
    pub(crate) tenant: Option<SchemaName>,
    /// Begin at another time than now (RFC 3339, or a day for its 00:00 UTC), with things as they stand now
    #[arg(long, value_name = "TIME", value_parser = values::moment)]
    pub(crate) as_of: Option<Timestamp>,
    /// What becomes of charges: paid, or declined for want of money and tried again
    #[arg(long = "if", value_name = "OUTCOME", value_enum, default_value_t)]
    pub(crate) outcome: ChargeOutcome,
    #[command(flatten)]
    pub(crate) schedule: ScheduleArgs,
    /// Answer as JSON
    #[arg(long)]
    pub(crate) json: bool,
}

/// What is assumed of charges.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub(crate) enum ChargeOutcome {
    /// The bank takes each
    #[default]
    Paid,
    /// It declines each, which may be otherwise on another day
    Declined,
}

impl From<ChargeOutcome> for Assumption {
    fn from(outcome: ChargeOutcome) -> Self {
        match outcome {
            ChargeOutcome::Paid => Self::Paid,
            ChargeOutcome::Declined => Self::Declined,
        }
    }
}

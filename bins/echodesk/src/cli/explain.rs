//! The command that tells the story of a tenant.

use clap::Args;
use echodesk_core::SchemaName;
use echodesk_job::values;
use jiff::Timestamp;

use super::schedule::ScheduleArgs;

#[derive(Args, Debug)]
pub(crate) struct ExplainArgs {
    /// The tenant, by the name of its schema; active or not
    #[arg(value_name = "TENANT")]
    pub(crate) tenant: SchemaName,
    /// Only what happened from then on: a time, or a day (its beginning, UTC)
    #[arg(long, value_name = "TIME", value_parser = values::moment)]
    pub(crate) since: Option<Timestamp>,
    /// Look so many days ahead
    #[arg(long, value_name = "N", default_value_t = 14, value_parser = clap::value_parser!(u32).range(0..=366))]
    pub(crate) days: u32,
    #[command(flatten)]
    pub(crate) schedule: ScheduleArgs,
    /// Answer as JSON
    #[arg(long)]
    pub(crate) json: bool,
}

//! The commands about the installation itself: whose its database is, and how its jobs have fared.

use std::num::NonZeroUsize;

use clap::{Args, Subcommand};
use echodesk_job::values;

use super::ListArgs;

#[derive(Debug, Subcommand)]
pub(crate) enum IdentityCommand {
    /// Bind the database to this installation
    ///
    /// Writes ECHODESK_ENVIRONMENT, BOG_CLIENT_ID and EMAIL_HOST into the database, as they are set here. From
    /// then on no job works on it under another name, another bank account or another mail server, or, on
    /// PostgreSQL, if it is another database: a restored copy charges and mails nobody. Before that, cards are
    /// not charged and no mails are sent.
    Bind(IdentityBindArgs),
    /// Show what the database is bound to, and whether that is this installation
    ///
    /// Exit code 1 if it is not.
    Show(ListArgs),
}

#[derive(Args, Debug)]
pub(crate) struct IdentityBindArgs {
    /// The database is a copy of another installation's: bind it to this one, and withdraw what waits in it
    ///
    /// Notices that wait or are parked in the copy are sent by the installation that it was copied from. Charges
    /// that are open in it stay open: `echodesk orders list`. Refused where nothing differs, and with the bank
    /// client of that installation.
    #[arg(long, conflicts_with = "moved")]
    pub(crate) copy: bool,
    /// The installation itself has moved, or its settings have changed: what waits is sent from here
    ///
    /// A bank client or a mail server that is not set here stays bound.
    #[arg(long)]
    pub(crate) moved: bool,
}

#[derive(Debug, Subcommand)]
pub(crate) enum RunsCommand {
    /// List runs, the newest last, and warn of jobs that have not succeeded for too long
    ///
    /// Dry runs leave nothing. Runs are remembered for 90 days.
    List(RunsListArgs),
}

#[derive(Args, Debug)]
pub(crate) struct RunsListArgs {
    /// This job's only: sync-emails, recurring-payments or subscription-status
    #[arg(long, value_name = "JOB")]
    pub(crate) job: Option<String>,
    /// Only those that did not end with exit code 0
    #[arg(long)]
    pub(crate) failed: bool,
    /// At most so many, the newest
    #[arg(long, value_name = "N", default_value = "30", value_parser = values::positive::<NonZeroUsize>)]
    pub(crate) limit: NonZeroUsize,
    /// Answer as JSON
    #[arg(long)]
    pub(crate) json: bool,
}

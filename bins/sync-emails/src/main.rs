//! Pulls new mail of every active tenant into its tables. See `sync-emails --help`.

mod cli;
mod job;
mod observer;
mod summary;

use std::process::ExitCode;

fn main() -> ExitCode {
    echodesk_job::run::<cli::SyncEmails>()
}

//! Reminds of subscriptions that are about to expire, warns those in grace, and suspends those after it.
//! See `subscription-status --help`.

mod cli;
mod item;
mod job;
mod line;
mod observer;
mod summary;
mod words;

use std::process::ExitCode;

fn main() -> ExitCode {
    echodesk_job::run::<cli::SubscriptionStatus>()
}

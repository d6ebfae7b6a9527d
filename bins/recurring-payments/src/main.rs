//! Charges the saved cards of subscriptions that are about to expire. See `recurring-payments --help`.

mod cli;
mod item;
mod job;
mod line;
mod observer;
mod summary;
mod words;

use std::process::ExitCode;

fn main() -> ExitCode {
    echodesk_job::run::<cli::RecurringPayments>()
}

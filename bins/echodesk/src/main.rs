//! The operator's tool: migrations, tenants, mailboxes, checks. See `echodesk --help`.

mod answer;
mod check;
mod cli;
mod command;
mod error;
mod mailbox;
mod migrate;
mod tenant;
mod validate;

use std::process::ExitCode;

fn main() -> ExitCode {
    command::main()
}

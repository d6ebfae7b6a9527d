//! The operator's tool: migrations, tenants, mailboxes, orders, callbacks, notices, checks. See `echodesk --help`.

mod answer;
mod callbacks;
mod check;
mod cli;
mod command;
mod error;
mod explain;
mod forecast;
mod identity;
mod mailbox;
mod migrate;
mod notices;
mod orders;
mod refusals;
mod runs;
mod tenant;
#[cfg(test)]
mod testing;
mod validate;

use std::process::ExitCode;

fn main() -> ExitCode {
    command::main()
}

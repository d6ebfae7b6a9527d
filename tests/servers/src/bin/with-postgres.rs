//! `with-postgres COMMAND…`: runs a command while a throw-away PostgreSQL is there for it.
//!
//! A test runner that gives each test a process of its own would else start a server for each.
//! `Postgres::shared` finds this one through the environment variable `ECHODESK_TEST_POSTGRES`.

use std::process::{Command, ExitCode};

use echodesk_test_servers::postgres::{Postgres, SHARED};

fn main() -> ExitCode {
    let mut arguments = std::env::args_os().skip(1);
    let Some(program) = arguments.next() else { return ExitCode::from(2) };
    let server = Postgres::start();
    let mut command = Command::new(program);
    command.args(arguments);
    if let Some(server) = &server {
        command.env(SHARED, server.base_url());
    }
    // Dropping the server stops it, so the exit code is returned rather than set by `exit`.
    match command.status() {
        Ok(status) => status.code().and_then(|code| u8::try_from(code).ok()).map_or(ExitCode::FAILURE, ExitCode::from),
        Err(_) => ExitCode::from(127),
    }
}

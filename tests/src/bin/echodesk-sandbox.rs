//! `echodesk-sandbox imap`: the sandbox IMAP server, to try a client against by hand.
#![expect(clippy::print_stdout, reason = "a program for people")]

use std::process::ExitCode;
use std::time::Duration;

use clap::{Parser, Subcommand};
use echodesk_core::{Clock as _, SystemClock};
use echodesk_tests::demo_mailbox::{ADDRESS, PASSWORD, demo_mailbox};
use echodesk_tests::sandbox::imap::{Behaviour, Mailstore, Misbehaviour, PLAIN, SandboxImap};

/// Servers of our own, in memory, on free ports of this machine.
#[derive(Debug, Parser)]
struct Arguments {
    #[command(subcommand)]
    server: Server,
}

#[derive(Debug, Subcommand)]
enum Server {
    /// An IMAP server with the demo's mailbox, until it is interrupted.
    Imap {
        /// What it does wrong; may be given more than once.
        #[arg(long = "wrong", value_name = "NAME", value_parser = misbehaviour)]
        misbehaviours: Vec<Misbehaviour>,
        /// Offers IMAP4rev1 and no extension.
        #[arg(long)]
        plain: bool,
        /// Round-trip time in milliseconds.
        #[arg(long, default_value_t = 0)]
        round_trip: u64,
    },
}

fn misbehaviour(name: &str) -> Result<Misbehaviour, String> {
    let names: Vec<&str> = Misbehaviour::ALL.iter().map(|(name, _)| *name).collect();
    Misbehaviour::named(name).ok_or_else(|| format!("known are: {}", names.join(", ")))
}

fn main() -> ExitCode {
    let Server::Imap { misbehaviours, plain, round_trip } = Arguments::parse().server;
    let mut behaviour =
        Behaviour { misbehaviours, round_trip: Duration::from_millis(round_trip), ..Behaviour::default() };
    if plain {
        behaviour.capabilities = PLAIN.to_vec();
    }
    let store = Mailstore::with(ADDRESS, demo_mailbox(SystemClock::new().now()));
    let server = SandboxImap::start(store, behaviour);
    println!("TLS       localhost:{}", server.port());
    println!("STARTTLS  localhost:{}", server.starttls_port());
    println!("user      {ADDRESS}");
    println!("password  {PASSWORD}");
    println!("CA file   {}", server.ca_file().display());
    let mut shown = 0;
    loop {
        std::thread::sleep(Duration::from_millis(100));
        let log = server.log();
        for line in &log[shown..] {
            println!("> {line}");
        }
        shown = log.len();
    }
}

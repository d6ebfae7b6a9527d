//! `bench`: what the jobs cost, against the limit of the machine. Prints ratios and asserts nothing.
#![expect(clippy::print_stdout, clippy::expect_used, reason = "a program for people: what fails ends it")]

mod corpus;
mod fleet;
mod mail;
mod measure;
mod payments;
mod ways;

use clap::{Parser, Subcommand};
use echodesk_core::SystemClock;
use mail::MailArguments;
use payments::PaymentArguments;

/// Measures the first sync of a mailbox and of many, and a run of renewals. Without a part: all.
#[derive(Debug, Parser)]
struct Arguments {
    #[command(subcommand)]
    part: Option<Part>,
}

#[derive(Debug, Subcommand)]
enum Part {
    /// The first sync of a large mailbox, and of many small ones.
    Mail(MailArguments),
    /// Renewals against a bank that is 50 ms away.
    Payments(PaymentArguments),
    /// Fetches everything and parses nothing (what the limit is measured with).
    #[command(hide = true)]
    Raw { port: u16, ca_file: String },
}

fn main() {
    let clock = SystemClock::new();
    match Arguments::parse().part {
        Some(Part::Raw { port, ca_file }) => {
            println!("{}", ways::raw(port, &ca_file).expect("the server answers"));
        }
        Some(Part::Mail(arguments)) => mail::measure(arguments, &clock),
        Some(Part::Payments(arguments)) => payments::measure(&arguments, &clock),
        None => {
            mail::measure(MailArguments::default(), &clock);
            println!();
            payments::measure(&PaymentArguments::default(), &clock);
        }
    }
}

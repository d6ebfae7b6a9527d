//! `bench`: what the jobs cost, against the limit of the machine. Prints ratios and asserts nothing.
#![expect(clippy::print_stdout, clippy::expect_used, reason = "a program for people: what fails ends it")]

mod corpus;
mod fleet;
mod mail;
mod measure;
mod notices;
mod payments;
mod status;
mod ways;

use clap::{Parser, Subcommand};
use echodesk_core::SystemClock;
use mail::MailArguments;
use notices::NoticeArguments;
use payments::PaymentArguments;
use status::StatusArguments;

/// Measures syncs, renewals, the watch over expiry and the delivery of notices. Without a part: all.
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
    /// Finding the few of a million subscriptions that expire.
    Status(StatusArguments),
    /// Notices through a local sink, beside smtp-source.
    Notices(NoticeArguments),
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
        Some(Part::Status(arguments)) => status::measure(&arguments, &clock),
        Some(Part::Notices(arguments)) => notices::measure(&arguments, &clock),
        None => {
            mail::measure(MailArguments::default(), &clock);
            println!();
            payments::measure(&PaymentArguments::default(), &clock);
            println!();
            status::measure(&StatusArguments::default(), &clock);
            println!();
            notices::measure(&NoticeArguments::default(), &clock);
        }
    }
}

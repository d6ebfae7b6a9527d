//! Integration tests of the crate, as one binary.

#![expect(clippy::unwrap_used, reason = "in a test a panic is the report, in its helpers too")]

mod applying;
mod charging;
mod client;
mod faults;
mod ledger;
mod logging_in;
mod receipts;
mod secrecy;
mod stub;
mod tokens;

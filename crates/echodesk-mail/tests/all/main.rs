//! Integration tests of the crate, as one binary.

#![expect(clippy::unwrap_used, reason = "in a test a panic is the report, in its helpers too")]

mod corpus;
mod large;
mod never_panics;
mod reading;
mod s3;
mod s3_server;

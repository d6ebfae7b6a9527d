//! Integration tests of the crate, as one binary.

mod corpus;
mod large;
mod never_panics;
mod reading;
mod s3;
mod s3_server;

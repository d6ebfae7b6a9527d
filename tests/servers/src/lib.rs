#![doc = include_str!("../README.md")]
#![expect(
    clippy::expect_used,
    clippy::panic,
    clippy::print_stderr,
    reason = "only tests and benchmarks use this crate: that a server does not start is a failed test"
)]

pub mod certificate;
pub mod dovecot;
mod missing;
pub mod pgbouncer;
pub mod postgres;
mod process;
pub mod submission;
mod user;

pub use missing::missing;

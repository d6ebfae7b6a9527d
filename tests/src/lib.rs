//! What the end-to-end tests, the demo and the benchmark share: servers of our own that behave, or
//! misbehave, on demand.
#![expect(
    clippy::expect_used,
    reason = "only tests, the demo and benchmarks use this crate: what cannot be set up is a failed test"
)]

pub mod client;
pub mod demo_mailbox;
pub mod kill_points;
pub mod moving_clock;
pub mod preload;
pub mod processes;
pub mod proxy;
pub mod sandbox;

//! The simulator itself: that it repeats, finds, shrinks and tells; and that a fixed budget of seeds finds nothing.
#![expect(clippy::unwrap_used, clippy::panic, reason = "the helpers of tests are tests")]

mod budget;
mod command_line;
mod mail;
mod notices;
mod repeating;
mod shrinking;

//! Tests of the store on real databases: each on both back ends, unless it is about one of them.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    reason = "all of this is tests, also what is outside of a function marked as one"
)]

mod adoption;
mod billing;
mod concurrency;
mod delivering;
mod delivering_at_once;
mod flags_and_gone;
mod identity;
mod inspecting;
mod inspecting_billing;
mod lease;
mod mailboxes;
mod migrating;
mod moved;
mod notice_ledger;
mod opening;
mod outcome;
mod read_only;
mod run_history;
mod same_answers;
mod storing;
mod subscribing;
mod tenants;
mod upgrading;
mod world;

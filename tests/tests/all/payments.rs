//! `recurring-payments` as a process, against a bank of our own whose ledger is what tests believe.

mod beside_echodesk;
mod callback_server;
mod confirming;
mod declining;
mod exactness;
mod interrupting;
mod misleading_callbacks;
mod outages;
mod repeating;
mod resolving;
pub(crate) mod run;
mod skipping;
mod telling;
pub(crate) mod world;

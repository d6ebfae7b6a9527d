//! The promises, each checked against the world's own truth.

mod accounts;
mod captures;
mod data;
mod digest;
mod dry_runs;
mod forgotten;
mod mail;
mod notices;
mod persons;
mod resolved;
mod truth;
mod waiting;
mod wire;

pub(crate) use data::Guarded;
pub(crate) use persons::needs_person;

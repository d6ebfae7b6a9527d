//! The promises, each checked against the world's own truth.

mod accounts;
mod captures;
mod data;
mod resolved;

pub(crate) use data::Guarded;

//! `echodesk callbacks …`.

mod backend;
mod endpoint;
mod keys;
mod limits;
mod reply;
mod serve;
mod server;

#[cfg(test)]
mod tests;

pub(crate) use keys::{KeysProblem, keys as callback_keys};
pub(crate) use serve::serve;

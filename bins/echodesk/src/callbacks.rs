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

pub(crate) use serve::serve;

//! `echodesk callbacks …`.

mod endpoint;
mod limits;
mod reply;
mod server;

#[cfg(test)]
mod tests;

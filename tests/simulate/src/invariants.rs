//! The promises, each checked against the world's own truth.

mod accounts;
mod mail;
mod resolved;

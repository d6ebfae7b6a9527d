//! Servers of our own: small, correct, in memory, and wrong on purpose where a test asks for it.

pub mod bank;
pub mod imap;
pub mod smtp;

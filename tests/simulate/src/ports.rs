//! The ports as a process of the simulation sees them: the real store, and the world's bank and mail server, with all
//! that may happen at a call.

pub mod bank;
pub mod billing;
pub mod imap;
pub mod mail;
pub mod outbox;
pub mod status;
pub mod transport;

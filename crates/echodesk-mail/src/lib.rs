#![doc = include_str!("../README.md")]

pub mod attachments;
pub mod credential;
pub mod imap;
pub mod model;
pub mod parse;
pub mod ports;
pub mod rules;
pub mod sync;
#[cfg(any(test, feature = "testing"))]
pub mod testing;

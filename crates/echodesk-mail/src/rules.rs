//! The rules, as functions of values: nothing here reads a clock, a socket or a table.

pub mod allot;
pub mod batch;
pub mod failure;
pub mod fit;
pub mod folders;
pub mod identity;
pub mod plan;

//! The delivery of notices by real programs: to a real mail server, to one that misbehaves, and what an
//! operator does about those that are stuck.

mod commands;
mod contents;
mod real_server;
mod refusals;
mod way;

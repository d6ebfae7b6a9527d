#![doc = include_str!("../README.md")]

pub mod bugs;
pub mod chance;
pub mod cli;
pub mod database;
pub mod fault;
pub mod gate;
pub mod in_order;
mod invariants;
pub mod panics;
pub mod plan;
pub mod ports;
pub mod process;
pub mod report;
pub mod runs;
pub mod score;
pub mod shrink;
pub mod simulation;
pub mod time;
pub mod trace;
pub mod violation;
pub mod world;

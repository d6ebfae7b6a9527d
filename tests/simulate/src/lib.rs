#![doc = include_str!("../README.md")]

pub mod bugs;
pub mod chance;
pub mod database;
pub mod fault;
pub mod gate;
mod invariants;
pub mod plan;
pub mod ports;
pub mod process;
pub mod runs;
pub mod score;
pub mod shrink;
pub mod simulation;
pub mod time;
pub mod trace;
pub mod violation;
pub mod world;

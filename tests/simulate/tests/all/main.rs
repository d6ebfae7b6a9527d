//! The simulator, simulated.

mod mail;

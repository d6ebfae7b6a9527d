//! The runs: load, decide, write down, act, write down, report.

mod outcome;

pub use outcome::{Outcome, RenewalEvent, Totals};

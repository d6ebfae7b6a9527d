//! Doubles of the ports, for tests of whoever uses this crate: a ledger in memory that keeps the
//! contracts of [`BillingStore`](crate::ports::BillingStore), and a bank that does as it is told and
//! remembers what it has captured.

mod bank;
mod ledger;
mod random;
mod settling;
mod status;

pub use bank::{FakeBank, Fate, Fault};
pub use ledger::{Account, MemoryLedger};
pub use random::SequenceRandom;
pub use status::MemoryStatus;

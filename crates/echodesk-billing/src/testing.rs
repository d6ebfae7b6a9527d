//! Doubles of the ports, for tests of whoever uses this crate: a ledger in memory that keeps the
//! contracts of [`BillingStore`](crate::ports::BillingStore), a bank that does as it is told and
//! remembers what it has captured; and [`check_billing_store`], which holds any store against its promises.

mod bank;
mod ledger;
mod promises;
mod random;
mod settling;
mod status;

pub use bank::{FakeBank, Fate, Fault};
pub use ledger::{Account, MemoryLedger};
pub use promises::{SUBSCRIPTIONS, check_billing_store};
pub use random::SequenceRandom;
pub use status::MemoryStatus;

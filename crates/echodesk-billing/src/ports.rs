//! What renewals need from outside: a ledger, a bank, and chance.
//!
//! The store is synchronous and object safe; runs call it from threads of their own. The bank is
//! asynchronous.

mod bank;
mod random;
mod status;
mod store;

pub use bank::{Bank, BankDown, ChargeAnswer, ChargeRequest, ReceiptError};
pub use random::{Random, SystemRandom};
pub use status::{Lifted, StatusStore, Suspended};
pub use store::{BillingStore, Claim, Claims, NewAttempt, Prepared, Settled, Settlement, Source};

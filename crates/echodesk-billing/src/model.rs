//! The values that rules and runs are about.

mod account;
mod attempt;
mod candidate;
mod order_id;
mod receipt;
mod refusal;

pub use account::{Account, RecentOrder, SavedCard, Suspension, Told};
pub use attempt::{Attempt, AttemptState, PastAttempt};
pub use candidate::{Candidate, CardOrder, Charge, Seen};
pub use order_id::{BankOrderId, OrderId};
pub use receipt::{Receipt, ReceiptStatus};
pub use refusal::Refusal;

//! What is due, why something is not, and what follows from an answer: functions of values and `now`.

pub mod due;
pub mod expiry;
pub mod outlook;
pub mod period;
pub mod refusal;
pub mod retry;
pub mod settle;

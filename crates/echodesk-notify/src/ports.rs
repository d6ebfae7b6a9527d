//! What delivery needs from outside: the outbox, and a way for mails to go.
//!
//! The outbox is synchronous and object safe; delivery calls it from threads of its own.

mod outbox;
mod transport;

pub use outbox::{Claim, Fate, Outbox, Page, Queued, Situation, SubscriptionSituation, Waiting};
pub use transport::{SendError, Session, Transport, TransportDown};

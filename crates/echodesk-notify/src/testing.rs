//! Doubles for tests: an outbox in memory, a transport that does as it is told.

mod outbox;
mod samples;
mod transport;

pub use outbox::{MemoryOutbox, Row, RowState};
pub use samples::{mail, queued};
pub use transport::{Reply, ScriptedSession, ScriptedTransport};

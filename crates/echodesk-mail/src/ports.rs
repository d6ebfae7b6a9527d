//! What the sync needs from outside: a place to store, a server to read, a place for attachments.
//!
//! Storing is synchronous and object safe; a run calls it from threads of its own. Reading mail
//! blocks too (the session is the `imap` crate's), so the server port is synchronous as well.

mod attachments;
mod server;
mod store;

pub use echodesk_core::{StoreError, StoreErrorKind};

pub use attachments::{AttachmentError, AttachmentStore};
pub use server::{MailServer, MailServerError, MailSession, Opened, SessionCounters, Sink};
pub use store::{
    Batch, BatchItem, FailedItems, FailureRecord, Item, ItemContent, Lease, MailStore, Scope, TenantMailboxes,
    TenantProblem,
};

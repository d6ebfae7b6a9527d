//! Test doubles of the ports, and values for tests.

mod server;
mod store;

use echodesk_core::{ConnectionId, SchemaName, Secret};

pub use server::{FakeFolder, FakeMessage, FakeServer};
pub use store::{MemoryStore, Row};

use crate::credential::{CredentialKeys, seal};
use crate::model::{Endpoint, Mailbox, MailboxKey, Security};

/// A mailbox `box{id}@{schema}.example`.
///
/// # Panics
/// If `schema` is no schema name.
#[must_use]
#[expect(clippy::expect_used, reason = "a value for tests, from a literal in the test")]
pub fn mailbox(schema: &str, id: i64) -> Mailbox {
    let schema: SchemaName = schema.parse().expect("a schema name");
    let stored_password = seal(&Secret::new("password"), &key(), &schema).expect("a sealed password");
    let address = format!("box{id}@{schema}.example");
    Mailbox {
        key: MailboxKey { schema, connection: ConnectionId(id) },
        username: address.clone(),
        address,
        endpoint: Endpoint { host: "imap.example".to_owned(), port: 993, security: Security::Tls },
        stored_password,
        sync_folder: "INBOX".to_owned(),
        days_back: 0,
        is_active: true,
        last_sync_at: None,
        last_error: String::new(),
        failure_count: 0,
    }
}

/// Keys that open the passwords of [`mailbox`].
#[must_use]
pub fn keys() -> CredentialKeys {
    CredentialKeys { django: None, own: Some(key()) }
}

fn key() -> Secret {
    Secret::new("a key for tests, and only for tests")
}

//! Mailboxes as EchoDesk keeps them.

use std::fmt;

use echodesk_core::{ConnectionId, SchemaName, Secret};
use jiff::Timestamp;

/// Names one mailbox in the whole installation: ids of connections repeat between tenants.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct MailboxKey {
    /// The tenant's schema.
    pub schema: SchemaName,
    /// `social_integrations_emailconnection.id` there.
    pub connection: ConnectionId,
}

impl fmt::Display for MailboxKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.schema, self.connection)
    }
}

/// How a connection is encrypted. It always is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Security {
    /// TLS from the first byte (`imap_use_ssl` true; usually port 993).
    Tls,
    /// STARTTLS before anything else is said (`imap_use_ssl` false; usually port 143). A server
    /// that does not offer it is refused, never spoken to in the clear.
    StartTls,
}

/// Where a mailbox is.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Endpoint {
    /// Host name, also the name that the certificate must carry.
    pub host: String,
    /// TCP port.
    pub port: u16,
    /// TLS at once or after STARTTLS.
    pub security: Security,
}

impl fmt::Display for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.host, self.port)
    }
}

/// A row of `social_integrations_emailconnection`, as far as the sync needs it.
#[derive(Clone, Debug)]
pub struct Mailbox {
    /// Which one.
    pub key: MailboxKey,
    /// Its address; mail from it is the business's own.
    pub address: String,
    /// Where it is.
    pub endpoint: Endpoint,
    /// The name to log in with.
    pub username: String,
    /// `encrypted_password` as stored: signed by Django or sealed by us, see [`crate::credential`].
    pub stored_password: Secret,
    /// `sync_folder`: always synced, whatever its name suggests.
    pub sync_folder: String,
    /// `sync_days_back`: days of history; 0 means all.
    pub days_back: u32,
    /// `is_active`.
    pub is_active: bool,
    /// `last_sync_at`: when everything was last read to its end.
    pub last_sync_at: Option<Timestamp>,
    /// `last_sync_error`, empty if the last sync went well.
    pub last_error: String,
    /// `sync_failure_count`: passing failures in a row.
    pub failure_count: u32,
}

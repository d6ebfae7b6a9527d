//! Mailboxes: adding one, switching one on again, and reading those of all tenants at once.

mod read;

use diesel::prelude::*;
use echodesk_core::{ConnectionId, SchemaName, Secret};
use echodesk_mail::model::{Endpoint, MailboxKey, Security};
use echodesk_mail::ports::StoreError;
use jiff::Timestamp;

use crate::Store;
use crate::catalog;
use crate::connection::{Connection, Place, on};
use crate::error::{Failure, Outcome};
use crate::sql_types::{RowId, Stamp};
use crate::tables::connections;
use crate::tenants;

pub(crate) use read::{active, unreadable};

/// A mailbox to be added.
#[derive(Clone, Debug)]
pub struct NewMailbox {
    /// Its address.
    pub address: String,
    /// The name shown with it.
    pub display_name: String,
    /// Where it is.
    pub endpoint: Endpoint,
    /// The name to log in with.
    pub username: String,
    /// The password, already sealed: it is stored as it is.
    pub stored_password: Secret,
    /// The folder that is always synced.
    pub sync_folder: String,
    /// Days of history; 0 means all.
    pub days_back: u32,
}

impl Store {
    /// Adds a mailbox to a tenant, switched on. Sending is set to the same host with STARTTLS.
    ///
    /// # Errors
    /// There is no such tenant, or EchoDesk has not migrated it; [`Conflict`](echodesk_mail::ports::StoreErrorKind::Conflict) if the
    /// tenant has this mailbox already; a column must be filled that this version does not know; the
    /// database is away.
    pub fn add_mailbox(
        &self,
        schema: &SchemaName,
        mailbox: &NewMailbox,
        now: Timestamp,
    ) -> Result<ConnectionId, StoreError> {
        let what = format!("adding a mailbox to {schema}");
        // First and apart, so that no file is made for a tenant that does not exist.
        self.read(Place::Public, &what, |c| tenants::require(c, schema))?;
        self.write(Place::Tenant(schema), &what, |c| {
            tenants::require_mail_tables(c, schema)?;
            tenants::refuse_unknown_columns(c, schema.as_str(), catalog::CONNECTIONS)?;
            refuse_duplicate(c, mailbox)?;
            let now = Stamp::from(now);
            let days_back = i32::try_from(mailbox.days_back)
                .map_err(|_| Failure::Refused(format!("{} days of history are too many", mailbox.days_back)))?;
            let row = (
                connections::email_address.eq(&mailbox.address),
                connections::display_name.eq(&mailbox.display_name),
                connections::imap_server.eq(&mailbox.endpoint.host),
                connections::imap_port.eq(i32::from(mailbox.endpoint.port)),
                connections::imap_use_ssl.eq(mailbox.endpoint.security == Security::Tls),
                connections::smtp_server.eq(&mailbox.endpoint.host),
                connections::smtp_port.eq(587),
                connections::smtp_use_tls.eq(true),
                connections::smtp_use_ssl.eq(false),
                connections::username.eq(&mailbox.username),
                connections::encrypted_password.eq(mailbox.stored_password.expose()),
                connections::is_active.eq(true),
                connections::last_sync_error.eq(""),
                connections::sync_folder.eq(&mailbox.sync_folder),
                connections::sync_days_back.eq(days_back),
                connections::created_at.eq(now),
                connections::updated_at.eq(now),
                connections::signature_enabled.eq(false),
                connections::signature_html.eq(""),
                connections::signature_text.eq(""),
                connections::sync_failure_count.eq(0),
            );
            let id: RowId = on!(c, |c| diesel::insert_into(connections::table)
                .values(row)
                .returning(connections::id)
                .get_result(c))?;
            Ok(ConnectionId(id.0))
        })
    }

    /// Switches a mailbox on again, with its failures forgotten. Says whether there is one.
    ///
    /// # Errors
    /// There is no such tenant, or EchoDesk has not migrated it; the database is away.
    pub fn enable_mailbox(&self, key: &MailboxKey, now: Timestamp) -> Result<bool, StoreError> {
        let what = format!("switching on mailbox {key}");
        self.read(Place::Public, &what, |c| tenants::require(c, &key.schema))?;
        self.write(Place::Tenant(&key.schema), &what, |c| {
            tenants::require_mail_tables(c, &key.schema)?;
            let mailbox = connections::table.filter(connections::id.eq(RowId(key.connection.0)));
            let on = (
                connections::is_active.eq(true),
                connections::auto_disabled_at.eq(None::<Stamp>),
                connections::sync_failure_count.eq(0),
                connections::last_sync_error.eq(""),
                connections::updated_at.eq(Stamp::from(now)),
            );
            Ok(on!(c, |c| diesel::update(mailbox).set(on).execute(c))? > 0)
        })
    }
}

/// Two rows for one mailbox would sync it twice, into the same rows of mail.
fn refuse_duplicate(connection: &mut Connection, mailbox: &NewMailbox) -> Outcome<()> {
    let there: Vec<(RowId, String, i32, String)> = on!(connection, |c| connections::table
        .select((connections::id, connections::imap_server, connections::imap_port, connections::username))
        .order(connections::id)
        .load(c))?;
    let endpoint = &mailbox.endpoint;
    let same = there.iter().find(|(_, host, port, username)| {
        host.eq_ignore_ascii_case(&endpoint.host)
            && *port == i32::from(endpoint.port)
            && username.to_lowercase() == mailbox.username.to_lowercase()
    });
    match same {
        Some((id, ..)) => Err(Failure::Conflict(format!("mailbox {} of this tenant is the same one already", id.0))),
        None => Ok(()),
    }
}

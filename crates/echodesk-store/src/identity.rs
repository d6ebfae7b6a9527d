//! Which installation the database belongs to.

mod mark;

use diesel::prelude::*;
use echodesk_core::{Identity, StoreError};
use jiff::Timestamp;

use crate::Store;
use crate::connection::{Connection, Place, on};
use crate::error::Outcome;
use crate::sql_types::Stamp;
use crate::tables::{identity, notices};

/// What the database is bound to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BoundIdentity {
    /// The installation.
    pub identity: Identity,
    /// The bank's client of the installation that the database was copied from, if it is a copy.
    pub copied_bank_client: Option<String>,
    /// Whether this is the very database that was bound.
    pub database: DatabaseMatch,
    /// When it was bound.
    pub bound_at: Timestamp,
    /// The host on which that was done.
    pub bound_by: String,
}

/// Whether a database is the one that was bound. Told by what a copy does not have: on PostgreSQL the server's
/// identifier and the database's name there (a physical copy of a whole server has both), on SQLite the inode
/// of the file and when it was made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DatabaseMatch {
    /// It is.
    Same,
    /// It is another.
    Other,
    /// That cannot be told here, or was not when it was bound.
    Unknown,
}

/// Why a database is bound.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Binding {
    /// It is the installation's own: what waits is still to be sent.
    Own,
    /// It is, and was before; there is only more to be known of it.
    Addition,
    /// It is a copy of another installation's: what waits there is not to be sent from here as well.
    Copy,
}

/// Why notices of a copy are withdrawn.
const COPIED: &str = "the database is a copy: whoever it was copied from tells it";

impl Store {
    /// What the database is bound to; `None` if nobody has bound it yet.
    ///
    /// # Errors
    /// The database is away.
    pub fn identity(&self) -> Result<Option<BoundIdentity>, StoreError> {
        self.read(Place::Public, "reading which installation the database belongs to", |c| {
            let row: Option<Row> = on!(c, |c| identity::table.select(Row::as_select()).get_result(c).optional())?;
            let Some(row) = row else { return Ok(None) };
            let database = match (row.database_mark, mark::here(c)?) {
                (Some(bound), Some(here)) if bound == here => DatabaseMatch::Same,
                (Some(_), Some(_)) => DatabaseMatch::Other,
                _ => DatabaseMatch::Unknown,
            };
            Ok(Some(BoundIdentity {
                identity: Identity {
                    environment: row.environment,
                    bank_client: row.bank_client,
                    mail_host: row.mail_host,
                },
                copied_bank_client: row.copied_bank_client,
                database,
                bound_at: row.bound_at.into(),
                bound_by: row.bound_by,
            }))
        })
    }

    /// Binds the database to an installation, in place of whatever it was bound to. Returns how many notices
    /// were withdrawn, since the database is a copy.
    ///
    /// # Errors
    /// The database is away.
    pub fn bind(&self, to: &Identity, binding: Binding, by: &str, now: Timestamp) -> Result<usize, StoreError> {
        self.write(Place::Public, "binding the database to this installation", |c| {
            let before: Option<Row> = on!(c, |c| identity::table.select(Row::as_select()).get_result(c).optional())?;
            let (mut mark, mut copied) = (mark::here(c)?, None);
            if let Some(before) = before {
                copied = before.copied_bank_client;
                match binding {
                    // What was bound stays what others are compared with.
                    Binding::Addition => mark = before.database_mark.or(mark),
                    Binding::Copy => copied = before.bank_client.or(copied),
                    Binding::Own => {}
                }
            }
            let values = (
                identity::environment.eq(&to.environment),
                identity::bank_client.eq(&to.bank_client),
                identity::mail_host.eq(&to.mail_host),
                identity::copied_bank_client.eq(copied),
                identity::database_mark.eq(mark),
                identity::bound_at.eq(Stamp::from(now)),
                identity::bound_by.eq(by),
            );
            on!(c, |c| diesel::insert_into(identity::table)
                .values((identity::id.eq(1), values.clone()))
                .on_conflict(identity::id)
                .do_update()
                .set(values)
                .execute(c))?;
            match binding {
                Binding::Own | Binding::Addition => Ok(0),
                Binding::Copy => withdraw_all(c, now),
            }
        })
    }
}

#[derive(Queryable, Selectable)]
#[diesel(table_name = identity)]
struct Row {
    environment: String,
    bank_client: Option<String>,
    mail_host: Option<String>,
    copied_bank_client: Option<String>,
    database_mark: Option<String>,
    bound_at: Stamp,
    bound_by: String,
}

/// Parked ones too: a person could have them sent again.
fn withdraw_all(connection: &mut Connection, now: Timestamp) -> Outcome<usize> {
    let unsent = notices::table.filter(notices::state.eq_any(["queued", "parked"]));
    let withdrawn = (
        notices::state.eq("withdrawn"),
        notices::why.eq(COPIED),
        notices::closed_at.eq(Stamp::from(now)),
        notices::claimed_by.eq(None::<crate::sql_types::UuidValue>),
        notices::claimed_until.eq(None::<Stamp>),
    );
    Ok(on!(connection, |c| diesel::update(unsent).set(withdrawn).execute(c))?)
}

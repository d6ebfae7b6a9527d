//! Which installation the database belongs to.

use diesel::prelude::*;
use diesel::sql_types::{Bool, Nullable, Text};
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
    /// Whether this is the very database that was bound, as far as that can be told: on PostgreSQL by the
    /// server's own identifier and the name of the database, on SQLite always.
    pub same_database: bool,
    /// When it was bound.
    pub bound_at: Timestamp,
    /// The host on which that was done.
    pub bound_by: String,
}

/// Why a database is bound.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Binding {
    /// It is the installation's own: what waits is still to be sent.
    Own,
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
            let here = mark(c)?;
            let same_database = row.database_mark.is_none() || here.is_none() || row.database_mark == here;
            Ok(Some(BoundIdentity {
                identity: Identity {
                    environment: row.environment,
                    bank_client: row.bank_client,
                    mail_host: row.mail_host,
                },
                same_database,
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
            let mark = mark(c)?;
            let values = (
                identity::environment.eq(&to.environment),
                identity::bank_client.eq(&to.bank_client),
                identity::mail_host.eq(&to.mail_host),
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
                Binding::Own => Ok(0),
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
    database_mark: Option<String>,
    bound_at: Stamp,
    bound_by: String,
}

/// What a copy of this database would not have: the server's identifier, made when its cluster was, and the
/// database's name in it. None where the server does not tell.
fn mark(connection: &mut Connection) -> Outcome<Option<String>> {
    #[derive(QueryableByName)]
    struct Mark {
        #[diesel(sql_type = Nullable<Text>)]
        mark: Option<String>,
    }
    #[derive(QueryableByName)]
    struct Allowed {
        #[diesel(sql_type = Bool)]
        allowed: bool,
    }

    let Connection::Postgres(connection) = connection else { return Ok(None) };
    // Who may not ask must not have the transaction fail.
    let Allowed { allowed } = diesel::sql_query(
        "SELECT COALESCE(has_function_privilege(to_regprocedure('pg_catalog.pg_control_system()'), 'EXECUTE'), false) \
         AS allowed",
    )
    .get_result(connection)?;
    if !allowed {
        return Ok(None);
    }
    let Mark { mark } = diesel::sql_query(
        "SELECT system_identifier::text || '/' || current_database()::text AS mark FROM pg_catalog.pg_control_system()",
    )
    .get_result(connection)?;
    Ok(mark)
}

fn withdraw_all(connection: &mut Connection, now: Timestamp) -> Outcome<usize> {
    let queued = notices::table.filter(notices::state.eq("queued"));
    let withdrawn = (
        notices::state.eq("withdrawn"),
        notices::why.eq(COPIED),
        notices::closed_at.eq(Stamp::from(now)),
        notices::claimed_by.eq(None::<crate::sql_types::UuidValue>),
        notices::claimed_until.eq(None::<Stamp>),
    );
    Ok(on!(connection, |c| diesel::update(queued).set(withdrawn).execute(c))?)
}

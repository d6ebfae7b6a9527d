//! A connection to either back end, and transactions on it.

use diesel::connection::{AnsiTransactionManager, TransactionManager};
use diesel::pg::PgConnection;
use diesel::r2d2::{ConnectionManager, PooledConnection};
use diesel::result::QueryResult;
use diesel::sqlite::SqliteConnection;
use echodesk_core::SchemaName;

use crate::error::Outcome;

/// One variant per back end. Queries are written once and run on either by [`on!`].
pub(crate) enum Connection {
    Postgres(PooledConnection<ConnectionManager<PgConnection>>),
    Sqlite(Box<SqliteConnection>),
}

/// Runs one query on whichever back end `$connection` is of: the expression is compiled once for
/// each, with `$c` as the concrete connection.
macro_rules! on {
    ($connection:expr, |$c:ident| $query:expr) => {
        match $connection {
            $crate::connection::Connection::Postgres($c) => {
                let $c: &mut diesel::pg::PgConnection = $c;
                $query
            }
            $crate::connection::Connection::Sqlite($c) => {
                let $c: &mut diesel::sqlite::SqliteConnection = $c;
                $query
            }
        }
    };
}
pub(crate) use on;

/// Whose tables a transaction sees under their bare names. Tables of `public` are always named in
/// full, so that a table which a tenant's schema lacks is never looked for there.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Place<'a> {
    Public,
    Tenant(&'a SchemaName),
}

/// What a transaction is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Purpose {
    Read,
    Write,
    /// Writes that may take minutes and may have to wait for others of their kind.
    Migrate,
}

impl Connection {
    /// Begins a transaction, to be [concluded](Self::conclude).
    pub(crate) fn begin(&mut self, place: Place<'_>, purpose: Purpose) -> QueryResult<()> {
        let begin = match self {
            Self::Postgres(_) => begin_on_postgres(place, purpose),
            // A transaction that starts as a reader and writes later fails at once when another
            // writer was faster, whatever the busy timeout.
            Self::Sqlite(_) if purpose == Purpose::Read => "BEGIN".to_owned(),
            Self::Sqlite(_) => "BEGIN IMMEDIATE".to_owned(),
        };
        on!(self, |c| AnsiTransactionManager::begin_transaction_sql(c, &begin))
    }

    /// Runs `work` in the transaction that was begun: committed if it succeeds, rolled back if not.
    pub(crate) fn conclude<T>(&mut self, work: impl FnOnce(&mut Self) -> Outcome<T>) -> Outcome<T> {
        match work(self) {
            Ok(value) => {
                self.commit()?;
                Ok(value)
            }
            Err(failure) => {
                // The first error is the one worth knowing. A connection that cannot even roll back
                // is broken, and the pool sees to that.
                let _ = self.rollback();
                Err(failure)
            }
        }
    }

    /// Runs `work` in a transaction.
    pub(crate) fn transaction<T>(
        &mut self,
        place: Place<'_>,
        purpose: Purpose,
        work: impl FnOnce(&mut Self) -> Outcome<T>,
    ) -> Outcome<T> {
        self.begin(place, purpose)?;
        self.conclude(work)
    }

    fn commit(&mut self) -> QueryResult<()> {
        on!(self, |c| AnsiTransactionManager::commit_transaction(c))
    }

    fn rollback(&mut self) -> QueryResult<()> {
        on!(self, |c| AnsiTransactionManager::rollback_transaction(c))
    }

    pub(crate) fn is_postgres(&self) -> bool {
        matches!(self, Self::Postgres(_))
    }
}

/// Everything is set for this transaction alone: behind a transaction pooler the next one may run
/// on another session, and somebody else's on this one.
fn begin_on_postgres(place: Place<'_>, purpose: Purpose) -> String {
    // Schema names hold letters, digits, _ and - only, so quoting is all they need.
    let path = match place {
        Place::Public => "public",
        Place::Tenant(schema) => schema.as_str(),
    };
    let mode = if purpose == Purpose::Read { "READ ONLY" } else { "READ WRITE" };
    // Whatever is usual on this server: what was written down in `public` before a bank is called must be
    // there after a crash. Mail is read again.
    let durable = match (place, purpose) {
        (Place::Public, Purpose::Write) => "; SET LOCAL synchronous_commit TO on",
        _ => "",
    };
    let (lock, statement) = if purpose == Purpose::Migrate { ("60s", "600s") } else { ("10s", "60s") };
    format!(
        "BEGIN ISOLATION LEVEL READ COMMITTED {mode}; SET LOCAL search_path TO \"{path}\"; \
         SET LOCAL lock_timeout = '{lock}'; SET LOCAL statement_timeout = '{statement}'; \
         SET LOCAL idle_in_transaction_session_timeout = '{statement}'{durable}"
    )
}

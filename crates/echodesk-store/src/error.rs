//! From what a database says to what callers act on.

use diesel::result::{DatabaseErrorKind, Error};
use echodesk_core::SchemaName;
use echodesk_mail::ports::{StoreError, StoreErrorKind};

/// Why a transaction was given up. Becomes a [`StoreError`] once it is known what it was for.
#[derive(Debug)]
pub(crate) enum Failure {
    /// The database refused a statement or went away.
    Database(Error),
    /// Something else was said, by the connection pool, a migration, the system.
    Said { source: Box<dyn std::error::Error + Send + Sync>, kind: StoreErrorKind },
    /// The lease is somebody else's.
    LeaseLost,
    /// There is no such tenant.
    UnknownTenant(SchemaName),
    /// What was to be added is there already, or its name is taken.
    Conflict(String),
    /// We will not do it, and this is why.
    Refused(String),
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        Self::Database(error)
    }
}

/// The result of what is done within a transaction.
pub(crate) type Outcome<T> = Result<T, Failure>;

impl Failure {
    /// As callers see it; `what` says what was being done, and to what.
    pub(crate) fn during(self, what: &str) -> StoreError {
        let what = what.to_owned();
        match self {
            Self::Database(error) => StoreError { kind: kind(&error), what, source: Some(Box::new(error)) },
            Self::Said { source, kind } => StoreError { kind, what, source: Some(source) },
            Self::LeaseLost => StoreError {
                kind: StoreErrorKind::LeaseLost,
                what: format!("{what}: another run holds the lease now"),
                source: None,
            },
            Self::UnknownTenant(schema) => StoreError {
                kind: StoreErrorKind::UnknownTenant,
                what: format!("there is no tenant with schema {schema}"),
                source: None,
            },
            Self::Conflict(why) => {
                StoreError { kind: StoreErrorKind::Conflict, what: format!("{what}: {why}"), source: None }
            }
            Self::Refused(why) => {
                StoreError { kind: StoreErrorKind::Other, what: format!("{what}: {why}"), source: None }
            }
        }
    }

    /// Whether the same transaction may well succeed if it is simply run again: two transactions
    /// waited for each other and this one was chosen to give way.
    pub(crate) fn is_passing(&self) -> bool {
        match self {
            Self::Database(Error::DatabaseError(DatabaseErrorKind::SerializationFailure, _)) => true,
            Self::Database(Error::DatabaseError(_, said)) => said.message().contains("deadlock detected"),
            _ => false,
        }
    }
}

/// What kind of trouble an error of Diesel's is.
pub(crate) fn kind(error: &Error) -> StoreErrorKind {
    match error {
        Error::DatabaseError(kind, said) => kind_of_answer(kind, said.message()),
        Error::BrokenTransactionManager => StoreErrorKind::Unavailable,
        Error::RollbackErrorOnCommit { rollback_error, .. } => kind(rollback_error),
        _ => StoreErrorKind::Other,
    }
}

fn kind_of_answer(kind: &DatabaseErrorKind, message: &str) -> StoreErrorKind {
    // Diesel passes on no SQLSTATE, so the rest has to be told by the words of the message. A server
    // that speaks another language is still recognised by its closing the connection.
    const PASSING: [&str; 20] = [
        "database is locked",
        "database table is locked",
        "lock timeout",
        "statement timeout",
        "deadlock detected",
        "the database system is",
        "terminating connection",
        "server closed the connection",
        "could not receive data",
        "could not send data",
        "no connection to the server",
        "SSL connection has been closed",
        "too many clients",
        // PgBouncer's own words.
        "server login has been failing",
        "cannot connect to server",
        "server conn crashed",
        "query_wait_timeout",
        "idle transaction timeout",
        "no more connections allowed",
        "shutting down",
    ];
    match kind {
        DatabaseErrorKind::ClosedConnection | DatabaseErrorKind::SerializationFailure => StoreErrorKind::Unavailable,
        DatabaseErrorKind::Unknown | DatabaseErrorKind::UnableToSendCommand
            if PASSING.iter().any(|words| message.contains(words)) =>
        {
            StoreErrorKind::Unavailable
        }
        _ => StoreErrorKind::Other,
    }
}

/// What a server or a library said on connecting, without anything that the URL keeps secret.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub(crate) struct Said(pub(crate) String);

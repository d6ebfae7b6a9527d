//! Running migrations on one connection.

use diesel::migration::{Migration, MigrationSource};
use diesel::pg::Pg;
use diesel::prelude::*;
use diesel::sql_types::{BigInt, Text};
use diesel::sqlite::Sqlite;
use diesel_migrations::{EmbeddedMigrations, MigrationHarness, embed_migrations};
use echodesk_mail::ports::StoreErrorKind;

use crate::connection::{Connection, Place, Purpose, on};
use crate::error::{Failure, Outcome, kind};

const POSTGRES_PUBLIC: EmbeddedMigrations = embed_migrations!("../../migrations/postgres/public");
const POSTGRES_TENANT: EmbeddedMigrations = embed_migrations!("../../migrations/postgres/tenant");
const SQLITE_PUBLIC: EmbeddedMigrations = embed_migrations!("../../migrations/sqlite/public");
const SQLITE_TENANT: EmbeddedMigrations = embed_migrations!("../../migrations/sqlite/tenant");

/// Where Diesel keeps what it has applied: a table in each schema and each file.
pub(crate) const BOOK: &str = "__diesel_schema_migrations";

/// A migration that this version brings.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Expected {
    /// As the book has it.
    pub(crate) version: String,
    /// As its folder is called.
    pub(crate) name: String,
}

/// All migrations of PostgreSQL for one kind of place, in order. Those of SQLite have the same names.
pub(crate) fn expected(place: Place<'_>) -> Outcome<Vec<Expected>> {
    let source = match place {
        Place::Public => POSTGRES_PUBLIC,
        Place::Tenant(_) => POSTGRES_TENANT,
    };
    let migrations = MigrationSource::<Pg>::migrations(&source).map_err(said)?;
    let mut all: Vec<_> = migrations
        .iter()
        .map(|migration| Expected {
            version: migration.name().version().to_string(),
            name: migration.name().to_string(),
        })
        .collect();
    all.sort_by(|a, b| a.version.cmp(&b.version));
    Ok(all)
}

/// Which migrations are still to be run. Reads only: asking must not need the right to create.
pub(crate) fn pending(connection: &mut Connection, place: Place<'_>) -> Outcome<Vec<Expected>> {
    let mut expected = expected(place)?;
    let done = done(connection, place)?;
    expected.retain(|migration| !done.contains(&migration.version));
    Ok(expected)
}

/// The versions of migrations that were run and that this version does not know: a newer one has made them.
pub(crate) fn unknown(connection: &mut Connection, place: Place<'_>) -> Outcome<Vec<String>> {
    let expected = expected(place)?;
    let mut done = done(connection, place)?;
    done.retain(|version| expected.iter().all(|expected| expected.version != *version));
    done.sort();
    Ok(done)
}

/// The versions of the migrations that were run; none where there is no book.
fn done(connection: &mut Connection, place: Place<'_>) -> Outcome<Vec<String>> {
    #[derive(QueryableByName)]
    struct Count {
        #[diesel(sql_type = BigInt)]
        count: i64,
    }
    #[derive(QueryableByName)]
    struct Version {
        #[diesel(sql_type = Text)]
        version: String,
    }

    let find = if connection.is_postgres() {
        format!(
            "SELECT count(*) AS count FROM pg_catalog.pg_class c \
             JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace \
             WHERE n.nspname = current_schema() AND c.relname = '{BOOK}'"
        )
    } else {
        // The public file is `main` only while it is being migrated, and attached otherwise.
        let database = if let Place::Public = place { "IN ('main', 'public')" } else { "= 'main'" };
        format!("SELECT count(*) AS count FROM pragma_table_list WHERE name = '{BOOK}' AND schema {database}")
    };
    let found: Count = on!(&mut *connection, |c| diesel::sql_query(&find).get_result(c))?;
    if found.count == 0 {
        return Ok(Vec::new());
    }
    let read = format!("SELECT version FROM {BOOK}");
    let done: Vec<Version> = on!(connection, |c| diesel::sql_query(&read).load(c))?;
    Ok(done.into_iter().map(|done| done.version).collect())
}

/// Runs what is pending, in transactions of its own, and returns the names of what was run.
pub(crate) fn bring_up_to_date(connection: &mut Connection, place: Place<'_>) -> Outcome<Vec<String>> {
    if connection.transaction(place, Purpose::Read, |c| pending(c, place))?.is_empty() {
        return Ok(Vec::new());
    }
    connection.transaction(place, Purpose::Migrate, |c| apply(c, place))
}

/// Runs what is pending within the transaction that the caller has begun: all of it or nothing, and
/// only once whoever else is migrating has finished.
pub(crate) fn apply(connection: &mut Connection, place: Place<'_>) -> Outcome<Vec<String>> {
    super::wait_for_other_migrations(connection)?;
    let pending = pending(connection, place)?;
    if pending.is_empty() {
        return Ok(Vec::new());
    }
    match connection {
        Connection::Postgres(c) => {
            let source = match place {
                Place::Public => POSTGRES_PUBLIC,
                Place::Tenant(_) => POSTGRES_TENANT,
            };
            MigrationHarness::<Pg>::run_pending_migrations(&mut **c, source).map_err(said)?;
        }
        Connection::Sqlite(c) => {
            let source = match place {
                Place::Public => SQLITE_PUBLIC,
                Place::Tenant(_) => SQLITE_TENANT,
            };
            MigrationHarness::<Sqlite>::run_pending_migrations(&mut **c, source).map_err(said)?;
        }
    }
    Ok(pending.into_iter().map(|migration| migration.name).collect())
}

fn said(error: Box<dyn std::error::Error + Send + Sync>) -> Failure {
    // What the database said is somewhere down the chain, and tells whether to try again.
    let mut cause: Option<&(dyn std::error::Error + 'static)> = Some(&*error);
    let mut found = StoreErrorKind::Other;
    while let Some(error) = cause {
        if let Some(error) = error.downcast_ref::<diesel::result::Error>() {
            found = kind(error);
        }
        cause = error.source();
    }
    Failure::Said { source: error, kind: found }
}

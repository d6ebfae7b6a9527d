//! What a copy of a database does not have.

use std::os::unix::fs::MetadataExt as _;

use diesel::prelude::*;
use diesel::sql_types::{Bool, Text};
use jiff::Timestamp;

use crate::connection::Connection;
use crate::error::Outcome;

#[derive(QueryableByName)]
struct Value {
    #[diesel(sql_type = Text)]
    value: String,
}

/// The mark of this database; `None` where it cannot be told.
pub(super) fn here(connection: &mut Connection) -> Outcome<Option<String>> {
    match connection {
        Connection::Postgres(connection) => of_postgres(connection),
        Connection::Sqlite(connection) => of_sqlite(connection),
    }
}

/// The identifier that the server's cluster was given when it was made, and the database's name in it.
fn of_postgres(connection: &mut PgConnection) -> Outcome<Option<String>> {
    #[derive(QueryableByName)]
    struct Allowed {
        #[diesel(sql_type = Bool)]
        allowed: bool,
    }
    // Who may not ask must not have the transaction fail.
    let Allowed { allowed } = diesel::sql_query(
        "SELECT COALESCE(has_function_privilege(to_regprocedure('pg_catalog.pg_control_system()'), 'EXECUTE'), false) \
         AS allowed",
    )
    .get_result(connection)?;
    if !allowed {
        return Ok(None);
    }
    let Value { value } = diesel::sql_query(
        "SELECT system_identifier::text || '/' || current_database()::text AS value FROM pg_catalog.pg_control_system()",
    )
    .get_result(connection)?;
    Ok(Some(value))
}

/// The file's inode and when it was made: a file that was copied or restored has others, one that was renamed has not.
fn of_sqlite(connection: &mut SqliteConnection) -> Outcome<Option<String>> {
    let files: Vec<Value> = diesel::sql_query(
        "SELECT file AS value FROM pragma_database_list WHERE file LIKE '%public.sqlite3' ORDER BY seq LIMIT 1",
    )
    .load(connection)?;
    let metadata = files.first().and_then(|file| std::fs::metadata(&file.value).ok());
    Ok(metadata.map(|metadata| {
        // Two file systems that are filled alike number alike. Not every file system knows when a file was made.
        let made = metadata.created().ok().and_then(|at| Timestamp::try_from(at).ok());
        format!("inode {}, made {}", metadata.ino(), made.map_or_else(|| "-".to_owned(), |at| at.to_string()))
    }))
}

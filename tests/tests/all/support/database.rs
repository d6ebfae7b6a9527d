//! A look into the database, past all of our own code.

use diesel::prelude::*;
use diesel::sql_types::Text;

use super::{Backend, World};

#[derive(QueryableByName)]
struct Row {
    #[diesel(sql_type = Text)]
    value: String,
}

/// The column `value`, of type text, of a query in a schema.
pub(super) fn texts(world: &World, schema: &str, sql: &str) -> Vec<String> {
    let rows: Vec<Row> = match world.backend {
        Backend::Sqlite => diesel::sql_query(sql).load(&mut sqlite(world, schema)).unwrap(),
        Backend::Postgres => diesel::sql_query(sql).load(&mut postgres(world, schema)).unwrap(),
    };
    rows.into_iter().map(|row| row.value).collect()
}

pub(super) fn execute(world: &World, schema: &str, sql: &str) {
    match world.backend {
        Backend::Sqlite => diesel::sql_query(sql).execute(&mut sqlite(world, schema)).unwrap(),
        Backend::Postgres => diesel::sql_query(sql).execute(&mut postgres(world, schema)).unwrap(),
    };
}

/// A transaction that holds a lock; it is rolled back with its connection.
#[expect(dead_code, reason = "a connection does what it is for by being there")]
pub(crate) enum Held {
    Sqlite(SqliteConnection),
    Postgres(PgConnection),
}

pub(super) fn hold(world: &World, table: &str) -> Held {
    match world.backend {
        Backend::Sqlite => {
            let mut connection = sqlite(world, "public");
            diesel::sql_query("BEGIN IMMEDIATE").execute(&mut connection).unwrap();
            Held::Sqlite(connection)
        }
        Backend::Postgres => {
            let mut connection = postgres(world, "public");
            diesel::sql_query("BEGIN").execute(&mut connection).unwrap();
            let lock = format!("LOCK TABLE {table} IN EXCLUSIVE MODE");
            diesel::sql_query(lock).execute(&mut connection).unwrap();
            Held::Postgres(connection)
        }
    }
}

fn sqlite(world: &World, schema: &str) -> SqliteConnection {
    let folder = world.installation.database_url.strip_prefix("sqlite://").unwrap();
    let mut connection = SqliteConnection::establish(&format!("{folder}/{schema}.sqlite3")).unwrap();
    diesel::sql_query("PRAGMA busy_timeout = 10000").execute(&mut connection).unwrap();
    connection
}

fn postgres(world: &World, schema: &str) -> PgConnection {
    let mut connection = PgConnection::establish(&world.installation.database_url).unwrap();
    diesel::sql_query(format!("SET search_path TO {schema}, public")).execute(&mut connection).unwrap();
    diesel::sql_query("SET TIME ZONE 'UTC'").execute(&mut connection).unwrap();
    connection
}

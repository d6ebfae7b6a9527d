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

fn sqlite(world: &World, schema: &str) -> SqliteConnection {
    let folder = world.installation.database_url.strip_prefix("sqlite://").unwrap();
    let mut connection = SqliteConnection::establish(&format!("{folder}/{schema}.sqlite3")).unwrap();
    diesel::sql_query("PRAGMA busy_timeout = 10000").execute(&mut connection).unwrap();
    connection
}

fn postgres(world: &World, schema: &str) -> PgConnection {
    let mut connection = PgConnection::establish(&world.installation.database_url).unwrap();
    diesel::sql_query(format!("SET search_path TO {schema}, public")).execute(&mut connection).unwrap();
    diesel::sql_query("SET timezone TO 'UTC'").execute(&mut connection).unwrap();
    connection
}

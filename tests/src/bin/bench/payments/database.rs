//! A look into the database, past all of our own code.

use diesel::connection::SimpleConnection as _;
use diesel::prelude::*;
use diesel::sql_types::Text;

/// A connection to either back end.
pub(crate) enum Database {
    Postgres(PgConnection),
    Sqlite(SqliteConnection),
}

#[derive(QueryableByName)]
struct Row {
    #[diesel(sql_type = Text)]
    value: String,
}

impl Database {
    /// The public tables of an installation.
    pub(crate) fn open(url: &str) -> Self {
        match url.strip_prefix("sqlite://") {
            Some(folder) => {
                let file = format!("{folder}/public.sqlite3");
                Self::Sqlite(SqliteConnection::establish(&file).expect("the installation is there"))
            }
            None => Self::Postgres(PgConnection::establish(url).expect("the server is there")),
        }
    }

    pub(crate) fn is_postgres(&self) -> bool {
        matches!(self, Self::Postgres(_))
    }

    pub(crate) fn execute(&mut self, sql: &str) {
        match self {
            Self::Postgres(connection) => connection.batch_execute(sql),
            Self::Sqlite(connection) => connection.batch_execute(sql),
        }
        .expect("the statement is right");
    }

    /// The column `value`, which is text, of the only row of a query.
    pub(crate) fn text(&mut self, sql: &str) -> String {
        let row: Row = match self {
            Self::Postgres(connection) => diesel::sql_query(sql).get_result(connection),
            Self::Sqlite(connection) => diesel::sql_query(sql).get_result(connection),
        }
        .expect("the query has a row");
        row.value
    }

    /// The column `value`, which is text, of every row of a query.
    pub(crate) fn texts(&mut self, sql: &str) -> Vec<String> {
        let rows: Vec<Row> = match self {
            Self::Postgres(connection) => diesel::sql_query(sql).load(connection),
            Self::Sqlite(connection) => diesel::sql_query(sql).load(connection),
        }
        .expect("the query is right");
        rows.into_iter().map(|row| row.value).collect()
    }

    /// The only number of a query.
    pub(crate) fn number(&mut self, expression: &str) -> u64 {
        let text = self.text(&format!("SELECT CAST({expression} AS text) AS value"));
        text.parse().expect("a whole number")
    }
}

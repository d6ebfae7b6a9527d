//! The database, looked at and written to past the store: as EchoDesk does, and as whoever checks does.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Mutex, PoisonError};

use diesel::connection::{Connection as _, SimpleConnection as _};
use diesel::pg::Pg;
use diesel::prelude::*;
use diesel::sql_types::{Nullable, Text};
use diesel::sqlite::Sqlite;
use echodesk_core::{DatabaseUrl, SchemaName};
use echodesk_store::{Access, Store};
use echodesk_test_servers::postgres::Postgres;
use jiff::Timestamp;
use tempfile::TempDir;

use crate::plan::Backend;

/// A database of its own for one simulation.
pub struct Database {
    /// The store on it, as the programs open it.
    pub store: Store,
    /// As a dry run opens it.
    pub read_only: Store,
    /// Where it is.
    pub url: DatabaseUrl,
    raw: Mutex<Raw>,
    /// Tenants' own files, where each has one.
    files: Mutex<BTreeMap<SchemaName, SqliteConnection>>,
    _folder: Option<TempDir>,
}

enum Raw {
    Sqlite(SqliteConnection),
    Postgres(PgConnection),
}

impl fmt::Debug for Database {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Database").field("url", &self.url).finish_non_exhaustive()
    }
}

/// One column of text, which a statement calls `value`.
#[derive(QueryableByName)]
struct Value {
    #[diesel(sql_type = Nullable<Text>)]
    value: Option<String>,
}

#[expect(
    clippy::expect_used,
    reason = "without a database there is nothing to simulate, and these statements are ours"
)]
impl Database {
    /// A new one.
    ///
    /// # Panics
    /// If it cannot be made: there is no PostgreSQL, no room.
    #[must_use]
    pub fn new(backend: Backend) -> Self {
        let (url, folder) = match backend {
            Backend::Sqlite => {
                // In memory, where there is a place for it: nothing here has to outlive the process.
                let memory = std::path::Path::new("/dev/shm");
                let place = if memory.is_dir() { memory.to_owned() } else { std::env::temp_dir() };
                let folder = tempfile::Builder::new().prefix("simulate-").tempdir_in(place).expect("a folder");
                (format!("sqlite://{}/data", folder.path().display()), Some(folder))
            }
            Backend::Postgres => {
                let server = Postgres::shared().expect("PostgreSQL is installed");
                (server.database(), None)
            }
        };
        let url: DatabaseUrl = url.parse().expect("a database");
        let store = Store::open(&url, Access::ReadWrite).expect("it opens");
        store.migrate(None).expect("it is migrated");
        let read_only = Store::open(&url, Access::ReadOnly).expect("it opens for reading");
        let raw = match &url {
            DatabaseUrl::Postgres { url, .. } => {
                Raw::Postgres(PgConnection::establish(secret(url)).expect("the database answers"))
            }
            DatabaseUrl::Sqlite(folder) => {
                let file = folder.join("public.sqlite3").display().to_string();
                let mut raw = SqliteConnection::establish(&file).expect("the file is there");
                raw.batch_execute("PRAGMA busy_timeout = 10000").expect("it answers");
                Raw::Sqlite(raw)
            }
        };
        Self { store, read_only, url, raw: Mutex::new(raw), files: Mutex::default(), _folder: folder }
    }

    /// What it is kept by.
    #[must_use]
    pub fn backend(&self) -> Backend {
        match self.url {
            DatabaseUrl::Postgres { .. } => Backend::Postgres,
            DatabaseUrl::Sqlite(_) => Backend::Sqlite,
        }
    }

    /// The columns of one of the tables that all tenants share, by name.
    pub fn columns(&self, table: &str) -> Vec<String> {
        let columns = match self.backend() {
            Backend::Sqlite => format!("SELECT name AS value FROM pragma_table_info('{table}') ORDER BY name"),
            Backend::Postgres => format!(
                "SELECT column_name::text AS value FROM information_schema.columns \
                 WHERE table_schema = 'public' AND table_name = '{table}' ORDER BY 1"
            ),
        };
        self.values(&columns).into_iter().flatten().collect()
    }

    /// The rows of a statement that calls its only column `value`, as text.
    pub fn values(&self, sql: &str) -> Vec<Option<String>> {
        let mut raw = self.raw.lock().unwrap_or_else(PoisonError::into_inner);
        let values: Vec<Value> = match &mut *raw {
            Raw::Sqlite(raw) => diesel::sql_query(sql).load(raw).expect(sql),
            Raw::Postgres(raw) => diesel::sql_query(sql).load(raw).expect(sql),
        };
        values.into_iter().map(|row| row.value).collect()
    }

    /// The rows of a statement.
    pub fn rows<T>(&self, sql: &str) -> Vec<T>
    where
        T: QueryableByName<Sqlite> + QueryableByName<Pg> + Send + 'static,
    {
        let mut raw = self.raw.lock().unwrap_or_else(PoisonError::into_inner);
        match &mut *raw {
            Raw::Sqlite(raw) => diesel::sql_query(sql).load(raw).expect(sql),
            Raw::Postgres(raw) => diesel::sql_query(sql).load(raw).expect(sql),
        }
    }

    /// The rows of a statement about the tables of one tenant.
    pub fn tenant_rows<T>(&self, schema: &SchemaName, sql: &str) -> Vec<T>
    where
        T: QueryableByName<Sqlite> + QueryableByName<Pg> + Send + 'static,
    {
        if let DatabaseUrl::Sqlite(folder) = &self.url {
            let mut files = self.files.lock().unwrap_or_else(PoisonError::into_inner);
            let file = files.entry(schema.clone()).or_insert_with(|| {
                let file = folder.join(format!("{schema}.sqlite3")).display().to_string();
                let mut file = SqliteConnection::establish(&file).expect("the tenant's file is there");
                file.batch_execute("PRAGMA busy_timeout = 10000").expect("it answers");
                file
            });
            return diesel::sql_query(sql).load(file).expect(sql);
        }
        let mut raw = self.raw.lock().unwrap_or_else(PoisonError::into_inner);
        match &mut *raw {
            Raw::Sqlite(raw) => diesel::sql_query(sql).load(raw).expect(sql),
            Raw::Postgres(raw) => {
                raw.batch_execute(&format!("SET search_path TO \"{schema}\"")).expect("its schema is there");
                let rows = diesel::sql_query(sql).load(raw).expect(sql);
                raw.batch_execute("RESET search_path").expect("it answers");
                rows
            }
        }
    }

    /// The rows of a statement about the tables of one tenant that calls its only column `value`, as text.
    pub fn tenant_values(&self, schema: &SchemaName, sql: &str) -> Vec<Option<String>> {
        self.tenant_rows::<Value>(schema, sql).into_iter().map(|row| row.value).collect()
    }

    /// Executes statements, all or none of them.
    pub fn execute(&self, sql: &str) {
        let mut raw = self.raw.lock().unwrap_or_else(PoisonError::into_inner);
        let sql = format!("BEGIN; {sql}; COMMIT");
        match &mut *raw {
            Raw::Sqlite(raw) => raw.batch_execute(&sql).expect(&sql),
            Raw::Postgres(raw) => raw.batch_execute(&sql).expect(&sql),
        }
    }
}

fn secret(url: &echodesk_core::Secret) -> &str {
    url.expose()
}

/// A moment as both databases read it.
#[must_use]
pub fn literal(moment: Timestamp) -> String {
    format!("'{moment:.6}'")
}

/// A moment as either database writes it as text.
///
/// # Panics
/// If it is none.
#[expect(clippy::expect_used, reason = "a column of moments holds nothing else")]
#[must_use]
pub fn moment(text: &str) -> Timestamp {
    text.parse().expect("a moment")
}

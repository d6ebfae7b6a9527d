//! A look into the database, past all of our own code.

use diesel::connection::SimpleConnection as _;
use diesel::prelude::*;
use diesel::sql_types::Text;
use echodesk_core::{Clock as _, SystemClock};

use super::{Backend, PATIENCE, World};

/// What payments write to, those first that others refer to.
const PAYMENT_TABLES: [&str; 9] = [
    "tenants_tenant_subscription",
    "tenants_payment_order",
    "tenants_subscription_event",
    "tenants_invoice",
    "echodesk_charge_attempt",
    "echodesk_invoice_month",
    "echodesk_notice",
    "echodesk_run",
    "echodesk_suspension",
];

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
        Backend::Sqlite => sqlite(world, schema).batch_execute(sql).unwrap(),
        Backend::Postgres => postgres(world, schema).batch_execute(sql).unwrap(),
    }
}

/// A transaction that has changed nothing yet.
pub(super) fn begin(world: &World) -> Held {
    let mut held = match world.backend {
        Backend::Sqlite => Held::Sqlite(sqlite(world, "public")),
        Backend::Postgres => Held::Postgres(postgres(world, "public")),
    };
    held.execute("BEGIN");
    held
}

pub(super) fn remember(world: &World) {
    let copy = |table: &str| format!("CREATE TABLE remembered.{table} AS TABLE public.{table};");
    let sql = format!("CREATE SCHEMA remembered; {}", PAYMENT_TABLES.map(copy).concat());
    postgres(world, "public").batch_execute(&sql).unwrap();
}

pub(super) fn restore(world: &World) {
    let empty = |table: &str| format!("DELETE FROM public.{table};");
    let fill =
        |table: &str| format!("INSERT INTO public.{table} OVERRIDING SYSTEM VALUE SELECT * FROM remembered.{table};");
    // What refers to them is checked at the end of the transaction.
    let sql = format!(
        "BEGIN; SET CONSTRAINTS ALL DEFERRED; {} {} COMMIT",
        PAYMENT_TABLES.map(empty).concat(),
        PAYMENT_TABLES.map(fill).concat()
    );
    postgres(world, "public").batch_execute(&sql).unwrap();
}

pub(super) fn come_to_rest(world: &World) {
    let others = "SELECT CAST(pid AS text) AS value FROM pg_stat_activity \
                  WHERE datname = current_database() AND pid <> pg_backend_pid() AND backend_type = 'client backend'";
    let mut connection = postgres(world, "public");
    let clock = SystemClock::new();
    loop {
        let rows: Vec<Row> = diesel::sql_query(others).load(&mut connection).unwrap();
        if rows.is_empty() {
            return;
        }
        let pids: Vec<String> = rows.into_iter().map(|row| row.value).collect();
        assert!(clock.elapsed() < PATIENCE, "they do not end: {pids:?}");
        std::thread::sleep(std::time::Duration::from_millis(2));
    }
}

/// A transaction that holds a lock; it is rolled back with its connection.
pub(crate) enum Held {
    Sqlite(SqliteConnection),
    Postgres(PgConnection),
}

impl Held {
    /// Changes something in the transaction.
    pub(crate) fn execute(&mut self, sql: &str) {
        match self {
            Self::Sqlite(connection) => diesel::sql_query(sql).execute(connection).unwrap(),
            Self::Postgres(connection) => diesel::sql_query(sql).execute(connection).unwrap(),
        };
    }

    /// Makes what was changed true for everybody, and lets go.
    pub(crate) fn commit(mut self) {
        self.execute("COMMIT");
    }
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
    let mut connection = PgConnection::establish(world.direct_url()).unwrap();
    diesel::sql_query(format!("SET search_path TO {schema}, public")).execute(&mut connection).unwrap();
    diesel::sql_query("SET timezone TO 'UTC'").execute(&mut connection).unwrap();
    connection
}

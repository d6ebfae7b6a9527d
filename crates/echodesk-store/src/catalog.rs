//! What the database's own catalog says about the tables that we work on, and what to make of it.

mod judge;
mod known;
mod rights;

use std::collections::HashMap;
use std::rc::Rc;

use diesel::prelude::*;
use diesel::sql_types::{Array, Bool, Text};

use crate::connection::Connection;
use crate::error::Outcome;
use crate::migrations::BOOK;

pub(crate) use judge::{judge, missing_columns, unknown_required};
pub(crate) use known::{
    CONNECTIONS, DJANGO, ECHODESK_BILLING_TABLES, ECHODESK_MAIL_TABLES, FEATURES, INSERTED_BY_BILLING, MESSAGES,
    ORDERS, OWN_BILLING_TABLES, OWN_MAIL_TABLES, OWN_PUBLIC_TABLES, RETRIES, SAVED_CARDS, SELECTED_FEATURES,
    SUBSCRIPTIONS, TENANTS, filled,
};
pub(crate) use rights::{BILLING_RIGHTS, COMMON_RIGHTS, Lacking, lacking_rights, mail_rights, needed};

/// A column, as far as it matters here.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Column {
    pub(crate) name: String,
    /// How many characters it takes; none if there is no limit.
    pub(crate) length: Option<usize>,
    /// NOT NULL, and nothing fills it but the INSERT.
    pub(crate) required: bool,
}

/// The tables of interest in one schema or file, each with its columns.
#[derive(Clone, Debug, Default)]
pub(crate) struct Shape {
    tables: HashMap<String, Rc<Vec<Column>>>,
}

impl Shape {
    pub(crate) fn has(&self, table: &str) -> bool {
        self.tables.contains_key(table)
    }

    /// The columns of a table; none if it is not there.
    pub(crate) fn columns(&self, table: &str) -> &[Column] {
        self.tables.get(table).map_or(&[], |columns| columns.as_slice())
    }
}

/// The shapes of schemas, by name; one that does not exist is not among them. On SQLite the only
/// schema is the connection's own file, whatever it is called.
pub(crate) fn survey(connection: &mut Connection, schemas: &[&str]) -> Outcome<HashMap<String, Shape>> {
    match connection {
        Connection::Postgres(c) => survey_postgres(c, schemas),
        Connection::Sqlite(c) => {
            let shape = survey_sqlite(c)?;
            Ok(schemas.iter().map(|schema| ((*schema).to_owned(), shape.clone())).collect())
        }
    }
}

fn tables_of_interest() -> Vec<&'static str> {
    let mut tables = vec![TENANTS, DJANGO, BOOK, RETRIES, SAVED_CARDS];
    tables.extend(ECHODESK_MAIL_TABLES.iter().chain(&OWN_MAIL_TABLES).chain(&OWN_PUBLIC_TABLES));
    tables.extend(ECHODESK_BILLING_TABLES.iter().chain(&OWN_BILLING_TABLES));
    tables
}

#[derive(QueryableByName)]
struct Name {
    #[diesel(sql_type = Text)]
    name: String,
}

/// Tables of one shape, and the schemas that have them: thousands of tenants come to a few rows.
#[derive(QueryableByName)]
struct SharedShape {
    #[diesel(sql_type = Text)]
    relation: String,
    /// A line per column: name, length or nothing, 1 if required; separated by tabs.
    #[diesel(sql_type = Text)]
    shape: String,
    /// A line per schema.
    #[diesel(sql_type = Text)]
    schemas: String,
}

fn survey_postgres(connection: &mut PgConnection, schemas: &[&str]) -> Outcome<HashMap<String, Shape>> {
    let there: Vec<Name> =
        diesel::sql_query("SELECT nspname::text AS name FROM pg_catalog.pg_namespace WHERE nspname = ANY($1)")
            .bind::<Array<Text>, _>(schemas)
            .load(connection)?;
    let mut shapes: HashMap<String, Shape> = there.into_iter().map(|schema| (schema.name, Shape::default())).collect();

    let shared: Vec<SharedShape> = diesel::sql_query(
        "WITH shapes AS (\
           SELECT n.nspname::text AS schema, c.relname::text AS relation, \
             string_agg(a.attname::text || E'\\t' \
               || CASE WHEN a.atttypid IN (1042, 1043) AND a.atttypmod >= 4 THEN (a.atttypmod - 4)::text ELSE '' END \
               || E'\\t' || (a.attnotnull AND NOT a.atthasdef AND a.attidentity = '')::integer::text, \
               E'\\n' ORDER BY a.attnum) AS shape \
           FROM pg_catalog.pg_namespace n \
           JOIN pg_catalog.pg_class c ON c.relnamespace = n.oid \
           JOIN pg_catalog.pg_attribute a ON a.attrelid = c.oid \
           WHERE n.nspname = ANY($1) AND c.relname = ANY($2::name[]) AND c.relkind IN ('r', 'p') \
             AND a.attnum > 0 AND NOT a.attisdropped \
           GROUP BY n.nspname, c.relname) \
         SELECT relation, shape, string_agg(schema, E'\\n') AS schemas FROM shapes GROUP BY relation, shape",
    )
    .bind::<Array<Text>, _>(schemas)
    .bind::<Array<Text>, _>(tables_of_interest())
    .load(connection)?;

    for SharedShape { relation, shape, schemas } in shared {
        let columns = Rc::new(shape.lines().map(read_column).collect::<Vec<_>>());
        for schema in schemas.lines() {
            if let Some(shape) = shapes.get_mut(schema) {
                shape.tables.insert(relation.clone(), Rc::clone(&columns));
            }
        }
    }
    Ok(shapes)
}

fn read_column(line: &str) -> Column {
    let mut parts = line.split('\t');
    let mut part = || parts.next().unwrap_or_default();
    Column { name: part().to_owned(), length: part().parse().ok(), required: part() == "1" }
}

fn survey_sqlite(connection: &mut SqliteConnection) -> Outcome<Shape> {
    #[derive(QueryableByName)]
    struct Row {
        #[diesel(sql_type = Text)]
        relation: String,
        #[diesel(sql_type = Text)]
        name: String,
        #[diesel(sql_type = Bool)]
        required: bool,
    }

    // In a file of ours no column has a length, and integer primary keys fill themselves.
    let mut tables: HashMap<String, Vec<Column>> = HashMap::new();
    for database in ["main", "public"] {
        let rows: Vec<Row> = diesel::sql_query(format!(
            "SELECT t.name AS relation, c.name AS name, (c.\"notnull\" AND c.dflt_value IS NULL AND c.pk = 0) AS required \
             FROM {database}.sqlite_master t JOIN pragma_table_info(t.name, '{database}') c WHERE t.type = 'table'"
        ))
        .load(connection)?;
        for Row { relation, name, required } in rows {
            tables.entry(relation).or_default().push(Column { name, length: None, required });
        }
    }
    Ok(Shape { tables: tables.into_iter().map(|(name, columns)| (name, Rc::new(columns))).collect() })
}

//! Whether the database user may do with the tables what the jobs do with them.

use std::collections::HashMap;

use diesel::prelude::*;
use diesel::sql_types::{Array, Text};

use super::known::{EVENTS, INVOICES};
use super::{
    CONNECTIONS, FEATURES, MESSAGES, ORDERS, OWN_BILLING_TABLES, OWN_MAIL_TABLES, RETRIES, SAVED_CARDS,
    SELECTED_FEATURES, SUBSCRIPTIONS, TENANTS,
};
use crate::error::Outcome;
use crate::migrations::BOOK;

/// A table, and what one must be allowed to do with it.
pub(crate) type Right = (&'static str, &'static str);

/// What every job needs in `public`, whatever it is for: the tenants, the migrations that were run, leases, its own
/// record, what waits to be told, and whose the database is.
pub(crate) const COMMON_RIGHTS: [Right; 13] = [
    (TENANTS, "SELECT"),
    (BOOK, "SELECT"),
    ("echodesk_identity", "SELECT"),
    ("echodesk_lease", "SELECT"),
    ("echodesk_lease", "INSERT"),
    ("echodesk_lease", "UPDATE"),
    ("echodesk_lease", "DELETE"),
    ("echodesk_run", "SELECT"),
    ("echodesk_run", "INSERT"),
    ("echodesk_run", "UPDATE"),
    ("echodesk_notice", "SELECT"),
    ("echodesk_notice", "INSERT"),
    ("echodesk_notice", "UPDATE"),
];

/// What renewals need in `public`. `echodesk tenant subscribe` needs more; who may use it is told by
/// the database.
pub(crate) const BILLING_RIGHTS: [Right; 24] = [
    // Suspending, and lifting that.
    (TENANTS, "UPDATE"),
    (SUBSCRIPTIONS, "SELECT"),
    (SUBSCRIPTIONS, "UPDATE"),
    (SELECTED_FEATURES, "SELECT"),
    (FEATURES, "SELECT"),
    (ORDERS, "SELECT"),
    (ORDERS, "INSERT"),
    (ORDERS, "UPDATE"),
    (EVENTS, "SELECT"),
    (EVENTS, "INSERT"),
    (INVOICES, "SELECT"),
    (INVOICES, "INSERT"),
    (SAVED_CARDS, "SELECT"),
    (RETRIES, "SELECT"),
    (RETRIES, "UPDATE"),
    (OWN_BILLING_TABLES[0], "SELECT"),
    (OWN_BILLING_TABLES[0], "INSERT"),
    (OWN_BILLING_TABLES[0], "UPDATE"),
    (OWN_BILLING_TABLES[1], "SELECT"),
    (OWN_BILLING_TABLES[1], "INSERT"),
    (OWN_BILLING_TABLES[1], "UPDATE"),
    (OWN_BILLING_TABLES[2], "SELECT"),
    (OWN_BILLING_TABLES[2], "INSERT"),
    (OWN_BILLING_TABLES[2], "UPDATE"),
];

/// Those of the rights that are needed by who writes, or only reads.
pub(crate) fn needed(rights: &[Right], writes: bool) -> Vec<Right> {
    rights.iter().copied().filter(|(_, right)| writes || *right == "SELECT").collect()
}

/// What a sync needs in every tenant's schema.
pub(crate) fn mail_rights() -> Vec<Right> {
    // Which migrations were run there. Rows of mail and ours are added and changed; a mailbox's row is only ever changed.
    let mut needed = vec![(BOOK, "SELECT"), (CONNECTIONS, "SELECT"), (CONNECTIONS, "UPDATE")];
    for table in [MESSAGES].into_iter().chain(OWN_MAIL_TABLES) {
        needed.extend(["SELECT", "INSERT", "UPDATE"].map(|right| (table, right)));
    }
    needed
}

/// Rights that the database user lacks in a schema.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Lacking {
    /// Which, in words.
    pub(crate) what: String,
    /// The statements that give them.
    pub(crate) grants: String,
}

impl Lacking {
    /// What is wrong.
    pub(crate) fn problem(&self) -> String {
        format!("the database user has no right to {}", self.what)
    }

    /// What to do: by whom the tables belong to, or a superuser.
    pub(crate) fn remedy(&self) -> String {
        format!("as the owner of the tables: {}", self.grants)
    }
}

/// What the database user lacks of the rights that are needed, by schema; a schema in which nothing is lacking is not
/// there. Nor is a right on a table that does not exist.
pub(crate) fn lacking_rights(
    connection: &mut PgConnection,
    schemas: &[&str],
    needed: &[Right],
) -> Outcome<HashMap<String, Lacking>> {
    #[derive(QueryableByName)]
    struct Row {
        #[diesel(sql_type = Text)]
        schema: String,
        #[diesel(sql_type = Text)]
        what: String,
        #[diesel(sql_type = Text)]
        grants: String,
    }

    let (tables, rights): (Vec<&str>, Vec<&str>) = needed.iter().copied().unzip();
    // `serial` columns, as older installations have them, draw from a sequence with rights of its own;
    // identity columns do not. A right on some of the columns counts as one on the table: an installation may well grant no
    // more than is needed, and a false alarm would be worse than none. DELETE is a right on whole tables only.
    let rows: Vec<Row> = diesel::sql_query(
        "WITH lacks AS (\
           SELECT n.nspname::text AS schema, 'USAGE' AS name, 'the schema' AS thing, ' of ' AS on_what, \
             'SCHEMA ' || quote_ident(n.nspname) AS target FROM pg_catalog.pg_namespace n \
           WHERE n.nspname = ANY($1) AND NOT has_schema_privilege(n.oid, 'USAGE') \
           UNION ALL \
           SELECT n.nspname::text, needed.name, c.relname::text, ' on ', \
             quote_ident(n.nspname) || '.' || quote_ident(c.relname) FROM pg_catalog.pg_namespace n \
           JOIN pg_catalog.pg_class c ON c.relnamespace = n.oid AND c.relkind IN ('r', 'p') \
           JOIN unnest($2, $3) AS needed(relation, name) ON needed.relation = c.relname::text \
           WHERE n.nspname = ANY($1) AND has_schema_privilege(n.oid, 'USAGE') \
             AND CASE WHEN needed.name = 'DELETE' THEN NOT has_table_privilege(c.oid, needed.name) \
                 ELSE NOT has_any_column_privilege(c.oid, needed.name) END \
           UNION ALL \
           SELECT n.nspname::text, 'USAGE', 'sequence ' || q.relname::text, ' on ', \
             'SEQUENCE ' || quote_ident(n.nspname) || '.' || quote_ident(q.relname) FROM pg_catalog.pg_namespace n \
           JOIN pg_catalog.pg_class c ON c.relnamespace = n.oid AND c.relkind IN ('r', 'p') \
           JOIN unnest($2, $3) AS needed(relation, name) ON needed.relation = c.relname::text AND needed.name = 'INSERT' \
           JOIN pg_catalog.pg_depend d ON d.refobjid = c.oid AND d.refobjsubid > 0 AND d.deptype = 'a' \
           JOIN pg_catalog.pg_class q ON q.oid = d.objid AND q.relkind = 'S' \
           WHERE n.nspname = ANY($1) \
             AND CASE WHEN q.relkind = 'S' THEN NOT has_sequence_privilege(q.oid, 'USAGE') ELSE false END), \
         targets AS (\
           SELECT schema, string_agg(name || on_what || thing, ', ' ORDER BY name) AS what, \
             'GRANT ' || string_agg(name, ', ' ORDER BY name) || ' ON ' || target || ' TO ' || quote_ident(current_user) \
               AS grants \
           FROM lacks GROUP BY schema, target) \
         SELECT schema, string_agg(what, ', ' ORDER BY what) AS what, string_agg(grants, '; ' ORDER BY grants) AS grants \
         FROM targets GROUP BY schema",
    )
    .bind::<Array<Text>, _>(schemas)
    .bind::<Array<Text>, _>(tables)
    .bind::<Array<Text>, _>(rights)
    .load(connection)?;
    Ok(rows.into_iter().map(|Row { schema, what, grants }| (schema, Lacking { what, grants })).collect())
}

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

/// A table, and what one must be allowed to do with it.
pub(crate) type Right = (&'static str, &'static str);

/// What renewals need in `public`. `echodesk tenant subscribe` needs more; who may use it is told by
/// the database.
pub(crate) const BILLING_RIGHTS: [Right; 28] = [
    (TENANTS, "SELECT"),
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
    ("echodesk_notice", "SELECT"),
    ("echodesk_notice", "INSERT"),
    ("echodesk_notice", "UPDATE"),
];

/// What a sync needs in every tenant's schema.
pub(crate) fn mail_rights() -> Vec<Right> {
    // Rows of mail and ours are added and changed; a mailbox's row is only ever changed.
    let mut needed = vec![(CONNECTIONS, "SELECT"), (CONNECTIONS, "UPDATE")];
    for table in [MESSAGES].into_iter().chain(OWN_MAIL_TABLES) {
        needed.extend(["SELECT", "INSERT", "UPDATE"].map(|right| (table, right)));
    }
    needed
}

/// The rights that the database user lacks, in words, by schema; a schema that lacks none is not there.
pub(crate) fn lacking_rights(
    connection: &mut PgConnection,
    schemas: &[&str],
    needed: &[Right],
) -> Outcome<HashMap<String, String>> {
    #[derive(QueryableByName)]
    struct Row {
        #[diesel(sql_type = Text)]
        schema: String,
        #[diesel(sql_type = Text)]
        lacks: String,
    }

    let (tables, rights): (Vec<&str>, Vec<&str>) = needed.iter().copied().unzip();
    // `serial` columns, as older installations have them, draw from a sequence with rights of its own;
    // identity columns do not. A right on some of the columns counts as one on the table: an installation may well grant no
    // more than is needed, and a false alarm would be worse than none.
    let rows: Vec<Row> = diesel::sql_query(
        "WITH lacks AS (\
           SELECT n.nspname::text AS schema, 'USAGE of the schema' AS what FROM pg_catalog.pg_namespace n \
           WHERE n.nspname = ANY($1) AND NOT has_schema_privilege(n.oid, 'USAGE') \
           UNION ALL \
           SELECT n.nspname::text, needed.name || ' on ' || c.relname::text FROM pg_catalog.pg_namespace n \
           JOIN pg_catalog.pg_class c ON c.relnamespace = n.oid AND c.relkind IN ('r', 'p') \
           JOIN unnest($2, $3) AS needed(relation, name) ON needed.relation = c.relname::text \
           WHERE n.nspname = ANY($1) AND has_schema_privilege(n.oid, 'USAGE') \
             AND NOT has_any_column_privilege(c.oid, needed.name) \
           UNION ALL \
           SELECT n.nspname::text, 'USAGE on sequence ' || q.relname::text FROM pg_catalog.pg_namespace n \
           JOIN pg_catalog.pg_class c ON c.relnamespace = n.oid AND c.relkind IN ('r', 'p') \
           JOIN unnest($2, $3) AS needed(relation, name) ON needed.relation = c.relname::text AND needed.name = 'INSERT' \
           JOIN pg_catalog.pg_depend d ON d.refobjid = c.oid AND d.refobjsubid > 0 AND d.deptype = 'a' \
           JOIN pg_catalog.pg_class q ON q.oid = d.objid AND q.relkind = 'S' \
           WHERE n.nspname = ANY($1) \
             AND CASE WHEN q.relkind = 'S' THEN NOT has_sequence_privilege(q.oid, 'USAGE') ELSE false END) \
         SELECT schema, string_agg(what, ', ' ORDER BY what) AS lacks FROM lacks GROUP BY schema",
    )
    .bind::<Array<Text>, _>(schemas)
    .bind::<Array<Text>, _>(tables)
    .bind::<Array<Text>, _>(rights)
    .load(connection)?;
    Ok(rows.into_iter().map(|row| (row.schema, row.lacks)).collect())
}

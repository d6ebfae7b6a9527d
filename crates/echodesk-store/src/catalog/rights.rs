//! Whether the database user may do with a tenant's tables what a sync does.

use std::collections::HashMap;

use diesel::prelude::*;
use diesel::sql_types::{Array, Text};

use super::{CONNECTIONS, MESSAGES, OWN_MAIL_TABLES};
use crate::error::Outcome;

/// What a sync needs in every tenant's schema.
fn needed() -> Vec<(&'static str, &'static str)> {
    // Rows of mail and ours are added and changed; a mailbox's row is only ever changed.
    let mut needed = vec![(CONNECTIONS, "SELECT"), (CONNECTIONS, "UPDATE")];
    for table in [MESSAGES].into_iter().chain(OWN_MAIL_TABLES) {
        needed.extend(["SELECT", "INSERT", "UPDATE"].map(|right| (table, right)));
    }
    needed
}

/// The rights that the database user lacks, in words, by schema; a schema that lacks none is not there.
pub(crate) fn lacking_rights(connection: &mut PgConnection, schemas: &[&str]) -> Outcome<HashMap<String, String>> {
    #[derive(QueryableByName)]
    struct Row {
        #[diesel(sql_type = Text)]
        schema: String,
        #[diesel(sql_type = Text)]
        lacks: String,
    }

    let (tables, rights): (Vec<&str>, Vec<&str>) = needed().into_iter().unzip();
    // A right on some of the columns counts as one on the table: an installation may well grant no
    // more than a sync needs, and a false alarm would be worse than none.
    let rows: Vec<Row> = diesel::sql_query(
        "WITH lacks AS (\
           SELECT n.nspname::text AS schema, 'USAGE of the schema' AS what FROM pg_catalog.pg_namespace n \
           WHERE n.nspname = ANY($1) AND NOT has_schema_privilege(n.oid, 'USAGE') \
           UNION ALL \
           SELECT n.nspname::text, needed.name || ' on ' || c.relname::text FROM pg_catalog.pg_namespace n \
           JOIN pg_catalog.pg_class c ON c.relnamespace = n.oid AND c.relkind IN ('r', 'p') \
           JOIN unnest($2, $3) AS needed(relation, name) ON needed.relation = c.relname::text \
           WHERE n.nspname = ANY($1) AND has_schema_privilege(n.oid, 'USAGE') \
             AND NOT has_any_column_privilege(c.oid, needed.name)) \
         SELECT schema, string_agg(what, ', ' ORDER BY what) AS lacks FROM lacks GROUP BY schema",
    )
    .bind::<Array<Text>, _>(schemas)
    .bind::<Array<Text>, _>(tables)
    .bind::<Array<Text>, _>(rights)
    .load(connection)?;
    Ok(rows.into_iter().map(|row| (row.schema, row.lacks)).collect())
}

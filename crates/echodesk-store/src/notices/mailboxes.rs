//! Whether the mailboxes that notices are about are active.

use std::collections::{BTreeMap, HashMap, HashSet};

use diesel::prelude::*;
use diesel::sql_types::{Array, BigInt, Bool, Integer, Text};
use echodesk_core::SchemaName;
use echodesk_notify::ports::Queued;

use crate::Store;
use crate::catalog::CONNECTIONS;
use crate::connection::{Connection, Place, on};
use crate::error::Outcome;
use crate::sql_types::RowId;
use crate::store::BackEnd;
use crate::tables::connections;

/// Schemas read by one statement.
const SCHEMAS: usize = 100;

type States = HashMap<(SchemaName, i64), bool>;

/// Says of each notice that is about a mailbox whether that is active. What cannot be looked at stands as it
/// was told, switched off: the notice holds as far as anybody knows.
pub(super) fn look_at(store: &Store, page: &mut [Queued]) {
    let mut wanted: BTreeMap<SchemaName, Vec<i64>> = BTreeMap::new();
    for queued in &*page {
        if let Some(mailbox) = mailbox_of(&queued.subject_key) {
            wanted.entry(queued.tenant.schema.clone()).or_default().push(mailbox);
        }
    }
    let wanted: Vec<(SchemaName, Vec<i64>)> = wanted.into_iter().collect();
    let mut states = States::new();
    for chunk in wanted.chunks(SCHEMAS) {
        match store.back_end() {
            BackEnd::Postgres(_) => states.extend(in_schemas_or_alone(store, chunk)),
            BackEnd::Sqlite(_) => chunk.iter().for_each(|one| states.extend(in_file(store, one))),
        }
    }
    for queued in page {
        if let Some(mailbox) = mailbox_of(&queued.subject_key) {
            queued.situation.mailbox_active = states.get(&(queued.tenant.schema.clone(), mailbox)).copied();
        }
    }
}

/// The mailbox that a notice is about, if it is about one.
fn mailbox_of(subject_key: &str) -> Option<i64> {
    subject_key.strip_prefix("mailbox:")?.parse().ok()
}

fn unknown((schema, ids): &(SchemaName, Vec<i64>)) -> States {
    ids.iter().map(|id| ((schema.clone(), *id), false)).collect()
}

const WHAT: &str = "looking at the mailboxes that notices are about";

fn in_schemas_or_alone(store: &Store, wanted: &[(SchemaName, Vec<i64>)]) -> States {
    let look = |wanted: &[(SchemaName, Vec<i64>)]| store.read(Place::Public, WHAT, |c| in_schemas(c, wanted));
    match look(wanted) {
        Ok(states) => states,
        // One schema that may not be read fails the statement for all: one by one, then.
        Err(_) => {
            wanted.iter().flat_map(|one| look(std::slice::from_ref(one)).unwrap_or_else(|_| unknown(one))).collect()
        }
    }
}

fn in_schemas(connection: &mut Connection, wanted: &[(SchemaName, Vec<i64>)]) -> Outcome<States> {
    #[derive(QueryableByName)]
    struct Name {
        #[diesel(sql_type = Text)]
        name: String,
    }
    #[derive(QueryableByName)]
    struct Found {
        #[diesel(sql_type = Integer)]
        schema: i32,
        #[diesel(sql_type = BigInt)]
        id: i64,
        #[diesel(sql_type = Bool)]
        is_active: bool,
    }

    let Connection::Postgres(connection) = connection else { return Ok(States::new()) };
    let names: Vec<&str> = wanted.iter().map(|(schema, _)| schema.as_str()).collect();
    let there: Vec<Name> = diesel::sql_query(
        "SELECT n.nspname::text AS name FROM pg_catalog.pg_namespace n \
         JOIN pg_catalog.pg_class c ON c.relnamespace = n.oid \
         WHERE n.nspname = ANY($1) AND c.relname::text = $2 AND c.relkind IN ('r', 'p')",
    )
    .bind::<Array<Text>, _>(names)
    .bind::<Text, _>(CONNECTIONS)
    .load(&mut **connection)?;
    let there: HashSet<String> = there.into_iter().map(|schema| schema.name).collect();
    let parts: Vec<String> = wanted
        .iter()
        .enumerate()
        .filter(|(_, (schema, _))| there.contains(schema.as_str()))
        .map(|(index, (schema, ids))| {
            let ids: Vec<String> = ids.iter().map(ToString::to_string).collect();
            // Schema names hold letters, digits, _ and - only, so quoting is all they need.
            format!(
                "SELECT {index} AS schema, id::bigint AS id, is_active FROM \"{schema}\".{CONNECTIONS} WHERE id IN ({})",
                ids.join(", ")
            )
        })
        .collect();
    if parts.is_empty() {
        return Ok(States::new());
    }
    let found: Vec<Found> = diesel::sql_query(parts.join(" UNION ALL ")).load(&mut **connection)?;
    let state = |found: Found| {
        let (schema, _) = wanted.get(usize::try_from(found.schema).ok()?)?;
        Some(((schema.clone(), found.id), found.is_active))
    };
    Ok(found.into_iter().filter_map(state).collect())
}

fn in_file(store: &Store, wanted: &(SchemaName, Vec<i64>)) -> States {
    let (schema, ids) = wanted;
    let ids: Vec<RowId> = ids.iter().map(|id| RowId(*id)).collect();
    let found = store.read(Place::Tenant(schema), WHAT, |c| {
        let found: Vec<(RowId, bool)> = on!(c, |c| connections::table
            .filter(connections::id.eq_any(&ids))
            .select((connections::id, connections::is_active))
            .load(c))?;
        Ok(found)
    });
    match found {
        Ok(found) => found.into_iter().map(|(id, is_active)| ((schema.clone(), id.0), is_active)).collect(),
        Err(_) => unknown(wanted),
    }
}

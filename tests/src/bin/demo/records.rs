//! What is in the database, past all code of the jobs.

use diesel::connection::SimpleConnection as _;
use diesel::prelude::*;
use diesel::sql_types::Text;

use crate::stage::Stage;

#[derive(QueryableByName)]
struct Row {
    #[diesel(sql_type = Text)]
    value: String,
}

/// The column `value` of a query in a schema.
pub(crate) fn texts(stage: &Stage, schema: &str, sql: &str) -> Result<Vec<String>, String> {
    let rows: Vec<Row> =
        diesel::sql_query(sql).load(&mut open(stage, schema)?).map_err(|error| format!("{schema}: {error}"))?;
    Ok(rows.into_iter().map(|row| row.value).collect())
}

/// Changes something in the public schema.
pub(crate) fn execute(stage: &Stage, sql: &str) -> Result<(), String> {
    open(stage, "public")?.batch_execute(sql).map_err(|error| format!("public: {error}"))
}

/// The tenants that are switched off together with their subscription.
pub(crate) fn suspended(stage: &Stage) -> Result<Vec<String>, String> {
    texts(
        stage,
        "public",
        "SELECT t.schema_name AS value FROM tenants_tenant t JOIN tenants_tenant_subscription s ON s.tenant_id = t.id \
         WHERE NOT t.is_active AND NOT s.is_active ORDER BY t.id",
    )
}

fn open(stage: &Stage, schema: &str) -> Result<SqliteConnection, String> {
    let file = stage.folder().join("echodesk-data").join(format!("{schema}.sqlite3"));
    SqliteConnection::establish(&file.display().to_string()).map_err(|error| format!("{}: {error}", file.display()))
}

//! A name of all that tables hold.

use echodesk_core::SchemaName;
use sha2::{Digest as _, Sha256};

use crate::database::Database;
use crate::plan::Backend;

impl Database {
    /// The names of the tables that all tenants share.
    pub(crate) fn tables(&self) -> Vec<String> {
        self.values(&self.list_of_tables("public")).into_iter().flatten().collect()
    }

    /// The digest of each of them, with its name.
    pub(crate) fn digests(&self) -> Vec<(String, String)> {
        let with_digest = |table: String| {
            let digest = self.digest("public", &table, &|sql| self.values(sql));
            (table, digest)
        };
        self.tables().into_iter().map(with_digest).collect()
    }

    /// The digest of each table of one tenant, with its name.
    pub(crate) fn tenant_digests(&self, schema: &SchemaName) -> Vec<(String, String)> {
        let values = |sql: &str| self.tenant_values(schema, sql);
        let tables = values(&self.list_of_tables(schema.as_str())).into_iter().flatten();
        tables.map(|table| (format!("{schema}.{table}"), self.digest(schema.as_str(), &table, &values))).collect()
    }

    fn list_of_tables(&self, schema: &str) -> String {
        match self.backend() {
            Backend::Sqlite => "SELECT name AS value FROM sqlite_master WHERE type = 'table' ORDER BY name".to_owned(),
            Backend::Postgres => format!(
                "SELECT table_name::text AS value FROM information_schema.tables \
                 WHERE table_schema = '{schema}' AND table_type = 'BASE TABLE' ORDER BY 1"
            ),
        }
    }

    fn digest(&self, schema: &str, table: &str, values: &dyn Fn(&str) -> Vec<Option<String>>) -> String {
        let rows = match self.backend() {
            Backend::Sqlite => {
                let columns = values(&format!("SELECT name AS value FROM pragma_table_info('{table}')"));
                let columns: Vec<String> =
                    columns.into_iter().flatten().map(|column| format!("quote(\"{column}\")")).collect();
                format!("SELECT {} AS value FROM \"{table}\" ORDER BY 1", columns.join(" || ',' || "))
            }
            Backend::Postgres => format!("SELECT t::text AS value FROM \"{schema}\".\"{table}\" t ORDER BY 1"),
        };
        let mut hash = Sha256::new();
        for row in values(&rows).into_iter().flatten() {
            hash.update(row.len().to_be_bytes());
            hash.update(row);
        }
        hash.finalize().iter().map(|byte| format!("{byte:02x}")).collect()
    }
}

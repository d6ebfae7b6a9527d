//! A name of all that the shared tables hold.

use sha2::{Digest as _, Sha256};

use crate::database::Database;
use crate::plan::Backend;

impl Database {
    /// The names of the tables that all tenants share.
    pub(crate) fn tables(&self, backend: Backend) -> Vec<String> {
        let tables = match backend {
            Backend::Sqlite => "SELECT name AS value FROM sqlite_master WHERE type = 'table' ORDER BY name",
            Backend::Postgres => {
                "SELECT table_name::text AS value FROM information_schema.tables \
                 WHERE table_schema = 'public' AND table_type = 'BASE TABLE' ORDER BY 1"
            }
        };
        self.values(tables).into_iter().flatten().collect()
    }

    /// The digest of each of them, with its name.
    pub(crate) fn digests(&self, backend: Backend) -> Vec<(String, String)> {
        let with_digest = |table: String| {
            let digest = self.digest(&table, backend);
            (table, digest)
        };
        self.tables(backend).into_iter().map(with_digest).collect()
    }

    fn digest(&self, table: &str, backend: Backend) -> String {
        let rows = match backend {
            Backend::Sqlite => {
                let columns = self.values(&format!("SELECT name AS value FROM pragma_table_info('{table}')"));
                let columns: Vec<String> =
                    columns.into_iter().flatten().map(|column| format!("quote(\"{column}\")")).collect();
                format!("SELECT {} AS value FROM \"{table}\" ORDER BY 1", columns.join(" || ',' || "))
            }
            Backend::Postgres => format!("SELECT t::text AS value FROM public.\"{table}\" t ORDER BY 1"),
        };
        let mut hash = Sha256::new();
        for row in self.values(&rows).into_iter().flatten() {
            hash.update(row.len().to_be_bytes());
            hash.update(row);
        }
        hash.finalize().iter().map(|byte| format!("{byte:02x}")).collect()
    }
}

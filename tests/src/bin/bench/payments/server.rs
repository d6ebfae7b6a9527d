//! What a run costs PostgreSQL.

use std::time::Duration;

use super::database::Database;
use crate::measure;

/// What the server has done, since some beginning.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Work {
    /// Committed transactions of the database.
    pub(crate) transactions: u64,
    /// Bytes of write-ahead log.
    pub(crate) wal_bytes: u64,
    /// Times the log was brought to stable storage.
    pub(crate) syncs: u64,
    /// CPU time of all its processes.
    pub(crate) cpu: Duration,
}

/// How long a session may take to hand in its statistics.
const HANDING_IN: Duration = Duration::from_millis(1500);

/// Newer servers count them elsewhere; there it is 0.
const SYNCS: &str = "(SELECT coalesce((to_jsonb(w) ->> 'wal_sync')::bigint, 0) FROM pg_stat_wal w)";

impl Work {
    /// Up to now; of a database whose other sessions have ended.
    pub(crate) fn so_far(url: &str) -> Self {
        std::thread::sleep(HANDING_IN);
        let mut database = Database::open(url);
        let folder = database.text("SELECT setting AS value FROM pg_settings WHERE name = 'data_directory'");
        let file = std::fs::read_to_string(format!("{folder}/postmaster.pid")).unwrap_or_default();
        let process = file.lines().next().and_then(|line| line.trim().parse().ok());
        Self {
            transactions: database
                .number("(SELECT xact_commit FROM pg_stat_database WHERE datname = current_database())"),
            wal_bytes: database.number("(pg_current_wal_insert_lsn() - '0/0')::bigint"),
            syncs: database.number(SYNCS),
            cpu: process.map(measure::cpu_of_family).unwrap_or_default(),
        }
    }

    pub(crate) fn since(self, before: Self) -> Self {
        Self {
            transactions: self.transactions.saturating_sub(before.transactions),
            wal_bytes: self.wal_bytes.saturating_sub(before.wal_bytes),
            syncs: self.syncs.saturating_sub(before.syncs),
            cpu: self.cpu.saturating_sub(before.cpu),
        }
    }
}

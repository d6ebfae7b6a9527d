//! The row of `echodesk_run` that every run leaves, dry ones excepted.

use std::ffi::OsString;
use std::sync::Arc;

use echodesk_core::{Clock, DatabaseUrl, Environment, RunId};
use echodesk_mail::ports::StoreError;
use echodesk_store::{Access, NewRun, Store};
use jiff::Timestamp;

use crate::error::one_line;
use crate::exit::ExitStatus;

/// A run that was written down as begun.
pub(crate) struct RunRecord {
    store: Store,
    id: RunId,
    job: String,
    clock: Arc<dyn Clock>,
}

impl RunRecord {
    /// Writes down that the run has begun.
    pub(crate) fn begin(store: &Store, run: &NewRun<'_>, clock: &Arc<dyn Clock>) -> Result<Self, StoreError> {
        store.begin_run(run)?;
        Ok(Self { store: store.clone(), id: run.id, job: run.job.to_owned(), clock: Arc::clone(clock) })
    }

    /// Writes down how it ended. The work is done either way, so a failure is only logged.
    pub(crate) fn finish(self, status: ExitStatus, summary: &serde_json::Value) {
        let code = i32::from(status.code());
        if let Err(error) = self.store.finish_run(self.id, &self.job, self.clock.now(), code, summary) {
            tracing::warn!(run = %self.id, "the end of the run could not be written down: {}", one_line(&error));
        }
    }
}

/// The database, to write down there that a run was refused before it was opened. None is made for that.
pub(crate) fn store_for_refusal(database: &DatabaseUrl) -> Option<Store> {
    // Reading makes nothing; only what is there already is opened for writing.
    Store::open(database, Access::ReadOnly).ok()?;
    Store::open(database, Access::ReadWrite).ok()
}

/// Writes down a run that was refused before it began. Without our tables there is nowhere to.
pub(crate) fn refused(
    store: &Store,
    run: &NewRun<'_>,
    now: Timestamp,
    status: ExitStatus,
    summary: &serde_json::Value,
) {
    let written =
        store.begin_run(run).and_then(|()| store.finish_run(run.id, run.job, now, i32::from(status.code()), summary));
    if let Err(error) = written {
        tracing::debug!("the refusal was not written down: {}", one_line(&error));
    }
}

/// The name of this machine.
#[must_use]
pub fn host(environment: &Environment) -> String {
    let from_kernel = std::fs::read_to_string("/proc/sys/kernel/hostname").ok();
    let name = from_kernel.as_deref().map(str::trim).filter(|name| !name.is_empty());
    name.or_else(|| environment.get("HOSTNAME")).unwrap_or("unknown").to_owned()
}

/// The arguments of the process as they may be written down: without a database URL, which may hold
/// a password.
pub(crate) fn shown_arguments(arguments: impl Iterator<Item = OsString>) -> String {
    const FLAG: &str = "--database-url";
    let mut shown = Vec::new();
    let mut hide_next = false;
    for argument in arguments {
        let argument = argument.to_string_lossy().into_owned();
        let value_follows = argument == FLAG;
        let joined = argument.strip_prefix(FLAG).is_some_and(|rest| rest.starts_with('='));
        shown.push(match (hide_next, joined) {
            (true, _) => "[secret]".to_owned(),
            (false, true) => format!("{FLAG}=[secret]"),
            (false, false) => argument,
        });
        hide_next = value_follows && !hide_next;
    }
    shown.join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_database_url_is_not_written_down() {
        let table = [
            ("--tenant acme --database-url postgres://u:p@h/d -v", "--tenant acme --database-url [secret] -v"),
            ("--database-url=postgres://u:p@h/d --dry-run", "--database-url=[secret] --dry-run"),
            ("--database-url", "--database-url"),
            ("", ""),
        ];
        for (line, shown) in table {
            assert_eq!(shown_arguments(line.split_whitespace().map(OsString::from)), shown);
        }
    }

    #[test]
    fn a_machine_has_a_name() {
        assert!(!host(&Environment::default()).is_empty());
    }
}

//! The record of runs.

mod history;

use diesel::prelude::*;
use echodesk_core::{RunId, SchemaName, StoreError};
use jiff::{SignedDuration, Timestamp};

pub(crate) use history::Row as RunRow;
pub use history::{JobHealth, RunEntry, RunFilter};

use crate::Store;
use crate::connection::{Place, on};
use crate::sql_types::{JsonText, Stamp, UuidValue};
use crate::tables::runs;

/// A run that begins.
#[derive(Clone, Debug)]
pub struct NewRun<'a> {
    /// Its id.
    pub id: RunId,
    /// The job, for example `sync-emails`.
    pub job: &'a str,
    /// The host it runs on.
    pub host: String,
    /// The version of the program.
    pub version: &'a str,
    /// Its arguments, without anything secret.
    pub arguments: String,
    /// The one tenant that it works for; all otherwise.
    pub tenant: Option<SchemaName>,
    /// When it began.
    pub started_at: Timestamp,
}

/// Runs are remembered for so long; a job that runs every five minutes leaves 26,000 rows by then.
const REMEMBERED_FOR: SignedDuration = SignedDuration::from_hours(90 * 24);

impl Store {
    /// Writes down that a run has begun.
    ///
    /// # Errors
    /// The database is away.
    pub fn begin_run(&self, run: &NewRun<'_>) -> Result<(), StoreError> {
        self.write(Place::Public, "writing down that a run begins", |c| {
            let row = (
                runs::id.eq(UuidValue(run.id.0)),
                runs::job.eq(run.job),
                runs::host.eq(&run.host),
                runs::version.eq(run.version),
                runs::arguments.eq(&run.arguments),
                runs::tenant.eq(run.tenant.as_ref().map(SchemaName::as_str)),
                runs::started_at.eq(Stamp::from(run.started_at)),
            );
            on!(c, |c| diesel::insert_into(runs::table).values(row).execute(c))?;
            Ok(())
        })
    }

    /// Writes down how a run ended, and forgets the job's runs of more than 90 days ago, its last success
    /// excepted.
    ///
    /// # Errors
    /// The database is away.
    pub fn finish_run(
        &self,
        id: RunId,
        job: &str,
        finished_at: Timestamp,
        exit_code: i32,
        summary: &serde_json::Value,
    ) -> Result<(), StoreError> {
        self.write(Place::Public, "writing down how a run ended", |c| {
            let end = (
                runs::finished_at.eq(Stamp::from(finished_at)),
                runs::exit_code.eq(exit_code),
                runs::summary.eq(JsonText(summary.to_string())),
            );
            let run = runs::table.filter(runs::id.eq(UuidValue(id.0)));
            on!(c, |c| diesel::update(run).set(end).execute(c))?;
            Ok(())
        })?;
        // Who may not delete keeps more than is needed, and that is all.
        let before = finished_at.checked_sub(REMEMBERED_FOR).unwrap_or(Timestamp::MIN);
        let _ = self.write(Place::Public, "forgetting old runs", |c| history::forget(c, job, before));
        Ok(())
    }
}

//! What time it is for the database.

use diesel::prelude::*;
use echodesk_mail::ports::StoreError;
use jiff::Timestamp;

use crate::Store;
use crate::connection::{Connection, Place};
use crate::sql_types::{Moment, Stamp};

impl Store {
    /// The time by the clock of the database's server, to the microsecond; none where the database is embedded
    /// and has no other clock than this machine.
    ///
    /// # Errors
    /// The database is away.
    pub fn server_time(&self) -> Result<Option<Timestamp>, StoreError> {
        #[derive(QueryableByName)]
        struct Row {
            #[diesel(sql_type = Moment)]
            now: Stamp,
        }

        self.read(Place::Public, "asking the database for the time", |c| match c {
            // Not `now()`, which is when the transaction began.
            Connection::Postgres(c) => {
                let row: Row = diesel::sql_query("SELECT clock_timestamp() AS now").get_result(c)?;
                Ok(Some(row.now.into()))
            }
            Connection::Sqlite(_) => Ok(None),
        })
    }
}

//! The store itself: which database, and how a transaction on it is run.

use std::collections::HashMap;
use std::fmt;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use diesel::connection::SimpleConnection as _;
use echodesk_core::{DatabaseUrl, SchemaName};
use echodesk_mail::model::ColumnLimits;
use echodesk_mail::ports::StoreError;

use crate::access::{Access, OpenError};
use crate::billing::retries;
use crate::connection::{Connection, Place, Purpose, on};
use crate::error::{Failure, Outcome};
use crate::postgres::PostgresPool;
use crate::sqlite::SqliteFolder;

/// EchoDesk's database, on either back end. Cheap to clone; clones share their connections.
#[derive(Clone)]
pub struct Store {
    inner: Arc<Inner>,
}

struct Inner {
    back_end: BackEnd,
    access: Access,
    shown: String,
    /// Column lengths of the tenants met so far. A run is short, and columns hardly ever change.
    limits: Mutex<HashMap<SchemaName, ColumnLimits>>,
    /// Whether EchoDesk is known to have a table of retries here.
    has_retries: AtomicBool,
}

pub(crate) enum BackEnd {
    Postgres(PostgresPool),
    Sqlite(SqliteFolder),
}

/// How often a transaction is begun again when PostgreSQL ended it to resolve a deadlock.
const ATTEMPTS: usize = 4;

impl fmt::Debug for Store {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Store")
            .field("database", &self.inner.shown)
            .field("access", &self.inner.access)
            .finish_non_exhaustive()
    }
}

impl Store {
    /// Opens a database.
    ///
    /// The embedded one is made, if it is not there, and migrated: the public file now, a tenant's
    /// when it is first used. PostgreSQL is migrated by [`Store::migrate`] only. With
    /// [`Access::ReadOnly`] neither happens.
    ///
    /// # Errors
    /// See [`OpenError`].
    pub fn open(url: &DatabaseUrl, access: Access) -> Result<Self, OpenError> {
        let back_end = match url {
            DatabaseUrl::Postgres { url, shown } => BackEnd::Postgres(PostgresPool::open(url, shown)?),
            DatabaseUrl::Sqlite(folder) => BackEnd::Sqlite(SqliteFolder::open(folder, access)?),
        };
        let inner = Inner {
            back_end,
            access,
            shown: url.to_string(),
            limits: Mutex::default(),
            has_retries: AtomicBool::new(false),
        };
        Ok(Self { inner: Arc::new(inner) })
    }

    /// Asks the database for nothing, to see whether it is there.
    ///
    /// # Errors
    /// It is not.
    pub fn ping(&self) -> Result<(), StoreError> {
        let ask = |c: &mut Connection| Ok(on!(c, |c| c.batch_execute("SELECT 1"))?);
        self.read(Place::Public, "asking whether the database is there", ask)
    }

    pub(crate) fn back_end(&self) -> &BackEnd {
        &self.inner.back_end
    }

    /// Runs `work` in a transaction that reads. `what` completes "… failed": what is being done,
    /// and to what.
    pub(crate) fn read<T>(
        &self,
        place: Place<'_>,
        what: &str,
        work: impl FnMut(&mut Connection) -> Outcome<T>,
    ) -> Result<T, StoreError> {
        self.run(place, Purpose::Read, work).map_err(|failure| failure.during(what))
    }

    /// Runs `work` in a transaction that writes, again if it lost to another in a deadlock.
    pub(crate) fn write<T>(
        &self,
        place: Place<'_>,
        what: &str,
        work: impl FnMut(&mut Connection) -> Outcome<T>,
    ) -> Result<T, StoreError> {
        self.run(place, Purpose::Write, work).map_err(|failure| failure.during(what))
    }

    pub(crate) fn run<T>(
        &self,
        place: Place<'_>,
        purpose: Purpose,
        mut work: impl FnMut(&mut Connection) -> Outcome<T>,
    ) -> Outcome<T> {
        if purpose != Purpose::Read {
            self.refuse_if_read_only()?;
        }
        let mut attempt = 1;
        loop {
            match self.run_once(place, purpose, &mut work) {
                Err(failure) if failure.is_passing() && attempt < ATTEMPTS => attempt += 1,
                result => return result,
            }
        }
    }

    pub(crate) fn may_write(&self) -> bool {
        self.inner.access == Access::ReadWrite
    }

    pub(crate) fn refuse_if_read_only(&self) -> Outcome<()> {
        match self.inner.access {
            Access::ReadWrite => Ok(()),
            Access::ReadOnly => Err(Failure::Refused("the database was opened for reading only".to_owned())),
        }
    }

    fn run_once<T>(
        &self,
        place: Place<'_>,
        purpose: Purpose,
        work: &mut impl FnMut(&mut Connection) -> Outcome<T>,
    ) -> Outcome<T> {
        match self.back_end() {
            BackEnd::Postgres(pool) => pool.begun(place, purpose)?.conclude(work),
            BackEnd::Sqlite(folder) => {
                let schema = match place {
                    Place::Public => None,
                    Place::Tenant(schema) => Some(schema),
                };
                let mut connection = folder.connection(schema)?;
                let turn = (purpose != Purpose::Read).then(|| folder.wait_to_write());
                let result = connection.transaction(place, purpose, work);
                drop(turn);
                // After an error the connection may be in any state, and a new one costs little.
                if result.is_ok() {
                    folder.give_back(schema, connection);
                }
                result
            }
        }
    }

    /// The column lengths of a tenant, if they are known.
    pub(crate) fn known_limits(&self, schema: &SchemaName) -> Option<ColumnLimits> {
        self.lock_limits().get(schema).cloned()
    }

    pub(crate) fn remember_limits(&self, schema: &SchemaName, limits: &ColumnLimits) {
        self.lock_limits().insert(schema.clone(), limits.clone());
    }

    /// Whether EchoDesk has a table of retries here. Asked of the database until it has: a release of
    /// EchoDesk's may bring it while a server of ours runs.
    pub(crate) fn has_retries(&self, connection: &mut Connection) -> Outcome<bool> {
        if self.inner.has_retries.load(Ordering::Acquire) {
            return Ok(true);
        }
        let there = retries::exist(connection)?;
        self.inner.has_retries.store(there, Ordering::Release);
        Ok(there)
    }

    fn lock_limits(&self) -> MutexGuard<'_, HashMap<SchemaName, ColumnLimits>> {
        // Filled by single inserts, which leave nothing half done.
        self.inner.limits.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

//! The embedded database: a folder with `public.sqlite3` and one file per tenant.
//!
//! A connection has its tenant's file as `main` and the public one attached as `public`, which
//! mirrors PostgreSQL's search path: bare names are the tenant's, `public.…` is everybody's.
//!
//! A transaction over both files is atomic for other connections. Should the machine lose power in
//! the middle of a commit, each file is whole, but one may have the commit and the other not; so
//! nothing here depends on both.

use std::collections::HashSet;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use diesel::connection::{Connection as _, SimpleConnection};
use diesel::sqlite::SqliteConnection;
use echodesk_core::SchemaName;
use echodesk_mail::ports::StoreErrorKind;

use crate::access::{Access, OpenError};
use crate::connection::{Connection, Place};
use crate::error::{Failure, Outcome, Said, kind};
use crate::migrations;

/// Connections that are kept open between transactions.
const MAX_IDLE: usize = 16;

const PUBLIC_FILE: &str = "public.sqlite3";

pub(crate) struct SqliteFolder {
    folder: PathBuf,
    access: Access,
    idle: Mutex<Vec<(Option<SchemaName>, Box<SqliteConnection>)>>,
    /// Tenants whose files are known to be migrated.
    migrated: Mutex<HashSet<SchemaName>>,
    /// Every writing transaction locks the public file. Threads of this process wait for each other
    /// here, in order, instead of polling the file; other processes are what the busy timeout is for.
    writer: Mutex<()>,
}

impl SqliteFolder {
    pub(crate) fn open(folder: &Path, access: Access) -> Result<Self, OpenError> {
        let public = folder.join(PUBLIC_FILE);
        match access {
            Access::ReadOnly if !public.is_file() => return Err(OpenError::NotThere { folder: folder.to_owned() }),
            Access::ReadOnly => {}
            Access::ReadWrite => std::fs::create_dir_all(folder).map_err(|source| OpenError::Config {
                what: format!("making the folder {}", folder.display()),
                source: Box::new(source),
            })?,
        }
        let this = Self {
            folder: folder.to_owned(),
            access,
            idle: Mutex::default(),
            migrated: Mutex::default(),
            writer: Mutex::default(),
        };
        this.prepare().map_err(|failure| {
            let error = failure.during(&format!("opening the database in {}", folder.display()));
            let source = error.source.unwrap_or_else(|| Box::new(Said("it cannot be used".to_owned())));
            match error.kind {
                StoreErrorKind::Unavailable => OpenError::Unavailable { what: error.what, source },
                _ => OpenError::Config { what: error.what, source },
            }
        })?;
        Ok(this)
    }

    fn prepare(&self) -> Outcome<()> {
        if self.access == Access::ReadWrite {
            let mut main = Box::new(self.open_file(&self.uri(&self.path(None)))?);
            use_log(&mut main, "main")?;
            let _turn = self.wait_to_write();
            migrations::bring_up_to_date(&mut Connection::Sqlite(main), Place::Public)?;
        }
        // A file that is no database says so now and not in the middle of a run.
        let mut connection = self.establish(None)?;
        connection.batch_execute("SELECT count(*) FROM public.sqlite_master")?;
        self.give_back(None, Connection::Sqlite(connection));
        Ok(())
    }

    /// Held for the length of a writing transaction.
    pub(crate) fn wait_to_write(&self) -> MutexGuard<'_, ()> {
        // It guards no data, so a panic elsewhere leaves nothing behind.
        self.writer.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A connection, from those kept or a new one; a tenant's file is made and migrated when it is
    /// first opened for writing.
    pub(crate) fn connection(&self, schema: Option<&SchemaName>) -> Outcome<Connection> {
        if let Some(kept) = self.take_idle(schema) {
            return Ok(Connection::Sqlite(kept));
        }
        let connection = Connection::Sqlite(self.establish(schema)?);
        match schema.filter(|_| self.access == Access::ReadWrite) {
            Some(schema) => Ok(self.migrated(schema, connection)?.0),
            None => Ok(connection),
        }
    }

    /// Makes a tenant's file, if it is not there, and brings it up to date. Returns what was applied.
    pub(crate) fn migrate(&self, schema: &SchemaName) -> Outcome<Vec<String>> {
        let connection = Connection::Sqlite(self.establish(Some(schema))?);
        Ok(self.migrated(schema, connection)?.1)
    }

    fn migrated(&self, schema: &SchemaName, mut connection: Connection) -> Outcome<(Connection, Vec<String>)> {
        let mut applied = Vec::new();
        let known = lock(&self.migrated).contains(schema);
        if !known {
            let _turn = self.wait_to_write();
            applied = migrations::bring_up_to_date(&mut connection, Place::Tenant(schema))?;
            lock(&self.migrated).insert(schema.clone());
        }
        Ok((connection, applied))
    }

    /// Keeps a connection for the next who needs one to the same file.
    pub(crate) fn give_back(&self, schema: Option<&SchemaName>, connection: Connection) {
        let Connection::Sqlite(connection) = connection else { return };
        // A reader leaves no file behind, and SQLite tidies up when the last connection closes.
        if self.access == Access::ReadOnly {
            return;
        }
        let mut idle = lock(&self.idle);
        if idle.len() >= MAX_IDLE {
            idle.remove(0);
        }
        idle.push((schema.cloned(), connection));
    }

    fn take_idle(&self, schema: Option<&SchemaName>) -> Option<Box<SqliteConnection>> {
        let mut idle = lock(&self.idle);
        let at = idle.iter().rposition(|(kept, _)| kept.as_ref() == schema)?;
        Some(idle.remove(at).1)
    }

    /// Whether a tenant's file is missing and may not be made.
    pub(crate) fn lacks(&self, schema: &SchemaName) -> bool {
        self.access == Access::ReadOnly && !self.path(Some(schema)).is_file()
    }

    fn path(&self, schema: Option<&SchemaName>) -> PathBuf {
        self.folder.join(schema.map_or_else(|| PUBLIC_FILE.to_owned(), |schema| format!("{schema}.sqlite3")))
    }

    /// A tenant's file with the public one attached; for the public one alone, nothing with it
    /// attached, so that its name is `public` there as well.
    fn establish(&self, schema: Option<&SchemaName>) -> Outcome<Box<SqliteConnection>> {
        let main = match schema {
            Some(schema) => {
                let path = self.path(Some(schema));
                // SQLite would make an empty file.
                if self.access == Access::ReadOnly && !path.is_file() {
                    return Err(Failure::Refused(format!("there is no file {}", path.display())));
                }
                self.uri(&path)
            }
            None => ":memory:".to_owned(),
        };
        let mut connection = self.open_file(&main)?;
        let public = self.uri(&self.path(None)).replace('\'', "''");
        connection
            .batch_execute(&format!("ATTACH DATABASE '{public}' AS public; PRAGMA public.cache_size = -1000;"))?;
        match self.access {
            Access::ReadOnly => connection.batch_execute("PRAGMA query_only = ON;")?,
            Access::ReadWrite => {
                if schema.is_some() {
                    use_log(&mut connection, "main")?;
                }
                // A charge that was written down must survive a power cut before the bank is called. Mail
                // is read again.
                let public = if schema.is_some() { "NORMAL" } else { "FULL" };
                let pragmas = format!("PRAGMA main.synchronous = NORMAL; PRAGMA public.synchronous = {public};");
                connection.batch_execute(&pragmas)?;
            }
        }
        Ok(Box::new(connection))
    }

    fn open_file(&self, uri: &str) -> Outcome<SqliteConnection> {
        let mut connection = SqliteConnection::establish(uri).map_err(|error| Failure::Said {
            source: Box::new(Said(error.to_string())),
            kind: StoreErrorKind::Other,
        })?;
        // A few megabytes of cache for each file; a busy database is waited for as long as
        // PostgreSQL's locks are.
        connection
            .batch_execute("PRAGMA busy_timeout = 10000; PRAGMA foreign_keys = ON; PRAGMA main.cache_size = -2000;")?;
        Ok(connection)
    }

    /// The file as a URI. A reader who finds a log beside it (somebody writes, or died writing)
    /// opens the file read-only, so that closing does not write the log into it.
    fn uri(&self, path: &Path) -> String {
        let mut log = path.as_os_str().to_owned();
        log.push("-wal");
        let mode = if self.access == Access::ReadOnly && Path::new(&log).exists() { "?mode=ro" } else { "" };
        let mut uri = "file:".to_owned();
        for character in path.to_string_lossy().chars() {
            match character {
                '?' => uri.push_str("%3f"),
                '#' => uri.push_str("%23"),
                '%' => uri.push_str("%25"),
                other => uri.push(other),
            }
        }
        uri.push_str(mode);
        uri
    }
}

/// Sets a file to write-ahead logging, which it then keeps. Two processes that do so at once on a new
/// file do not wait for each other as other statements do, so the loser tries again.
fn use_log(connection: &mut SqliteConnection, database: &str) -> Outcome<()> {
    // Of a new file only: bodies of mail fill many small pages.
    connection.batch_execute(&format!("PRAGMA {database}.page_size = 16384;"))?;
    let mut attempts_left = 100;
    loop {
        match connection.batch_execute(&format!("PRAGMA {database}.journal_mode = WAL;")) {
            Err(error) if attempts_left > 0 && kind(&error) == StoreErrorKind::Unavailable => {
                attempts_left -= 1;
                std::thread::sleep(Duration::from_millis(20));
            }
            result => return Ok(result?),
        }
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    // What these guard is changed by single calls that cannot leave it half done.
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

//! An installation with a tenant, on either back end, and what is in its database.

mod database;
mod mail;

use std::path::Path;
use std::time::Duration;

use echodesk_test_servers::postgres::Postgres;
use echodesk_tests::processes::{Ended, Installation};
use echodesk_tests::sandbox::bank::CLIENT_ID;
use serde_json::Value;
use tempfile::TempDir;

pub(crate) use database::Held;
pub(crate) use mail::{mail, mail_with_id};

/// The tenant that every world has.
pub(crate) const TENANT: &str = "acme";

/// Where things are stored.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Backend {
    Sqlite,
    Postgres,
}

/// An installation with one tenant.
pub(crate) struct World {
    pub(crate) installation: Installation,
    backend: Backend,
    /// The database's own address, where the programs reach it through something else.
    direct: Option<String>,
    _folder: TempDir,
}

impl World {
    /// `None` where the back end's server is not installed.
    pub(crate) fn new(backend: Backend, ca_file: &Path) -> Option<Self> {
        let database_url = match backend {
            Backend::Sqlite => None,
            Backend::Postgres => Some(Postgres::shared()?.database()),
        };
        Some(Self::on(database_url, ca_file))
    }

    /// On a database of PostgreSQL, or embedded.
    pub(crate) fn on(database_url: Option<String>, ca_file: &Path) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let backend = if database_url.is_some() { Backend::Postgres } else { Backend::Sqlite };
        let embedded = || format!("sqlite://{}", folder.path().join("data").display());
        let database_url = database_url.unwrap_or_else(embedded);
        let installation = Installation { database_url, folder: folder.path().to_owned(), ca_file: ca_file.to_owned() };
        let world = Self { installation, backend, direct: None, _folder: folder };
        if backend == Backend::Postgres {
            world.echodesk(&["migrate"]);
        }
        world.echodesk(&["tenant", "add", TENANT, "--name", "Acme", "--admin-email", "admin@example.com"]);
        world.bind();
        world
    }

    /// Whose the database is: what `echodesk identity bind` writes down, without a process of its own.
    fn bind(&self) {
        let now = match self.backend {
            Backend::Sqlite => "'2026-01-01T00:00:00.000000Z'",
            Backend::Postgres => "now()",
        };
        self.execute(&format!(
            "INSERT INTO echodesk_identity (id, environment, bank_client, mail_host, bound_at, bound_by) \
             VALUES (1, 'test', '{CLIENT_ID}', 'localhost', {now}, 'here')"
        ));
    }

    /// From here on the programs reach the database by another address; what a test looks at, it looks at directly.
    pub(crate) fn through(mut self, url: String) -> Self {
        self.direct = Some(std::mem::replace(&mut self.installation.database_url, url));
        self
    }

    /// The database's own address.
    fn direct_url(&self) -> &str {
        self.direct.as_deref().unwrap_or(&self.installation.database_url)
    }

    fn echodesk(&self, arguments: &[&str]) -> Ended {
        self.installation.echodesk(arguments, "").well()
    }

    /// Adds a mailbox on a server of this machine.
    pub(crate) fn mailbox(&self, address: &str, password: &str, port: u16, more: &[&str]) {
        let port = port.to_string();
        let mut arguments = vec!["mailbox", "add", "--tenant", TENANT, "--email", address, "--imap-port", &port];
        arguments.extend(["--password-stdin"]);
        if !more.contains(&"--imap-host") {
            arguments.extend(["--imap-host", "localhost"]);
        }
        arguments.extend(more);
        let _ = self.installation.echodesk(&arguments, password).well();
    }

    /// Runs `sync-emails`, which is to end well, and returns the one mailbox of its report.
    pub(crate) fn sync(&self) -> Value {
        let (ended, mailbox) = self.try_sync(&[]);
        let _ = ended.well();
        assert_eq!(mailbox["outcome"], "synced", "{mailbox:#}");
        mailbox
    }

    /// Runs `sync-emails` and returns how it ended and the first mailbox of its report.
    pub(crate) fn try_sync(&self, arguments: &[&str]) -> (Ended, Value) {
        let (ended, report) = self.installation.sync_reported(arguments);
        assert!(!ended.stderr.contains("panicked"), "{ended:#?}");
        (ended, report["mailboxes"][0].clone())
    }

    /// One column of text of a query in the tenant's schema.
    pub(crate) fn texts(&self, sql: &str) -> Vec<String> {
        database::texts(self, TENANT, sql)
    }

    /// One column of text of a query in the public schema.
    pub(crate) fn public_texts(&self, sql: &str) -> Vec<String> {
        database::texts(self, "public", sql)
    }

    /// Changes something in the public schema; several statements are one transaction on PostgreSQL.
    pub(crate) fn execute(&self, sql: &str) {
        database::execute(self, "public", sql);
    }

    /// Changes something in the tenant's schema.
    pub(crate) fn execute_for_tenant(&self, sql: &str) {
        database::execute(self, TENANT, sql);
    }

    /// Where things are stored.
    pub(crate) fn backend(&self) -> Backend {
        self.backend
    }

    /// Keeps everybody else from writing to the table of charges, until it is dropped.
    pub(crate) fn hold_charges(&self) -> Held {
        database::hold(self, "echodesk_charge_attempt")
    }

    /// A transaction in the public schema that has changed nothing yet.
    pub(crate) fn begin(&self) -> Held {
        database::begin(self)
    }

    /// Another installation with the same content. Nothing of this one may be running.
    pub(crate) fn copy(&self) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let database_url = match self.backend {
            Backend::Sqlite => {
                let (from, to) = (self.installation.folder.join("data"), folder.path().join("data"));
                std::fs::create_dir(&to).unwrap();
                for file in std::fs::read_dir(from).unwrap().map(Result::unwrap) {
                    std::fs::copy(file.path(), to.join(file.file_name())).unwrap();
                }
                format!("sqlite://{}", to.display())
            }
            Backend::Postgres => Postgres::shared().unwrap().copy_of(self.direct_url()),
        };
        let folder_path = folder.path().to_owned();
        let installation =
            Installation { database_url, folder: folder_path, ca_file: self.installation.ca_file.clone() };
        Self { installation, backend: self.backend, direct: None, _folder: folder }
    }

    /// Remembers what the tables of payments hold, for [`World::restore`] of copies. Nothing on SQLite, where
    /// copies are cheap.
    pub(crate) fn remember(&self) {
        if self.backend == Backend::Postgres {
            database::remember(self);
        }
    }

    /// Puts back what was remembered. Whether it could.
    pub(crate) fn restore(&self) -> bool {
        let can = self.backend == Backend::Postgres;
        if can {
            database::restore(self);
        }
        can
    }

    /// Waits until a database server has done with what a killed process had asked of it.
    pub(crate) fn come_to_rest(&self) {
        if self.backend == Backend::Postgres {
            database::come_to_rest(self);
        }
    }

    /// Removes the database, of which a server would otherwise keep very many.
    pub(crate) fn discard(self) {
        if self.backend == Backend::Postgres {
            Postgres::shared().unwrap().remove(self.direct_url());
        }
    }

    /// Messages stored, and their places that are known.
    pub(crate) fn counts(&self) -> (usize, usize) {
        let count =
            |table: &str| self.texts(&format!("SELECT CAST(count(*) AS text) AS value FROM {table}"))[0].parse();
        (count("social_integrations_emailmessage").unwrap(), count("echodesk_mail_item").unwrap())
    }

    /// All rows of all tables; `None` where the database is embedded.
    pub(crate) fn dump(&self) -> Option<String> {
        let server = Postgres::shared().filter(|_| self.backend == Backend::Postgres)?;
        Some(server.dump(self.direct_url(), &["--data-only"]))
    }

    /// Ends every lease, as time would: a killed process cannot give its own back.
    pub(crate) fn end_leases(&self) {
        database::execute(self, "public", "DELETE FROM echodesk_lease");
    }
}

/// Makes a test for each back end of a function that takes one.
macro_rules! on_both {
    ($($name:ident),+ $(,)?) => {
        mod on_sqlite {
            $(#[test] fn $name() { super::$name($crate::support::Backend::Sqlite); })+
        }
        mod on_postgres {
            $(#[test] fn $name() { super::$name($crate::support::Backend::Postgres); })+
        }
    };
}
pub(crate) use on_both;

/// Time for things on a busy machine.
pub(crate) const PATIENCE: Duration = Duration::from_secs(20);

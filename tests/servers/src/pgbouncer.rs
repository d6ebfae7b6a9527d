//! PgBouncer: a pooler between clients and PostgreSQL.

use std::net::TcpStream;
use std::process::Command;
use std::time::Duration;

use tempfile::TempDir;

use crate::missing::{find, missing, run};
use crate::process::{ServerProcess, free_port};
use crate::user::User;

/// A running PgBouncer in transaction mode: after each transaction a client may be given another session.
#[derive(Debug)]
pub struct PgBouncer {
    // Declared before the folder, so that the server has ended when the folder is removed.
    _process: ServerProcess,
    port: u16,
    folder: TempDir,
}

impl PgBouncer {
    /// Starts a pooler in front of the server of `url` (`postgres://user:password@host:port/…`, as
    /// [`crate::postgres::Postgres`] has them), which holds at most `sessions` sessions for a database.
    /// `settings` are further lines of its configuration; of a name that is there already the last counts.
    ///
    /// # Panics
    /// It does not start; the message has its log.
    #[must_use]
    pub fn in_front_of(url: &str, sessions: u32, settings: &[&str]) -> Option<Self> {
        let Some(program) = find("pgbouncer", Vec::new()) else {
            return missing("PgBouncer", "pgbouncer");
        };
        let parts = Parts::of(url);
        let user = User::ordinary(&["postgres", "nobody"]);
        let folder = user.temporary_folder("ed-pgb-");
        let port = free_port();
        let path = |name: &str| folder.path().join(name).display().to_string();
        let (users, configuration) = (path("users"), path("pgbouncer.ini"));
        let text = format!(
            "[databases]\n* = host={} port={}\n[pgbouncer]\nlisten_addr = 127.0.0.1\nlisten_port = {port}\n\
             unix_socket_dir =\nauth_type = scram-sha-256\nauth_file = {users}\npool_mode = transaction\n\
             default_pool_size = {sessions}\nmax_client_conn = 200\n{}\n",
            parts.host,
            parts.port,
            settings.join("\n"),
        );
        let secret = format!("\"{}\" \"{}\"\n", parts.user, parts.password);
        for (file, text) in [(&users, secret), (&configuration, text)] {
            std::fs::write(file, text).expect("own folder");
            user.give(file.as_ref());
        }
        let log = folder.path().join("log");
        // QUIT: at once, without waiting for clients, in every version.
        let command = [&*program.to_string_lossy(), &configuration];
        let mut process = ServerProcess::start(&user, "QUIT", folder.path(), &log, &command);
        for _ in 0..200 {
            if TcpStream::connect(("127.0.0.1", port)).is_ok() {
                return Some(Self { _process: process, port, folder });
            }
            if process.ended().is_some() {
                break;
            }
            std::thread::sleep(Duration::from_millis(50));
        }
        panic!("PgBouncer did not start:\n{}", std::fs::read_to_string(&log).unwrap_or_default());
    }

    /// The same database, through the pooler.
    #[must_use]
    pub fn url(&self, url: &str) -> String {
        let Parts { user, password, database, .. } = Parts::of(url);
        format!("postgres://{user}:{password}@127.0.0.1:{}/{database}", self.port)
    }

    /// Its log so far.
    #[must_use]
    pub fn log(&self) -> String {
        std::fs::read_to_string(self.folder.path().join("log")).unwrap_or_default()
    }

    /// Which version it is, as it says itself.
    ///
    /// # Panics
    /// It is not installed.
    #[must_use]
    pub fn version() -> String {
        let program = find("pgbouncer", Vec::new()).expect("it has been started");
        run(Command::new(program).arg("--version"))
    }
}

/// What a URL of ours is made of.
struct Parts<'a> {
    user: &'a str,
    password: &'a str,
    host: &'a str,
    port: &'a str,
    database: &'a str,
}

impl<'a> Parts<'a> {
    fn of(url: &'a str) -> Self {
        let split = || {
            let (authority, database) = url.strip_prefix("postgres://")?.split_once('/')?;
            let (login, place) = authority.split_once('@')?;
            let ((user, password), (host, port)) = (login.split_once(':')?, place.split_once(':')?);
            Some(Self { user, password, host, port, database })
        };
        split().unwrap_or_else(|| panic!("not postgres://user:password@host:port/database: {url}"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::postgres::Postgres;

    #[test]
    fn sessions_are_shared_and_what_is_set_in_one_is_met_by_others() {
        let Some(postgres) = Postgres::shared() else { return };
        let direct = postgres.database();
        let Some(bouncer) = PgBouncer::in_front_of(&direct, 1, &["ignore_startup_parameters = options"]) else {
            return;
        };
        let through = bouncer.url(&direct);
        assert_ne!(through, direct);
        // Two clients, one session: in transaction mode nothing is reset between them. This is what makes a
        // test behind it worth something.
        postgres.execute(&through, "SET search_path TO elsewhere");
        assert_eq!(postgres.execute(&through, "SHOW search_path").trim(), "elsewhere", "{}", bouncer.log());
        assert!(PgBouncer::version().starts_with("PgBouncer"));
    }
}

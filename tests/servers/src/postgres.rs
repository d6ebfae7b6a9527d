//! PostgreSQL.

use std::collections::hash_map::RandomState;
use std::hash::{BuildHasher as _, Hasher as _};
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, OnceLock, PoisonError};
use std::time::Duration;

use tempfile::TempDir;

use crate::missing::{find, missing, run, setting};
use crate::process::{ServerProcess, free_port};
use crate::user::User;

/// The environment variable by which a test run hands one server to all its test processes.
pub const SHARED: &str = "ECHODESK_TEST_POSTGRES";

/// Speed instead of surviving a power cut. Commits still reach the system, so that a server that is
/// stopped at once comes back with everything it had promised.
const VOLATILE: [&str; 2] = ["fsync=off", "full_page_writes=off"];

/// A throw-away PostgreSQL server.
#[derive(Debug)]
pub struct Postgres {
    /// `postgres://user:password@host:port`, without a database.
    base: String,
    psql: PathBuf,
    /// `None` for a server that somebody else started.
    own: Option<Own>,
}

#[derive(Debug)]
struct Own {
    // Declared before the folder, so that the server has ended when the folder is removed.
    process: Mutex<Option<ServerProcess>>,
    user: User,
    program: PathBuf,
    port: u16,
    settings: Vec<String>,
    folder: TempDir,
}

static NUMBER: AtomicUsize = AtomicUsize::new(0);

impl Postgres {
    /// The server that all tests of this process share; of the whole test run, if `tests/run` has
    /// started one.
    pub fn shared() -> Option<&'static Self> {
        static SERVER: OnceLock<Option<Postgres>> = OnceLock::new();
        SERVER.get_or_init(|| setting(SHARED).and_then(Self::elsewhere).or_else(Self::start)).as_ref()
    }

    /// A server of one's own, to be stopped and started at will.
    #[must_use]
    pub fn start() -> Option<Self> {
        Self::with(VOLATILE.map(str::to_owned).to_vec())
    }

    /// A server that writes as one in production does, for benchmarks.
    #[must_use]
    pub fn start_durable() -> Option<Self> {
        Self::with(vec!["shared_buffers=256MB".to_owned(), "max_wal_size=4GB".to_owned()])
    }

    fn elsewhere(base: String) -> Option<Self> {
        Some(Self { base, psql: find("psql", Vec::new())?, own: None })
    }

    fn with(settings: Vec<String>) -> Option<Self> {
        let folders = versions();
        let (Some(initdb), Some(program), Some(psql)) =
            (find("initdb", folders.clone()), find("postgres", folders.clone()), find("psql", folders))
        else {
            return missing("PostgreSQL", "postgresql");
        };
        let user = User::ordinary(&["postgres", "nobody"]);
        let folder = user.temporary_folder("ed-pg-");
        // Not a secret worth guessing, but nobody else on this machine should talk to it by mistake.
        let password = folder.path().file_name().unwrap_or_default().to_string_lossy().into_owned();
        let password_file = folder.path().join("password");
        std::fs::write(&password_file, &password).expect("own folder");
        user.give(&password_file);
        let mut command = Command::new(initdb);
        command
            .args(["--username=echodesk", "--auth=scram-sha-256", "--encoding=UTF8", "--locale=C", "--no-sync"])
            .arg(format!("--pwfile={}", password_file.display()))
            .arg("--pgdata")
            .arg(folder.path().join("data"))
            .current_dir(folder.path());
        run(user.run_as(&mut command));

        let port = free_port();
        let server = Self {
            base: format!("postgres://echodesk:{password}@127.0.0.1:{port}"),
            psql,
            own: Some(Own { process: Mutex::new(None), user, program, port, settings, folder }),
        };
        server.resume();
        Some(server)
    }

    /// Ends the server at once; its data stays. Does nothing on a shared server.
    pub fn stop(&self) {
        let process = self.own.as_ref().and_then(|own| lock(&own.process).take());
        if let Some(process) = process {
            process.stop();
        }
    }

    /// Starts a stopped server again, on the same port with the same data.
    ///
    /// # Panics
    /// It does not start; the message has its log.
    pub fn resume(&self) {
        let Some(own) = &self.own else { return };
        let mut process = lock(&own.process);
        if process.is_none() {
            *process = Some(own.start());
        }
    }

    /// The URL of a fresh, empty database.
    ///
    /// # Panics
    /// It cannot be created.
    pub fn database(&self) -> String {
        let number = NUMBER.fetch_add(1, Ordering::Relaxed);
        // Process ids come round again within one run of all tests; a hasher's seed is random.
        let random = RandomState::new().build_hasher().finish();
        let name = format!("test_{random:016x}_{number}");
        self.execute(&self.superuser_url(), &format!("CREATE DATABASE {name}"));
        self.url(&name)
    }

    /// The URL of a fresh database with the content of another one, which nobody must be using.
    ///
    /// # Panics
    /// It cannot be created.
    pub fn copy_of(&self, url: &str) -> String {
        let template = url.rsplit('/').next().unwrap_or_default();
        let name = format!("{template}_{}", NUMBER.fetch_add(1, Ordering::Relaxed));
        self.execute(&self.superuser_url(), &format!("CREATE DATABASE {name} TEMPLATE {template}"));
        self.url(&name)
    }

    /// Removes a database, whoever is using it.
    ///
    /// # Panics
    /// It cannot be removed.
    pub fn remove(&self, url: &str) {
        let name = url.rsplit('/').next().unwrap_or_default();
        self.execute(&self.superuser_url(), &format!("DROP DATABASE {name} WITH (FORCE)"));
    }

    /// The URL of the database `name`.
    #[must_use]
    pub fn url(&self, name: &str) -> String {
        format!("{}/{name}", self.base)
    }

    /// The URL of the maintenance database, as the superuser.
    #[must_use]
    pub fn superuser_url(&self) -> String {
        self.url("postgres")
    }

    /// Runs SQL with psql, stopping at the first error, and returns the rows: fields separated by
    /// `|`, one row a line.
    ///
    /// # Panics
    /// The SQL fails.
    pub fn execute(&self, url: &str, sql: &str) -> String {
        run(self.psql(url).args(["--command", sql]))
    }

    /// Runs a file of SQL with psql.
    ///
    /// # Panics
    /// The SQL fails.
    pub fn execute_file(&self, url: &str, file: &Path) -> String {
        run(self.psql(url).arg("--file").arg(file))
    }

    /// What `pg_dump` writes of a database, given its arguments: the same text for the same content.
    ///
    /// # Panics
    /// `pg_dump` is missing or fails.
    #[must_use]
    pub fn dump(&self, url: &str, arguments: &[&str]) -> String {
        let program = find("pg_dump", versions()).expect("pg_dump comes with the server's packages");
        let text = run(Command::new(program).args(arguments).args(["--dbname", url]));
        // Newer versions put a random word around the whole, for psql's sake.
        let is_random = |line: &&str| line.starts_with("\\restrict ") || line.starts_with("\\unrestrict ");
        text.lines().filter(|line| !is_random(line)).flat_map(|line| [line, "\n"]).collect()
    }

    fn psql(&self, url: &str) -> Command {
        let mut command = Command::new(&self.psql);
        command
            .args([
                "--no-psqlrc",
                "--quiet",
                "--no-align",
                "--tuples-only",
                "--set",
                "ON_ERROR_STOP=1",
                "--dbname",
                url,
            ])
            .env("PGOPTIONS", "-c client_min_messages=warning");
        command
    }

    /// The server's URL without a database, as [`Postgres::shared`] of another process takes it from
    /// `ECHODESK_TEST_POSTGRES`.
    #[must_use]
    pub fn base_url(&self) -> &str {
        &self.base
    }
}

impl Own {
    fn start(&self) -> ServerProcess {
        let (data, log) = (self.folder.path().join("data"), self.folder.path().join("log"));
        let mut command = vec![
            self.program.display().to_string(),
            "-D".to_owned(),
            data.display().to_string(),
            "-p".to_owned(),
            self.port.to_string(),
        ];
        let common = ["listen_addresses=127.0.0.1", "unix_socket_directories=", "max_connections=300"];
        for setting in common.into_iter().chain(self.settings.iter().map(String::as_str)) {
            command.extend(["-c".to_owned(), setting.to_owned()]);
        }
        let command: Vec<&str> = command.iter().map(String::as_str).collect();
        // QUIT: at once, without waiting for clients.
        let mut process = ServerProcess::start(&self.user, "QUIT", self.folder.path(), &log, &command);
        for _ in 0..600 {
            let ready = std::fs::read_to_string(&log).unwrap_or_default().contains("ready to accept connections");
            if ready && TcpStream::connect(("127.0.0.1", self.port)).is_ok() && self.accepts(&log) {
                return process;
            }
            if process.ended().is_some() {
                break;
            }
            std::thread::sleep(Duration::from_millis(50));
        }
        panic!("PostgreSQL did not start:\n{}", std::fs::read_to_string(&log).unwrap_or_default());
    }

    /// Whether the newest start in the log has come to its end: an older "ready" may stand there.
    fn accepts(&self, log: &Path) -> bool {
        let text = std::fs::read_to_string(log).unwrap_or_default();
        let start = text.rfind("starting PostgreSQL").unwrap_or(0);
        text[start..].contains("ready to accept connections")
    }
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Where Debian keeps the server's programs, newest version first.
fn versions() -> Vec<PathBuf> {
    let mut folders: Vec<(u32, PathBuf)> = std::fs::read_dir("/usr/lib/postgresql")
        .into_iter()
        .flatten()
        .filter_map(|entry| {
            let entry = entry.ok()?;
            Some((entry.file_name().to_str()?.parse().ok()?, entry.path().join("bin")))
        })
        .collect();
    folders.sort();
    folders.into_iter().rev().map(|(_, folder)| folder).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_database_is_new_and_empty() {
        let Some(server) = Postgres::shared() else { return };
        let (a, b) = (server.database(), server.database());
        assert_ne!(a, b);
        server.execute(&a, "CREATE TABLE t (x int)");
        assert_eq!(server.execute(&b, "SELECT count(*) FROM pg_tables WHERE schemaname = 'public'").trim(), "0");
    }

    #[test]
    fn a_copy_has_the_same_content_and_a_life_of_its_own() {
        let Some(server) = Postgres::shared() else { return };
        let one = server.database();
        server.execute(&one, "CREATE TABLE t AS SELECT 7 AS x");
        let two = server.copy_of(&one);
        server.execute(&two, "UPDATE t SET x = 8");
        let x = |url: &str| server.execute(url, "SELECT x FROM t").trim().to_owned();
        assert_eq!((x(&one), x(&two)), ("7".to_owned(), "8".to_owned()));
        server.remove(&two);
        let left = "SELECT count(*) FROM pg_database WHERE datname = '";
        let name = two.rsplit('/').next().unwrap();
        assert_eq!(server.execute(&one, &format!("{left}{name}'")).trim(), "0");
    }

    #[test]
    fn dumps_of_the_same_content_are_the_same() {
        let Some(server) = Postgres::shared() else { return };
        let url = server.database();
        server.execute(&url, "CREATE TABLE t AS SELECT 7 AS x; CREATE TABLE u AS SELECT 8 AS y");
        let dump = |arguments: &[&str]| server.dump(&url, arguments);
        assert_eq!(dump(&[]), dump(&[]));
        assert!(dump(&["--data-only"]).contains("COPY public.t (x)"), "{}", dump(&[]));
        assert!(!dump(&["--schema-only", "--exclude-table=*.u"]).contains("public.u"));
        let before = dump(&["--data-only"]);
        server.execute(&url, "UPDATE t SET x = 9");
        assert_ne!(dump(&["--data-only"]), before);
    }

    #[test]
    fn a_stopped_server_comes_back_with_its_data() {
        let Some(server) = Postgres::start() else { return };
        let url = server.database();
        server.execute(&url, "CREATE TABLE t AS SELECT 7 AS x");
        server.stop();
        let port = server.own.as_ref().unwrap().port;
        assert!(TcpStream::connect(("127.0.0.1", port)).is_err(), "it is away");
        server.resume();
        assert_eq!(server.execute(&url, "SELECT x FROM t").trim(), "7");
        let folder = server.own.as_ref().unwrap().folder.path().to_owned();
        drop(server);
        assert!(!folder.exists(), "nothing is left");
    }
}

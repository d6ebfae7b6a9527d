//! A throw-away PostgreSQL server for the tests of this process.

use std::io::Write;
use std::net::TcpListener;
use std::os::unix::fs::chown;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use diesel::connection::SimpleConnection;
use diesel::prelude::*;

/// Ends the server and removes its folder when the pipe to it closes, which the kernel does for us
/// however we end.
const WATCHDOG: &str = r#""$1" -D "$2/data" -p "$3" -k "$2" -h 127.0.0.1 -F </dev/null >"$2/log" 2>&1 &
server=$!; read -r _; kill -QUIT "$server"; wait "$server"; rm -rf "$2""#;

/// A running server.
pub(crate) struct Postgres {
    base: String,
    _pipe: std::process::ChildStdin,
}

static NUMBER: AtomicUsize = AtomicUsize::new(0);

impl Postgres {
    /// The server that all tests of this process share.
    pub(crate) fn shared() -> &'static Self {
        static SERVER: OnceLock<Postgres> = OnceLock::new();
        SERVER.get_or_init(Self::start)
    }

    /// The URL of a fresh, empty database.
    pub(crate) fn database(&self) -> String {
        let name = format!("test_{}", NUMBER.fetch_add(1, Ordering::Relaxed));
        let mut connection = PgConnection::establish(&format!("{}/postgres", self.base)).unwrap();
        connection.batch_execute(&format!("CREATE DATABASE {name}")).unwrap();
        format!("{}/{name}", self.base)
    }

    fn start() -> Self {
        let programs = programs();
        let folder = tempfile::Builder::new().prefix("ed-store-").tempdir().unwrap().keep();
        let user = ordinary_user();
        let own = |command: &mut Command| {
            if let Some((uid, gid)) = user {
                command.uid(uid).gid(gid);
            }
        };
        if let Some((uid, gid)) = user {
            chown(&folder, Some(uid), Some(gid)).unwrap();
        }
        let mut initdb = Command::new(programs.join("initdb"));
        initdb.args(["--auth=trust", "--username=echodesk", "--encoding=UTF8", "--locale=C", "--no-sync", "-D"]);
        initdb.arg(folder.join("data")).current_dir(&folder).stdout(Stdio::null());
        own(&mut initdb);
        assert!(initdb.status().unwrap().success(), "initdb failed");

        let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let mut shell = Command::new("/bin/sh");
        shell.args(["-c", WATCHDOG, "watchdog"]).arg(programs.join("postgres")).arg(&folder).arg(port.to_string());
        shell.current_dir(&folder).stdin(Stdio::piped()).process_group(0);
        own(&mut shell);
        let mut pipe = shell.spawn().unwrap().stdin.take().unwrap();
        pipe.flush().unwrap();
        let base = format!("postgres://echodesk@127.0.0.1:{port}");
        for _ in 0..300 {
            if PgConnection::establish(&format!("{base}/postgres")).is_ok() {
                return Self { base, _pipe: pipe };
            }
            std::thread::sleep(Duration::from_millis(100));
        }
        panic!("PostgreSQL does not start:\n{}", std::fs::read_to_string(folder.join("log")).unwrap_or_default());
    }
}

fn programs() -> PathBuf {
    let mut versions: Vec<PathBuf> = std::fs::read_dir("/usr/lib/postgresql")
        .expect("PostgreSQL is installed (Debian: postgresql)")
        .map(|entry| entry.unwrap().path().join("bin"))
        .filter(|folder| folder.join("initdb").exists())
        .collect();
    versions.sort();
    versions.pop().expect("PostgreSQL's programs are there")
}

/// Whom to run as if we are root, which PostgreSQL refuses to run as.
fn ordinary_user() -> Option<(u32, u32)> {
    use std::os::unix::fs::MetadataExt;
    if Path::new("/proc/self").metadata().unwrap().uid() != 0 {
        return None;
    }
    let passwd = std::fs::read_to_string("/etc/passwd").unwrap();
    let line = passwd.lines().find(|line| line.starts_with("postgres:")).expect("there is a user postgres");
    let mut numbers = line.split(':').skip(2).map(|number| number.parse().unwrap());
    Some((numbers.next().unwrap(), numbers.next().unwrap()))
}

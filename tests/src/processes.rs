//! The real binaries, run as processes.

use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use crate::sandbox::bank::CLIENT_ID;

/// An installation: a database, the keys, and where the programs are.
#[derive(Clone, Debug)]
pub struct Installation {
    /// `DATABASE_URL`.
    pub database_url: String,
    /// The working folder: reports go there, and attachments.
    pub folder: PathBuf,
    /// The certificate of the authority that is trusted beside the system's.
    pub ca_file: PathBuf,
}

/// What a process printed, and how it ended.
#[derive(Clone, Debug)]
pub struct Ended {
    /// The exit code; none if a signal ended it.
    pub code: Option<i32>,
    /// Standard output.
    pub stdout: String,
    /// Standard error.
    pub stderr: String,
}

/// `ECHODESK_SECRET_KEY` of tests, the demo and benchmarks: 32 bytes in base64, worth nothing elsewhere.
pub const SECRET_KEY: &str = "VGhpcyBrZXkgaXMgZm9yIHRlc3RzIGFuZCBkZW1vcy4=";

impl Installation {
    /// A command of one of our programs: `echodesk` or `sync-emails`. It sees the settings of this
    /// installation and nothing of the caller's environment but PATH.
    #[must_use]
    pub fn command(&self, program: &str, arguments: &[&str]) -> Command {
        let mut command = Command::new(program_path(program));
        command
            .args(arguments)
            .current_dir(&self.folder)
            .env_clear()
            .env("PATH", "/usr/bin:/bin")
            .env("DATABASE_URL", &self.database_url)
            .env("ECHODESK_SECRET_KEY", SECRET_KEY)
            .env("ECHODESK_ENVIRONMENT", "test")
            .env("ECHODESK_ATTACHMENTS", format!("file://{}", self.folder.join("attachments").display()))
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        command
    }

    /// Runs `echodesk` with a line on its standard input.
    ///
    /// # Panics
    /// It cannot be started.
    #[must_use]
    pub fn echodesk(&self, arguments: &[&str], input: &str) -> Ended {
        let mut command = self.command("echodesk", arguments);
        let mut child = command.stdin(Stdio::piped()).spawn().expect("echodesk is built beside the tests");
        // One that fails early does not read; what it says is in the result.
        let _ = child.stdin.take().map(|mut pipe| pipe.write_all(input.as_bytes()));
        Ended::of(child)
    }

    /// Says that the database is this installation's, with the sandbox bank and a mail server.
    ///
    /// # Panics
    /// It cannot be said.
    pub fn bind(&self, mail_host: &str) {
        let mut command = self.command("echodesk", &["identity", "bind", "--moved"]);
        command.env("BOG_CLIENT_ID", CLIENT_ID).env("EMAIL_HOST", mail_host).env("DEFAULT_FROM_EMAIL", "a@example.com");
        let _ = Ended::of(command.spawn().expect("echodesk is built beside the tests")).well();
    }

    /// Runs `sync-emails` to its end.
    ///
    /// # Panics
    /// It cannot be started.
    #[must_use]
    pub fn sync(&self, arguments: &[&str]) -> Ended {
        Ended::of(self.start_sync(arguments))
    }

    /// Starts `sync-emails`.
    ///
    /// # Panics
    /// It cannot be started.
    #[must_use]
    pub fn start_sync(&self, arguments: &[&str]) -> Child {
        let ca_file = self.ca_file.display().to_string();
        let mut all = vec!["--ca-file", &ca_file];
        all.extend(arguments);
        self.command("sync-emails", &all).spawn().expect("sync-emails is built beside the tests")
    }

    /// Runs `sync-emails` to its end and reads its report.
    ///
    /// # Panics
    /// It cannot be started, or writes no report.
    #[must_use]
    pub fn sync_reported(&self, arguments: &[&str]) -> (Ended, serde_json::Value) {
        let file = self.folder.join("report.json");
        // A report of an earlier run must not be taken for this one's.
        let _ = std::fs::remove_file(&file);
        let name = file.display().to_string();
        let mut all = vec!["--report", &name];
        all.extend(arguments);
        let ended = self.sync(&all);
        let text = std::fs::read(&file).unwrap_or_default();
        let report = serde_json::from_slice(&text);
        assert!(report.is_ok(), "sync-emails wrote no report: {ended:?}");
        (ended, report.unwrap_or_default())
    }
}

impl Ended {
    /// Waits for a process.
    ///
    /// # Panics
    /// It cannot be waited for.
    #[must_use]
    pub fn of(child: Child) -> Self {
        let output = child.wait_with_output().expect("a child can be waited for");
        Self {
            code: output.status.code(),
            stdout: String::from_utf8_lossy(&output.stdout).into_owned(),
            stderr: String::from_utf8_lossy(&output.stderr).into_owned(),
        }
    }

    /// Returns it if it ended well.
    ///
    /// # Panics
    /// It did not.
    #[must_use]
    pub fn well(self) -> Self {
        assert_eq!(self.code, Some(0), "{self:#?}");
        self
    }
}

/// Where a program is: beside this one, or one folder up for tests, which cargo puts into `deps`.
///
/// # Panics
/// It has not been built.
#[must_use]
pub fn program_path(program: &str) -> PathBuf {
    let own = std::env::current_exe().expect("this program has a path");
    let folders = own.ancestors().skip(1).take(2).map(Path::to_owned);
    let found = folders.map(|folder| folder.join(program)).find(|path| path.is_file());
    found.unwrap_or_else(|| missing(program))
}

#[expect(clippy::panic, reason = "a test without the programs it tests has failed")]
fn missing(program: &str) -> PathBuf {
    panic!("{program} is not built: cargo build --workspace --bins (tests/run and tests/demo do so)")
}

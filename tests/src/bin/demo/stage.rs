//! The servers, the installation, and the programs at the times at which they are started.

use std::fs::OpenOptions;
use std::io::Write as _;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};
use std::process::Stdio;

use echodesk_tests::demo_mailbox::{ADDRESS, demo_mailbox, letter_arrives};
use echodesk_tests::moving_clock::MovingClock;
use echodesk_tests::processes::{Ended, Installation};
use echodesk_tests::sandbox::{bank, imap, smtp};
use jiff::Timestamp;
use serde_json::Value;
use tempfile::TempDir;

use crate::calendar::Calendar;

/// Long before the first day of the play, somebody sets everything up.
const SET_UP: (i32, (i8, i8)) = (-30, (9, 0));

/// When the newest letter of the mailbox has come, by the day: an hour before the first job.
const MAILBOX: (i32, (i8, i8)) = (crate::FIRST_DAY, (1, 0));

/// All that the play needs.
pub(crate) struct Stage {
    pub(crate) calendar: Calendar,
    pub(crate) bank: bank::SandboxBank,
    pub(crate) mails: smtp::SandboxSmtp,
    pub(crate) imap: imap::SandboxImap,
    installation: Installation,
    clock: MovingClock,
    _temporary: Option<TempDir>,
}

/// How a job ended, and its report.
pub(crate) struct Ran {
    pub(crate) code: Option<i32>,
    pub(crate) report: Value,
    pub(crate) said: String,
}

impl Stage {
    /// Starts the servers and writes the settings, into a folder that stays or a temporary one.
    pub(crate) fn set(kept: Option<&Path>, calendar: Calendar) -> Result<Self, String> {
        let (folder, temporary) = match kept {
            Some(kept) => (empty(kept)?, None),
            None => {
                let temporary = tempfile::tempdir().map_err(|error| format!("no temporary folder: {error}"))?;
                (temporary.path().to_owned(), Some(temporary))
            }
        };
        // No callbacks: renewals settle by the receipts that the runs ask for.
        let behaviour = bank::Behaviour { callbacks: bank::Callbacks::lost(), ..bank::Behaviour::default() };
        let store = imap::Mailstore::with(ADDRESS, demo_mailbox(calendar.at(MAILBOX.0, MAILBOX.1)));
        let imap = imap::SandboxImap::start(store, imap::Behaviour::default());
        let installation =
            Installation { database_url: "sqlite://echodesk-data".to_owned(), folder, ca_file: imap.ca_file() };
        let stage = Self {
            calendar,
            bank: bank::SandboxBank::start(behaviour),
            mails: smtp::SandboxSmtp::start(smtp::Behaviour::plain()),
            imap,
            installation,
            clock: MovingClock::build().map_err(|error| in_full(&error))?,
            _temporary: temporary,
        };
        stage.write_settings()?;
        Ok(stage)
    }

    /// The installation's folder.
    pub(crate) fn folder(&self) -> &Path {
        &self.installation.folder
    }

    /// `.env`, as an operator writes it.
    fn write_settings(&self) -> Result<(), String> {
        let file = self.folder().join(".env");
        let settings = [
            ("ECHODESK_ENVIRONMENT", "demo".to_owned()),
            ("ECHODESK_SECRET_KEY", echodesk_tests::processes::SECRET_KEY.to_owned()),
            ("ECHODESK_ATTACHMENTS", format!("file://{}", self.folder().join("attachments").display())),
            ("BOG_CLIENT_ID", self.bank.client_id().to_owned()),
            ("BOG_CLIENT_SECRET", self.bank.client_secret().to_owned()),
            ("BOG_AUTH_URL", self.bank.token_url()),
            ("BOG_API_BASE_URL", self.bank.api_url()),
            ("EMAIL_HOST", "localhost".to_owned()),
            ("EMAIL_PORT", self.mails.port().to_string()),
            ("DEFAULT_FROM_EMAIL", "EchoDesk <noreply@echodesk.example>".to_owned()),
        ];
        let text: String = settings.iter().map(|(name, value)| format!("{name}={value}\n")).collect();
        // It holds secrets.
        let created = OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(&file);
        let written = created.and_then(|mut created| created.write_all(text.as_bytes()));
        written.map_err(|error| format!("{}: {error}", file.display()))
    }

    /// Runs a command of `echodesk` with a line on its standard input; it has to end well.
    pub(crate) fn echodesk(&self, arguments: &[&str], input: &str) -> Result<(), String> {
        let ended = self.run("echodesk", arguments, input, self.calendar.at(SET_UP.0, SET_UP.1))?;
        if ended.code == Some(0) {
            return Ok(());
        }
        let Ended { code, stdout, stderr } = ended;
        Err(format!("echodesk {} has ended with exit code {code:?}:\n{stdout}{stderr}", arguments.join(" ")))
    }

    /// Runs a job at a moment and reads its report.
    pub(crate) fn job(&self, program: &str, arguments: &[&str], at: Timestamp) -> Result<Ran, String> {
        let file = self.folder().join("report.json");
        // A report of an earlier run must not be taken for this one's.
        let _ = std::fs::remove_file(&file);
        let name = file.display().to_string();
        let ended = self.run(program, &[&["--report", &name], arguments].concat(), "", at)?;
        let said = format!("{}{}", ended.stdout, ended.stderr);
        let text =
            std::fs::read(&file).map_err(|_| format!("{program} wrote no report ({:?}):\n{said}", ended.code))?;
        let report = serde_json::from_slice(&text).map_err(|error| format!("{program}, report: {error}:\n{said}"))?;
        let _ = std::fs::remove_file(&file);
        Ok(Ran { code: ended.code, report, said })
    }

    fn run(&self, program: &str, arguments: &[&str], input: &str, at: Timestamp) -> Result<Ended, String> {
        let mut command = self.installation.command(program, arguments);
        // These stand in its `.env`.
        for name in ["ECHODESK_ENVIRONMENT", "ECHODESK_SECRET_KEY", "ECHODESK_ATTACHMENTS"] {
            command.env_remove(name);
        }
        self.clock.command(&mut command, at);
        // The mailbox server's certificate is signed by an authority of our own. Reading the machine's is most of
        // what a run would cost.
        command.env("ECHODESK_CA_FILE", &self.installation.ca_file);
        command.env("SSL_CERT_FILE", &self.installation.ca_file).env("SSL_CERT_DIR", self.folder());
        let mut child =
            command.stdin(Stdio::piped()).spawn().map_err(|error| format!("{program} cannot be started: {error}"))?;
        // One that fails early does not read; what it says is in the result.
        let _ = child.stdin.take().map(|mut pipe| pipe.write_all(input.as_bytes()));
        Ok(Ended::of(child))
    }

    /// Puts another letter into the mailbox, in the night before a day's jobs.
    pub(crate) fn letter_arrives(&self, day: i32) {
        letter_arrives(self.imap.store().lock().account(ADDRESS), self.calendar.at(day, (0, 30)));
    }
}

/// A folder that is there and holds no installation, by its full path.
fn empty(folder: &Path) -> Result<PathBuf, String> {
    let found = folder.canonicalize().map_err(|error| format!("{}: {error}", folder.display()))?;
    if found.join("echodesk-data").exists() {
        return Err(format!("{} holds an installation already: remove it first", folder.display()));
    }
    Ok(found)
}

/// An error with what led to it.
pub(crate) fn in_full(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(source) = cause {
        text = format!("{text}: {source}");
        cause = source.source();
    }
    text
}

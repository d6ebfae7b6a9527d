//! Why a job could not be done, and which exit code that is: the one place where errors become
//! exit codes.

use std::error::Error;
use std::path::PathBuf;

use echodesk_core::{EnvironmentError, SchemaName};
use echodesk_mail::ports::{StoreError, StoreErrorKind};
use echodesk_store::OpenError;

use crate::exit::ExitStatus;
use crate::report::ReportError;
use crate::settings::SettingsError;

/// Why a job could not be done.
#[derive(Debug, thiserror::Error)]
pub enum JobError {
    /// `.env` or the environment cannot be read.
    #[error(transparent)]
    Environment(#[from] EnvironmentError),
    /// A setting is missing or wrong.
    #[error(transparent)]
    Settings(#[from] SettingsError),
    /// The report cannot be written.
    #[error(transparent)]
    Report(#[from] ReportError),
    /// The database cannot be opened.
    #[error(transparent)]
    Open(OpenError),
    /// There is no embedded database, and reading must not make one.
    #[error("there is no database in {}: make one with `echodesk migrate`", folder.display())]
    NoDatabase {
        /// The folder.
        folder: PathBuf,
    },
    /// Tables are missing, old, or have columns that we cannot fill.
    #[error("the database is not ready for this version: {}", problems.join("; "))]
    NotReady {
        /// One line each: place, problem, remedy.
        problems: Vec<String>,
    },
    /// Nobody has said whose the database is.
    #[error(
        "before {act}, say whose this database is: set ECHODESK_ENVIRONMENT (for example production) and run \
         `echodesk identity bind` once; from then on it is worked on under these settings only"
    )]
    NotBound {
        /// What the run would do.
        act: &'static str,
    },
    /// The database belongs to another installation.
    #[error("nothing was done: this database belongs to {bound:?} ({}); {remedy}", differences.join("; "))]
    NotOurs {
        /// What that is called.
        bound: String,
        /// In what it differs from this one.
        differences: Vec<String>,
        /// How to go on.
        remedy: &'static str,
        /// Whether it seems to be a copy: another environment, or another database.
        is_copy: bool,
    },
    /// `--tenant` names nobody.
    #[error("no tenant {schema}{}", crate::tenant::suggestion(close))]
    UnknownTenant {
        /// What was asked for.
        schema: SchemaName,
        /// Tenants whose names are close to it.
        close: Vec<String>,
    },
    /// Somebody is exempt whom there is not.
    #[error("{origin}: no tenant {schema}{}", crate::tenant::suggestion(close))]
    UnknownExempt {
        /// The setting or the flag.
        origin: &'static str,
        /// What it names.
        schema: SchemaName,
        /// Tenants whose names are close to it.
        close: Vec<String>,
    },
    /// The database refused or went away during the work.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The operating system refused something that every process may have.
    #[error("cannot {what}")]
    System {
        /// What was to be done.
        what: &'static str,
        /// What the system said.
        source: std::io::Error,
    },
    /// A bug: part of the work panicked.
    #[error("the job failed because of a bug: {message}")]
    Panicked {
        /// What the panic said.
        message: String,
    },
}

impl JobError {
    /// The exit code that this error means.
    #[must_use]
    pub fn status(&self) -> ExitStatus {
        match self {
            Self::Environment(_)
            | Self::Settings(_)
            | Self::NoDatabase { .. }
            | Self::NotReady { .. }
            | Self::NotBound { .. }
            | Self::NotOurs { .. }
            | Self::UnknownTenant { .. }
            | Self::UnknownExempt { .. } => ExitStatus::Usage,
            Self::Report(ReportError::Unwritable { .. }) => ExitStatus::Usage,
            Self::Report(ReportError::NotWritten { .. }) => ExitStatus::DoneWithFailures,
            Self::Open(error) => open_status(error),
            Self::Store(error) => store_status(error.kind),
            Self::System { .. } | Self::Panicked { .. } => ExitStatus::DoneWithFailures,
        }
    }
}

impl From<OpenError> for JobError {
    fn from(error: OpenError) -> Self {
        match error {
            OpenError::NotThere { folder } => Self::NoDatabase { folder },
            other => Self::Open(other),
        }
    }
}

fn open_status(error: &OpenError) -> ExitStatus {
    match error {
        OpenError::Unavailable { .. } => ExitStatus::TryAgainLater,
        OpenError::NotThere { .. } | OpenError::Config { .. } => ExitStatus::Usage,
    }
}

fn store_status(kind: StoreErrorKind) -> ExitStatus {
    match kind {
        StoreErrorKind::Unavailable => ExitStatus::TryAgainLater,
        StoreErrorKind::UnknownTenant | StoreErrorKind::Conflict => ExitStatus::Usage,
        StoreErrorKind::LeaseLost | StoreErrorKind::Other => ExitStatus::DoneWithFailures,
    }
}

/// An error and what caused it, in one line.
#[must_use]
pub fn one_line(error: &dyn Error) -> String {
    let mut line = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        line.push_str(": ");
        line.push_str(&cause.to_string());
        source = cause.source();
    }
    // Libraries are known to put line breaks into their messages; libpq always ends with one.
    line.split_whitespace().collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn store_error(kind: StoreErrorKind) -> StoreError {
        StoreError { kind, what: "cannot list tenants".to_owned(), source: None }
    }

    #[test]
    fn every_kind_of_error_has_its_exit_code() {
        use ExitStatus::{DoneWithFailures, TryAgainLater, Usage};
        let io = || std::io::Error::other("no");
        let path = std::path::PathBuf::from("r.json");
        let table: Vec<(JobError, ExitStatus)> = vec![
            (SettingsError::missing("ECHODESK_ATTACHMENTS", "set it").into(), Usage),
            (EnvironmentError::Malformed { path: ".env".into(), line: 1 }.into(), Usage),
            (OpenError::NotThere { folder: path.clone() }.into(), Usage),
            (JobError::NotReady { problems: vec![] }, Usage),
            (JobError::NotBound { act: "cards are charged" }, Usage),
            (JobError::NotOurs { bound: "p".to_owned(), differences: vec![], remedy: "", is_copy: true }, Usage),
            (JobError::UnknownTenant { schema: "acme".parse().unwrap(), close: vec![] }, Usage),
            (JobError::UnknownExempt { origin: "--exempt", schema: "acme".parse().unwrap(), close: vec![] }, Usage),
            (ReportError::Unwritable { path: path.clone(), source: io() }.into(), Usage),
            (ReportError::NotWritten { path, source: io() }.into(), DoneWithFailures),
            (store_error(StoreErrorKind::Unavailable).into(), TryAgainLater),
            (store_error(StoreErrorKind::UnknownTenant).into(), Usage),
            (store_error(StoreErrorKind::Other).into(), DoneWithFailures),
            (store_error(StoreErrorKind::LeaseLost).into(), DoneWithFailures),
            (JobError::System { what: "start threads", source: io() }, DoneWithFailures),
            (JobError::Panicked { message: "x".to_owned() }, DoneWithFailures),
        ];
        for (error, status) in table {
            assert_eq!(error.status(), status, "{error}");
        }
    }

    #[test]
    fn one_line_tells_every_cause_once() {
        let source = std::io::Error::other("could not connect\n\tIs the server running?\n");
        let error = StoreError {
            kind: StoreErrorKind::Unavailable,
            what: "cannot list tenants".to_owned(),
            source: Some(Box::new(source)),
        };
        assert_eq!(one_line(&JobError::from(error)), "cannot list tenants: could not connect Is the server running?");
    }
}

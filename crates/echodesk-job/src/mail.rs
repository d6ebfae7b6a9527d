//! What `sync-emails` and `echodesk check` both need to reach mail servers and attachments: the
//! same flags, read in the same way.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use clap::Args;
use echodesk_core::{Clock, DatabaseUrl, Environment};
use echodesk_mail::attachments::AttachmentSettings;
use echodesk_mail::credential::CredentialKeys;
use echodesk_mail::imap::{ExtraCa, ImapServer, ImapSettings};

use crate::settings::{Settings, SettingsError};

/// Flags about the world outside of the database.
#[derive(Args, Clone, Debug, Default)]
pub struct MailArgs {
    /// Trust these certificate authorities (PEM) for mail servers too
    ///
    /// Beside those of the system. Without the flag: ECHODESK_CA_FILE.
    #[arg(long, value_name = "FILE", help_heading = "Mail servers and attachments")]
    pub ca_file: Option<PathBuf>,

    /// Where attachments go: file:///FOLDER or s3://BUCKET/PREFIX
    ///
    /// Without the flag: ECHODESK_ATTACHMENTS, then the folder `attachments` of an embedded database.
    /// The keys to an S3 bucket come from the environment only.
    #[arg(long, value_name = "URL", help_heading = "Mail servers and attachments")]
    pub attachments: Option<String>,
}

impl MailArgs {
    /// The way to mail servers.
    ///
    /// # Errors
    /// The file of certificate authorities cannot be used.
    pub fn server(&self, settings: &Settings, clock: Arc<dyn Clock>) -> Result<ImapServer, SettingsError> {
        self.server_by(ImapSettings::default(), settings, clock)
    }

    /// The same, with limits of one's own; `extra_ca` of `imap` is replaced.
    ///
    /// # Errors
    /// As [`server`](Self::server).
    pub fn server_by(
        &self,
        imap: ImapSettings,
        settings: &Settings,
        clock: Arc<dyn Clock>,
    ) -> Result<ImapServer, SettingsError> {
        const NAME: &str = "ECHODESK_CA_FILE";
        let flag = self.ca_file.as_deref().map(|path| ("--ca-file", path));
        let from_variable = || settings.environment.get(NAME).map(|path| (NAME, Path::new(path)));
        let (name, extra_ca) = match flag.or_else(from_variable) {
            Some((name, path)) => (name, Some(read_ca(path).map_err(|error| SettingsError::wrong(name, error))?)),
            None => ("TLS", None),
        };
        let imap = ImapSettings { extra_ca, ..imap };
        ImapServer::new(imap, clock).map_err(|error| SettingsError::wrong(name, error))
    }

    /// The place of attachments.
    ///
    /// # Errors
    /// None is set and the database gives no default, or what is set cannot be used.
    pub fn attachments(&self, settings: &Settings) -> Result<AttachmentSettings, SettingsError> {
        const NAME: &str = "ECHODESK_ATTACHMENTS";
        let origin = if self.attachments.is_some() { "--attachments" } else { NAME };
        let environment = settings.environment_with(NAME, self.attachments.as_deref());
        let default = match &settings.database {
            DatabaseUrl::Sqlite(folder) => Some(folder.join("attachments")),
            DatabaseUrl::Postgres { .. } => None,
        };
        AttachmentSettings::from_environment(&environment, default.as_deref())
            .map_err(|error| SettingsError::wrong(origin, error))?
            .ok_or_else(|| {
                SettingsError::missing(NAME, "say where attachments go, file:///FOLDER or s3://BUCKET/PREFIX")
            })
    }
}

/// A file of certificate authorities cannot be read.
#[derive(Debug, thiserror::Error)]
#[error("cannot read {}", path.display())]
struct CaFileError {
    path: PathBuf,
    source: std::io::Error,
}

fn read_ca(path: &Path) -> Result<ExtraCa, CaFileError> {
    let pem = std::fs::read(path).map_err(|source| CaFileError { path: path.to_owned(), source })?;
    Ok(ExtraCa { path: path.to_owned(), pem })
}

/// The keys that open stored passwords. Either may be missing; a password that needs it then fails
/// by itself.
#[must_use]
pub fn credential_keys(environment: &Environment) -> CredentialKeys {
    CredentialKeys { django: environment.secret("SECRET_KEY"), own: environment.secret("ECHODESK_SECRET_KEY") }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::args::GlobalArgs;
    use crate::error::one_line;

    fn settings(pairs: &[(&str, &str)]) -> Settings {
        Settings::new(&GlobalArgs::default(), pairs.iter().copied().collect()).unwrap()
    }

    #[test]
    fn the_embedded_database_brings_a_place_for_attachments() {
        assert!(MailArgs::default().attachments(&settings(&[])).is_ok());
    }

    #[test]
    fn postgres_needs_to_be_told_where_attachments_go() {
        let postgres = [("DATABASE_URL", "postgres://db/echodesk")];
        let error = MailArgs::default().attachments(&settings(&postgres)).unwrap_err();
        let line = one_line(&error);
        assert!(line.contains("ECHODESK_ATTACHMENTS") && line.contains("file:///FOLDER"), "{line}");

        let with_flag = MailArgs { attachments: Some("file:///srv/attachments".to_owned()), ..MailArgs::default() };
        assert!(with_flag.attachments(&settings(&postgres)).is_ok());
    }

    #[test]
    fn a_file_of_authorities_that_cannot_be_used_is_named_by_its_setting() {
        let clock = || Arc::new(echodesk_core::SystemClock::new());
        let flag = MailArgs { ca_file: Some("/nowhere/ca.pem".into()), ..MailArgs::default() };
        let variable = [("ECHODESK_CA_FILE", "/nowhere/other.pem")];
        let table = [
            (&flag, settings(&variable), "--ca-file cannot be used: cannot read /nowhere/ca.pem: "),
            (
                &MailArgs::default(),
                settings(&variable),
                "ECHODESK_CA_FILE cannot be used: cannot read /nowhere/other.pem: ",
            ),
        ];
        for (args, settings, beginning) in table {
            let Err(error) = args.server(&settings, clock()) else { panic!("{beginning}") };
            assert!(one_line(&error).starts_with(beginning), "{}", one_line(&error));
        }
        assert!(MailArgs::default().server(&settings(&[]), clock()).is_ok());
    }

    #[test]
    fn keys_come_from_their_variables_and_may_be_missing() {
        let keys = credential_keys(&[("SECRET_KEY", "d"), ("ECHODESK_SECRET_KEY", "o")].into_iter().collect());
        assert_eq!((keys.django.unwrap().expose(), keys.own.unwrap().expose()), ("d", "o"));
        assert!(credential_keys(&Environment::default()).django.is_none());
    }
}

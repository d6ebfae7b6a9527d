//! What delivery takes, read in the same way by every binary.

use std::path::Path;
use std::sync::Arc;

use echodesk_core::{DatabaseUrl, Environment};
use echodesk_notify::settings::Way;
use echodesk_notify::{Carrier, EmailSettings, EmailSettingsError, Sender, Templates};
use jiff::tz::TimeZone;

use crate::settings::{Settings, SettingsError};
use crate::terminal::Terminal;
use crate::time_zone;

/// The sender where nothing is set up and notices only go into a folder.
const LOCAL_SENDER: &str = "EchoDesk <noreply@localhost>";

/// How much a job depends on its notices being delivered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Delivery {
    /// Without e-mail settings its notices wait, and it says so.
    Optional,
    /// It does not start without e-mail settings, unless it is a dry run.
    Required,
}

/// How notices go, and what they say.
#[derive(Clone, Debug)]
pub struct NoticeSettings {
    /// How they go; `None` if nothing is set, and they wait.
    pub email: Option<EmailSettings>,
    /// Whether `email` is the embedded database's own folder, since nothing is set.
    pub is_default: bool,
    /// Their texts.
    pub templates: Arc<Templates>,
    /// Whose calendar days they speak of.
    pub time_zone: TimeZone,
}

impl NoticeSettings {
    /// Reads and checks all of it; connects to nobody.
    ///
    /// # Errors
    /// A setting cannot be used, or a template.
    pub fn read(settings: &Settings) -> Result<Self, SettingsError> {
        let set = EmailSettings::from_environment(&settings.environment).map_err(wrong)?;
        let is_default = set.is_none();
        let email = match (set, &settings.database) {
            (None, DatabaseUrl::Sqlite(folder)) => Some(embedded(folder, &settings.environment)?),
            (set, _) => set,
        };
        let templates = Arc::new(templates(settings)?);
        Ok(Self { email, is_default, templates, time_zone: time_zone::billing(&settings.environment)? })
    }

    /// What carries them, and whom they are from; `None` if nothing is set. Where they are only to be looked at, they are shown on
    /// `terminal`: standard output is the summary's.
    ///
    /// # Errors
    /// The file of certificate authorities cannot be used.
    pub fn carrier(&self, terminal: &Terminal) -> Result<Option<(Carrier, Sender)>, SettingsError> {
        let Some(email) = &self.email else { return Ok(None) };
        let carrier = email.carrier(terminal.writer()).map_err(wrong)?;
        Ok(Some((carrier, email.from.clone())))
    }

    /// Whether they leave this machine's own files.
    #[must_use]
    pub fn sends_to_a_server(&self) -> bool {
        matches!(&self.email, Some(email) if matches!(email.way, Way::Smtp(_)))
    }

    /// How notices go.
    ///
    /// # Errors
    /// Nothing is set.
    pub fn email(&self) -> Result<&EmailSettings, SettingsError> {
        self.email.as_ref().ok_or_else(|| {
            let remedy = "set how notices go: EMAIL_HOST and DEFAULT_FROM_EMAIL, as EchoDesk has them";
            SettingsError::all_missing(vec!["EMAIL_BACKEND", "EMAIL_HOST"], remedy)
        })
    }
}

/// What is tried out on a laptop must not need a mail server.
fn embedded(folder: &Path, environment: &Environment) -> Result<EmailSettings, SettingsError> {
    let sender = match EmailSettings::sender(environment).map_err(wrong)? {
        Some(sender) => sender,
        None => Sender::parse(LOCAL_SENDER).map_err(|error| SettingsError::wrong("DEFAULT_FROM_EMAIL", error))?,
    };
    Ok(EmailSettings::file(&folder.join("notices"), sender))
}

fn wrong(error: EmailSettingsError) -> SettingsError {
    SettingsError::wrong(error.name, error.problem)
}

/// The texts of notices: those that are built in, or in their stead those of `ECHODESK_NOTICE_TEMPLATES`.
///
/// # Errors
/// The folder or a file in it cannot be used.
pub fn templates(settings: &Settings) -> Result<Templates, SettingsError> {
    const NAME: &str = "ECHODESK_NOTICE_TEMPLATES";
    match settings.environment.get(NAME) {
        None => Ok(Templates::embedded()),
        Some(folder) => Templates::with_folder(Path::new(folder)).map_err(|error| SettingsError::wrong(NAME, error)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::args::GlobalArgs;
    use crate::error::one_line;

    const POSTGRES: (&str, &str) = ("DATABASE_URL", "postgres://db/echodesk");
    const FROM: (&str, &str) = ("DEFAULT_FROM_EMAIL", "EchoDesk <noreply@echodesk.example>");

    fn read(pairs: &[(&str, &str)]) -> Result<NoticeSettings, String> {
        let settings = Settings::new(&GlobalArgs::default(), pairs.iter().copied().collect()).unwrap();
        NoticeSettings::read(&settings).map_err(|error| one_line(&error))
    }

    #[test]
    fn where_nothing_is_set_the_embedded_database_has_a_folder_and_postgres_has_nothing() {
        let embedded = read(&[("DATABASE_URL", "sqlite://data")]).unwrap();
        let email = embedded.email().unwrap();
        assert!(matches!(&email.way, Way::File(folder) if folder == Path::new("data/notices")), "{email:?}");
        assert!(embedded.is_default && email.from.address() == "noreply@localhost");

        // A sender alone sends nothing, and is used where something goes.
        let embedded = read(&[("DATABASE_URL", "sqlite://data"), FROM]).unwrap();
        assert!(embedded.is_default && embedded.email().unwrap().from.address() == "noreply@echodesk.example");
        assert!(read(&[POSTGRES, FROM]).unwrap().email.is_none());

        let postgres = read(&[POSTGRES]).unwrap();
        assert!(postgres.email.is_none());
        let line = one_line(&postgres.email().unwrap_err());
        assert!(line.starts_with("EMAIL_BACKEND and EMAIL_HOST are not set: "), "{line}");
    }

    #[test]
    fn what_is_set_wins_whatever_the_database() {
        for database in [POSTGRES, ("DATABASE_URL", "sqlite://data")] {
            let set = read(&[database, FROM, ("EMAIL_HOST", "smtp.example.com")]).unwrap();
            let email = set.email().unwrap();
            assert!(matches!(&email.way, Way::Smtp(smtp) if smtp.host == "smtp.example.com"), "{email:?}");
            assert!(!set.is_default);
        }
    }

    #[test]
    fn what_is_wrong_is_named_by_its_setting() {
        let smtp = ("EMAIL_HOST", "smtp.example.com");
        let table: [(&[(&str, &str)], &str); 7] = [
            (&[smtp], "DEFAULT_FROM_EMAIL cannot be used: "),
            (&[smtp, FROM, ("EMAIL_PORT", "no")], "EMAIL_PORT cannot be used: "),
            (&[("DEFAULT_FROM_EMAIL", "nobody")], "DEFAULT_FROM_EMAIL cannot be used: "),
            (&[("EMAIL_TIMEOUT", "5")], "DEFAULT_FROM_EMAIL cannot be used: "),
            (&[FROM, ("EMAIL_FILE_PATH", "mails")], "EMAIL_FILE_PATH cannot be used: "),
            (&[("ECHODESK_NOTICE_TEMPLATES", "/nowhere/at-all")], "ECHODESK_NOTICE_TEMPLATES cannot be used: "),
            (&[("ECHODESK_TIME_ZONE", "Nowhere")], "ECHODESK_TIME_ZONE cannot be used: "),
        ];
        for (pairs, beginning) in table {
            let line = read(pairs).unwrap_err();
            assert!(line.starts_with(beginning), "{line}");
        }
    }
}

//! What delivery takes, read in the same way by every binary.

use std::path::Path;
use std::sync::Arc;

use echodesk_core::DatabaseUrl;
use echodesk_notify::{EmailSettings, Templates};
use jiff::tz::TimeZone;

use crate::settings::{Settings, SettingsError};
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
        let set = EmailSettings::from_environment(&settings.environment)
            .map_err(|error| SettingsError::wrong(error.name, error.problem))?;
        let is_default = set.is_none();
        let email = match (set, &settings.database) {
            (None, DatabaseUrl::Sqlite(folder)) => Some(embedded(folder)?),
            (set, _) => set,
        };
        let templates = Arc::new(templates(settings)?);
        Ok(Self { email, is_default, templates, time_zone: time_zone::billing(&settings.environment)? })
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
fn embedded(folder: &Path) -> Result<EmailSettings, SettingsError> {
    EmailSettings::file(folder.join("notices"), LOCAL_SENDER)
        .map_err(|error| SettingsError::wrong(error.name, error.problem))
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

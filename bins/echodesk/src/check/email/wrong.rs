//! All settings of e-mail that cannot be used. Reading them ends at the first, so what is wrong is put right for
//! the eyes of the next reading, until nothing more is found or what was meant cannot be guessed.

use echodesk_job::{NoticeSettings, Settings, SettingsError};

use crate::command::World;

/// No more than there are settings: each is found once.
const MOST: usize = 16;

/// The first error, and all that are found behind it, each of another setting.
pub(super) fn all(first: SettingsError, settings: &Settings, world: &World) -> Vec<SettingsError> {
    let mut settings = settings.clone();
    let mut found = vec![first];
    while let Some(SettingsError::Wrong { name, .. }) = found.last().filter(|_| found.len() < MOST) {
        let Some(stand_ins) = stand_ins(name) else { break };
        for (name, value) in stand_ins {
            settings.environment = settings.environment_with(name, Some(value));
        }
        let read = NoticeSettings::read(&settings).and_then(|notices| notices.carrier(&world.terminal).map(drop));
        let Err(error) = read else { break };
        let is_new = |name: &str| {
            !found.iter().any(|found| matches!(found, SettingsError::Wrong { name: known, .. } if *known == name))
        };
        match &error {
            SettingsError::Wrong { name, .. } if is_new(name) => found.push(error),
            _ => break,
        }
    }
    found
}

/// What to put in the place of a setting so that nothing is complained of that would be all right. None where all
/// that is read after it depends on what was meant.
fn stand_ins(name: &str) -> Option<&'static [(&'static str, &'static str)]> {
    Some(match name {
        "DEFAULT_FROM_EMAIL" => &[("DEFAULT_FROM_EMAIL", "noreply@echodesk.example")],
        // Of this machine a log-in without TLS is not complained of, which whoever wanted TLS did not mean.
        "EMAIL_HOST" => &[("EMAIL_HOST", "localhost")],
        "EMAIL_USE_TLS" => &[("EMAIL_USE_TLS", ""), ("EMAIL_HOST", "localhost")],
        "EMAIL_USE_SSL" => &[("EMAIL_USE_SSL", ""), ("EMAIL_HOST", "localhost")],
        "EMAIL_PORT" => &[("EMAIL_PORT", "25")],
        "EMAIL_HOST_PASSWORD" => &[("EMAIL_HOST_USER", ""), ("EMAIL_HOST_PASSWORD", "")],
        "EMAIL_TIMEOUT" => &[("EMAIL_TIMEOUT", "60")],
        "ECHODESK_CA_FILE" => &[("ECHODESK_CA_FILE", "")],
        "ECHODESK_NOTICE_TEMPLATES" => &[("ECHODESK_NOTICE_TEMPLATES", "")],
        _ => return None,
    })
}

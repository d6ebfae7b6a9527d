//! True and false, as people write them for Django.

use super::{EmailSettingsError, wrong};

pub(super) fn truth(name: &'static str, text: &str) -> Result<bool, EmailSettingsError> {
    match text.trim().to_ascii_lowercase().as_str() {
        "true" | "1" | "yes" | "on" | "y" | "t" | "ok" => Ok(true),
        "false" | "0" | "no" | "off" | "n" | "f" | "none" => Ok(false),
        _ => Err(wrong(name, format!("{text:?} is neither True nor False"))),
    }
}

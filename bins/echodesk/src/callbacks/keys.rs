//! Whose signature is believed.

use std::error::Error;
use std::path::{Path, PathBuf};

use echodesk_billing::bank::api_base_url;
use echodesk_billing::callback::CallbackKeys;
use echodesk_core::Environment;
use echodesk_job::SettingsError;

const API: &str = "BOG_API_BASE_URL";
const FILE: &str = "BOG_PUBLIC_KEY_FILE";

/// The file with the bank's key cannot be read.
#[derive(Debug, thiserror::Error)]
#[error("cannot read {}", path.display())]
struct KeyFileError {
    path: PathBuf,
    source: std::io::Error,
}

/// Why nobody's signature is believed.
#[derive(Debug)]
pub(crate) enum KeysProblem {
    /// A setting cannot be used.
    Settings(SettingsError),
    /// Nothing says whose keys count: the API is not one of the bank's own.
    Unknown(SettingsError),
}

impl From<KeysProblem> for SettingsError {
    fn from(problem: KeysProblem) -> Self {
        match problem {
            KeysProblem::Settings(error) | KeysProblem::Unknown(error) => error,
        }
    }
}

/// The keys of `BOG_PUBLIC_KEY_FILE`, else the bank's own for `BOG_API_BASE_URL`.
pub(crate) fn keys(environment: &Environment) -> Result<CallbackKeys, KeysProblem> {
    let wrong = |name, error: Box<dyn Error + Send + Sync>| KeysProblem::Settings(SettingsError::wrong(name, error));
    let api = api_base_url(environment).map_err(|error| wrong(API, error.into()))?;
    let Some(path) = environment.get(FILE).map(Path::new) else {
        return CallbackKeys::for_api(&api, None)
            .map_err(|error| KeysProblem::Unknown(SettingsError::wrong(API, error)));
    };
    let pem = std::fs::read_to_string(path)
        .map_err(|source| wrong(FILE, KeyFileError { path: path.to_owned(), source }.into()))?;
    CallbackKeys::for_api(&api, Some(&pem)).map_err(|error| wrong(FILE, error.into()))
}

#[cfg(test)]
mod tests {
    use echodesk_job::one_line;

    use super::*;

    fn found(pairs: &[(&str, &str)]) -> Result<CallbackKeys, String> {
        keys(&pairs.iter().copied().collect()).map_err(|problem| one_line(&SettingsError::from(problem)))
    }

    #[test]
    fn the_banks_own_keys_need_no_setting() {
        assert!(found(&[]).is_ok());
        assert!(found(&[(API, "https://api-sandbox.bog.ge/payments/v1")]).is_ok());
    }

    #[test]
    fn what_cannot_be_used_is_named_by_its_setting() {
        let folder = tempfile::tempdir().unwrap();
        let file = |text: &str| {
            let path = folder.path().join("key.pem");
            std::fs::write(&path, text).unwrap();
            path.display().to_string()
        };
        let error = found(&[(API, "https://bank.example/v1")]).unwrap_err();
        assert!(error.starts_with(API) && error.contains(FILE), "{error}");
        let error = found(&[(API, "nonsense")]).unwrap_err();
        assert!(error.starts_with(API), "{error}");
        let error = found(&[(FILE, "/nowhere/key.pem")]).unwrap_err();
        assert!(error.starts_with(FILE) && error.contains("cannot read /nowhere/key.pem"), "{error}");
        for text in ["", "no key", "-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----\n"] {
            let error = found(&[(FILE, &file(text))]).unwrap_err();
            assert!(error.starts_with(FILE), "{error}");
        }
    }
}

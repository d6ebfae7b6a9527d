//! Where the bank is and who we are to it.

use std::fmt;

use echodesk_core::{Environment, Secret};
use url::{Host, Url};

const AUTH_URL: &str = "BOG_AUTH_URL";
const API_BASE_URL: &str = "BOG_API_BASE_URL";
const CLIENT_ID: &str = "BOG_CLIENT_ID";
const CLIENT_SECRET: &str = "BOG_CLIENT_SECRET";
const CALLBACK_URL: &str = "BOG_CALLBACK_URL";

/// The bank's token address, unless `BOG_AUTH_URL` says otherwise.
pub const PRODUCTION_AUTH_URL: &str = "https://oauth2.bog.ge/auth/realms/bog/protocol/openid-connect/token";

/// The base of the bank's API, unless `BOG_API_BASE_URL` says otherwise.
pub const PRODUCTION_API_BASE_URL: &str = "https://api.bog.ge/payments/v1";

/// What [`BogBank`](super::BogBank) needs to know. Its Debug output shows two addresses and nothing else.
#[derive(Clone)]
pub struct BankSettings {
    pub(super) auth_url: Url,
    pub(super) api_base_url: Url,
    pub(super) client_id: String,
    pub(super) client_secret: Secret,
    pub(super) callback_url: Option<Url>,
}

/// Why settings cannot be used. Names the setting and never shows its value, which may be or hold a
/// secret.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BankSettingsError {
    /// A setting that is needed is not set.
    #[error("{name} is not set")]
    Missing {
        /// The setting.
        name: &'static str,
    },
    /// A setting that cannot be used.
    #[error("{name} {problem}")]
    Wrong {
        /// The setting.
        name: &'static str,
        /// What is wrong with it.
        problem: &'static str,
    },
}

impl BankSettings {
    /// A merchant at the bank's production addresses, without callbacks.
    ///
    /// # Errors
    /// The id or the secret is blank, or the id holds a colon, which separates the two on the wire.
    pub fn new(client_id: &str, client_secret: Secret) -> Result<Self, BankSettingsError> {
        if client_id.trim().is_empty() {
            return Err(BankSettingsError::Missing { name: CLIENT_ID });
        }
        if client_id.contains(':') {
            return Err(wrong(CLIENT_ID, "must not hold a colon"));
        }
        if client_secret.expose().trim().is_empty() {
            return Err(BankSettingsError::Missing { name: CLIENT_SECRET });
        }
        Ok(Self {
            auth_url: address(AUTH_URL, PRODUCTION_AUTH_URL)?,
            api_base_url: address(API_BASE_URL, PRODUCTION_API_BASE_URL)?,
            client_id: client_id.to_owned(),
            client_secret,
            callback_url: None,
        })
    }

    /// Reads `BOG_CLIENT_ID`, `BOG_CLIENT_SECRET`, `BOG_AUTH_URL`, `BOG_API_BASE_URL` and
    /// `BOG_CALLBACK_URL`; the first two must be set.
    ///
    /// # Errors
    /// See [`BankSettingsError`].
    pub fn from_environment(environment: &Environment) -> Result<Self, BankSettingsError> {
        let missing = |name| BankSettingsError::Missing { name };
        let id = environment.get(CLIENT_ID).ok_or(missing(CLIENT_ID))?;
        let secret = environment.secret(CLIENT_SECRET).ok_or(missing(CLIENT_SECRET))?;
        let mut settings = Self::new(id, secret)?;
        if let Some(text) = environment.get(AUTH_URL) {
            settings = settings.with_auth_url(text)?;
        }
        settings.api_base_url = api_base_url(environment)?;
        if let Some(text) = environment.get(CALLBACK_URL) {
            settings = settings.with_callback_url(text)?;
        }
        Ok(settings)
    }

    /// Another token address.
    ///
    /// # Errors
    /// It is not an https address, or http on this machine.
    pub fn with_auth_url(mut self, text: &str) -> Result<Self, BankSettingsError> {
        self.auth_url = address(AUTH_URL, text)?;
        Ok(self)
    }

    /// Another base of the API.
    ///
    /// # Errors
    /// It is not an https address, or http on this machine.
    pub fn with_api_base_url(mut self, text: &str) -> Result<Self, BankSettingsError> {
        self.api_base_url = base(text)?;
        Ok(self)
    }

    /// Where the bank sends its callbacks.
    ///
    /// # Errors
    /// It is not an https address, or http on this machine.
    pub fn with_callback_url(mut self, text: &str) -> Result<Self, BankSettingsError> {
        self.callback_url = Some(address(CALLBACK_URL, text)?);
        Ok(self)
    }

    /// Where it gives out tokens. Its query may hold anything: not to be shown.
    #[must_use]
    pub fn auth_url(&self) -> &Url {
        &self.auth_url
    }

    /// The base of the API.
    #[must_use]
    pub fn api_base_url(&self) -> &Url {
        &self.api_base_url
    }
}

/// The base of the API by `BOG_API_BASE_URL`, for who only receives callbacks and has no account.
///
/// # Errors
/// It is not an https address, or http on this machine.
pub fn api_base_url(environment: &Environment) -> Result<Url, BankSettingsError> {
    base(environment.get(API_BASE_URL).unwrap_or(PRODUCTION_API_BASE_URL))
}

fn base(text: &str) -> Result<Url, BankSettingsError> {
    let url = address(API_BASE_URL, text)?;
    // Paths are put behind it.
    if url.query().is_some() { Err(wrong(API_BASE_URL, "must not hold a query")) } else { Ok(url) }
}

fn address(name: &'static str, text: &str) -> Result<Url, BankSettingsError> {
    let url = Url::parse(text.trim()).map_err(|_| wrong(name, "is not a URL"))?;
    if !url.username().is_empty() || url.password().is_some() {
        return Err(wrong(name, "must not hold a user or a password"));
    }
    if url.fragment().is_some() {
        return Err(wrong(name, "must not hold a fragment"));
    }
    match url.scheme() {
        "https" => Ok(url),
        "http" if is_loopback(&url) => Ok(url),
        "http" => Err(wrong(name, "must begin with https:// (http:// is for this machine only)")),
        _ => Err(wrong(name, "must begin with https://")),
    }
}

pub(super) fn is_loopback(url: &Url) -> bool {
    match url.host() {
        Some(Host::Domain(name)) => name == "localhost",
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        None => false,
    }
}

fn wrong(name: &'static str, problem: &'static str) -> BankSettingsError {
    BankSettingsError::Wrong { name, problem }
}

impl fmt::Debug for BankSettings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // A callback address may hold a key of its own, and a query anything.
        let auth = format!("{}{}", self.auth_url.origin().ascii_serialization(), self.auth_url.path());
        f.debug_struct("BankSettings")
            .field("auth_url", &auth)
            .field("api_base_url", &self.api_base_url.as_str())
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn settings(pairs: &[(&str, &str)]) -> Result<BankSettings, BankSettingsError> {
        let account = [(CLIENT_ID, "shop-1"), (CLIENT_SECRET, "hunter2")];
        BankSettings::from_environment(&account.into_iter().chain(pairs.iter().copied()).collect())
    }

    #[test]
    fn production_is_the_default() {
        let settings = settings(&[]).unwrap();
        assert_eq!(settings.auth_url.as_str(), PRODUCTION_AUTH_URL);
        assert_eq!(settings.api_base_url().as_str(), PRODUCTION_API_BASE_URL);
        assert_eq!(settings.callback_url, None);
    }

    #[test]
    fn addresses_are_https_or_this_machine() {
        for name in [AUTH_URL, API_BASE_URL, CALLBACK_URL] {
            for good in ["https://bank.example/a", "http://127.0.0.1:80/a", "http://localhost/a", "http://[::1]:9/a"] {
                assert!(settings(&[(name, good)]).is_ok(), "{name} {good}");
            }
            for bad in [
                "http://bank.example/hunter3",
                "http://localhost.example/hunter3",
                "ftp://bank.example/hunter3",
                "hunter3",
                "https://hunter3@bank.example",
                "https://bank.example/#hunter3",
            ] {
                let error = settings(&[(name, bad)]).unwrap_err();
                assert!(matches!(error, BankSettingsError::Wrong { name: named, .. } if named == name), "{error:?}");
                assert!(!error.to_string().contains("hunter3"), "{error}");
            }
        }
        assert!(settings(&[(API_BASE_URL, "https://bank.example/a?b")]).is_err());
    }

    #[test]
    fn an_account_is_needed_and_named_if_it_is_missing() {
        for (name, pairs) in [
            (CLIENT_ID, vec![(CLIENT_SECRET, "x")]),
            (CLIENT_SECRET, vec![(CLIENT_ID, "x")]),
            (CLIENT_ID, vec![(CLIENT_ID, " "), (CLIENT_SECRET, "x")]),
            (CLIENT_SECRET, vec![(CLIENT_ID, "x"), (CLIENT_SECRET, " ")]),
        ] {
            let error = BankSettings::from_environment(&pairs.into_iter().collect()).unwrap_err();
            assert_eq!(error, BankSettingsError::Missing { name });
        }
        assert!(settings(&[(CLIENT_ID, "hunter3:x")]).unwrap_err().to_string().starts_with(CLIENT_ID));
    }

    #[test]
    fn debug_shows_no_secret() {
        let settings =
            settings(&[(CALLBACK_URL, "https://a.example/?key=hunter3"), (AUTH_URL, "https://a.example/?hunter4")]);
        let shown = format!("{:?}", settings.unwrap());
        assert!(!shown.contains("hunter") && !shown.contains("shop-1"), "{shown}");
    }
}

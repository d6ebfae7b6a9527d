//! Which database a job works on.

use std::fmt;
use std::num::NonZeroU16;
use std::path::PathBuf;
use std::str::FromStr;

use url::Url;

use crate::{Environment, Secret};

/// `postgres://…` or `sqlite://FOLDER`.
#[derive(Clone, Debug)]
pub enum DatabaseUrl {
    /// A PostgreSQL database; the URL may hold a password.
    Postgres {
        /// What libpq is given.
        url: Secret,
        /// The same without its password and options, for logs.
        shown: String,
    },
    /// The embedded database: a folder with the public file and one file per tenant.
    Sqlite(PathBuf),
}

/// Why a text is no database URL. Never shows the text: it may hold a password.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum DatabaseUrlError {
    /// Not a URL.
    #[error("the database URL cannot be read: expected postgres://USER:PASSWORD@HOST/NAME or sqlite://FOLDER")]
    Malformed,
    /// A scheme that is neither.
    #[error("the database URL starts with {0:?}: expected postgres:// or sqlite://")]
    Scheme(String),
    /// `sqlite://` and nothing behind it.
    #[error("sqlite:// needs a folder, for example sqlite://echodesk-data")]
    NoFolder,
    /// One of EchoDesk's `DB_…` settings is missing or wrong.
    #[error("{name}: {problem}")]
    Setting {
        /// The setting.
        name: &'static str,
        /// What is wrong with it.
        problem: String,
    },
}

impl DatabaseUrl {
    /// The embedded default.
    pub const DEFAULT: &'static str = "sqlite://echodesk-data";

    /// `DATABASE_URL`, else EchoDesk's `DB_NAME`, `DB_USER`, …, else the embedded default.
    ///
    /// # Errors
    /// The setting that is there cannot be used.
    pub fn from_environment(environment: &Environment) -> Result<Self, DatabaseUrlError> {
        if let Some(url) = environment.get("DATABASE_URL") {
            return url.parse();
        }
        if environment.get("DB_NAME").is_some() {
            return from_django(environment);
        }
        Self::DEFAULT.parse()
    }

    /// Whether this is the embedded database.
    #[must_use]
    pub fn is_embedded(&self) -> bool {
        matches!(self, Self::Sqlite(_))
    }
}

impl fmt::Display for DatabaseUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Postgres { shown, .. } => f.write_str(shown),
            Self::Sqlite(folder) => write!(f, "sqlite://{}", folder.display()),
        }
    }
}

impl FromStr for DatabaseUrl {
    type Err = DatabaseUrlError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let (scheme, rest) = text.split_once("://").ok_or(DatabaseUrlError::Malformed)?;
        match scheme {
            // A folder, not a URL: percent signs and spaces mean themselves.
            "sqlite" if rest.is_empty() => Err(DatabaseUrlError::NoFolder),
            "sqlite" => Ok(Self::Sqlite(PathBuf::from(rest))),
            "postgres" | "postgresql" => {
                let url = Url::parse(text).map_err(|_| DatabaseUrlError::Malformed)?;
                for (_, mode) in url.query_pairs().filter(|(name, _)| name == "sslmode") {
                    checked_ssl_mode("sslmode of the URL", &mode)?;
                }
                Ok(Self::Postgres { shown: shown(&url), url: Secret::new(text) })
            }
            other => Err(DatabaseUrlError::Scheme(other.to_owned())),
        }
    }
}

fn shown(url: &Url) -> String {
    let port = url.port().map_or_else(String::new, |port| format!(":{port}"));
    format!("postgres://{}{port}{}", url.host_str().unwrap_or("(local socket)"), url.path())
}

/// Django's settings, with the defaults of EchoDesk's own settings file.
fn from_django(environment: &Environment) -> Result<DatabaseUrl, DatabaseUrlError> {
    let setting = |name: &'static str, default: &'static str| environment.get(name).unwrap_or(default).to_owned();
    let mut url = Url::parse("postgres://localhost").map_err(|_| DatabaseUrlError::Malformed)?;
    let wrong = |name: &'static str, problem: &str| DatabaseUrlError::Setting { name, problem: problem.to_owned() };

    let host = setting("DB_HOST", "localhost");
    if host.starts_with('/') {
        // A folder with a Unix socket does not fit into the host part of a URL.
        url.query_pairs_mut().append_pair("host", &host);
    } else {
        url.set_host(Some(&host)).map_err(|_| wrong("DB_HOST", "not a host name"))?;
    }
    let port: NonZeroU16 = setting("DB_PORT", "5432").parse().map_err(|_| wrong("DB_PORT", "not a port number"))?;
    url.set_port(Some(port.get())).map_err(|()| wrong("DB_PORT", "cannot be set"))?;
    url.set_username(&setting("DB_USER", "postgres")).map_err(|()| wrong("DB_USER", "cannot be set"))?;
    url.set_password(environment.get("DB_PASSWORD")).map_err(|()| wrong("DB_PASSWORD", "cannot be set"))?;
    url.path_segments_mut().map_err(|()| DatabaseUrlError::Malformed)?.push(&setting("DB_NAME", ""));
    if let Some(mode) = environment.get("DB_SSLMODE") {
        checked_ssl_mode("DB_SSLMODE", mode)?;
        url.query_pairs_mut().append_pair("sslmode", mode);
    }
    url.as_str().parse()
}

/// libpq refuses any other mode only when it connects, in words that look like those of a server
/// that is away.
fn checked_ssl_mode(name: &'static str, mode: &str) -> Result<(), DatabaseUrlError> {
    const MODES: [&str; 6] = ["disable", "allow", "prefer", "require", "verify-ca", "verify-full"];
    if MODES.contains(&mode) {
        return Ok(());
    }
    Err(DatabaseUrlError::Setting { name, problem: format!("expected one of {}", MODES.join(", ")) })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn from(pairs: &[(&str, &str)]) -> Result<DatabaseUrl, DatabaseUrlError> {
        DatabaseUrl::from_environment(&pairs.iter().copied().collect())
    }

    #[test]
    fn nothing_set_means_the_embedded_database() {
        assert_eq!(from(&[]).unwrap().to_string(), "sqlite://echodesk-data");
    }

    #[test]
    fn a_password_is_never_shown() {
        let url = from(&[("DATABASE_URL", "postgres://bob:hunter2@db:5433/echodesk?sslmode=require")]).unwrap();
        assert_eq!(url.to_string(), "postgres://db:5433/echodesk");
        assert!(!format!("{url:?}").contains("hunter2"));
        let error = from(&[("DATABASE_URL", "mysql://bob:hunter2@db/x")]).unwrap_err().to_string();
        assert!(!error.contains("hunter2"), "{error}");
    }

    #[test]
    fn djangos_settings_become_a_url() {
        let pairs = [
            ("DB_NAME", "echo desk"),
            ("DB_USER", "u@x"),
            ("DB_PASSWORD", "p:/?#"),
            ("DB_HOST", "10.0.0.1"),
            ("DB_SSLMODE", "require"),
        ];
        let Ok(DatabaseUrl::Postgres { url, .. }) = from(&pairs) else { panic!("not PostgreSQL") };
        assert_eq!(url.expose(), "postgres://u%40x:p%3A%2F%3F%23@10.0.0.1:5432/echo%20desk?sslmode=require");
    }

    #[test]
    fn a_unix_socket_folder_is_a_host() {
        let Ok(DatabaseUrl::Postgres { url, .. }) = from(&[("DB_NAME", "e"), ("DB_HOST", "/run/postgresql")]) else {
            panic!("not PostgreSQL")
        };
        assert!(url.expose().ends_with("/e?host=%2Frun%2Fpostgresql"), "{}", url.expose());
    }

    #[test]
    fn what_cannot_be_used_is_named() {
        assert_eq!(from(&[("DATABASE_URL", "sqlite://")]).unwrap_err(), DatabaseUrlError::NoFolder);
        assert_eq!(from(&[("DATABASE_URL", "nonsense")]).unwrap_err(), DatabaseUrlError::Malformed);
        let error = from(&[("DB_NAME", "e"), ("DB_PORT", "many")]).unwrap_err();
        assert_eq!(error.to_string(), "DB_PORT: not a port number");
        let error = from(&[("DB_NAME", "e"), ("DB_PORT", "0")]).unwrap_err();
        assert_eq!(error.to_string(), "DB_PORT: not a port number");
    }

    #[test]
    fn a_mode_of_tls_that_libpq_does_not_know_is_refused_before_connecting() {
        let expected = "expected one of disable, allow, prefer, require, verify-ca, verify-full";
        let error = from(&[("DB_NAME", "e"), ("DB_SSLMODE", "bogus")]).unwrap_err();
        assert_eq!(error.to_string(), format!("DB_SSLMODE: {expected}"));
        let error = from(&[("DATABASE_URL", "postgres://db/e?a=b&sslmode=Require")]).unwrap_err();
        assert_eq!(error.to_string(), format!("sslmode of the URL: {expected}"));
        for mode in ["disable", "allow", "prefer", "require", "verify-ca", "verify-full"] {
            assert!(from(&[("DB_NAME", "e"), ("DB_SSLMODE", mode)]).is_ok(), "{mode}");
        }
    }
}

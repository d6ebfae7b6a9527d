//! How mail goes out, under the names that EchoDesk's Django settings have, with what they mean there.

mod host;
mod truth;

use std::fmt;
use std::io::Write;
use std::net::IpAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;

use echodesk_core::{Environment, Secret};

use crate::message::Sender;
use crate::transport::{Carrier, Console, Folder, SmtpLimits, SmtpTransport};
use truth::truth;

const SENDER: &str = "DEFAULT_FROM_EMAIL";

/// What tells how mail goes out. Whoever sets one of them means mails to go, wherever Django's defaults send them.
const NAMES: [&str; 9] = [
    "EMAIL_BACKEND",
    "EMAIL_HOST",
    "EMAIL_PORT",
    "EMAIL_USE_TLS",
    "EMAIL_USE_SSL",
    "EMAIL_HOST_USER",
    "EMAIL_HOST_PASSWORD",
    "EMAIL_TIMEOUT",
    "EMAIL_FILE_PATH",
];

/// How mail goes out, and from whom.
#[derive(Clone, Debug)]
pub struct EmailSettings {
    /// Whom mails are from.
    pub from: Sender,
    /// Where they go.
    pub way: Way,
}

/// Where mails go.
#[derive(Clone, Debug)]
pub enum Way {
    /// To a mail server.
    Smtp(SmtpSettings),
    /// Into a folder, a file each.
    File(PathBuf),
    /// To be looked at.
    Console,
}

/// How a mail server is reached.
#[derive(Clone, Debug)]
pub struct SmtpSettings {
    /// Its name or address; certificates must be for it.
    pub host: String,
    /// Its port.
    pub port: u16,
    /// How the connection is made safe.
    pub security: SmtpSecurity,
    /// How we log in; not at all if there is none.
    pub credentials: Option<SmtpCredentials>,
    /// A file of certificate authorities (PEM) to trust beside those of the system.
    pub ca_file: Option<PathBuf>,
    /// How long its answers are waited for.
    pub limits: SmtpLimits,
}

/// How a connection is made safe.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SmtpSecurity {
    /// Not at all.
    None,
    /// STARTTLS, which the server must offer.
    StartTls,
    /// TLS from the beginning.
    Tls,
}

/// A user of a mail server.
#[derive(Clone, Debug)]
pub struct SmtpCredentials {
    /// Its name.
    pub user: String,
    /// Its password.
    pub password: Secret,
}

/// A setting that cannot be used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{name}: {problem}")]
pub struct EmailSettingsError {
    /// Its name.
    pub name: &'static str,
    /// What is wrong, and what would be right. Never holds its value where that may be a secret.
    pub problem: String,
}

fn wrong(name: &'static str, problem: impl Into<String>) -> EmailSettingsError {
    EmailSettingsError { name, problem: problem.into() }
}

impl EmailSettings {
    /// Reads the settings. None if mail is not set up: no name is set that begins with `EMAIL_` and tells how mail
    /// goes out. Where `EMAIL_BACKEND` is not among those that are, it is `smtp`, and `EMAIL_HOST` is `localhost`.
    ///
    /// # Errors
    /// One of them cannot be used.
    pub fn from_environment(environment: &Environment) -> Result<Option<Self>, EmailSettingsError> {
        if NAMES.iter().all(|name| environment.get(name).is_none()) {
            return Ok(None);
        }
        let way = match environment.get("EMAIL_BACKEND") {
            Some(backend) => Backend::parse(backend)?,
            None if environment.get("EMAIL_FILE_PATH").is_some() => {
                let problem = "it is only for EMAIL_BACKEND=file, which is not set; set that, or leave this out";
                return Err(wrong("EMAIL_FILE_PATH", problem));
            }
            None => Backend::Smtp,
        };
        let from = Self::sender(environment)?
            .ok_or_else(|| wrong(SENDER, "say whom mails are from, for example EchoDesk <noreply@echodesk.example>"))?;
        let way = match way {
            Backend::Smtp => Way::Smtp(SmtpSettings::from_environment(environment)?),
            Backend::File => match environment.get("EMAIL_FILE_PATH") {
                Some(path) => Way::File(PathBuf::from(path)),
                None => return Err(wrong("EMAIL_FILE_PATH", "say into which folder mails go")),
            },
            Backend::Console => Way::Console,
        };
        Ok(Some(Self { from, way }))
    }

    /// Whom mails are from; none if that is not set.
    ///
    /// # Errors
    /// It cannot be used.
    pub fn sender(environment: &Environment) -> Result<Option<Sender>, EmailSettingsError> {
        let Some(text) = environment.get(SENDER) else { return Ok(None) };
        let sender = Sender::parse(text).map_err(|error| wrong(SENDER, format!("{text:?} cannot be used: {error}")))?;
        if sender.address() == "webmaster@localhost" {
            return Err(wrong(SENDER, "webmaster@localhost is Django's placeholder; say whom mails are from"));
        }
        Ok(Some(sender))
    }

    /// Mails go into a folder: for an embedded database with nothing set up.
    #[must_use]
    pub fn file(path: &Path, from: Sender) -> Self {
        Self { from, way: Way::File(path.to_owned()) }
    }

    /// The transport; `console` is where the console's mails are written.
    ///
    /// # Errors
    /// The file of certificate authorities cannot be used.
    pub fn carrier(&self, console: Box<dyn Write + Send>) -> Result<Carrier, EmailSettingsError> {
        Ok(match &self.way {
            Way::Smtp(smtp) => Carrier::Smtp(SmtpTransport::new(smtp.clone())?),
            Way::File(path) => Carrier::Folder(Folder::new(path)),
            Way::Console => Carrier::Console(Console::new(console)),
        })
    }
}

/// For the log: where mails go, without who logs in.
impl fmt::Display for Way {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Smtp(smtp) => write!(f, "mail server {}:{}", smtp.host, smtp.port),
            Self::File(path) => write!(f, "folder {}", path.display()),
            Self::Console => f.write_str("console"),
        }
    }
}

enum Backend {
    Smtp,
    File,
    Console,
}

impl Backend {
    fn parse(text: &str) -> Result<Self, EmailSettingsError> {
        const NAME: &str = "EMAIL_BACKEND";
        const DJANGO: &str = "django.core.mail.backends.";
        let short = text.strip_prefix(DJANGO).and_then(|text| text.strip_suffix(".EmailBackend")).unwrap_or(text);
        match short {
            "smtp" => Ok(Self::Smtp),
            "file" | "filebased" => Ok(Self::File),
            "console" => Ok(Self::Console),
            "locmem" | "dummy" => {
                Err(wrong(NAME, format!("{short} would lose mails; use console to look at them, or file to keep them")))
            }
            _ => Err(wrong(
                NAME,
                format!("{text:?} is not known: smtp, file or console (a provider of mail has an SMTP server too)"),
            )),
        }
    }
}

impl SmtpSettings {
    fn from_environment(environment: &Environment) -> Result<Self, EmailSettingsError> {
        let host = host::host(environment.get("EMAIL_HOST").unwrap_or("localhost"))?;
        let flag = |name| environment.get(name).map_or(Ok(false), |text| truth(name, text));
        let security = match (flag("EMAIL_USE_TLS")?, flag("EMAIL_USE_SSL")?) {
            (true, true) => {
                let problem = "EMAIL_USE_TLS (STARTTLS) and EMAIL_USE_SSL (TLS from the beginning) exclude each other";
                return Err(wrong("EMAIL_USE_SSL", problem));
            }
            (true, false) => SmtpSecurity::StartTls,
            (false, true) => SmtpSecurity::Tls,
            (false, false) => SmtpSecurity::None,
        };
        // As in Django, whatever the security: 587 and 465 have to be set.
        let port = environment.get("EMAIL_PORT").map_or(Ok(25), |text| match text.trim().parse() {
            Ok(port) if port > 0 => Ok(port),
            _ => Err(wrong("EMAIL_PORT", format!("{text:?} is not a port"))),
        })?;
        let credentials = credentials(environment)?;
        if credentials.is_some() && security == SmtpSecurity::None && !is_loopback(&host) {
            let problem = "the password would cross the network in the clear: set EMAIL_USE_TLS=True (with EMAIL_PORT=587) \
                           or EMAIL_USE_SSL=True (with EMAIL_PORT=465)";
            return Err(wrong("EMAIL_HOST_PASSWORD", problem));
        }
        let limits = environment.get("EMAIL_TIMEOUT").map_or(Ok(SmtpLimits::default()), |text| {
            match text.trim().parse::<f64>().ok().and_then(|seconds| Duration::try_from_secs_f64(seconds).ok()) {
                Some(limit) if !limit.is_zero() => Ok(SmtpLimits::answering_within(limit)),
                _ => Err(wrong("EMAIL_TIMEOUT", format!("{text:?} is not a number of seconds"))),
            }
        })?;
        let ca_file = environment.get("ECHODESK_CA_FILE").map(PathBuf::from);
        Ok(Self { host, port, security, credentials, ca_file, limits })
    }
}

fn credentials(environment: &Environment) -> Result<Option<SmtpCredentials>, EmailSettingsError> {
    let Some(user) = environment.get("EMAIL_HOST_USER") else { return Ok(None) };
    let password = environment.secret("EMAIL_HOST_PASSWORD").ok_or_else(|| {
        wrong("EMAIL_HOST_PASSWORD", "EMAIL_HOST_USER is set, so its password is needed; blank both not to log in")
    })?;
    Ok(Some(SmtpCredentials { user: user.to_owned(), password }))
}

fn is_loopback(host: &str) -> bool {
    let bare = host.trim_start_matches('[').trim_end_matches(']');
    bare.eq_ignore_ascii_case("localhost") || bare.parse::<IpAddr>().is_ok_and(|address| address.is_loopback())
}

#[cfg(test)]
mod tests;

//! How the server is, when nothing goes wrong.

use super::Shown;

/// A service extension (RFC 5321, 2.2) beside AUTH, which is offered where a log-in is wanted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Extension {
    /// Commands may be sent before earlier ones are answered (RFC 2920).
    Pipelining,
    /// Bodies may have bytes over 127 (RFC 6152).
    EightBitMime,
    /// Addresses and headers may have characters beyond ASCII (RFC 6531).
    SmtpUtf8,
    /// The size of a message is said beforehand (RFC 1870).
    Size,
    /// Answers have codes such as 5.1.1 (RFC 2034).
    EnhancedStatusCodes,
    /// Plain text may become TLS (RFC 3207). Only said on connections without TLS.
    StartTls,
}

/// What a usual server of today offers.
pub const MODERN: [Extension; 6] = [
    Extension::Pipelining,
    Extension::EightBitMime,
    Extension::SmtpUtf8,
    Extension::Size,
    Extension::EnhancedStatusCodes,
    Extension::StartTls,
];

impl Extension {
    /// Its line in the answer to EHLO.
    pub(super) fn line(self, behaviour: &Behaviour) -> String {
        match self {
            Self::Pipelining => "PIPELINING".to_owned(),
            Self::EightBitMime => "8BITMIME".to_owned(),
            Self::SmtpUtf8 => "SMTPUTF8".to_owned(),
            Self::Size => format!("SIZE {}", behaviour.max_size),
            Self::EnhancedStatusCodes => "ENHANCEDSTATUSCODES".to_owned(),
            Self::StartTls => "STARTTLS".to_owned(),
        }
    }
}

/// Who may send.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Login {
    /// The user.
    pub user: String,
    /// The password.
    pub password: String,
    /// The ways that are offered: `PLAIN`, `LOGIN`.
    pub mechanisms: Vec<&'static str>,
}

impl Login {
    /// A user who may log in in every way that the server knows.
    #[must_use]
    pub fn new(user: &str, password: &str) -> Self {
        Self { user: user.to_owned(), password: password.to_owned(), mechanisms: vec!["PLAIN", "LOGIN"] }
    }
}

/// How the server is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Behaviour {
    /// What it offers.
    pub extensions: Vec<Extension>,
    /// The certificate that it shows.
    pub certificate: Shown,
    /// Who may send; anybody where it is not given.
    pub login: Option<Login>,
    /// Whether nothing but STARTTLS is allowed before TLS. A log-in never is.
    pub wants_tls: bool,
    /// The longest message that it takes, in bytes.
    pub max_size: usize,
    /// It closes the connection after so many mails.
    pub mails_per_connection: Option<usize>,
    /// Whether the content of mails is kept. A sink for very many keeps only their envelopes.
    pub keeps_content: bool,
}

impl Default for Behaviour {
    fn default() -> Self {
        Self {
            extensions: MODERN.to_vec(),
            certificate: Shown::Valid,
            login: None,
            wants_tls: false,
            max_size: 10 << 20,
            mails_per_connection: None,
            keeps_content: true,
        }
    }
}

impl Behaviour {
    /// One that speaks plain text only.
    #[must_use]
    pub fn plain() -> Self {
        Self::default().without(Extension::StartTls)
    }

    /// The same without an extension.
    #[must_use]
    pub fn without(mut self, extension: Extension) -> Self {
        self.extensions.retain(|offered| *offered != extension);
        self
    }

    /// The same with a log-in, which is wanted.
    #[must_use]
    pub fn with_login(mut self, login: Login) -> Self {
        self.login = Some(login);
        self
    }

    pub(super) fn offers(&self, extension: Extension) -> bool {
        self.extensions.contains(&extension)
    }
}

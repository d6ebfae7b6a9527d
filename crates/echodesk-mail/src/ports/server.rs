//! Reading mail.

use std::ops::ControlFlow;
use std::time::Duration;

use echodesk_core::Secret;
use jiff::civil::Date;

use crate::model::{Endpoint, Flags, FolderListing, FolderName, FolderStatus, MessageMeta, RawMessage, Uid, UidSet};

/// Opens sessions on mail servers.
pub trait MailServer: Send + Sync {
    /// Connects, secures the connection and logs in. Everything, and every later call on the
    /// session, ends within its own time-outs and before `time_left` is over.
    ///
    /// # Errors
    /// See [`MailServerError`].
    fn open(
        &self,
        endpoint: &Endpoint,
        username: &str,
        password: &Secret,
        time_left: Duration,
    ) -> Result<Box<dyn MailSession>, MailServerError>;
}

/// A logged-in session. Nothing that it does changes anything on the server: folders are opened
/// with EXAMINE, bodies are fetched with BODY.PEEK.
pub trait MailSession: Send {
    /// All folders, with their numbers as far as the server gives them along.
    ///
    /// # Errors
    /// See [`MailServerError`].
    fn folders(&mut self) -> Result<Vec<FolderListing>, MailServerError>;

    /// Asks for the numbers of `folders` in one round trip (STATUS, pipelined); `None` for a folder
    /// that the server gives no numbers of.
    ///
    /// # Errors
    /// See [`MailServerError`].
    fn status(&mut self, folders: &[&FolderName]) -> Result<Vec<Option<FolderStatus>>, MailServerError>;

    /// Opens a folder read-only (EXAMINE).
    ///
    /// # Errors
    /// [`MailServerError::Refused`] if the server does not open it; the session stays usable.
    fn examine(&mut self, folder: &FolderName) -> Result<Opened, MailServerError>;

    /// Which of `uids` exist in the open folder, restricted to messages received on or after the day
    /// `since` if that is given (SEARCH … SINCE, by INTERNALDATE in the server's time zone).
    ///
    /// # Errors
    /// See [`MailServerError`].
    fn search(&mut self, uids: &UidSet, since: Option<Date>) -> Result<UidSet, MailServerError>;

    /// Size, date and flags of those of `uids` that exist, ascending by UID, one each.
    ///
    /// # Errors
    /// See [`MailServerError`].
    fn metas(&mut self, uids: &UidSet) -> Result<Vec<MessageMeta>, MailServerError>;

    /// Fetches whole messages, a FETCH per batch, several in flight, and hands each to `sink` as it
    /// arrives. A message over `limit` bytes arrives truncated to nothing; messages that are gone do
    /// not arrive; nor, where `sink` breaks off, does anything after that (the session is then
    /// unusable and should be dropped).
    ///
    /// # Errors
    /// See [`MailServerError`]; what was handed over before stays valid.
    fn bodies(&mut self, batches: &[Vec<MessageMeta>], limit: u64, sink: &mut Sink<'_>) -> Result<(), MailServerError>;

    /// The first `bytes` bytes of one message; `None` if it is gone.
    ///
    /// # Errors
    /// See [`MailServerError`].
    fn head(&mut self, meta: &MessageMeta, bytes: u64) -> Result<Option<RawMessage>, MailServerError>;

    /// Flags of the messages of `uids`; only of those that changed since `mod_seq` if that is given
    /// (CHANGEDSINCE; give it only for a folder that has a `highest_mod_seq`).
    ///
    /// # Errors
    /// See [`MailServerError`].
    fn flags(&mut self, uids: &UidSet, mod_seq: Option<u64>) -> Result<Vec<(Uid, Flags)>, MailServerError>;

    /// Says goodbye and does not wait for the answer.
    fn logout(self: Box<Self>);

    /// What the session has cost so far.
    fn counters(&self) -> SessionCounters;
}

/// Receives messages as they arrive. It may block, to hold back a server that is faster than the
/// database.
pub type Sink<'a> = dyn FnMut(RawMessage) -> ControlFlow<()> + 'a;

/// What EXAMINE answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Opened {
    /// The folder's numbers at this moment; newer than any LIST or STATUS before.
    pub status: FolderStatus,
}

/// What a session cost.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct SessionCounters {
    /// Bytes received, decrypted.
    pub bytes: u64,
    /// Times the client had to wait for the server before it could go on, after connecting.
    pub round_trips: u32,
    /// Answers that could not be understood and were passed over.
    pub skipped_answers: u32,
}

/// Why a server could not be read.
#[derive(Debug, thiserror::Error)]
pub enum MailServerError {
    /// The name has no address.
    #[error("{host} cannot be resolved")]
    Resolve {
        /// The host name.
        host: String,
        /// What the resolver said.
        source: std::io::Error,
    },
    /// No address accepted the connection.
    #[error("cannot connect to {endpoint}")]
    Connect {
        /// Host and port.
        endpoint: String,
        /// What the system said of the last address.
        source: std::io::Error,
    },
    /// The certificate is not valid for this host, or the handshake failed.
    #[error("no secure connection to {endpoint}: {problem}")]
    Tls {
        /// Host and port.
        endpoint: String,
        /// What is wrong, in words. It begins with [`MailServerError::UNTRUSTED_CERTIFICATE`] where
        /// the certificate's chain does not verify.
        problem: String,
    },
    /// The server does not offer STARTTLS, or says something before TLS that it should not.
    #[error("{endpoint} does not offer STARTTLS: {problem}")]
    NoStartTls {
        /// Host and port.
        endpoint: String,
        /// What it answered.
        problem: String,
    },
    /// Name or password are wrong, or the account may not log in.
    #[error("the server refused to log in {username}: {answer}")]
    Login {
        /// The user name.
        username: String,
        /// The server's words.
        answer: String,
    },
    /// The server will not serve us now (`UNAVAILABLE`, `LIMIT`, `INUSE`, BYE).
    #[error("the server is not available: {answer}")]
    Unavailable {
        /// The server's words.
        answer: String,
    },
    /// NO or BAD to a command; the session goes on.
    #[error("the server refused {command}: {answer}")]
    Refused {
        /// The command's name, never its arguments.
        command: &'static str,
        /// The server's words.
        answer: String,
    },
    /// The server said nothing for too long.
    #[error("the server did not answer within {} s while {doing}", after.as_secs())]
    Timeout {
        /// What was being done.
        doing: &'static str,
        /// How long was waited.
        after: Duration,
    },
    /// The mailbox's time budget is used up; what was read is kept and the next run goes on.
    #[error("the time budget of the mailbox is used up")]
    OutOfTime,
    /// The connection broke.
    #[error("the connection was lost while {doing}")]
    Lost {
        /// What was being done.
        doing: &'static str,
        /// What the system said.
        source: std::io::Error,
    },
    /// The server does not speak IMAP as far as we can follow (an endless line, a broken literal).
    #[error("the server's answer cannot be understood: {problem}")]
    Protocol {
        /// What was wrong with it.
        problem: String,
    },
}

impl MailServerError {
    /// How the problem of a TLS error begins where the certificate's chain does not verify.
    pub const UNTRUSTED_CERTIFICATE: &'static str = "the server's certificate cannot be trusted";

    /// Whether the certificate's chain did not verify: an issuer that is not trusted here, signed by
    /// itself, expired, not valid yet. Our own store of authorities, or our clock, may be to blame.
    /// A certificate for another host is not meant.
    #[must_use]
    pub fn is_untrusted_certificate(&self) -> bool {
        matches!(self, Self::Tls { problem, .. } if problem.starts_with(Self::UNTRUSTED_CERTIFICATE))
    }

    /// Whether the session can be used for another folder after this.
    #[must_use]
    pub fn session_survives(&self) -> bool {
        matches!(self, Self::Refused { .. })
    }

    /// Whether this is a refusal that the server itself calls temporary (RFC 5530 §3).
    #[must_use]
    pub fn is_temporary_refusal(&self) -> bool {
        const CODES: [&str; 3] = ["[UNAVAILABLE]", "[INUSE]", "[LIMIT]"];
        let Self::Refused { answer, .. } = self else { return false };
        let answer = answer.to_ascii_uppercase();
        CODES.iter().any(|code| answer.contains(code))
    }

    /// The error and what caused it, in one line.
    #[must_use]
    pub fn one_line(&self) -> String {
        use std::error::Error as _;
        self.source().map_or_else(|| self.to_string(), |source| format!("{self}: {source}"))
    }
}

//! One mailbox tried step by step, for a person who wants to know what is wrong.

use std::fmt;
use std::time::Duration;

use echodesk_core::Secret;

use super::greeting::{CLEAR_GREETING, GREETING};
use super::login::LOGGING_IN;
use super::tls::SECURING;
use crate::model::{Endpoint, FolderListing};
use crate::ports::{MailServer, MailServerError};

/// The steps, in their order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum CheckStep {
    /// The host name has an address.
    Resolve,
    /// It accepts connections.
    Connect,
    /// TLS works and the certificate is valid.
    Secure,
    /// The server greets us and takes name and password.
    LogIn,
    /// It lists its folders.
    List,
}

impl fmt::Display for CheckStep {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Resolve => "resolve",
            Self::Connect => "connect",
            Self::Secure => "TLS",
            Self::LogIn => "log in",
            Self::List => "list folders",
        })
    }
}

/// The step that failed.
#[derive(Debug, thiserror::Error)]
#[error("{step} failed")]
pub struct CheckFailure {
    /// Which one.
    pub step: CheckStep,
    /// How.
    pub source: MailServerError,
}

/// Walks through all steps on one mailbox and logs out again; returns its folders.
///
/// # Errors
/// The first step that failed.
pub fn check_mailbox(
    server: &dyn MailServer,
    endpoint: &Endpoint,
    username: &str,
    password: &Secret,
    time_left: Duration,
) -> Result<Vec<FolderListing>, CheckFailure> {
    let opened = server.open(endpoint, username, password, time_left);
    let mut session = opened.map_err(|source| CheckFailure { step: step_of_open(&source), source })?;
    let folders = session.folders().map_err(|source| CheckFailure { step: CheckStep::List, source })?;
    session.logout();
    Ok(folders)
}

/// At which step of opening a session `error` happened.
fn step_of_open(error: &MailServerError) -> CheckStep {
    match error {
        MailServerError::Resolve { .. } => CheckStep::Resolve,
        MailServerError::Connect { .. } => CheckStep::Connect,
        MailServerError::Tls { .. } | MailServerError::NoStartTls { .. } => CheckStep::Secure,
        MailServerError::Timeout { doing, .. } | MailServerError::Lost { doing, .. } => match *doing {
            SECURING => CheckStep::Secure,
            GREETING | CLEAR_GREETING | LOGGING_IN => CheckStep::LogIn,
            _ => CheckStep::Connect,
        },
        MailServerError::OutOfTime => CheckStep::Connect,
        _ => CheckStep::LogIn,
    }
}

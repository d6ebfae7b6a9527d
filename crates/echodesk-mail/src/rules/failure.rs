//! What a failure costs a mailbox.
//!
//! As in EchoDesk, a wrong password switches a mailbox off at once and five passing failures in a
//! row do. Unlike there, trouble that is not the mailbox's own never counts: our database, our
//! attachment store, our keys, one folder that cannot be opened. And while no other server can be
//! reached either, a network failure is taken to be ours: it is counted, but switches nothing off.

use echodesk_core::notice::{NewNotice, NoticeKind};
use jiff::Timestamp;

use crate::credential::CredentialError;
use crate::model::Mailbox;
use crate::ports::{AttachmentError, FailureRecord, MailServerError, StoreError};

/// Passing failures in a row that switch a mailbox off.
pub const FAILURES_TO_SWITCH_OFF: u32 = 5;

/// Why a mailbox was not read to its end.
#[derive(Debug, thiserror::Error)]
pub enum SyncFailure {
    /// The server.
    #[error("{}", .0.one_line())]
    Server(MailServerError),
    /// Some folders; the others were read.
    #[error("{0}")]
    Folders(String),
    /// The stored password.
    #[error(transparent)]
    Credential(#[from] CredentialError),
    /// The database.
    #[error("{}", one_line(.0))]
    Store(StoreError),
    /// The attachment store.
    #[error(transparent)]
    Attachments(#[from] AttachmentError),
    /// A bug of ours, caught so that it costs only this mailbox.
    #[error("a part of the program panicked: {0}")]
    Panic(String),
}

impl From<MailServerError> for SyncFailure {
    fn from(error: MailServerError) -> Self {
        Self::Server(error)
    }
}

impl From<StoreError> for SyncFailure {
    fn from(error: StoreError) -> Self {
        Self::Store(error)
    }
}

/// How a failure counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Class {
    /// Will not go away by itself: switches the mailbox off at once.
    Permanent,
    /// The server or the way to it; counts.
    Passing {
        /// Whether it could just as well be our own network.
        network: bool,
    },
    /// Ours, or a part of the mailbox only: is written down and does not count.
    NotCounted,
}

impl SyncFailure {
    /// How it counts.
    #[must_use]
    pub fn class(&self) -> Class {
        match self {
            Self::Server(error) => match error {
                MailServerError::Login { .. } => Class::Permanent,
                MailServerError::Resolve { .. }
                | MailServerError::Connect { .. }
                | MailServerError::Timeout { .. }
                | MailServerError::Lost { .. } => Class::Passing { network: true },
                MailServerError::Tls { .. }
                | MailServerError::NoStartTls { .. }
                | MailServerError::Unavailable { .. }
                | MailServerError::Refused { .. }
                | MailServerError::Protocol { .. } => Class::Passing { network: false },
                // What was read is kept, and the next run goes on.
                MailServerError::OutOfTime => Class::NotCounted,
            },
            Self::Folders(_) | Self::Credential(_) | Self::Store(_) | Self::Attachments(_) | Self::Panic(_) => {
                Class::NotCounted
            }
        }
    }
}

/// What is written down for `mailbox` after `failure`. `others_reached` says whether any other
/// server answered in this run, or there is no other to tell by.
#[must_use]
pub fn record(mailbox: &Mailbox, failure: &SyncFailure, others_reached: bool, at: Timestamp) -> FailureRecord {
    let error = failure.to_string();
    let (count, off) = match failure.class() {
        Class::NotCounted => (mailbox.failure_count, false),
        Class::Permanent => (mailbox.failure_count, true),
        Class::Passing { network } => {
            let count = mailbox.failure_count.saturating_add(1);
            (count, count >= FAILURES_TO_SWITCH_OFF && (others_reached || !network))
        }
    };
    let switch_off = off.then(|| NewNotice {
        kind: NoticeKind::MailboxSwitchedOff { address: mailbox.address.clone(), reason: error.clone() },
        subject_key: format!("mailbox:{}", mailbox.key.connection),
        period: at.to_string(),
        decided_at: at,
    });
    // EchoDesk starts counting anew once it has switched a mailbox off.
    FailureRecord { error, failure_count: if off { 0 } else { count }, switch_off, at }
}

/// What is written down when part was read and the next run goes on: the way is free, so failures
/// in a row end here; but `last_sync_at` waits until everything was read.
#[must_use]
pub fn progress(at: Timestamp) -> FailureRecord {
    FailureRecord { error: String::new(), failure_count: 0, switch_off: None, at }
}

fn one_line(error: &StoreError) -> String {
    use std::error::Error as _;
    error.source().map_or_else(|| error.to_string(), |source| format!("{error}: {source}"))
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::testing::mailbox;

    fn login() -> SyncFailure {
        MailServerError::Login { username: "u".to_owned(), answer: "no".to_owned() }.into()
    }

    fn timeout() -> SyncFailure {
        MailServerError::Timeout { doing: "connecting", after: Duration::from_secs(1) }.into()
    }

    fn at() -> Timestamp {
        "2026-11-22T10:00:00Z".parse().unwrap()
    }

    #[test]
    fn a_refused_login_switches_off_at_once_with_a_notice() {
        let record = record(&mailbox("acme", 7), &login(), false, at());
        let notice = record.switch_off.unwrap();
        assert_eq!((notice.subject_key.as_str(), record.failure_count), ("mailbox:7", 0));
        let NoticeKind::MailboxSwitchedOff { reason, .. } = notice.kind;
        assert!(reason.contains("refused to log in"), "{reason}");
    }

    #[test]
    fn five_passing_failures_in_a_row_do_and_four_do_not() {
        let mut mailbox = mailbox("acme", 7);
        for count in 1..=5 {
            let record = record(&mailbox, &timeout(), true, at());
            assert_eq!(record.switch_off.is_some(), count == 5, "failure {count}");
            mailbox.failure_count = record.failure_count;
        }
        assert_eq!(mailbox.failure_count, 0);
    }

    #[test]
    fn an_outage_of_our_own_network_switches_nothing_off() {
        let mut mailbox = mailbox("acme", 7);
        for count in 1..=20 {
            let record = record(&mailbox, &timeout(), false, at());
            assert_eq!((record.switch_off, record.failure_count), (None, count));
            mailbox.failure_count = count;
        }
        assert!(
            record(&mailbox, &timeout(), true, at()).switch_off.is_some(),
            "others answer again, this one does not"
        );
    }

    #[test]
    fn what_is_not_the_mailboxs_own_fault_does_not_count() {
        let mut mailbox = mailbox("acme", 7);
        mailbox.failure_count = 4;
        let ours = AttachmentError { place: "s3://x".to_owned(), problem: "away".to_owned() };
        for failure in
            [SyncFailure::from(ours), SyncFailure::Folders("x".to_owned()), MailServerError::OutOfTime.into()]
        {
            let record = record(&mailbox, &failure, true, at());
            assert_eq!((record.switch_off, record.failure_count), (None, 4), "{failure}");
        }
    }
}

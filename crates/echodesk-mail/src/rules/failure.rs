//! What a failure costs a mailbox.
//!
//! As in EchoDesk, a wrong password switches a mailbox off at once and five passing failures in a
//! row do. Unlike there, trouble that is not the mailbox's own never counts: our database, our
//! attachment store, our keys, one folder that cannot be opened. While no other server can be
//! reached either, a network failure is taken to be ours: it is counted, but switches nothing off;
//! and as long as no other server's certificate was accepted, neither does a certificate. A run that
//! got on with a mailbox starts the count anew, whatever ended it.

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
    /// The server; counts.
    Passing,
    /// The way to the server; counts, and could just as well be our own network.
    Network,
    /// The server's certificate; counts, and could just as well be our own list of authorities.
    Trust,
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
                | MailServerError::Lost { .. }
                | MailServerError::OutOfTime => Class::Network,
                MailServerError::Tls { .. } => Class::Trust,
                MailServerError::NoStartTls { .. }
                | MailServerError::Unavailable { .. }
                | MailServerError::Refused { .. }
                | MailServerError::Protocol { .. } => Class::Passing,
            },
            Self::Folders(_) | Self::Credential(_) | Self::Store(_) | Self::Attachments(_) | Self::Panic(_) => {
                Class::NotCounted
            }
        }
    }
}

/// Whether other servers could be reached in this run: what tells their trouble from ours.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Evidence {
    /// Another server answered, over a connection whose certificate was accepted.
    OthersReached,
    /// There are others, and none has answered so far.
    NobodyReached,
    /// The run is about one server only.
    NoOthers,
}

/// What is written down for `mailbox` after `failure`. `got_on` says whether anything was read and
/// stored before it.
#[must_use]
pub fn record(
    mailbox: &Mailbox,
    failure: &SyncFailure,
    evidence: Evidence,
    got_on: bool,
    at: Timestamp,
) -> FailureRecord {
    let error = failure.to_string();
    let before = if got_on { 0 } else { mailbox.failure_count };
    let class = failure.class();
    let theirs = match class {
        Class::Permanent | Class::Passing => true,
        Class::Network => evidence != Evidence::NobodyReached,
        Class::Trust => evidence == Evidence::OthersReached,
        Class::NotCounted => false,
    };
    let (count, off) = match class {
        Class::NotCounted => (before, false),
        Class::Permanent => (before, true),
        Class::Passing | Class::Network | Class::Trust => {
            let count = before.saturating_add(1);
            (count, theirs && count >= FAILURES_TO_SWITCH_OFF)
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

    fn tls() -> SyncFailure {
        MailServerError::Tls { endpoint: "h:993".to_owned(), problem: "not trusted".to_owned() }.into()
    }

    /// Which of 20 failures in a row switches the mailbox off.
    fn off_after(failure: impl Fn() -> SyncFailure, evidence: Evidence, got_on: bool) -> Option<u32> {
        let mut mailbox = mailbox("acme", 7);
        (1..=20).find(|_| {
            let record = record(&mailbox, &failure(), evidence, got_on, at());
            mailbox.failure_count = record.failure_count;
            record.switch_off.is_some()
        })
    }

    #[test]
    fn a_refused_login_switches_off_at_once_with_a_notice() {
        let record = record(&mailbox("acme", 7), &login(), Evidence::NobodyReached, false, at());
        let notice = record.switch_off.unwrap();
        assert_eq!((notice.subject_key.as_str(), record.failure_count), ("mailbox:7", 0));
        let NoticeKind::MailboxSwitchedOff { reason, .. } = notice.kind else { panic!("{:?}", notice.kind) };
        assert!(reason.contains("refused to log in"), "{reason}");
    }

    #[test]
    fn five_passing_failures_in_a_row_switch_off_if_they_are_not_ours() {
        let busy = || SyncFailure::from(MailServerError::Unavailable { answer: "busy".to_owned() });
        for (evidence, by_network, by_trust) in [
            (Evidence::OthersReached, Some(5), Some(5)),
            (Evidence::NoOthers, Some(5), None),
            (Evidence::NobodyReached, None, None),
        ] {
            assert_eq!(off_after(busy, evidence, false), Some(5), "{evidence:?}");
            assert_eq!(off_after(timeout, evidence, false), by_network, "{evidence:?}");
            assert_eq!(off_after(tls, evidence, false), by_trust, "{evidence:?}");
        }
    }

    #[test]
    fn a_mailbox_that_gets_on_between_failures_stays_on() {
        assert_eq!(off_after(timeout, Evidence::OthersReached, true), None);
    }

    #[test]
    fn what_is_not_the_mailboxs_own_fault_does_not_count() {
        let mut mailbox = mailbox("acme", 7);
        mailbox.failure_count = 4;
        let ours = AttachmentError { place: "s3://x".to_owned(), problem: "away".to_owned() };
        for failure in [SyncFailure::from(ours), SyncFailure::Folders("x".to_owned())] {
            let record = record(&mailbox, &failure, Evidence::OthersReached, false, at());
            assert_eq!((record.switch_off, record.failure_count), (None, 4), "{failure}");
        }
    }
}

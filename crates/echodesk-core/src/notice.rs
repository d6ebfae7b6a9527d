//! What a job may owe a tenant: a notice, as data.
//!
//! Deciding and sending are apart: a job queues a notice in the transaction that decides, and
//! delivery is somebody else's work. This module is only the vocabulary that both sides share.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// What happened, with the values that its text names.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum NoticeKind {
    /// A mailbox was switched off: its mail no longer arrives until somebody acts.
    MailboxSwitchedOff {
        /// The mailbox's address.
        address: String,
        /// Why, in plain words.
        reason: String,
    },
}

impl NoticeKind {
    /// The name under which the ledger keeps notices of this kind.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            Self::MailboxSwitchedOff { .. } => "mailbox_switched_off",
        }
    }
}

/// A notice to be queued. `subject_key` and `period` make it unique: the same event decided twice,
/// after a crash or by two hosts, is queued once.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewNotice {
    /// What it says.
    pub kind: NoticeKind,
    /// What it is about, for example `mailbox:7`.
    pub subject_key: String,
    /// Which occurrence of the event, for example the moment of switching off.
    pub period: String,
    /// When it was decided.
    pub decided_at: Timestamp,
}

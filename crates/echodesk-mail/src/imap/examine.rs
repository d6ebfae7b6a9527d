//! What EXAMINE answers.

use super::wire::Untagged;
use crate::model::{FolderStatus, Uid};
use crate::ports::{MailServerError, Opened};

/// The numbers as they come in.
#[derive(Debug, Default)]
pub(super) struct Numbers {
    messages: Option<u32>,
    uid_validity: Option<u32>,
    uid_next: Option<u32>,
    highest_mod_seq: Option<u64>,
}

impl Numbers {
    /// Takes what `untagged` says. Everything else that may come in between (flags, alerts, changes
    /// to messages) says nothing about the folder's numbers.
    pub(super) fn take(&mut self, untagged: &Untagged<'_>) {
        let nonzero = |number: u64| u32::try_from(number).ok().filter(|number| *number > 0);
        match untagged {
            Untagged::Data(data) if data.is("EXISTS") => self.messages = data.number.or(self.messages),
            Untagged::Data(_) => {}
            Untagged::Status(text) => {
                self.uid_validity = text.number("UIDVALIDITY").and_then(nonzero).or(self.uid_validity);
                self.uid_next = text.number("UIDNEXT").and_then(nonzero).or(self.uid_next);
                self.highest_mod_seq = text.number("HIGHESTMODSEQ").filter(|n| *n > 0).or(self.highest_mod_seq);
                if text.has_code("NOMODSEQ") {
                    self.highest_mod_seq = None;
                }
            }
        }
    }

    /// Whether UIDNEXT has to be found out from the last message (old servers leave it out).
    pub(super) fn needs_last_uid(&self) -> bool {
        self.uid_next.is_none() && self.uid_validity.is_some() && self.messages.is_some_and(|messages| messages > 0)
    }

    /// The UID of a message, perhaps the last.
    pub(super) fn last_uid(&mut self, uid: Uid) {
        self.uid_next = self.uid_next.max(uid.0.checked_add(1));
    }
}

/// The folder's numbers, all there. Where an empty folder has no UIDNEXT it is 1: every message that
/// comes will have a UID of at least that.
///
/// # Errors
/// There is no UIDVALIDITY (or it is 0, which is none), no EXISTS, or no UIDNEXT to be found.
pub(super) fn opened(numbers: &Numbers) -> Result<Opened, MailServerError> {
    // This folder cannot be read; the session and the other folders can.
    let missing = |what: &str| MailServerError::Refused {
        command: "EXAMINE",
        answer: format!("it opens the folder without {what}"),
    };
    let messages = numbers.messages.ok_or_else(|| missing("EXISTS"))?;
    let uid_validity = numbers.uid_validity.ok_or_else(|| missing("UIDVALIDITY"))?;
    let uid_next = numbers.uid_next.or((messages == 0).then_some(1)).ok_or_else(|| missing("UIDNEXT"))?;
    Ok(Opened { status: FolderStatus { uid_validity, uid_next, messages, highest_mod_seq: numbers.highest_mod_seq } })
}

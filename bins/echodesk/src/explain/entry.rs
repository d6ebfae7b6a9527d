//! One line of the story.

use jiff::Timestamp;

/// Something that happened.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct StoryEntry {
    pub(super) at: Timestamp,
    /// Which ledger tells it: `period`, `charge`, `order`, `invoice`, `card`, `history`, `suspension`, `echodesk`,
    /// `notice`, `mail` or `run`.
    pub(super) source: &'static str,
    /// A name for machines that stays the same.
    pub(super) event: &'static str,
    /// The order, notice, mailbox or invoice that it is about.
    pub(super) about: Option<String>,
    /// In words.
    pub(super) what: String,
}

impl StoryEntry {
    pub(super) fn new(at: Timestamp, source: &'static str, event: &'static str, what: impl Into<String>) -> Self {
        Self { at, source, event, about: None, what: what.into() }
    }

    pub(super) fn about(mut self, about: impl ToString) -> Self {
        self.about = Some(about.to_string());
        self
    }
}

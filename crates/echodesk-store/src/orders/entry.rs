//! An attempt with what only people want to know of it.

use diesel::prelude::*;
use echodesk_billing::model::Attempt;
use jiff::Timestamp;

use crate::billing::ledger;
use crate::error::Outcome;
use crate::sql_types::Stamp;
use crate::tables::attempts;

/// A charge attempt, and who has to do with it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LedgerEntry {
    /// The attempt.
    pub attempt: Attempt,
    /// When it was closed.
    pub closed_at: Option<Timestamp>,
    /// Who said how it ended: `answer`, `receipt`, `callback` or `person`.
    pub settled_by: Option<String>,
    /// How a person knew.
    pub because: Option<String>,
    /// Until when a run has claimed it; that may be over.
    pub claimed_until: Option<Timestamp>,
}

#[derive(Queryable, Selectable)]
#[diesel(table_name = attempts)]
pub(super) struct Row {
    #[diesel(embed)]
    attempt: ledger::Row,
    closed_at: Option<Stamp>,
    settled_by: Option<String>,
    because: Option<String>,
    claimed_until: Option<Stamp>,
}

impl Row {
    pub(super) fn read(self) -> Outcome<LedgerEntry> {
        Ok(LedgerEntry {
            attempt: self.attempt.into_attempt()?,
            closed_at: self.closed_at.map(Into::into),
            settled_by: self.settled_by,
            because: self.because,
            claimed_until: self.claimed_until.map(Into::into),
        })
    }
}

//! An outbox in memory, with the promises of a real one.

use std::sync::{Mutex, MutexGuard, PoisonError};

use echodesk_core::{NoticeId, RunId, StoreError, StoreErrorKind, TenantId};
use jiff::Timestamp;

use crate::ports::{Claim, Fate, Outbox, Page, Queued, Waiting};

/// An outbox in memory.
#[derive(Debug, Default)]
pub struct MemoryOutbox {
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    rows: Vec<Row>,
    records: Vec<usize>,
    away: bool,
    #[cfg(test)]
    recording_takes: std::time::Duration,
}

/// A row of it.
#[derive(Clone, Debug)]
pub struct Row {
    /// The notice.
    pub notice: Queued,
    /// Where it stands.
    pub state: RowState,
    /// From when on it is sent.
    pub not_before: Timestamp,
    /// Who has claimed it, until when.
    pub claim: Option<(RunId, Timestamp)>,
    /// What was last said of it.
    pub why: Option<String>,
}

/// Where a row stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RowState {
    /// To be sent.
    Queued,
    /// Sent.
    Sent,
    /// Not sent until a person says so.
    Parked,
    /// Not sent.
    Withdrawn,
}

impl MemoryOutbox {
    /// With these notices queued.
    #[must_use]
    pub fn with(notices: impl IntoIterator<Item = Queued>) -> Self {
        let outbox = Self::default();
        outbox.state().rows.extend(notices.into_iter().map(|notice| Row {
            notice,
            state: RowState::Queued,
            not_before: Timestamp::MIN,
            claim: None,
            why: None,
        }));
        outbox
    }

    /// All rows, as they are now.
    #[must_use]
    pub fn rows(&self) -> Vec<Row> {
        self.state().rows.clone()
    }

    /// How many fates each transaction has written down.
    #[must_use]
    pub fn records(&self) -> Vec<usize> {
        self.state().records.clone()
    }

    /// Changes how things stand with a notice, as a payment would.
    pub fn change(&self, notice: NoticeId, change: impl FnOnce(&mut Queued)) {
        if let Some(row) = self.state().rows.iter_mut().find(|row| row.notice.id == notice) {
            change(&mut row.notice);
        }
    }

    /// Another run has claimed a notice.
    pub fn take_from_holder(&self, notice: NoticeId) {
        if let Some(row) = self.state().rows.iter_mut().find(|row| row.notice.id == notice) {
            row.claim = Some((RunId::random(), Timestamp::MAX));
        }
    }

    /// Lets the database go away, or come back.
    pub fn set_away(&self, away: bool) {
        self.state().away = away;
    }

    /// Lets writing down take so long, while others send.
    #[cfg(test)]
    pub(crate) fn set_slow(&self, recording_takes: std::time::Duration) {
        self.state().recording_takes = recording_takes;
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn reached(&self) -> Result<MutexGuard<'_, State>, StoreError> {
        let state = self.state();
        if state.away {
            let what = "the database is away".to_owned();
            return Err(StoreError { kind: StoreErrorKind::Unavailable, what, source: None });
        }
        Ok(state)
    }
}

impl Outbox for MemoryOutbox {
    fn claim(&self, claim: &Claim, tenant: Option<TenantId>, limit: usize) -> Result<Page, StoreError> {
        let mut state = self.reached()?;
        let free = |row: &Row| row.claim.is_none_or(|(_, until)| until <= claim.now);
        let due = state.rows.iter_mut().filter(|row| {
            row.state == RowState::Queued
                && row.not_before <= claim.now
                && free(row)
                && tenant.is_none_or(|tenant| row.notice.tenant.id == tenant)
        });
        let notices = due
            .take(limit)
            .map(|row| {
                row.claim = Some((claim.run, claim.until));
                row.notice.clone()
            })
            .collect();
        Ok(Page { notices, ..Page::default() })
    }

    fn look_again(&self, run: RunId, notice: NoticeId, now: Timestamp) -> Result<Option<Queued>, StoreError> {
        let state = self.reached()?;
        let is_held = |row: &&Row| {
            row.notice.id == notice
                && row.state == RowState::Queued
                && row.claim.is_some_and(|(holder, until)| holder == run && until > now)
        };
        Ok(state.rows.iter().find(is_held).map(|row| row.notice.clone()))
    }

    fn record(&self, run: RunId, fates: &[(NoticeId, Fate)], _now: Timestamp) -> Result<(), StoreError> {
        #[cfg(test)]
        {
            let takes = self.state().recording_takes;
            std::thread::sleep(takes);
        }
        let mut state = self.reached()?;
        for (id, fate) in fates {
            for row in state.rows.iter_mut().filter(|row| row.notice.id == *id && row.state == RowState::Queued) {
                let held = row.claim.is_some_and(|(holder, _)| holder == run);
                if held || matches!(fate, Fate::Sent { .. }) {
                    settle(row, fate);
                }
            }
        }
        state.records.push(fates.len());
        Ok(())
    }

    fn release(&self, run: RunId) -> Result<(), StoreError> {
        let mut state = self.reached()?;
        for row in &mut state.rows {
            row.claim = row.claim.filter(|(holder, _)| *holder != run);
        }
        Ok(())
    }

    fn waiting(&self, tenant: Option<TenantId>) -> Result<Waiting, StoreError> {
        let state = self.reached()?;
        let mut waiting = Waiting::default();
        for row in state.rows.iter().filter(|row| tenant.is_none_or(|tenant| row.notice.tenant.id == tenant)) {
            match row.state {
                RowState::Queued => {
                    waiting.queued += 1;
                    waiting.tried += u64::from(row.notice.attempts > 0);
                }
                RowState::Parked => waiting.parked += 1,
                RowState::Sent | RowState::Withdrawn => {}
            }
        }
        Ok(waiting)
    }
}

fn settle(row: &mut Row, fate: &Fate) {
    row.claim = None;
    match fate {
        Fate::Back => {}
        Fate::Sent { .. } => {
            row.state = RowState::Sent;
            row.notice.attempts += 1;
        }
        Fate::Later { not_before, why } => (row.not_before, row.why) = (*not_before, Some(why.clone())),
        Fate::TryAgain { not_before, why } => {
            (row.not_before, row.why) = (*not_before, Some(why.clone()));
            row.notice.attempts += 1;
        }
        Fate::Parked { why } => {
            (row.state, row.why) = (RowState::Parked, Some(why.clone()));
            row.notice.attempts += 1;
        }
        Fate::Withdrawn { why } => (row.state, row.why) = (RowState::Withdrawn, Some(why.clone())),
    }
}

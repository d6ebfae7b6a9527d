//! Notices that were queued: what each tells of, as the simulation understands it.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Mutex, MutexGuard, PoisonError};

use echodesk_core::NoticeId;
use echodesk_core::notice::NoticeKind;
use jiff::Timestamp;
use jiff::civil::Date;

use crate::trace::TenantNumber;

/// What a notice tells of: of each there is at most one to a tenant.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Occurrence {
    /// A period nears its end.
    Reminder(Timestamp),
    /// It nears it in a few days.
    UrgentReminder(Timestamp),
    /// A day of grace after it.
    GraceWarning(Timestamp, Date),
    /// The n-th suspension.
    Suspended(usize),
    /// The end of the n-th suspension.
    Reactivated(usize),
    /// An order was paid.
    RenewalPaid(String),
    /// An order was refused.
    PaymentFailed(String),
    /// A period for which the card cannot be charged.
    PriceChanged(Timestamp),
    /// A mailbox was switched off, at some time.
    MailboxSwitchedOff(String, String),
}

impl Occurrence {
    /// What a row tells of; `suspensions` is how many of the tenant there have been.
    #[must_use]
    pub fn of(kind: &NoticeKind, subject: &str, period: &str, suspensions: usize) -> Self {
        match kind {
            NoticeKind::Reminder { expires_at, .. } => Self::Reminder(*expires_at),
            NoticeKind::UrgentReminder { expires_at, .. } => Self::UrgentReminder(*expires_at),
            NoticeKind::GraceWarning { expired_at, day, .. } => Self::GraceWarning(*expired_at, *day),
            NoticeKind::Suspended { .. } => Self::Suspended(suspensions),
            NoticeKind::Reactivated { .. } => Self::Reactivated(suspensions),
            NoticeKind::RenewalPaid { order, .. } => Self::RenewalPaid(order.clone()),
            NoticeKind::PaymentFailed { .. } => Self::PaymentFailed(period.to_owned()),
            NoticeKind::PriceChanged { renewal, .. } => Self::PriceChanged(*renewal),
            NoticeKind::MailboxSwitchedOff { .. } => Self::MailboxSwitchedOff(subject.to_owned(), period.to_owned()),
        }
    }
}

/// A notice of the ledger.
#[derive(Clone, Debug)]
pub struct Notice {
    /// Whom it is for.
    pub tenant: TenantNumber,
    /// What it says.
    pub kind: NoticeKind,
    /// What it tells of.
    pub occurrence: Occurrence,
}

/// The notices that were seen in the ledger.
#[derive(Debug, Default)]
pub struct Notices {
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    rows: BTreeMap<NoticeId, Notice>,
    by_occurrence: BTreeSet<(TenantNumber, Occurrence)>,
    /// Those that may still be sent.
    open: BTreeSet<NoticeId>,
}

impl Notices {
    /// A new one. Says whether it is the only one of its occurrence.
    pub fn add(&self, id: NoticeId, notice: Notice) -> bool {
        let mut state = self.lock();
        let is_first = state.by_occurrence.insert((notice.tenant, notice.occurrence.clone()));
        state.open.insert(id);
        state.rows.insert(id, notice);
        is_first
    }

    /// A notice.
    #[must_use]
    pub fn get(&self, id: NoticeId) -> Option<Notice> {
        self.lock().rows.get(&id).cloned()
    }

    /// Whether a tenant has a notice of something.
    #[must_use]
    pub fn has(&self, tenant: TenantNumber, occurrence: Occurrence) -> bool {
        self.lock().by_occurrence.contains(&(tenant, occurrence))
    }

    /// The last that was seen.
    #[must_use]
    pub fn last(&self) -> NoticeId {
        self.lock().rows.last_key_value().map_or(NoticeId(0), |(id, _)| *id)
    }

    /// Those that may still be sent.
    #[must_use]
    pub fn open(&self) -> Vec<NoticeId> {
        self.lock().open.iter().copied().collect()
    }

    /// Whether one may still be sent.
    #[must_use]
    pub fn is_open(&self, id: NoticeId) -> bool {
        self.lock().open.contains(&id)
    }

    /// One was sent, or never will be.
    pub fn close(&self, id: NoticeId) {
        self.lock().open.remove(&id);
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

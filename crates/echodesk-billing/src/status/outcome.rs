//! What became of each subscription, and how many of each.

use echodesk_core::{SchemaName, SubscriptionId};
use jiff::Timestamp;

use crate::rules::expiry::{Step, Withheld};

/// What a run did about one subscription, or would do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StatusEvent {
    /// Whose it is.
    pub tenant: SchemaName,
    /// Which.
    pub subscription: SubscriptionId,
    /// When it expires or has expired.
    pub expires_at: Option<Timestamp>,
    /// What became of it.
    pub outcome: StatusOutcome,
}

/// What became of a subscription.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum StatusOutcome {
    /// A reminder was queued; the calendar days that are left.
    Reminded(i32),
    /// An urgent reminder was queued; the calendar days that are left.
    UrgentlyReminded(i32),
    /// It is in grace, and today's warning was queued.
    Warned {
        /// From when on it is suspended.
        suspension_at: Timestamp,
    },
    /// It is in grace, and today's warning was queued before.
    InGrace {
        /// From when on it is suspended.
        suspension_at: Timestamp,
    },
    /// Tenant and subscription were suspended.
    Suspended,
    /// Both are active again.
    Reactivated {
        /// Until when it is paid.
        paid_until: Timestamp,
    },
    /// Its suspension stands although it was extended since: to a time that is over.
    StillSuspended {
        /// That time.
        paid_until: Timestamp,
    },
    /// Something is due and was not done.
    Withheld {
        /// What.
        step: Step,
        /// Why not.
        why: Withheld,
    },
    /// It changed while it was looked at; the next run sees to it.
    Changed,
    /// The database refused, in these words.
    Failed(String),
}

impl StatusOutcome {
    /// Whether somebody should look at it: the exit code of a run is 1 then.
    #[must_use]
    pub fn is_failure(&self) -> bool {
        match self {
            Self::Withheld { step, why } => *step == Step::Suspension && why.is_unknown(),
            Self::Failed(_) | Self::StillSuspended { .. } => true,
            _ => false,
        }
    }

    /// The name under which reports keep it.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            Self::Reminded(_) => "reminded",
            Self::UrgentlyReminded(_) => "urgently_reminded",
            Self::Warned { .. } => "warned",
            Self::InGrace { .. } => "in_grace",
            Self::Suspended => "suspended",
            Self::Reactivated { .. } => "reactivated",
            Self::StillSuspended { .. } => "still_suspended",
            Self::Withheld { .. } => "withheld",
            Self::Changed => "changed",
            Self::Failed(_) => "failed",
        }
    }
}

/// How many of each.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct StatusTotals {
    /// Reminders queued.
    pub reminders: u64,
    /// Urgent reminders queued.
    pub urgent: u64,
    /// Subscriptions in grace, warned today by this run or an earlier one.
    pub in_grace: u64,
    /// Of those, the ones that this run has warned.
    pub warned: u64,
    /// Suspended.
    pub suspended: u64,
    /// Active again.
    pub reactivated: u64,
    /// Suspended although they were extended since.
    pub still_suspended: u64,
    /// Something was due and was not done.
    pub withheld: u64,
    /// Changed while they were looked at.
    pub changed: u64,
    /// The database refused.
    pub failed: u64,
    /// Those of any kind that somebody should look at.
    pub failures: u64,
}

impl StatusTotals {
    pub(super) fn count(&mut self, event: &StatusEvent) {
        match &event.outcome {
            StatusOutcome::Reminded(_) => self.reminders += 1,
            StatusOutcome::UrgentlyReminded(_) => self.urgent += 1,
            StatusOutcome::Warned { .. } => {
                self.warned += 1;
                self.in_grace += 1;
            }
            StatusOutcome::InGrace { .. } => self.in_grace += 1,
            StatusOutcome::Suspended => self.suspended += 1,
            StatusOutcome::Reactivated { .. } => self.reactivated += 1,
            StatusOutcome::StillSuspended { .. } => self.still_suspended += 1,
            StatusOutcome::Withheld { .. } => self.withheld += 1,
            StatusOutcome::Changed => self.changed += 1,
            StatusOutcome::Failed(_) => self.failed += 1,
        }
        self.failures += u64::from(event.outcome.is_failure());
    }
}

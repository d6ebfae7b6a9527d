//! What a run tells of each subscription.

use echodesk_core::{SchemaName, SubscriptionId};
use jiff::Timestamp;

use crate::Money;
use crate::model::{Attempt, AttemptState, OrderId};
use crate::rules::due::Skip;
use crate::rules::retry::Next;

/// What became of one subscription in a run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RenewalEvent {
    /// Whose it is.
    pub tenant: SchemaName,
    /// The subscription.
    pub subscription: SubscriptionId,
    /// What was or would be charged, as far as it is known.
    pub amount: Option<Money>,
    /// The renewal date that is paid for.
    pub period: Option<Timestamp>,
    /// The order, if there is one.
    pub order: Option<OrderId>,
    /// What became of it.
    pub outcome: Outcome,
}

impl RenewalEvent {
    pub(crate) fn of(attempt: &Attempt, outcome: Outcome) -> Self {
        Self {
            tenant: attempt.schema.clone(),
            subscription: attempt.subscription,
            amount: Some(attempt.amount),
            period: Some(attempt.period),
            order: Some(attempt.order.clone()),
            outcome,
        }
    }
}

/// What became of a renewal.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// Charged, and paid.
    Paid {
        /// Until when the subscription runs now, if it is known.
        until: Option<Timestamp>,
        /// Whether a suspension was lifted.
        reactivated: bool,
    },
    /// Charged; the bank has not said yet how it ended. Its word for where it stands.
    Pending(String),
    /// The bank refused.
    Refused {
        /// Why, in words, with the bank's code.
        words: String,
        /// When it is tried again; none if somebody else settled it and the rule is not at hand.
        next: Option<Next>,
    },
    /// What the bank did is not known, and the next run will ask again.
    Unknown(String),
    /// Only a person can decide; what about.
    NeedsPerson(String),
    /// Not charged, as it should be.
    Skipped(Skip),
    /// A run would charge it (dry run).
    WouldCharge,
    /// A run would ask the bank about an order that is open (dry run).
    WouldSettle(String),
    /// It is due and was not charged, because the bank could not be talked to or the run was stopped.
    Postponed(String),
    /// It could not be worked on; the database's words.
    Failed(String),
}

impl Outcome {
    /// The name under which reports and totals keep it.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            Self::Paid { .. } => "paid",
            Self::Pending(_) => "pending",
            Self::Refused { .. } => "refused",
            Self::Unknown(_) => "unknown",
            Self::NeedsPerson(_) => "needs_person",
            Self::Skipped(_) => "skipped",
            Self::WouldCharge => "would_charge",
            Self::WouldSettle(_) => "would_settle",
            Self::Postponed(_) => "postponed",
            Self::Failed(_) => "failed",
        }
    }

    /// Whether the operator should hear of it by the exit code.
    #[must_use]
    pub fn is_failure(&self) -> bool {
        match self {
            Self::Refused { .. } | Self::Unknown(_) | Self::NeedsPerson(_) | Self::Postponed(_) | Self::Failed(_) => {
                true
            }
            Self::Skipped(Skip::Open { state, .. }) => *state == AttemptState::Unknown,
            Self::Skipped(skip) => skip.needs_person(),
            Self::Paid { .. } | Self::Pending(_) | Self::WouldCharge | Self::WouldSettle(_) => false,
        }
    }
}

/// How many of each.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Totals {
    /// Charged and paid.
    pub paid: u64,
    /// Charged and pending.
    pub pending: u64,
    /// Refused.
    pub refused: u64,
    /// Unknown.
    pub unknown: u64,
    /// In need of a person.
    pub needs_person: u64,
    /// Skipped.
    pub skipped: u64,
    /// Would be charged.
    pub would_charge: u64,
    /// Would be asked about.
    pub would_settle: u64,
    /// Postponed.
    pub postponed: u64,
    /// Failed.
    pub failed: u64,
    /// The sum of what was paid, in lari and tetri.
    pub amount_paid: rust_decimal::Decimal,
    /// The sum of what is pending, or would be charged.
    pub amount_pending: rust_decimal::Decimal,
    /// How many of all are failures.
    pub failures: u64,
}

impl Totals {
    /// Counts an event.
    pub fn count(&mut self, event: &RenewalEvent) {
        let amount = event.amount.map(Money::amount).unwrap_or_default();
        match &event.outcome {
            Outcome::Paid { .. } => {
                self.paid += 1;
                self.amount_paid = self.amount_paid.saturating_add(amount);
            }
            Outcome::Pending(_) => {
                self.pending += 1;
                self.amount_pending = self.amount_pending.saturating_add(amount);
            }
            Outcome::WouldCharge => {
                self.would_charge += 1;
                self.amount_pending = self.amount_pending.saturating_add(amount);
            }
            Outcome::Refused { .. } => self.refused += 1,
            Outcome::Unknown(_) => self.unknown += 1,
            Outcome::NeedsPerson(_) => self.needs_person += 1,
            Outcome::Skipped(_) => self.skipped += 1,
            Outcome::WouldSettle(_) => self.would_settle += 1,
            Outcome::Postponed(_) => self.postponed += 1,
            Outcome::Failed(_) => self.failed += 1,
        }
        self.failures += u64::from(event.outcome.is_failure());
    }
}

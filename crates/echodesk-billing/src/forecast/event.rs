//! What a forecast says.

use jiff::Timestamp;

use crate::Money;
use crate::rules::due::Skip;
use crate::rules::expiry::{Step, Withheld};
use crate::rules::retry::Next;

/// The jobs that a forecast plays.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Job {
    /// `recurring-payments`: charges.
    RecurringPayments,
    /// `subscription-status`: reminds, warns and suspends.
    SubscriptionStatus,
}

impl Job {
    /// The name of its program.
    #[must_use]
    pub fn code(self) -> &'static str {
        match self {
            Self::RecurringPayments => "recurring-payments",
            Self::SubscriptionStatus => "subscription-status",
        }
    }
}

/// One thing that a run would do, or would not do although it is due.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Forecasted {
    /// When the run begins.
    pub at: Timestamp,
    /// Which job's run it is.
    pub job: Job,
    /// What it would do.
    pub what: What,
}

/// What a run would do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum What {
    /// The saved card is charged.
    Charge {
        /// How much.
        amount: Money,
        /// Counts the attempts of the period from 1.
        number: u32,
        /// The renewal date that is paid for.
        period: Timestamp,
        /// The card's number, masked by the bank, if that is known.
        card: Option<String>,
        /// Whether our tables say that the card can be charged this amount. If not, the run asks the bank first,
        /// and charges nothing if it says another.
        amount_known: bool,
        /// What is assumed to become of it.
        assumed: Assumed,
    },
    /// A notice is sent to the tenant.
    Notice {
        /// Its kind, as [`NoticeKind::code`](echodesk_core::notice::NoticeKind::code) names it.
        kind: &'static str,
        /// The moment that it is about. `reminder`, `urgent_reminder`: when the subscription expires;
        /// `grace_warning`: from when on it is suspended; `suspended`: when it expired; `payment_failed`,
        /// `price_changed`: its renewal date; `renewal_paid`, `reactivated`: until when it is paid.
        about: Timestamp,
    },
    /// Tenant and subscription are suspended.
    Suspend {
        /// When the subscription expired.
        expired_at: Timestamp,
    },
    /// A suspension is lifted, since the subscription was extended.
    Reactivate {
        /// Until when it is paid.
        paid_until: Timestamp,
    },
    /// Nothing is charged although it is due, for this reason. Told once.
    NotCharged(Skip),
    /// A notice or a suspension is withheld although it is due. Told once.
    Withheld {
        /// What is withheld.
        step: Step,
        /// Why.
        why: Withheld,
    },
}

/// What is assumed to become of a charge.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Assumed {
    /// It is paid, and the subscription extended.
    Paid {
        /// `next_billing_date` from then on.
        until: Timestamp,
    },
    /// It is declined.
    Declined {
        /// When it is tried again.
        next: Next,
    },
}

impl What {
    /// The name under which reports keep it.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            Self::Charge { .. } => "charge",
            Self::Notice { .. } => "mail",
            Self::Suspend { .. } => "suspend",
            Self::Reactivate { .. } => "reactivate",
            Self::NotCharged(_) => "not_charged",
            Self::Withheld { .. } => "withheld",
        }
    }
}

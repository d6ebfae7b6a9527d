//! A subscription as the watch over expiry sees it.

use echodesk_core::{SubscriptionId, Tenant};
use jiff::Timestamp;

use crate::model::{BankOrderId, Candidate};

/// A subscription with all that decides whether its tenant is reminded, warned or suspended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Account {
    /// The subscription as renewals see it.
    pub candidate: Candidate,
    /// The tenant's active cards.
    pub saved_cards: Vec<SavedCard>,
    /// The notices about this subscription that are in the ledger, whatever became of them, as far as
    /// they are of the present period.
    pub told: Vec<Told>,
    /// The tenant's orders that cost something, are paid and not in our ledger as paid and not booked since, or
    /// pending and not ours: money that may have come, or be on its way. For runs only read of what has expired.
    pub orders: Vec<RecentOrder>,
}

/// A row of `tenants_saved_card`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SavedCard {
    /// `parent_order_id`: what the card is charged by.
    pub parent: BankOrderId,
    /// `masked_card_number`, unless it is blank.
    pub masked: Option<String>,
    /// `card_expiry`, as it stands there.
    pub expiry: String,
}

/// A notice that was decided before.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Told {
    /// Its kind, as [`NoticeKind::code`](echodesk_core::notice::NoticeKind::code) names it.
    pub kind: String,
    /// Which occurrence.
    pub period: String,
}

/// An order as EchoDesk knows it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RecentOrder {
    /// `order_id`.
    pub order: String,
    /// Whether it is paid; pending otherwise.
    pub paid: bool,
    /// `paid_at`, else `created_at`.
    pub at: Timestamp,
}

impl RecentOrder {
    /// Whether it is a charge of a saved card that EchoDesk's own commands have made.
    #[must_use]
    pub fn is_renewal(&self) -> bool {
        self.order.starts_with("REC-") || self.order.starts_with("RETRY-")
    }
}

/// A suspension of ours that nobody has lifted as far as we know.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Suspension {
    /// What was suspended.
    pub subscription: SubscriptionId,
    /// Whose it is.
    pub tenant: Tenant,
    /// Whether the subscription is active, as it is now.
    pub active: bool,
    /// `expires_at`, as it is now.
    pub expires_at: Option<Timestamp>,
    /// `expires_at`, as it was when it was suspended.
    pub expired_at: Timestamp,
    /// When it was suspended.
    pub suspended_at: Timestamp,
}

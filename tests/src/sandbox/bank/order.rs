//! An order at the bank, and where it stands.

use std::time::Duration;

use jiff::Timestamp;
use rust_decimal::Decimal;

use super::card::{Card, Outcome};

/// An order: a first payment, or a charge to a saved card.
#[derive(Clone, Debug)]
pub(crate) struct Order {
    pub(crate) id: String,
    /// The how manieth order it is; transaction ids are made from it.
    pub(crate) number: usize,
    pub(crate) external_id: Option<String>,
    pub(crate) callback_url: Option<String>,
    pub(crate) amount: Decimal,
    pub(crate) currency: String,
    pub(crate) created: Timestamp,
    /// The clock's elapsed time when it was made.
    pub(crate) made_at: Duration,
    /// The order whose card is charged.
    pub(crate) parent: Option<String>,
    /// `subscription` or `recurrent`, where the card is to be saved once this is paid.
    pub(crate) saves_card: Option<&'static str>,
    /// The card that was saved with it, and how often it was charged.
    pub(crate) card: Option<(Card, usize)>,
    pub(crate) key: Option<String>,
    pub(crate) outcome: Outcome,
    pub(crate) status: Status,
}

/// `order_status.key`, with what belongs to it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Status {
    Created,
    Processing,
    Completed { amount: Decimal },
    Rejected { code: Option<String>, reason: Option<String> },
}

impl Status {
    pub(crate) fn is_final(&self) -> bool {
        matches!(self, Self::Completed { .. } | Self::Rejected { .. })
    }
}

/// What the bank's ledger holds for each charge that it captured.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Capture {
    /// Our id, as it came with the charge.
    pub external_id: Option<String>,
    /// The bank's id.
    pub order_id: String,
    /// The order whose card was charged; none for a first payment.
    pub parent_order_id: Option<String>,
    /// What was taken, in major units.
    pub amount: Decimal,
    /// ISO 4217.
    pub currency: String,
    /// When.
    pub at: Timestamp,
    /// The Idempotency-Key that it came with.
    pub key: Option<String>,
}

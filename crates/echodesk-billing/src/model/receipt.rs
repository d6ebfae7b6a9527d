//! What the bank says of an order, in a receipt or a callback.

use rust_decimal::Decimal;

use crate::model::BankOrderId;

/// An order as the bank sees it. Both `GET /receipt/{id}` and the body of a callback.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Receipt {
    /// `order_id`.
    pub order: BankOrderId,
    /// `external_order_id`: our name of it.
    pub external: Option<String>,
    /// `order_status.key`.
    pub status: ReceiptStatus,
    /// `purchase_units.request_amount`, in major units.
    pub requested: Option<Decimal>,
    /// `purchase_units.transfer_amount`, in major units: what was taken.
    pub transferred: Option<Decimal>,
    /// `purchase_units.currency_code`.
    pub currency: Option<String>,
    /// `payment_detail.parent_order_id`: the card that was charged.
    pub parent: Option<BankOrderId>,
    /// `payment_detail.code`.
    pub code: Option<String>,
    /// `reject_reason`.
    pub reject_reason: Option<String>,
}

/// `order_status.key`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ReceiptStatus {
    /// It exists; nothing was paid.
    Created,
    /// It is being paid.
    Processing,
    /// Paid.
    Completed,
    /// Failed.
    Rejected,
    /// Paid, and asked back.
    RefundRequested,
    /// Paid, and wholly returned.
    Refunded,
    /// Paid, and returned in part.
    RefundedPartially,
    /// A hold was asked for or is in place: nothing was paid.
    Held,
    /// Part of a hold was taken.
    PartialCompleted,
    /// A status that this version does not know: not final, and not paid.
    Other(String),
}

impl ReceiptStatus {
    /// Reads the bank's word.
    #[must_use]
    pub fn from_key(key: &str) -> Self {
        match key {
            "created" => Self::Created,
            "processing" => Self::Processing,
            "completed" => Self::Completed,
            "rejected" => Self::Rejected,
            "refund_requested" => Self::RefundRequested,
            "refunded" => Self::Refunded,
            "refunded_partially" => Self::RefundedPartially,
            "auth_requested" | "blocked" => Self::Held,
            "partial_completed" => Self::PartialCompleted,
            other => Self::Other(other.to_owned()),
        }
    }
}

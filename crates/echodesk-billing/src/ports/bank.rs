//! The bank.

use std::future::Future;

use uuid::Uuid;

use crate::model::{BankOrderId, OrderId, Receipt, Refusal};

/// What renewals need from a bank. Answers are typed by what may be concluded from them, never by how
/// they came about.
pub trait Bank: Send + Sync + 'static {
    /// Makes sure that the bank can be talked to (it has given us a token), before anything is written
    /// down that would have to be undone if not.
    fn ready(&self) -> impl Future<Output = Result<(), BankDown>> + Send;

    /// Charges a saved card. Repeating a request with the same key charges once.
    fn charge(&self, request: &ChargeRequest) -> impl Future<Output = ChargeAnswer> + Send;

    /// What the bank knows of an order.
    fn receipt(&self, order: &BankOrderId) -> impl Future<Output = Result<Receipt, ReceiptError>> + Send;
}

/// A charge of a saved card. The amount is not among it: it is that of the parent order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ChargeRequest {
    /// The order on which the card was saved.
    pub parent: BankOrderId,
    /// `external_order_id`: our name of the new order.
    pub order: OrderId,
    /// The Idempotency-Key.
    pub key: Uuid,
}

/// What became of a charge.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ChargeAnswer {
    /// The bank has made an order. Whether money moves is not said yet.
    Accepted(BankOrderId),
    /// The bank itself has refused, in a body that can be read: nothing was or will be charged.
    Refused(Refusal),
    /// Anything may have happened: no answer, a broken one, one of a proxy.
    Unknown(String),
    /// The request was certainly not sent.
    NotSent(String),
}

/// Why there is no receipt.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ReceiptError {
    /// The bank says that it knows no such order.
    #[error("the bank does not know order {order}: {message}")]
    UnknownOrder {
        /// The order.
        order: BankOrderId,
        /// What the bank said.
        message: String,
    },
    /// It could not be read; another time it may.
    #[error("no receipt for order {order}: {why}")]
    Unavailable {
        /// The order.
        order: BankOrderId,
        /// Why not.
        why: String,
    },
}

/// The bank cannot be talked to at all.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct BankDown(pub String);

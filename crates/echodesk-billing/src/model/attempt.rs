//! Charge attempts: the ledger of what the bank was, or may have been, asked.

use echodesk_core::{AttemptId, SchemaName, SubscriptionId, TenantId};
use jiff::Timestamp;
use serde::Serialize;
use uuid::Uuid;

use crate::Money;
use crate::model::{BankOrderId, OrderId, Refusal};

/// One attempt to charge one period of one subscription: a row of `echodesk_charge_attempt`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Attempt {
    /// Its id.
    pub id: AttemptId,
    /// What is renewed.
    pub subscription: SubscriptionId,
    /// Whose it is.
    pub tenant: TenantId,
    /// The tenant's schema.
    pub schema: SchemaName,
    /// The renewal date that is paid for.
    pub period: Timestamp,
    /// Counts the attempts of a period from 1.
    pub number: u32,
    /// The payment order that belongs to it.
    pub order: OrderId,
    /// Sent with every call for it, so that the bank answers a repeat as it answered the first.
    pub key: Uuid,
    /// The order on which the card was saved.
    pub parent: BankOrderId,
    /// What is charged.
    pub amount: Money,
    /// Where it stands.
    pub state: AttemptState,
    /// The bank's name of the new order, once it is known.
    pub bank_order: Option<BankOrderId>,
    /// When it was written down, which is before the bank was first called: the age of its key.
    pub prepared_at: Timestamp,
    /// Why it failed.
    pub refusal: Option<Refusal>,
    /// What went wrong last, for people.
    pub last_error: Option<String>,
    /// What only a person can put right, for people: each run says so until someone did.
    pub trouble: Option<String>,
}

/// Where an attempt stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum AttemptState {
    /// Written down. Whether the bank was called is not known.
    Prepared,
    /// The bank was called, and whether it has charged is not known.
    Unknown,
    /// The bank has made an order of it, which is not final yet.
    Accepted,
    /// Captured, and the subscription extended.
    Paid,
    /// The bank has refused.
    Failed,
    /// Certainly never sent to the bank.
    NotSent,
}

impl AttemptState {
    /// Whether the money may still move: a barrier for everything else on the subscription.
    #[must_use]
    pub fn is_open(self) -> bool {
        matches!(self, Self::Prepared | Self::Unknown | Self::Accepted)
    }

    /// The name under which the ledger keeps it.
    #[must_use]
    pub fn code(self) -> &'static str {
        match self {
            Self::Prepared => "prepared",
            Self::Unknown => "unknown",
            Self::Accepted => "accepted",
            Self::Paid => "paid",
            Self::Failed => "failed",
            Self::NotSent => "not_sent",
        }
    }

    /// Reads [`AttemptState::code`].
    #[must_use]
    pub fn from_code(code: &str) -> Option<Self> {
        [Self::Prepared, Self::Unknown, Self::Accepted, Self::Paid, Self::Failed, Self::NotSent]
            .into_iter()
            .find(|state| state.code() == code)
    }
}

/// What the rules need to know of an earlier attempt on a subscription.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PastAttempt {
    /// Its order.
    pub order: OrderId,
    /// The renewal date that it was for.
    pub period: Timestamp,
    /// Its number in that period.
    pub number: u32,
    /// Where it stands.
    pub state: AttemptState,
    /// The card that it charged.
    pub parent: BankOrderId,
    /// Why it failed.
    pub refusal: Option<Refusal>,
    /// When it was closed.
    pub closed_at: Option<Timestamp>,
}

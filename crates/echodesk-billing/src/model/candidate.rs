//! A subscription that may be due, and what to charge if it is.

use echodesk_core::{AttemptId, SubscriptionId, Tenant};
use jiff::Timestamp;
use rust_decimal::Decimal;

use crate::Money;
use crate::model::{BankOrderId, PastAttempt};

/// A subscription whose renewal date is near or just past, with all that decides about it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Candidate {
    /// The subscription.
    pub subscription: SubscriptionId,
    /// Whose it is.
    pub tenant: Tenant,
    /// The columns that a charge depends on, as they were read.
    pub seen: Seen,
    /// `price_per_user_gel` of each selected feature.
    pub feature_prices: Vec<Decimal>,
    /// The order on which the subscription's own card (`parent_order_id`) was saved, if our table has
    /// it, and with it what that card can be charged.
    pub own_card_order: Option<CardOrder>,
    /// The tenant's newest paid order on which a card was saved.
    pub newest_card_order: Option<CardOrder>,
    /// All earlier attempts on this subscription whose period is at most 60 days from its renewal
    /// date, and any open one, by id.
    pub attempts: Vec<PastAttempt>,
    /// When EchoDesk's own command will charge the card, if it has scheduled that.
    pub echodesk_retry: Option<Timestamp>,
    /// A pending renewal order of the tenant that is not ours and was made in the last three days:
    /// somebody else has charged the card, and it is not known yet what became of it.
    pub foreign_order: Option<String>,
}

/// What a charge was decided by. Compared once more, under a lock, when it is written down.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Seen {
    /// `tenants_tenant.is_active`.
    pub tenant_active: bool,
    /// `tenants_tenant.payment_provider`.
    pub provider: String,
    /// `tenants_tenant_subscription.is_active`.
    pub active: bool,
    /// `expires_at`.
    pub expires_at: Option<Timestamp>,
    /// `next_billing_date`.
    pub next_billing_date: Option<Timestamp>,
    /// `agent_count`.
    pub agent_count: i32,
    /// `parent_order_id`, unless it is blank.
    pub parent: Option<BankOrderId>,
    /// The newest attempt on the subscription, of any period.
    pub last_attempt: Option<AttemptId>,
}

/// A paid order on which a card was saved.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CardOrder {
    /// The bank's name of it.
    pub bank_order: BankOrderId,
    /// What it cost, and so what its card can be charged; an error text if that is no amount of money.
    pub amount: Result<Money, String>,
}

/// A charge that was decided and not written down yet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Charge {
    /// What is renewed.
    pub subscription: SubscriptionId,
    /// Whose it is.
    pub tenant: Tenant,
    /// The renewal date that is paid for.
    pub period: Timestamp,
    /// The attempt's number in that period, from 1.
    pub number: u32,
    /// The card.
    pub parent: BankOrderId,
    /// What it is charged.
    pub amount: Money,
    /// `agent_count` of the order.
    pub agent_count: i32,
    /// Whether what the card can be charged is known to be `amount`. If not, the bank is asked first.
    pub card_amount_known: bool,
    /// What this was decided by.
    pub seen: Seen,
}

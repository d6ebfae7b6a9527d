//! Whether a subscription is charged now, and if not, why.

use std::collections::BTreeSet;
use std::fmt;

use echodesk_core::SchemaName;
use jiff::civil::Date;
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};

use crate::model::{AttemptState, Candidate, CardOrder, Charge, OrderId, PastAttempt};
use crate::rules::period::{Window, renewal_date, same_period};
use crate::rules::refusal::meaning;
use crate::rules::retry::{MAX_ATTEMPTS, Next, has_rested, next_attempt};
use crate::{Money, monthly_price};

/// What a run is told to do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Policy {
    /// How many days before its renewal date a subscription is charged.
    pub days_before: u32,
    /// How many days after it one is still charged.
    pub grace_days: u32,
    /// Tenants that pay nothing, by schema.
    pub exempt: BTreeSet<SchemaName>,
    /// How long the bank can be trusted to remember an Idempotency-Key: more than [`CLOCKS_DIFFER_BY`], or no call
    /// is ever made.
    pub key_trusted_for: SignedDuration,
    /// Whose calendar days count.
    pub time_zone: TimeZone,
}

impl Default for Policy {
    fn default() -> Self {
        Self {
            days_before: 3,
            grace_days: 7,
            exempt: BTreeSet::new(),
            key_trusted_for: SignedDuration::from_hours(24),
            time_zone: TimeZone::UTC,
        }
    }
}

impl Policy {
    /// The renewal dates to look at.
    #[must_use]
    pub fn window(&self, now: Timestamp) -> Window {
        Window::around(now, self.days_before, self.grace_days)
    }

    /// Whether a call may be repeated with a key of this age without any risk that the bank has
    /// forgotten it and charges anew. The last two hours of [`Policy::key_trusted_for`] do not count: by so much the
    /// clocks of two hosts may differ.
    #[must_use]
    pub fn trusts_key(&self, prepared_at: Timestamp, now: Timestamp) -> bool {
        // What lies far ahead was written by a clock that was wrong, and its true age is not known.
        let age = now.duration_since(prepared_at);
        -CLOCKS_DIFFER_BY <= age && age < self.key_trusted_for - CLOCKS_DIFFER_BY
    }
}

/// The most days that [`Policy::days_before`] and [`Policy::grace_days`] may be together: a payment extends by
/// 30, and in a window that is longer what was just renewed would be due again at once.
pub const LONGEST_WINDOW_DAYS: u32 = 29;

/// A pending renewal order of somebody else's keeps us from charging for so long after it was made.
pub const FOREIGN_ORDER_HOLDS_FOR: SignedDuration = SignedDuration::from_hours(3 * 24);

/// EchoDesk's own retries run every hour. One that is a day late will never come to an end.
const ECHODESK_RETRIES_WITHIN: SignedDuration = SignedDuration::from_hours(24);

/// How much the clocks of two hosts may differ.
pub const CLOCKS_DIFFER_BY: SignedDuration = SignedDuration::from_hours(2);

/// What is done about a subscription.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Decision {
    /// Its card is charged.
    Charge(Box<Charge>),
    /// It is not.
    Skip(Skip),
}

/// Why a subscription is not charged.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Skip {
    /// The tenant is suspended.
    TenantInactive,
    /// The subscription is.
    SubscriptionInactive,
    /// Its renewal date is not near, or is past all grace.
    NotDue,
    /// Another provider bills it.
    Provider(String),
    /// It pays nothing by arrangement.
    Exempt,
    /// The price cannot be calculated.
    PriceUnusable(String),
    /// It is free.
    NothingToPay,
    /// No card was saved.
    NoCard,
    /// The saved card can only be charged another amount.
    PriceChanged {
        /// That amount.
        card_amount: Money,
        /// The price.
        price: Money,
    },
    /// What the card's order cost is no amount of money.
    CardAmountUnusable(String),
    /// An attempt is open.
    Open {
        /// Its order.
        order: OrderId,
        /// Where it stands.
        state: AttemptState,
    },
    /// The period is paid.
    PeriodPaid(OrderId),
    /// It failed and will be tried again.
    RetryOn(Date),
    /// It failed for good with this card; what the bank said.
    WaitsForCard(String),
    /// It has failed too often.
    Exhausted,
    /// EchoDesk will charge it.
    EchoDeskRetries(Timestamp),
    /// EchoDesk should have charged it long ago, and has not said what became of that.
    EchoDeskRetryOverdue(Timestamp),
    /// Somebody else has charged it, and what became of it is not known yet; their order.
    ForeignOrder(String),
    /// It changed while it was looked at; the next run sees to it.
    Changed,
}

impl Skip {
    /// Whether a person has to do something about it.
    #[must_use]
    pub fn needs_person(&self) -> bool {
        matches!(
            self,
            Self::PriceChanged { .. }
                | Self::PriceUnusable(_)
                | Self::CardAmountUnusable(_)
                | Self::PeriodPaid(_)
                | Self::EchoDeskRetryOverdue(_)
        )
    }

    /// The name under which reports keep it.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            Self::TenantInactive => "tenant_inactive",
            Self::SubscriptionInactive => "subscription_inactive",
            Self::NotDue => "not_due",
            Self::Provider(_) => "provider",
            Self::Exempt => "exempt",
            Self::PriceUnusable(_) => "price_unusable",
            Self::NothingToPay => "nothing_to_pay",
            Self::NoCard => "no_card",
            Self::PriceChanged { .. } => "price_changed",
            Self::CardAmountUnusable(_) => "card_amount_unusable",
            Self::Open { .. } => "open",
            Self::PeriodPaid(_) => "period_paid",
            Self::RetryOn(_) => "retry_later",
            Self::WaitsForCard(_) => "waits_for_card",
            Self::Exhausted => "exhausted",
            Self::EchoDeskRetries(_) => "echodesk_retries",
            Self::EchoDeskRetryOverdue(_) => "echodesk_retry_overdue",
            Self::ForeignOrder(_) => "foreign_order",
            Self::Changed => "changed",
        }
    }
}

impl fmt::Display for Skip {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::TenantInactive => write!(f, "the tenant is suspended"),
            Self::SubscriptionInactive => write!(f, "the subscription is suspended"),
            Self::NotDue => write!(f, "not due"),
            Self::Provider(provider) => write!(f, "billed by {provider}"),
            Self::Exempt => write!(f, "exempt"),
            Self::PriceUnusable(why) => write!(f, "its price cannot be calculated: {why}"),
            Self::NothingToPay => write!(f, "nothing to pay"),
            Self::NoCard => write!(f, "no saved card"),
            Self::PriceChanged { card_amount, price } => write!(
                f,
                "the price is {price} and the saved card can only be charged {card_amount}: the customer has to pay once \
                 in person, which saves the card anew"
            ),
            Self::CardAmountUnusable(why) => write!(f, "what the saved card can be charged is unknown: {why}"),
            Self::Open { order, state } => write!(f, "order {order} is open ({})", state.code()),
            Self::PeriodPaid(order) => write!(
                f,
                "order {order} has paid for this period and the renewal date is still the old one: see who has set it back"
            ),
            Self::RetryOn(day) => write!(f, "the next attempt is on {day}"),
            Self::WaitsForCard(words) => write!(f, "waits for another card: {words}"),
            Self::Exhausted => write!(f, "{MAX_ATTEMPTS} attempts have failed: the customer has to pay in person"),
            Self::EchoDeskRetries(at) => write!(f, "EchoDesk itself charges it at {at}"),
            Self::EchoDeskRetryOverdue(at) => write!(
                f,
                "EchoDesk wanted to charge it itself at {at} and has not finished: see at the bank whether it has, then \
                 set its row in tenants_payment_retry_schedule to cancelled"
            ),
            Self::ForeignOrder(order) => write!(f, "EchoDesk's own order {order} is pending"),
            Self::Changed => write!(f, "it changed meanwhile; the next run sees to it"),
        }
    }
}

/// Whether to charge, by the state of things at `now`.
#[must_use]
pub fn judge(candidate: &Candidate, policy: &Policy, now: Timestamp) -> Decision {
    decide(candidate, policy, now).map_or_else(Decision::Skip, |charge| Decision::Charge(Box::new(charge)))
}

fn decide(candidate: &Candidate, policy: &Policy, now: Timestamp) -> Result<Charge, Skip> {
    let seen = &candidate.seen;
    // Money on its way goes first, whatever else is the matter.
    if let Some(open) = candidate.attempts.iter().find(|attempt| attempt.state.is_open()) {
        return Err(Skip::Open { order: open.order.clone(), state: open.state });
    }
    if !seen.tenant_active {
        return Err(Skip::TenantInactive);
    }
    if !seen.active {
        return Err(Skip::SubscriptionInactive);
    }
    let period = renewal_date(seen).filter(|date| policy.window(now).contains(*date)).ok_or(Skip::NotDue)?;
    if seen.provider != "bog" {
        return Err(Skip::Provider(seen.provider.clone()));
    }
    if policy.exempt.contains(&candidate.tenant.schema) {
        return Err(Skip::Exempt);
    }
    let amount = price(candidate)?;
    let of_period = |attempt: &&PastAttempt| same_period(attempt.period, period);
    let paid = |attempt: &&PastAttempt| attempt.state == AttemptState::Paid;
    if let Some(paid) = candidate.attempts.iter().filter(of_period).find(paid) {
        return Err(Skip::PeriodPaid(paid.order.clone()));
    }
    if let Some(at) = candidate.echodesk_retry {
        let overdue = now.duration_since(at) > ECHODESK_RETRIES_WITHIN;
        return Err(if overdue { Skip::EchoDeskRetryOverdue(at) } else { Skip::EchoDeskRetries(at) });
    }
    if let Some(order) = &candidate.foreign_order {
        return Err(Skip::ForeignOrder(order.clone()));
    }
    let (parent, card_amount) = card(candidate)?;
    let card_amount = card_amount.transpose().map_err(|why| Skip::CardAmountUnusable(why.clone()))?.copied();
    if let Some(card_amount) = card_amount.filter(|card_amount| *card_amount != amount) {
        return Err(Skip::PriceChanged { card_amount, price: amount });
    }
    match next_attempt(&candidate.attempts, period, &parent, &policy.time_zone) {
        Next::Now => {}
        Next::On(day)
            if day <= policy.time_zone.to_datetime(now).date() && has_rested(&candidate.attempts, period, now) => {}
        Next::On(day) => return Err(Skip::RetryOn(day)),
        Next::WhenCardChanges => return Err(Skip::WaitsForCard(last_words(candidate, period))),
        Next::Exhausted => return Err(Skip::Exhausted),
    }
    let number = candidate.attempts.iter().filter(of_period).map(|attempt| attempt.number).max().unwrap_or(0) + 1;
    Ok(Charge {
        subscription: candidate.subscription,
        tenant: candidate.tenant.clone(),
        period,
        number,
        parent,
        amount,
        agent_count: seen.agent_count,
        card_amount_known: card_amount.is_some(),
        seen: seen.clone(),
    })
}

/// What the subscription costs, as far as that is known: for reports on those that are not charged.
pub fn price(candidate: &Candidate) -> Result<Money, Skip> {
    let agents = u32::try_from(candidate.seen.agent_count)
        .map_err(|_| Skip::PriceUnusable(format!("{} agents", candidate.seen.agent_count)))?;
    let price = monthly_price(candidate.feature_prices.iter().copied(), agents)
        .map_err(|error| Skip::PriceUnusable(error.to_string()))?;
    if price.is_zero() { Err(Skip::NothingToPay) } else { Ok(price) }
}

/// The card to charge, with what it can be charged, if that is known.
pub(super) type Card<'a> = (crate::model::BankOrderId, Option<Result<&'a Money, &'a String>>);

/// The subscription's own card, else that of the tenant's newest paid order that saved one.
pub(super) fn card(candidate: &Candidate) -> Result<Card<'_>, Skip> {
    fn with(order: &CardOrder) -> Option<Result<&Money, &String>> {
        Some(order.amount.as_ref())
    }
    match (&candidate.seen.parent, &candidate.newest_card_order) {
        (Some(parent), _) => Ok((parent.clone(), candidate.own_card_order.as_ref().and_then(with))),
        (None, Some(newest)) => Ok((newest.bank_order.clone(), with(newest))),
        (None, None) => Err(Skip::NoCard),
    }
}

fn last_words(candidate: &Candidate, period: Timestamp) -> String {
    let failed = candidate.attempts.iter().filter(|attempt| same_period(attempt.period, period));
    let last = failed.max_by_key(|attempt| attempt.number);
    last.and_then(|attempt| attempt.refusal.as_ref()).map(|refusal| meaning(refusal).words).unwrap_or_default()
}

#[cfg(test)]
mod tests;

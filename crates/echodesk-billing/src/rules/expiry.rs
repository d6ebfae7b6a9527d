//! Where a subscription stands between "paid" and "suspended", and what is done about it: a pure
//! function of what is known and `now`.
//!
//! | state | decision |
//! |---|---|
//! | more than 7 days left | nothing |
//! | 7 to 4 days left | one reminder per period |
//! | 3 days left until expiry | one urgent reminder per period |
//! | expired, less than the grace days × 24 h ago | a warning per calendar day |
//! | later | suspended, once |
//!
//! Days left are calendar days in the billing time zone; expiry and the end of grace are moments.

use std::collections::BTreeSet;

use echodesk_core::SchemaName;
use echodesk_core::notice::{NewNotice, NoticeKind};
use jiff::civil::Date;
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};

use crate::model::{Account, AttemptState, OrderId, Suspension};
use crate::rules::due::{Skip, price};
use crate::rules::outlook::renewal_plan;
use crate::rules::period::{EXTENSION, same_period};

/// From so many days before expiry a reminder is sent.
pub const REMINDER_DAYS: i32 = 7;
/// From so many days before expiry it is an urgent one.
pub const URGENT_DAYS: i32 = 3;

/// An order that was paid within so many days of an expiry was paid for what follows it: payments are 30
/// days apart.
const PAID_FOR_THIS: SignedDuration = SignedDuration::from_hours(15 * 24);
/// A page for paying by hand is left open no longer than this.
const PAYING_NOW: SignedDuration = SignedDuration::from_hours(24);

/// What the watch over expiry is told to do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ExpiryPolicy {
    /// How many days of 24 hours after expiry the tenant is suspended.
    pub grace_days: u32,
    /// Tenants that pay nothing, by schema: neither reminded nor suspended.
    pub exempt: BTreeSet<SchemaName>,
    /// Whose calendar days count.
    pub time_zone: TimeZone,
}

impl Default for ExpiryPolicy {
    fn default() -> Self {
        Self { grace_days: 7, exempt: BTreeSet::new(), time_zone: TimeZone::UTC }
    }
}

impl ExpiryPolicy {
    /// The calendar day of a moment.
    #[must_use]
    pub fn day(&self, moment: Timestamp) -> Date {
        self.time_zone.to_datetime(moment).date()
    }

    /// From when on a subscription that expires at `expires_at` is suspended.
    #[must_use]
    pub fn suspension_at(&self, expires_at: Timestamp) -> Timestamp {
        let grace = SignedDuration::from_hours(i64::from(self.grace_days) * 24);
        expires_at.checked_add(grace).unwrap_or(Timestamp::MAX)
    }

    /// The last expiry that concerns anybody at `now`: anything later is more than a reminder away,
    /// wherever midnight falls.
    #[must_use]
    pub fn horizon(&self, now: Timestamp) -> Timestamp {
        let days = SignedDuration::from_hours(i64::from(REMINDER_DAYS + 2) * 24);
        now.checked_add(days).unwrap_or(Timestamp::MAX)
    }
}

/// Where a subscription stands by its dates alone.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Step {
    /// Nothing is due, or it never expires.
    None,
    /// A reminder.
    Reminder,
    /// An urgent one.
    Urgent,
    /// It has expired and may still be used.
    Grace,
    /// All grace is over.
    Suspension,
}

impl Step {
    /// The name under which reports keep it.
    #[must_use]
    pub fn code(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Reminder => "reminder",
            Self::Urgent => "urgent_reminder",
            Self::Grace => "grace",
            Self::Suspension => "suspension",
        }
    }
}

/// The step that is due at `now`, by the dates alone.
#[must_use]
pub fn step(expires_at: Option<Timestamp>, policy: &ExpiryPolicy, now: Timestamp) -> Step {
    let Some(expires_at) = expires_at else { return Step::None };
    if now >= policy.suspension_at(expires_at) && now >= expires_at {
        return Step::Suspension;
    }
    if now >= expires_at {
        return Step::Grace;
    }
    match days_between(policy.day(now), policy.day(expires_at)) {
        left if left <= URGENT_DAYS => Step::Urgent,
        left if left <= REMINDER_DAYS => Step::Reminder,
        _ => Step::None,
    }
}

/// Calendar days from one day to another; negative if that is over.
#[must_use]
pub fn days_between(from: Date, to: Date) -> i32 {
    // Both are days that jiff can represent, and so is their difference.
    from.until(to).map_or(i32::MAX, |span| span.get_days())
}

/// What is done about a subscription.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Decision {
    /// Nothing.
    Nothing(Step),
    /// A notice is queued.
    Notify(Step, Box<NewNotice>),
    /// Tenant and subscription are suspended, and this notice is queued.
    Suspend(Box<NewNotice>),
    /// What would be due is not done.
    Withhold(Step, Withheld),
}

/// Why something that would be due is not done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Withheld {
    /// Another provider bills it, and knows what was paid.
    Provider(String),
    /// A charge is open: the money may have come.
    Open {
        /// Its order.
        order: OrderId,
        /// Where it stands.
        state: AttemptState,
    },
    /// EchoDesk has charged the card itself, and what became of it is not known; its order.
    ForeignOrder(String),
    /// EchoDesk wanted to charge the card at this time and has not said what became of it.
    EchoDeskRetry(Timestamp),
    /// An order of this period is paid and the subscription was not extended.
    PaidNotExtended(String),
    /// The customer seems to be paying; the order.
    PayingNow(String),
    /// What it costs cannot be calculated, so nobody could have paid it.
    PriceUnusable(String),
}

impl Withheld {
    /// Whether money may have come that nobody has booked: somebody should look.
    #[must_use]
    pub fn is_unknown(&self) -> bool {
        !matches!(self, Self::Provider(_))
    }

    /// The name under which reports keep it.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            Self::Provider(_) => "provider",
            Self::Open { .. } => "open",
            Self::ForeignOrder(_) => "foreign_order",
            Self::EchoDeskRetry(_) => "echodesk_retry",
            Self::PaidNotExtended(_) => "paid_not_extended",
            Self::PayingNow(_) => "paying_now",
            Self::PriceUnusable(_) => "price_unusable",
        }
    }
}

impl std::fmt::Display for Withheld {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Provider(provider) => write!(f, "billed by {provider}"),
            Self::Open { order, state } => write!(f, "order {order} is open ({})", state.code()),
            Self::ForeignOrder(order) => write!(f, "EchoDesk's own order {order} is pending"),
            Self::EchoDeskRetry(at) => {
                write!(f, "EchoDesk wanted to charge the card itself at {at} and has not said what became of it")
            }
            Self::PaidNotExtended(order) => {
                write!(f, "order {order} is paid and the subscription was not extended: see why, then extend it")
            }
            Self::PayingNow(order) => write!(f, "order {order} is pending: the customer seems to be paying"),
            Self::PriceUnusable(why) => write!(f, "its price cannot be calculated: {why}"),
        }
    }
}

/// What is done about a subscription, by the state of things at `now`.
#[must_use]
pub fn judge(account: &Account, policy: &ExpiryPolicy, now: Timestamp) -> Decision {
    let seen = &account.candidate.seen;
    let (Some(expires_at), true) = (seen.expires_at, seen.tenant_active && seen.active) else {
        return Decision::Nothing(Step::None);
    };
    let step = step(Some(expires_at), policy, now);
    if step == Step::None || policy.exempt.contains(&account.candidate.tenant.schema) {
        return Decision::Nothing(Step::None);
    }
    if seen.provider != "bog" {
        let provider = Withheld::Provider(seen.provider.clone());
        return if step == Step::Suspension {
            Decision::Withhold(step, provider)
        } else {
            Decision::Nothing(Step::None)
        };
    }
    match price(&account.candidate) {
        // Nobody can pay for what costs nothing: it is as if it never expired.
        Err(Skip::NothingToPay) => return Decision::Nothing(Step::None),
        Err(Skip::PriceUnusable(why)) if step == Step::Suspension => {
            return Decision::Withhold(step, Withheld::PriceUnusable(why));
        }
        _ => {}
    }
    if let Some(why) = barrier(account, expires_at, step, now) {
        return Decision::Withhold(step, why);
    }
    let notice = notice(account, expires_at, step, policy, now);
    if step == Step::Suspension {
        return Decision::Suspend(Box::new(notice));
    }
    if told_before(account, &notice) { Decision::Nothing(step) } else { Decision::Notify(step, Box::new(notice)) }
}

/// Whether the same was told. Another billing time zone may have called the days by their neighbours.
fn told_before(account: &Account, notice: &NewNotice) -> bool {
    let (expiry, day) = days_of(&notice.period);
    account.told.iter().filter(|told| told.kind == notice.kind.code()).any(|told| {
        let (told_expiry, told_day) = days_of(&told.period);
        let near = match (expiry, told_expiry) {
            (Some(a), Some(b)) => days_between(a, b).abs() <= 1,
            _ => told.period == notice.period,
        };
        near && day == told_day
    })
}

/// The day of expiry that a period names, and what else it names.
fn days_of(period: &str) -> (Option<Date>, Option<&str>) {
    let (expiry, rest) = period.split_once('/').map_or((period, None), |(expiry, rest)| (expiry, Some(rest)));
    (expiry.parse().ok(), rest)
}

fn barrier(account: &Account, expires_at: Timestamp, step: Step, now: Timestamp) -> Option<Withheld> {
    let candidate = &account.candidate;
    if let Some(open) = candidate.attempts.iter().find(|attempt| attempt.state.is_open()) {
        return Some(Withheld::Open { order: open.order.clone(), state: open.state });
    }
    if let Some(order) = &candidate.foreign_order {
        return Some(Withheld::ForeignOrder(order.clone()));
    }
    let paid = |order: String| Some(Withheld::PaidNotExtended(order));
    // Whatever was paid for, what it has paid for is over by then: a month from the payment, or, if that came
    // early, from the expiry.
    let lasts = |at: Timestamp| now.duration_since(at.max(expires_at)) < EXTENSION;
    let of_period = |period: Timestamp| same_period(period, expires_at);
    let ours = candidate.attempts.iter().filter(|past| past.state == AttemptState::Paid && of_period(past.period));
    if let Some(ours) = ours.into_iter().find(|past| past.closed_at.is_none_or(lasts)) {
        return paid(ours.order.to_string());
    }
    // Before expiry an order may be for anything.
    if !matches!(step, Step::Grace | Step::Suspension) {
        return None;
    }
    let for_this = |at: Timestamp| at > expires_at.checked_sub(PAID_FOR_THIS).unwrap_or(Timestamp::MIN);
    if let Some(order) = account.orders.iter().find(|order| order.paid && for_this(order.at) && lasts(order.at)) {
        return paid(order.order.clone());
    }
    let pending = || account.orders.iter().filter(|order| !order.paid);
    // However old: a charge of which nobody has said what became of it.
    if let Some(order) = pending().find(|order| order.is_renewal() && for_this(order.at)) {
        return Some(Withheld::ForeignOrder(order.order.clone()));
    }
    if let Some(at) = candidate.echodesk_retry.filter(|at| *at <= now) {
        return Some(Withheld::EchoDeskRetry(at));
    }
    // A page for paying that was left open makes a warning no less true.
    let paying = pending().find(|order| now.duration_since(order.at) < PAYING_NOW);
    paying.filter(|_| step == Step::Suspension).map(|order| Withheld::PayingNow(order.order.clone()))
}

fn notice(account: &Account, expires_at: Timestamp, step: Step, policy: &ExpiryPolicy, now: Timestamp) -> NewNotice {
    let price = price(&account.candidate).ok().map(|price| price.to_string());
    let renewal = renewal_plan(account, expires_at, &policy.time_zone, now);
    let (period, day) = (policy.day(expires_at), policy.day(now));
    let (kind, period) = match step {
        // A person may have lifted one without moving the date: each suspension has its own notice.
        Step::Suspension => (NoticeKind::Suspended { expired_at: expires_at, price }, format!("{period}/{now}")),
        Step::Grace => {
            let suspension_at = policy.suspension_at(expires_at);
            let warning = NoticeKind::GraceWarning { expired_at: expires_at, suspension_at, day, renewal, price };
            (warning, format!("{period}/{day}"))
        }
        Step::Urgent => (NoticeKind::UrgentReminder { expires_at, renewal, price }, period.to_string()),
        Step::Reminder | Step::None => (NoticeKind::Reminder { expires_at, renewal, price }, period.to_string()),
    };
    let subject_key = format!("subscription:{}", account.candidate.subscription);
    NewNotice { kind, subject_key, period, decided_at: now }
}

/// What is done about a suspension of ours.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Lift {
    /// It stands.
    Stands,
    /// It stands although the subscription was extended, to this time, which is over: EchoDesk extends from the
    /// old date, however long ago that was.
    StandsThoughExtended(Timestamp),
    /// Somebody has lifted it; it is only noted.
    Lifted,
    /// The subscription was extended: tenant and subscription become active again, and this notice is
    /// queued.
    Reactivate(Box<NewNotice>),
}

/// Whether a suspension still has its reason: a payment that EchoDesk has booked itself extends a
/// subscription and lifts nothing.
#[must_use]
pub fn lift(suspension: &Suspension, now: Timestamp) -> Lift {
    if suspension.active && suspension.tenant.is_active {
        return Lift::Lifted;
    }
    match suspension.expires_at {
        Some(until) if until > now && until > suspension.expired_at => Lift::Reactivate(Box::new(NewNotice {
            kind: NoticeKind::Reactivated { paid_until: until },
            subject_key: format!("subscription:{}", suspension.subscription),
            period: suspension.suspended_at.to_string(),
            decided_at: now,
        })),
        Some(until) if until > suspension.expired_at => Lift::StandsThoughExtended(until),
        _ => Lift::Stands,
    }
}

#[cfg(test)]
pub(crate) mod tests;

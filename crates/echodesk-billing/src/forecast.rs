//! What the runs of the next days would do about a subscription: the rules of the runs themselves, played
//! forward.
//!
//! A forecast knows what is known now, and one thing more that it is told to assume: whether the bank takes the
//! charges ([`Assumption`]). It changes its own copy of the account after each step as the run would change the
//! database, so that a charge that is paid extends, and one that is declined is tried again on the days of the
//! rules. What nobody can know, it leaves as it is: a charge that is open stays open, and nobody pays by hand,
//! saves another card or changes what is ordered.

mod event;
mod play;
mod schedule;
#[cfg(test)]
mod tests;

use jiff::Timestamp;

pub use event::{Assumed, Forecasted, Job, What};
pub use schedule::Schedule;

use crate::model::{Account, Suspension};
use crate::rules::due::Policy;
use crate::rules::expiry::{ExpiryPolicy, REMINDER_DAYS};

/// What becomes of charges.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Assumption {
    /// The bank takes each.
    #[default]
    Paid,
    /// The bank declines each for want of money, which may be otherwise on another day.
    Declined,
}

impl Assumption {
    /// The name under which reports keep it.
    #[must_use]
    pub fn code(self) -> &'static str {
        match self {
            Self::Paid => "paid",
            Self::Declined => "declined",
        }
    }
}

/// How the next days are played.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Plan {
    /// What is charged when.
    pub renewals: Policy,
    /// Who is reminded and suspended when.
    pub expiry: ExpiryPolicy,
    /// When the jobs run.
    pub schedule: Schedule,
    /// What becomes of charges.
    pub assumption: Assumption,
    /// For so many days of 24 hours.
    pub days: u32,
}

impl Plan {
    /// When a forecast that begins at `from` ends: the first moment that it does not cover.
    #[must_use]
    pub fn end(&self, from: Timestamp) -> Timestamp {
        days_after(from, self.days)
    }

    /// The last renewal date that can concern a forecast that begins at `from`: whatever is later is neither
    /// charged nor reminded of before the end.
    #[must_use]
    pub fn horizon(&self, from: Timestamp) -> Timestamp {
        let end = self.end(from);
        // A reminder is due so many calendar days before, wherever midnight falls.
        self.expiry.horizon(end).max(days_after(end, self.renewals.days_before.max(REMINDER_DAYS.unsigned_abs())))
    }
}

fn days_after(moment: Timestamp, days: u32) -> Timestamp {
    moment.checked_add(jiff::SignedDuration::from_hours(i64::from(days) * 24)).unwrap_or(Timestamp::MAX)
}

/// What the runs from `from` on, for [`Plan::days`], would do about an account, in their order. The account is
/// to be as it was read at `from`, with the orders of a subscription that has not expired yet as well.
/// `suspension` is a suspension of ours that nobody has lifted, if there is one.
///
/// Why something is not done is told once until the next payment, not by each run.
#[must_use]
pub fn forecast(account: &Account, suspension: Option<&Suspension>, plan: &Plan, from: Timestamp) -> Vec<Forecasted> {
    let mut play = play::Play::new(account, suspension, plan, from);
    for (at, job) in plan.schedule.runs(from, plan.end(from)) {
        match job {
            Job::RecurringPayments => play.renew(at),
            Job::SubscriptionStatus => play.watch(at),
        }
    }
    play.events
}

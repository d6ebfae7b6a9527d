//! Whether a notice is still true when it is about to be sent. What is not is withdrawn: the customer may have
//! paid since it was decided, or days may have passed.

use std::collections::BTreeSet;

use echodesk_core::SchemaName;
use echodesk_core::notice::{NoticeKind, RenewalPlan};
use jiff::civil::Date;
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};

use crate::ports::{Queued, SubscriptionSituation};

/// From so many days before expiry on, the urgent reminder takes over.
const URGENT_DAYS: i32 = 3;
/// The bank that cards are charged at, as `payment_provider` names it. Who is billed by another is told by that one.
const OUR_PROVIDER: &str = "bog";
/// A renewal date that has moved by more was paid for: payments are 30 days apart. By less, somebody has
/// corrected it.
const PAID: SignedDuration = SignedDuration::from_hours(15 * 24);
/// A notice that cannot be told to be true yet is looked at again after so long.
pub const NOT_YET_FOR: SignedDuration = SignedDuration::from_hours(1);

/// Whether a notice is sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// It holds.
    Holds,
    /// It does not hold any more, for this reason.
    Overtaken(String),
    /// Nobody knows yet, for this reason.
    NotYet(String),
}

/// Whether a notice that can be read still holds at `now`, by the calendar days of `time_zone`. Who is `exempt` pays
/// nothing.
#[must_use]
pub fn holds(
    notice: &Queued,
    kind: &NoticeKind,
    exempt: &BTreeSet<SchemaName>,
    time_zone: &TimeZone,
    now: Timestamp,
) -> Verdict {
    let asked = Asked { notice, time_zone, now };
    let reason = asked.still_billed(kind, exempt).and_then(|()| asked.still_true(kind));
    match reason {
        Err(why) => Verdict::Overtaken(why),
        // Decided on a host whose clock or time zone is ahead of this one's.
        Ok(()) if asked.is_early(kind) => Verdict::NotYet("its day has not come yet".to_owned()),
        // A charge that is under way will make it untrue, or fail and leave it true.
        Ok(()) if asks_to_pay(kind) && asked.charge_open() => {
            Verdict::NotYet("a charge is open: whether it was paid is not known yet".to_owned())
        }
        Ok(()) => Verdict::Holds,
    }
}

/// Whether it tells of an expiry that a payment would prevent or mend.
fn asks_to_pay(kind: &NoticeKind) -> bool {
    matches!(kind, NoticeKind::Reminder { .. } | NoticeKind::UrgentReminder { .. } | NoticeKind::GraceWarning { .. })
}

/// Whether it says that the saved card will be charged by itself.
fn promises_a_charge(kind: &NoticeKind) -> bool {
    let (NoticeKind::Reminder { renewal, .. }
    | NoticeKind::UrgentReminder { renewal, .. }
    | NoticeKind::GraceWarning { renewal, .. }) = kind
    else {
        return false;
    };
    matches!(renewal, RenewalPlan::Card { .. })
}

struct Asked<'a> {
    notice: &'a Queued,
    time_zone: &'a TimeZone,
    now: Timestamp,
}

impl Asked<'_> {
    /// Whether we are still the ones who bill.
    fn still_billed(&self, kind: &NoticeKind, exempt: &BTreeSet<SchemaName>) -> Result<(), String> {
        let about_the_bank = matches!(kind, NoticeKind::PaymentFailed { .. } | NoticeKind::PriceChanged { .. });
        if asks_to_pay(kind) && exempt.contains(&self.notice.tenant.schema) {
            return Err("the tenant is exempt and pays nothing".to_owned());
        }
        let Some(subscription) = &self.notice.situation.subscription else { return Ok(()) };
        if (asks_to_pay(kind) || about_the_bank) && subscription.provider != OUR_PROVIDER {
            return Err(format!("it is billed by {:?} now", subscription.provider));
        }
        if promises_a_charge(kind) && subscription.refused_since {
            return Err("a later notice has told that the card was refused".to_owned());
        }
        Ok(())
    }

    fn is_early(&self, kind: &NoticeKind) -> bool {
        matches!(kind, NoticeKind::GraceWarning { day, .. } if self.day(self.now) < *day)
    }

    fn still_true(&self, kind: &NoticeKind) -> Result<(), String> {
        match kind {
            NoticeKind::Reminder { expires_at, .. } => self.before_expiry(*expires_at, false),
            NoticeKind::UrgentReminder { expires_at, .. } => self.before_expiry(*expires_at, true),
            NoticeKind::GraceWarning { expired_at, suspension_at, day, .. } => {
                self.in_grace(*expired_at, *suspension_at, *day)
            }
            NoticeKind::Suspended { .. } => self.suspended(),
            NoticeKind::Reactivated { .. } => self.reactivated(),
            NoticeKind::RenewalPaid { .. } => Ok(()),
            NoticeKind::PaymentFailed { renewal, next_attempt, .. } => self.unpaid(*renewal, *next_attempt),
            NoticeKind::PriceChanged { renewal, .. } => self.unpaid(*renewal, None),
            NoticeKind::MailboxSwitchedOff { .. } => self.mailbox_off(),
        }
    }

    fn day(&self, moment: Timestamp) -> Date {
        self.time_zone.to_datetime(moment).date()
    }

    fn charge_open(&self) -> bool {
        self.notice.situation.subscription.as_ref().is_some_and(|subscription| subscription.charge_open)
    }

    fn subscription(&self) -> Result<&SubscriptionSituation, String> {
        self.notice.situation.subscription.as_ref().ok_or_else(|| "there is no subscription any more".to_owned())
    }

    /// The subscription is in use and expires on the same day as when the notice was decided.
    fn same_expiry(&self, told: Timestamp) -> Result<Timestamp, String> {
        let subscription = self.subscription()?;
        if !self.notice.tenant.is_active || !subscription.active {
            return Err("it is suspended".to_owned());
        }
        let expires_at = subscription.expires_at.ok_or("it does not expire any more")?;
        if self.day(expires_at) != self.day(told) {
            return Err(format!("it expires on {} now", self.day(expires_at)));
        }
        Ok(expires_at)
    }

    fn before_expiry(&self, told: Timestamp, urgent: bool) -> Result<(), String> {
        let expires_at = self.same_expiry(told)?;
        if self.now >= expires_at {
            return Err("it has expired meanwhile".to_owned());
        }
        let left = self.day(self.now).until(self.day(expires_at)).map_or(i32::MAX, |left| left.get_days());
        if !urgent && left <= URGENT_DAYS {
            return Err(format!("{left} days are left: the urgent reminder takes over"));
        }
        Ok(())
    }

    fn in_grace(&self, told: Timestamp, suspension_at: Timestamp, day: Date) -> Result<(), String> {
        let today = self.day(self.now);
        if today > day {
            return Err(format!("it was the warning of {day}, and today is {today}"));
        }
        let expires_at = self.same_expiry(told)?;
        if today == day && self.now < expires_at {
            return Err("it has not expired any more".to_owned());
        }
        if self.now >= suspension_at {
            return Err("the days of grace are over".to_owned());
        }
        Ok(())
    }

    fn suspended(&self) -> Result<(), String> {
        let subscription_active =
            self.notice.situation.subscription.as_ref().is_none_or(|subscription| subscription.active);
        if self.notice.tenant.is_active && subscription_active {
            return Err("it is not suspended any more".to_owned());
        }
        Ok(())
    }

    fn reactivated(&self) -> Result<(), String> {
        if self.notice.tenant.is_active { Ok(()) } else { Err("it is suspended again".to_owned()) }
    }

    fn unpaid(&self, renewal: Timestamp, next_attempt: Option<Date>) -> Result<(), String> {
        let subscription = self.subscription()?;
        let date = subscription.expires_at.or(subscription.next_billing_date).ok_or("it is not renewed any more")?;
        if date.duration_since(renewal) > PAID {
            return Err("it was paid meanwhile".to_owned());
        }
        match next_attempt {
            Some(next) if next < self.day(self.now) => Err(format!("the card was to be charged again on {next}")),
            _ => Ok(()),
        }
    }

    fn mailbox_off(&self) -> Result<(), String> {
        match self.notice.situation.mailbox_active {
            Some(false) => Ok(()),
            Some(true) => Err("the mailbox is active again".to_owned()),
            None => Err("the mailbox was deleted".to_owned()),
        }
    }
}

#[cfg(test)]
mod tests;

//! Whether a notice is still true when it is about to be sent. What is not is withdrawn: the customer may have
//! paid since it was decided, or days may have passed.

use echodesk_core::notice::NoticeKind;
use jiff::civil::Date;
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};

use crate::ports::{Queued, SubscriptionSituation};

/// From so many days before expiry on, the urgent reminder takes over.
const URGENT_DAYS: i32 = 3;
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

/// Whether a notice that can be read still holds at `now`, by the calendar days of `time_zone`.
#[must_use]
pub fn holds(notice: &Queued, kind: &NoticeKind, time_zone: &TimeZone, now: Timestamp) -> Verdict {
    let asked = Asked { notice, time_zone, now };
    let reason = match kind {
        NoticeKind::Reminder { expires_at, .. } => asked.before_expiry(*expires_at, false),
        NoticeKind::UrgentReminder { expires_at, .. } => asked.before_expiry(*expires_at, true),
        NoticeKind::GraceWarning { expired_at, suspension_at, day, .. } => {
            asked.in_grace(*expired_at, *suspension_at, *day)
        }
        NoticeKind::Suspended { .. } => asked.suspended(),
        NoticeKind::Reactivated { .. } => asked.reactivated(),
        NoticeKind::RenewalPaid { .. } => Ok(()),
        NoticeKind::PaymentFailed { renewal, next_attempt, .. } => asked.unpaid(*renewal, *next_attempt),
        NoticeKind::PriceChanged { renewal, .. } => asked.unpaid(*renewal, None),
        NoticeKind::MailboxSwitchedOff { .. } => asked.mailbox_off(),
    };
    match reason {
        Err(why) => Verdict::Overtaken(why),
        // A charge that is under way will make it untrue, or fail and leave it true.
        Ok(()) if asked.depends_on_charge(kind) && asked.charge_open() => {
            Verdict::NotYet("a charge is open: whether it was paid is not known yet".to_owned())
        }
        Ok(()) => Verdict::Holds,
    }
}

struct Asked<'a> {
    notice: &'a Queued,
    time_zone: &'a TimeZone,
    now: Timestamp,
}

impl Asked<'_> {
    fn day(&self, moment: Timestamp) -> Date {
        self.time_zone.to_datetime(moment).date()
    }

    fn charge_open(&self) -> bool {
        self.notice.situation.subscription.is_some_and(|subscription| subscription.charge_open)
    }

    fn depends_on_charge(&self, kind: &NoticeKind) -> bool {
        matches!(
            kind,
            NoticeKind::Reminder { .. } | NoticeKind::UrgentReminder { .. } | NoticeKind::GraceWarning { .. }
        )
    }

    fn subscription(&self) -> Result<SubscriptionSituation, String> {
        self.notice.situation.subscription.ok_or_else(|| "there is no subscription any more".to_owned())
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
        if today != day {
            return Err(format!("it was the warning of {day}, and today is {today}"));
        }
        if self.now < self.same_expiry(told)? {
            return Err("it has not expired any more".to_owned());
        }
        if self.now >= suspension_at {
            return Err("the days of grace are over".to_owned());
        }
        Ok(())
    }

    fn suspended(&self) -> Result<(), String> {
        let subscription_active = self.notice.situation.subscription.is_none_or(|subscription| subscription.active);
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

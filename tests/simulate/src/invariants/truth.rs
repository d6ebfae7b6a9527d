//! Whether a notice is true, by what has really happened. The rules are written anew here, from what is promised.

use echodesk_core::notice::{NoticeKind, RenewalPlan};
use jiff::civil::Date;
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};

use crate::invariants::accounts::{CLOCKS_WRONG_BY, GRACE};
use crate::world::notices::{Notice, Occurrence};
use crate::world::post_office::Look;

/// A period that ends by so much later is another one.
const ANOTHER_PERIOD: SignedDuration = SignedDuration::from_hours(15 * 24);

/// Whether a notice is true.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Truth {
    /// It is, whatever the clocks say.
    Holds,
    /// It is not.
    Contradicted(String),
    /// That depends on clocks, or on what the world does not know.
    Unclear,
}

/// Whether a notice was true when it was looked at.
pub(crate) fn truth(notice: &Notice, look: &Look, zone: &TimeZone) -> Truth {
    match contradiction(&notice.kind, &notice.occurrence, look, zone) {
        Some(why) => Truth::Contradicted(why),
        None if is_certain(&notice.kind, look, zone) => Truth::Holds,
        None => Truth::Unclear,
    }
}

/// Calendar days from one moment to another.
pub(crate) fn days_between(from: Timestamp, to: Timestamp, zone: &TimeZone) -> i32 {
    day(from, zone).until(day(to, zone)).map_or(i32::MAX, |span| span.get_days())
}

pub(crate) fn day(moment: Timestamp, zone: &TimeZone) -> Date {
    zone.to_datetime(moment).date()
}

fn contradiction(kind: &NoticeKind, occurrence: &Occurrence, look: &Look, zone: &TimeZone) -> Option<String> {
    let account = &look.account;
    let (earliest, latest) = (look.at - CLOCKS_WRONG_BY, look.at + CLOCKS_WRONG_BY);
    let left = |at, until| days_between(at, until, zone);
    match kind {
        NoticeKind::Reminder { expires_at, .. } => asks_to_pay(*expires_at, look).or_else(|| {
            let (least, most) = (left(latest, *expires_at), left(earliest, *expires_at));
            (most < 4 || least > 7).then(|| format!("{least} to {most} days are left"))
        }),
        NoticeKind::UrgentReminder { expires_at, .. } => asks_to_pay(*expires_at, look).or_else(|| {
            let least = left(latest, *expires_at);
            (least > 3 || earliest >= *expires_at).then(|| format!("{least} days are left"))
        }),
        NoticeKind::GraceWarning { expired_at, suspension_at, day: of, .. } => {
            asks_to_pay(*expired_at, look).or_else(|| {
                let is_today = (day(earliest, zone)..=day(latest, zone)).contains(of);
                let is_right = *suspension_at == *expired_at + GRACE;
                let is_over = earliest >= *suspension_at || latest < *expired_at;
                (!is_today || !is_right || is_over).then(|| format!("it was looked at at {}", look.at))
            })
        }
        NoticeKind::Suspended { .. } => account.suspended_at.is_none().then(|| "it is active".to_owned()),
        NoticeKind::Reactivated { .. } => account.suspended_at.map(|at| format!("it is suspended since {at}")),
        NoticeKind::RenewalPaid { order, amount, .. } => match account.capture(order) {
            None => Some("no money has moved".to_owned()),
            Some(capture) => {
                let captured = format!("{:.2} GEL", capture.amount);
                (*amount != captured).then(|| format!("{captured} were captured"))
            }
        },
        NoticeKind::PaymentFailed { renewal, next_attempt, .. } => {
            let was_captured = match occurrence {
                Occurrence::PaymentFailed(order) => account.capture(order).is_some(),
                _ => false,
            };
            let is_late = next_attempt.is_some_and(|next| next < day(earliest, zone));
            paid_since(*renewal, look)
                .or_else(|| was_captured.then(|| "the order was captured".to_owned()))
                .or_else(|| is_late.then(|| format!("it was looked at at {}", look.at)))
        }
        NoticeKind::PriceChanged { renewal, .. } => paid_since(*renewal, look),
        NoticeKind::MailboxSwitchedOff { .. } => match look.mailbox_off {
            Some(true) => None,
            Some(false) => Some("the mailbox is switched on".to_owned()),
            None => Some("there is no such mailbox".to_owned()),
        },
    }
}

/// Why nobody is to be asked to pay for what follows `expires_at`.
fn asks_to_pay(expires_at: Timestamp, look: &Look) -> Option<String> {
    let account = &look.account;
    if let Some(at) = account.suspended_at {
        return Some(format!("it is suspended since {at}"));
    }
    if account.expires_at != expires_at {
        return Some(format!("it is paid until {}", account.expires_at));
    }
    look.unsettled.then(|| "a charge is under way".to_owned())
}

fn paid_since(renewal: Timestamp, look: &Look) -> Option<String> {
    let until = look.account.expires_at;
    (until.duration_since(renewal) > ANOTHER_PERIOD).then(|| format!("it is paid until {until}"))
}

/// Whether what is not contradicted is true beyond doubt, so that nobody may withdraw it.
fn is_certain(kind: &NoticeKind, look: &Look, zone: &TimeZone) -> bool {
    let (earliest, latest) = (look.at - CLOCKS_WRONG_BY, look.at + CLOCKS_WRONG_BY);
    match kind {
        NoticeKind::Reminder { expires_at, renewal, .. } => {
            !promises_a_charge(renewal) && days_between(latest, *expires_at, zone) >= 4
        }
        NoticeKind::UrgentReminder { expires_at, renewal, .. } => !promises_a_charge(renewal) && latest < *expires_at,
        NoticeKind::GraceWarning { expired_at, suspension_at, day: of, renewal, .. } => {
            let is_today = day(earliest, zone) == *of && day(latest, zone) == *of;
            !promises_a_charge(renewal) && is_today && earliest > *expired_at && latest < *suspension_at
        }
        NoticeKind::Suspended { .. } | NoticeKind::Reactivated { .. } | NoticeKind::RenewalPaid { .. } => true,
        NoticeKind::PaymentFailed { next_attempt, .. } => next_attempt.is_none_or(|next| next > day(latest, zone)),
        NoticeKind::PriceChanged { .. } | NoticeKind::MailboxSwitchedOff { .. } => true,
    }
}

/// A refusal that was told of since makes it untrue, which the world does not follow.
fn promises_a_charge(renewal: &RenewalPlan) -> bool {
    matches!(renewal, RenewalPlan::Card { .. })
}

#[cfg(test)]
mod tests {
    use crate::fault::FaultPlan;
    use crate::plan::Plan;
    use crate::trace::TenantNumber;
    use crate::world::World;

    use super::*;

    #[test]
    fn that_a_mailbox_is_switched_off_is_true_until_it_is_switched_on() {
        let (faults, tenant) = (FaultPlan::none(), TenantNumber(1));
        let world = World::new(Plan { tenants: 2, days: 1, hosts: 1, mailboxes: 1000, faults, ..Plan::default() });
        let number = world.mail.numbers()[0];
        let subject = format!("mailbox:{}", world.mail.get(number).key.connection);
        let kind = NoticeKind::MailboxSwitchedOff { address: "a@b.example".to_owned(), reason: "no".to_owned() };
        let occurrence = Occurrence::of(&kind, &subject, "now", 0);
        let notice = Notice { tenant, kind, occurrence };
        let account = world.accounts.read(tenant, Clone::clone);
        let truth = |subject: &str| {
            let mailbox_off = world.mail.of_subject(tenant, subject).map(|mailbox| mailbox.off_since.is_some());
            let (at, clock_wrong_by, account) = (world.time.now(), SignedDuration::ZERO, account.clone());
            truth(&notice, &Look { at, clock_wrong_by, account, unsettled: false, mailbox_off }, &world.billing_zone)
        };
        assert_eq!(truth(&subject), Truth::Contradicted("the mailbox is switched on".to_owned()));
        world.mail.change(number, |mailbox| mailbox.off_since = Some(world.time.now()));
        assert_eq!(truth(&subject), Truth::Holds);
        assert_eq!(truth("mailbox:999"), Truth::Contradicted("there is no such mailbox".to_owned()));
    }
}

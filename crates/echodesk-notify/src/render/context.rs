//! The values that templates see.

use echodesk_core::notice::{NoticeKind, PaymentProblem, RenewalPlan};
use jiff::Timestamp;
use jiff::civil::Date;
use minijinja::{Value, context};

use super::{Reader, amount, line, sign_in};

/// The name of the template that tells of a notice: its kind, except that a payment that waits for the customer
/// to confirm it is told in other words than one that failed.
pub(super) fn template(notice: &NoticeKind) -> &'static str {
    match notice {
        NoticeKind::PaymentFailed { problem: PaymentProblem::ConfirmationNeeded, .. } => "confirmation_needed",
        other => other.code(),
    }
}

/// All values: those of the notice and those of its reader.
pub(super) fn of(notice: &NoticeKind, reader: &Reader<'_>) -> Value {
    context! {
        language => reader.language.code(),
        name => line::value(reader.name, line::NAME),
        tenant => line::value(reader.tenant, line::NAME),
        today => reader.today.to_string(),
        sign_in_url => reader.sign_in_url.and_then(sign_in::checked),
        ..of_notice(notice, &Values { reader })
    }
}

fn of_notice(notice: &NoticeKind, values: &Values<'_>) -> Value {
    match notice {
        NoticeKind::Reminder { expires_at, renewal, price }
        | NoticeKind::UrgentReminder { expires_at, renewal, price } => {
            context! {
                expires => values.day(*expires_at),
                days => values.days_until(*expires_at),
                price => values.optional_amount(price.as_deref()),
                ..values.plan(renewal)
            }
        }
        NoticeKind::GraceWarning { expired_at, suspension_at, day: _, renewal, price } => context! {
            expired => values.day(*expired_at),
            suspension => values.day(*suspension_at),
            days => values.days_until(*suspension_at),
            price => values.optional_amount(price.as_deref()),
            ..values.plan(renewal)
        },
        NoticeKind::Suspended { expired_at, price } => context! {
            expired => values.day(*expired_at),
            price => values.optional_amount(price.as_deref()),
        },
        NoticeKind::RenewalPaid { amount, paid_at, paid_until, order, card } => context! {
            amount => values.amount(amount),
            paid => values.day(*paid_at),
            paid_until => paid_until.map(|until| values.day(until)),
            order => line::value(order, line::NAME),
            card => card_number(card.as_deref()),
        },
        NoticeKind::MailboxSwitchedOff { address, reason } => context! {
            address => line::value(address, line::NAME),
            reason => line::value(reason, line::REASON),
        },
        NoticeKind::PaymentFailed { amount, problem, next_attempt, renewal } => context! {
            amount => values.amount(amount),
            problem => problem_code(*problem),
            next_attempt => next_attempt.map(|date| date.to_string()),
            paid_until => values.day(*renewal),
            overdue => values.is_over(*renewal),
        },
        NoticeKind::PriceChanged { card_amount, price, renewal } => context! {
            card_amount => values.amount(card_amount),
            price => values.amount(price),
            paid_until => values.day(*renewal),
            overdue => values.is_over(*renewal),
        },
        NoticeKind::Reactivated { paid_until } => context! { paid_until => values.day(*paid_until) },
    }
}

/// Values as the reader's language and time zone have them.
struct Values<'a> {
    reader: &'a Reader<'a>,
}

impl Values<'_> {
    fn date(&self, moment: Timestamp) -> Date {
        self.reader.time_zone.to_datetime(moment).date()
    }

    /// As `YYYY-MM-DD`, for the filters that write days in words.
    fn day(&self, moment: Timestamp) -> String {
        self.date(moment).to_string()
    }

    /// Calendar days from today; a moment that has passed is today.
    fn days_until(&self, moment: Timestamp) -> i32 {
        self.reader.today.until(self.date(moment)).map_or(0, |span| span.get_days().max(0))
    }

    /// Whether the day of a moment is past.
    fn is_over(&self, moment: Timestamp) -> bool {
        self.date(moment) < self.reader.today
    }

    fn amount(&self, amount: &str) -> String {
        amount::words(&line::value(amount, line::NAME), self.reader.language)
    }

    fn optional_amount(&self, amount: Option<&str>) -> Option<String> {
        amount.map(|amount| self.amount(amount)).filter(|amount| !amount.is_empty())
    }

    fn plan(&self, renewal: &RenewalPlan) -> Value {
        let (plan, masked, expiry) = match renewal {
            RenewalPlan::Card { masked } => ("card", masked.as_deref(), None),
            RenewalPlan::ExpiringCard { masked, expiry } => ("expiring_card", masked.as_deref(), Some(expiry.as_str())),
            RenewalPlan::UnusableCard { masked } => ("unusable_card", masked.as_deref(), None),
            RenewalPlan::ByHand => ("by_hand", None, None),
        };
        context! {
            plan => plan,
            card => card_number(masked),
            card_expiry => expiry.map(|expiry| line::value(expiry, line::NAME)),
        }
    }
}

fn card_number(masked: Option<&str>) -> Option<String> {
    masked.map(|masked| line::value(masked, line::NAME)).filter(|masked| !masked.is_empty())
}

/// The names that templates compare with.
fn problem_code(problem: PaymentProblem) -> &'static str {
    match problem {
        PaymentProblem::NotEnoughMoney => "not_enough_money",
        PaymentProblem::CardExpired => "card_expired",
        PaymentProblem::CardNotValid => "card_not_valid",
        PaymentProblem::CardNotFound => "card_not_found",
        PaymentProblem::LimitReached => "limit_reached",
        PaymentProblem::IssuerRefused => "issuer_refused",
        PaymentProblem::ConfirmationNeeded => "confirmation_needed",
        PaymentProblem::Technical => "technical",
    }
}

//! An example of every notice: for previews, for checking templates, for snapshots.

use echodesk_core::Language;
use echodesk_core::notice::{NoticeKind, PaymentProblem, RenewalPlan};
use jiff::civil::{Date, date};
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};

use crate::Reader;

/// A notice with made-up values.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Example {
    /// The notice's kind, for the others of a kind followed by what is different.
    pub name: &'static str,
    /// The notice.
    pub notice: NoticeKind,
}

/// The day on which the examples are read: seven days before the subscription of the reminder expires.
const TODAY: Date = date(2026, 11, 18);

static UTC: TimeZone = TimeZone::UTC;

/// 18 November 2026, 08:30 UTC.
const NOW: Timestamp = Timestamp::constant(1_794_990_600, 0);

/// Every kind of notice, and what makes its text different.
#[must_use]
pub fn examples() -> Vec<Example> {
    let mut examples = Vec::new();
    let mut add = |name, notice| examples.push(Example { name, notice });
    let plans = plans();
    for (name, plan) in [REMINDERS, URGENT_REMINDERS, GRACE_WARNINGS].iter().flat_map(|names| names.iter().zip(&plans))
    {
        add(name, expiring(name, plan.clone()));
    }
    for (name, notice) in on_other_days().into_iter().chain(bare()) {
        add(name, notice);
    }
    add("suspended", NoticeKind::Suspended { expired_at: days(-8), price: price() });
    add(
        "renewal_paid",
        NoticeKind::RenewalPaid {
            amount: "1250.00 GEL".to_owned(),
            paid_at: NOW,
            paid_until: Some(days(30)),
            order: "ED-2026-000123".to_owned(),
            card: Some(CARD.to_owned()),
        },
    );
    add("reactivated", NoticeKind::Reactivated { paid_until: days(30) });
    add("price_changed", price_changed(days(7)));
    add("price_changed_overdue", price_changed(days(-2)));
    for (again, finally, overdue, problem) in PASSING_PROBLEMS {
        add(again, failed(problem, Some(date(2026, 11, 23)), days(7)));
        add(finally, failed(problem, None, days(7)));
        if let Some(overdue) = overdue {
            add(overdue, failed(problem, Some(date(2026, 11, 20)), days(-2)));
        }
    }
    for (name, problem) in LASTING_PROBLEMS {
        add(name, failed(problem, None, days(7)));
    }
    add(
        "mailbox_switched_off",
        NoticeKind::MailboxSwitchedOff {
            address: "support@acme.example".to_owned(),
            reason: "the server refused to log in".to_owned(),
        },
    );
    examples
}

/// The example of a name: a kind, such as `reminder`, or one of its variants, such as `reminder_card`.
#[must_use]
pub fn example(name: &str) -> Option<Example> {
    examples().into_iter().find(|example| example.name == name)
}

const CARD: &str = "411111***1111";

const REMINDERS: [&str; 4] = ["reminder", "reminder_card", "reminder_expiring_card", "reminder_unusable_card"];
const URGENT_REMINDERS: [&str; 4] =
    ["urgent_reminder", "urgent_reminder_card", "urgent_reminder_expiring_card", "urgent_reminder_unusable_card"];
const GRACE_WARNINGS: [&str; 4] =
    ["grace_warning", "grace_warning_card", "grace_warning_expiring_card", "grace_warning_unusable_card"];

/// In the order of the names above.
fn plans() -> [RenewalPlan; 4] {
    let masked = Some(CARD.to_owned());
    [
        RenewalPlan::ByHand,
        RenewalPlan::Card { masked: masked.clone() },
        RenewalPlan::ExpiringCard { masked: masked.clone(), expiry: "10/26".to_owned() },
        RenewalPlan::UnusableCard { masked },
    ]
}

/// Problems after which the same card may be charged again: their names with another attempt to come, without, and
/// in grace.
const PASSING_PROBLEMS: [(&str, &str, Option<&str>, PaymentProblem); 4] = [
    ("payment_failed", "payment_failed_finally", Some("payment_failed_overdue"), PaymentProblem::NotEnoughMoney),
    ("payment_failed_limit_reached", "payment_failed_limit_reached_finally", None, PaymentProblem::LimitReached),
    ("payment_failed_technical", "payment_failed_technical_finally", None, PaymentProblem::Technical),
    // The time for confirming may have run out, which is tried once more.
    (
        "confirmation_needed",
        "confirmation_needed_finally",
        Some("confirmation_needed_overdue"),
        PaymentProblem::ConfirmationNeeded,
    ),
];

/// Problems after which the same card is not charged again.
const LASTING_PROBLEMS: [(&str, PaymentProblem); 4] = [
    ("payment_failed_card_expired", PaymentProblem::CardExpired),
    ("payment_failed_card_not_valid", PaymentProblem::CardNotValid),
    ("payment_failed_card_not_found", PaymentProblem::CardNotFound),
    ("payment_failed_issuer_refused", PaymentProblem::IssuerRefused),
];

fn expiring(name: &str, renewal: RenewalPlan) -> NoticeKind {
    if name.starts_with("reminder") {
        NoticeKind::Reminder { expires_at: days(7), renewal, price: price() }
    } else if name.starts_with("urgent") {
        urgent(3, renewal)
    } else {
        grace_warning(5, renewal)
    }
}

/// The last days, which are told in words of their own.
fn on_other_days() -> [(&'static str, NoticeKind); 6] {
    let card = || RenewalPlan::Card { masked: Some(CARD.to_owned()) };
    [
        ("urgent_reminder_tomorrow", urgent(1, RenewalPlan::ByHand)),
        ("urgent_reminder_today", urgent(0, RenewalPlan::ByHand)),
        ("urgent_reminder_today_card", urgent(0, card())),
        ("grace_warning_tomorrow", grace_warning(1, RenewalPlan::ByHand)),
        ("grace_warning_today", grace_warning(0, RenewalPlan::ByHand)),
        ("grace_warning_today_card", grace_warning(0, card())),
    ]
}

/// Those of which neither the price nor the card's number is known.
fn bare() -> [(&'static str, NoticeKind); 2] {
    let unusable = RenewalPlan::UnusableCard { masked: None };
    let card = RenewalPlan::Card { masked: None };
    let (expires_at, expired_at, suspension_at) = (days(7), days(-2), days(5));
    [
        ("reminder_bare", NoticeKind::Reminder { expires_at, renewal: unusable, price: None }),
        (
            "grace_warning_bare",
            NoticeKind::GraceWarning { expired_at, suspension_at, day: TODAY, renewal: card, price: None },
        ),
    ]
}

fn urgent(left: i64, renewal: RenewalPlan) -> NoticeKind {
    NoticeKind::UrgentReminder { expires_at: days(left), renewal, price: price() }
}

/// `left` days before the suspension, of seven days of grace.
fn grace_warning(left: i64, renewal: RenewalPlan) -> NoticeKind {
    let (expired_at, suspension_at) = (days(left - 7), days(left));
    NoticeKind::GraceWarning { expired_at, suspension_at, day: TODAY, renewal, price: price() }
}

fn failed(problem: PaymentProblem, next_attempt: Option<Date>, renewal: Timestamp) -> NoticeKind {
    NoticeKind::PaymentFailed { amount: "50.00 GEL".to_owned(), problem, next_attempt, renewal }
}

fn price_changed(renewal: Timestamp) -> NoticeKind {
    NoticeKind::PriceChanged { card_amount: "50.00 GEL".to_owned(), price: "75.00 GEL".to_owned(), renewal }
}

fn price() -> Option<String> {
    Some("50.00 GEL".to_owned())
}

fn days(days: i64) -> Timestamp {
    NOW.checked_add(SignedDuration::from_hours(days * 24)).unwrap_or(NOW)
}

/// Who reads the examples.
#[must_use]
pub fn example_reader(language: Language) -> Reader<'static> {
    let (name, tenant) = match language {
        Language::En => ("Ana", "Acme Ltd"),
        Language::Ka => ("ანა", "შპს აკმე"),
        Language::Ru => ("Ана", "ООО «Акме»"),
    };
    Reader { name, tenant, language, today: TODAY, time_zone: &UTC, sign_in_url: Some("https://acme.echodesk.example") }
}

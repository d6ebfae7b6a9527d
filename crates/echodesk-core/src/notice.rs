//! What a job may owe a tenant: a notice, as data.
//!
//! Deciding and sending are apart: a job queues a notice in the transaction that decides, and
//! delivery is somebody else's work. This module is only the vocabulary that both sides share.

use jiff::Timestamp;
use jiff::civil::Date;
use serde::{Deserialize, Serialize};

/// What happened, with the values that its text names.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum NoticeKind {
    /// The subscription expires within a week.
    Reminder {
        /// When it expires.
        expires_at: Timestamp,
        /// What happens without anybody doing something.
        renewal: RenewalPlan,
        /// What it costs per month, for example `50.00 GEL`; none if it is free or cannot be calculated.
        price: Option<String>,
    },
    /// The subscription expires within three days.
    UrgentReminder {
        /// When it expires.
        expires_at: Timestamp,
        /// What happens without anybody doing something.
        renewal: RenewalPlan,
        /// As in a reminder.
        price: Option<String>,
    },
    /// The subscription has expired and will be suspended. True on its day only.
    GraceWarning {
        /// When it expired.
        expired_at: Timestamp,
        /// From when on it may be suspended.
        suspension_at: Timestamp,
        /// The calendar day in the billing time zone that this is the warning of.
        day: Date,
        /// Whether a card is still being charged.
        renewal: RenewalPlan,
        /// As in a reminder.
        price: Option<String>,
    },
    /// The tenant was suspended. Nothing was deleted.
    Suspended {
        /// When its subscription had expired.
        expired_at: Timestamp,
        /// As in a reminder.
        price: Option<String>,
    },
    /// A renewal was paid: the receipt.
    RenewalPaid {
        /// What was paid, for example `50.00 GEL`.
        amount: String,
        /// When.
        paid_at: Timestamp,
        /// Until when the subscription is paid now.
        paid_until: Option<Timestamp>,
        /// Our name of the order.
        order: String,
        /// The card, masked, for example `411111***1111`.
        card: Option<String>,
    },
    /// A mailbox was switched off: its mail no longer arrives until somebody acts.
    MailboxSwitchedOff {
        /// The mailbox's address.
        address: String,
        /// Why, in plain words.
        reason: String,
    },
    /// The saved card was charged for a renewal, and the bank refused.
    PaymentFailed {
        /// What was asked for, for example `50.00 GEL`.
        amount: String,
        /// What kept the bank from paying.
        problem: PaymentProblem,
        /// The day on which the card is charged again; none if that will not happen by itself.
        next_attempt: Option<Date>,
        /// When the subscription ends, or has ended, if it is not paid.
        renewal: Timestamp,
    },
    /// The subscription costs something else now than when the card was saved. A saved card can only
    /// be charged the old amount, so it was not charged.
    PriceChanged {
        /// What the saved card can be charged.
        card_amount: String,
        /// What the subscription costs.
        price: String,
        /// When the subscription ends, or has ended, if it is not paid.
        renewal: Timestamp,
    },
    /// A payment has lifted the suspension.
    Reactivated {
        /// Until when the subscription is paid.
        paid_until: Timestamp,
    },
}

/// How a subscription will be renewed if nobody does anything.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "by", rename_all = "snake_case")]
pub enum RenewalPlan {
    /// The saved card is charged by itself.
    Card {
        /// Its number, masked by the bank, if that is known.
        masked: Option<String>,
    },
    /// It would be, but the card expires first.
    ExpiringCard {
        /// Its number, masked by the bank, if that is known.
        masked: Option<String>,
        /// The last month in which it can be used, as `MM/YY`.
        expiry: String,
    },
    /// A card is saved that will not be charged: it was refused, or can only be charged another amount.
    UnusableCard {
        /// Its number, masked by the bank, if that is known.
        masked: Option<String>,
    },
    /// No card is saved: somebody has to pay.
    ByHand,
}

/// What keeps a bank from paying, as far as a customer needs to know.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PaymentProblem {
    /// Not enough money on the card.
    NotEnoughMoney,
    /// The card has expired.
    CardExpired,
    /// The card is not valid, or no longer.
    CardNotValid,
    /// The bank no longer knows the saved card.
    CardNotFound,
    /// A limit of the card on amounts or numbers of payments.
    LimitReached,
    /// The card's issuer does not allow it.
    IssuerRefused,
    /// The issuer wants the customer to confirm the payment in person.
    ConfirmationNeeded,
    /// Something technical on the way; nobody's fault.
    Technical,
}

impl NoticeKind {
    /// The name under which the ledger keeps notices of this kind.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            Self::Reminder { .. } => "reminder",
            Self::UrgentReminder { .. } => "urgent_reminder",
            Self::GraceWarning { .. } => "grace_warning",
            Self::Suspended { .. } => "suspended",
            Self::RenewalPaid { .. } => "renewal_paid",
            Self::MailboxSwitchedOff { .. } => "mailbox_switched_off",
            Self::PaymentFailed { .. } => "payment_failed",
            Self::PriceChanged { .. } => "price_changed",
            Self::Reactivated { .. } => "reactivated",
        }
    }
}

/// A notice to be queued. `subject_key` and `period` make it unique: the same event decided twice,
/// after a crash or by two hosts, is queued once.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewNotice {
    /// What it says.
    pub kind: NoticeKind,
    /// What it is about, for example `mailbox:7`.
    pub subject_key: String,
    /// Which occurrence of the event, for example the moment of switching off.
    pub period: String,
    /// When it was decided.
    pub decided_at: Timestamp,
}

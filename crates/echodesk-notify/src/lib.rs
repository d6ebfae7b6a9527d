#![doc = include_str!("../README.md")]

mod text;

use echodesk_core::Language;
use echodesk_core::notice::NoticeKind;

use crate::text::payment_failed::PaymentFailed;

/// A notice, ready to be sent as mail.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rendered {
    /// One line, without control characters.
    pub subject: String,
    /// The body as plain text, lines ended by `\n`.
    pub text: String,
}

/// Renders a notice for the person called `recipient` (may be empty).
///
/// Values from outside (names, addresses, a server's words) are flattened to one line each, so that
/// none of them can add a header or pretend to be a paragraph of ours. Moments are told as days in UTC.
#[must_use]
pub fn render(notice: &NoticeKind, recipient: &str, language: Language) -> Rendered {
    let name = one_line(recipient);
    match notice {
        NoticeKind::MailboxSwitchedOff { address, reason } => {
            text::mailbox_switched_off::render(&name, &one_line(address), &one_line(reason), language)
        }
        NoticeKind::PaymentFailed { amount, problem, next_attempt, renewal } => {
            let failed = PaymentFailed {
                amount: &one_line(amount),
                problem: *problem,
                next_attempt: *next_attempt,
                renewal: *renewal,
            };
            text::payment_failed::render(&name, &failed, language)
        }
        NoticeKind::PriceChanged { card_amount, price, renewal } => {
            text::price_changed::render(&name, &one_line(card_amount), &one_line(price), *renewal, language)
        }
        NoticeKind::Reactivated { paid_until } => text::reactivated::render(&name, *paid_until, language),
    }
}

fn one_line(value: &str) -> String {
    let flat: String = value.chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
    flat.split_whitespace().collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests;

//! Values as the story shows them.

use jiff::{SignedDuration, Timestamp};
use rust_decimal::Decimal;

/// A moment to the minute, in UTC.
pub(super) fn minute(at: Timestamp) -> String {
    at.strftime("%Y-%m-%d %H:%M").to_string()
}

/// An amount as its row has it.
pub(super) fn amount(amount: Option<Decimal>, currency: &str) -> String {
    amount.map_or_else(|| "an amount that cannot be read".to_owned(), |amount| format!("{amount:.2} {currency}"))
}

/// `1 message`, `2 messages`.
pub(super) fn count(number: u64, noun: &str) -> String {
    let plural = if number == 1 { "" } else { "s" };
    format!("{number} {noun}{plural}")
}

/// A name of a table's, in words.
pub(super) fn words(code: &str) -> String {
    code.replace('_', " ")
}

/// Whether two things happened in one go.
pub(super) fn together(a: Timestamp, b: Timestamp) -> bool {
    a.duration_since(b).abs() < SignedDuration::from_mins(5)
}

/// The same with a colon before it, or nothing.
pub(super) fn because(why: &str) -> String {
    if why.trim().is_empty() { String::new() } else { format!(": {}", why.trim()) }
}

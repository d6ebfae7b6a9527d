//! How a subscription will be renewed if nobody does anything: what reminders say.

use echodesk_core::notice::RenewalPlan;
use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::TimeZone;

use crate::model::Account;
use crate::rules::due::{card, price};
use crate::rules::retry::{Next, next_attempt};

/// What will happen about a renewal date.
#[must_use]
pub fn renewal_plan(account: &Account, renewal: Timestamp, zone: &TimeZone, now: Timestamp) -> RenewalPlan {
    let candidate = &account.candidate;
    let Ok((parent, can_be_charged)) = card(candidate) else { return RenewalPlan::ByHand };
    let saved = account.saved_cards.iter().find(|saved| saved.parent == parent);
    let masked = saved.and_then(|saved| saved.masked.clone());
    let wrong_amount = match (can_be_charged, price(candidate)) {
        (_, Err(_)) | (Some(Err(_)), _) => true,
        (Some(Ok(amount)), Ok(price)) => price != *amount,
        (None, Ok(_)) => false,
    };
    let refused =
        matches!(next_attempt(&candidate.attempts, renewal, &parent, zone), Next::WhenCardChanges | Next::Exhausted);
    if wrong_amount || refused {
        return RenewalPlan::UnusableCard { masked };
    }
    // Charged around its renewal date, or any day now if that has passed.
    let charged_by = zone.to_datetime(renewal.max(now)).date();
    match saved.and_then(|saved| last_day(&saved.expiry)) {
        Some(last_day) if last_day < charged_by => {
            RenewalPlan::ExpiringCard { masked, expiry: last_day.strftime("%m/%y").to_string() }
        }
        _ => RenewalPlan::Card { masked },
    }
}

/// The last day on which a card can be used: `MM/YY`, `MM/YYYY`, `YYYY-MM` and their like; a card is valid to
/// the end of its month. None for anything else: what is not known is not told.
#[must_use]
pub fn last_day(expiry: &str) -> Option<Date> {
    let mut parts = expiry.trim().split(['/', '-', '.']).map(str::trim);
    let (first, second) = (parts.next()?, parts.next()?);
    let all_digits = [first, second].iter().all(|part| part.bytes().all(|byte| byte.is_ascii_digit()));
    if parts.next().is_some() || !all_digits {
        return None;
    }
    let (month, year) = match (first.len(), second.len()) {
        (1 | 2, 2) => (first, 2000 + second.parse::<i16>().ok()?),
        (1 | 2, 4) => (first, second.parse().ok()?),
        (4, 1 | 2) => (second, first.parse().ok()?),
        _ => return None,
    };
    Date::new(year, month.parse().ok()?, 1).ok().map(Date::last_of_month)
}

#[cfg(test)]
mod tests;

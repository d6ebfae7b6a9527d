//! When a period whose charge failed is tried again.

use jiff::civil::Date;
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp, ToSpan as _};

use crate::model::{AttemptState, BankOrderId, PastAttempt};
use crate::rules::period::same_period;
use crate::rules::refusal::{Retry, meaning};

/// At most so many attempts a period, whatever the card.
pub const MAX_ATTEMPTS: u32 = 4;

/// On these days after the first failure with a card the next attempts are made.
const RETRY_DAYS: [i32; 3] = [1, 3, 5];

/// Between two attempts, however the calendar falls: runs may be made several times a day, and limits of
/// cards are per day. Less than a day, so that a daily run is not a day late for a few seconds.
const REST: SignedDuration = SignedDuration::from_hours(20);

/// Whether the last failure of a period is long enough ago.
#[must_use]
pub fn has_rested(attempts: &[PastAttempt], period: Timestamp, now: Timestamp) -> bool {
    let of_period = attempts.iter().filter(|attempt| same_period(attempt.period, period));
    let failed = of_period.filter(|attempt| attempt.state == AttemptState::Failed);
    failed.filter_map(|attempt| attempt.closed_at).all(|closed_at| now.duration_since(closed_at) >= REST)
}

/// When the next attempt may be made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Next {
    /// Now: nothing has failed yet with this card.
    Now,
    /// From this day on, in the billing time zone.
    On(Date),
    /// Once another card was saved.
    WhenCardChanges,
    /// Not any more in this period.
    Exhausted,
}

/// When a period may be charged to `card`, after the failures among `attempts`.
#[must_use]
pub fn next_attempt(attempts: &[PastAttempt], period: Timestamp, card: &BankOrderId, zone: &TimeZone) -> Next {
    let failed = |attempt: &&PastAttempt| attempt.state == AttemptState::Failed && same_period(attempt.period, period);
    // What failed for a reason of ours says nothing about the card.
    let is_ours =
        |attempt: &&PastAttempt| attempt.refusal.as_ref().is_some_and(|refusal| meaning(refusal).problem.is_none());
    let (ours, mut failures): (Vec<&PastAttempt>, Vec<&PastAttempt>) =
        attempts.iter().filter(failed).partition(is_ours);
    let day_after = |attempt: &PastAttempt, days: i32| {
        let failed_on = zone.to_datetime(attempt.closed_at.unwrap_or(attempt.period)).date();
        failed_on.checked_add(days.days()).map_or(Next::Exhausted, Next::On)
    };
    let last_of_ours = ours.into_iter().max_by_key(|attempt| attempt.number);
    if let Some(last) = last_of_ours.filter(|last| failures.iter().all(|failure| failure.number < last.number)) {
        return day_after(last, 1);
    }
    if failures.len() >= MAX_ATTEMPTS as usize {
        return Next::Exhausted;
    }
    failures.retain(|attempt| attempt.parent == *card);
    failures.sort_by_key(|attempt| attempt.number);
    let (Some(first), Some(last)) = (failures.first(), failures.last()) else { return Next::Now };

    let retry = last.refusal.as_ref().map_or(Retry::AskCustomer, |refusal| meaning(refusal).retry);
    let Retry::Later { at_most } = retry else { return Next::WhenCardChanges };
    if failures.len() > at_most as usize {
        return Next::WhenCardChanges;
    }
    let Some(days) = RETRY_DAYS.get(failures.len() - 1) else { return Next::WhenCardChanges };
    day_after(first, *days)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{OrderId, Refusal};

    const PERIOD: &str = "2026-11-25T00:00:00Z";

    fn at(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    fn failure(number: u32, card: &str, code: &str, closed_at: &str) -> PastAttempt {
        PastAttempt {
            order: OrderId(format!("REC-{number}")),
            period: at(PERIOD),
            number,
            state: AttemptState::Failed,
            parent: BankOrderId(card.to_owned()),
            refusal: Some(Refusal::Rejected { code: Some(code.to_owned()), reason: None }),
            closed_at: Some(at(closed_at)),
        }
    }

    fn next(attempts: &[PastAttempt], card: &str) -> Next {
        next_attempt(attempts, at(PERIOD), &BankOrderId(card.to_owned()), &TimeZone::UTC)
    }

    fn on(day: &str) -> Next {
        Next::On(day.parse().unwrap())
    }

    #[test]
    fn soft_declines_are_tried_again_one_three_and_five_days_after_the_first() {
        let mut attempts = Vec::new();
        assert_eq!(next(&attempts, "card"), Next::Now);
        for (number, failed_at, then) in [
            (1, "2026-11-22T23:59:00Z", on("2026-11-23")),
            (2, "2026-11-23T02:00:00Z", on("2026-11-25")),
            (3, "2026-11-25T02:00:00Z", on("2026-11-27")),
            (4, "2026-11-27T02:00:00Z", Next::Exhausted),
        ] {
            attempts.push(failure(number, "card", "107", failed_at));
            assert_eq!(next(&attempts, "card"), then, "after attempt {number}");
        }
        assert_eq!(next(&attempts, "another card"), Next::Exhausted, "four a period, whatever the card");
    }

    #[test]
    fn hard_declines_wait_for_another_card() {
        for code in ["102", "105", "108"] {
            let attempts = [failure(1, "card", code, "2026-11-22T10:00:00Z")];
            assert_eq!(next(&attempts, "card"), Next::WhenCardChanges, "{code}");
            assert_eq!(next(&attempts, "another card"), Next::Now, "{code}");
        }
    }

    #[test]
    fn some_are_tried_again_only_once() {
        let mut attempts = vec![failure(1, "card", "199", "2026-11-22T10:00:00Z")];
        assert_eq!(next(&attempts, "card"), on("2026-11-23"));
        attempts.push(failure(2, "card", "199", "2026-11-23T10:00:00Z"));
        assert_eq!(next(&attempts, "card"), Next::WhenCardChanges);
    }

    #[test]
    fn what_is_our_own_fault_is_tried_again_every_day() {
        let ours = |number, closed_at| PastAttempt {
            refusal: Some(Refusal::Http { status: 403, code: None, message: String::new() }),
            ..failure(number, "card", "", closed_at)
        };
        let mut attempts: Vec<_> = (1..9).map(|number| ours(number, "2026-11-22T10:00:00Z")).collect();
        assert_eq!(next(&attempts, "card"), on("2026-11-23"));
        attempts.push(failure(9, "card", "107", "2026-11-24T10:00:00Z"));
        assert_eq!(next(&attempts, "card"), on("2026-11-25"), "the first that is the card's");
    }

    #[test]
    fn other_periods_and_what_was_never_sent_do_not_count() {
        let mut earlier = failure(1, "card", "105", "2026-10-22T10:00:00Z");
        earlier.period = at("2026-10-25T00:00:00Z");
        let mut unsent = failure(1, "card", "105", "2026-11-22T10:00:00Z");
        unsent.state = AttemptState::NotSent;
        assert_eq!(next(&[earlier, unsent], "card"), Next::Now);
    }
}

//! When a mail that was refused for now is tried again, and when that ends.

use jiff::{SignedDuration, Timestamp};

use crate::ports::Fate;

/// A notice that is refused for now is parked once it was decided so long ago. RFC 5321, section 4.5.4.1, wants at
/// least four or five days; notices of which time makes something untrue are withdrawn before.
pub const GIVE_UP_AFTER: SignedDuration = SignedDuration::from_hours(14 * 24);
/// But not before so many tries: after an outage of weeks the first must not be the last.
pub const LEAST_TRIES: u32 = 5;
/// A mail of which nobody knows whether it arrived is sent no more often than this: each try may be one more copy
/// in somebody's mailbox.
pub const MOST_IN_DOUBT: u32 = 10;

const STEPS: [SignedDuration; 5] = [
    SignedDuration::from_mins(5),
    SignedDuration::from_mins(15),
    SignedDuration::from_hours(1),
    SignedDuration::from_hours(4),
    SignedDuration::from_hours(8),
];

/// How long to wait after a try, when there were `attempts` before it.
#[must_use]
pub fn backoff(attempts: u32) -> SignedDuration {
    let [.., last] = STEPS;
    usize::try_from(attempts).ok().and_then(|attempts| STEPS.get(attempts)).copied().unwrap_or(last)
}

/// What becomes of a notice that could not be sent for now, when there were `attempts` before this one.
#[must_use]
pub fn again(decided_at: Timestamp, attempts: u32, why: String, now: Timestamp) -> Fate {
    let tries = attempts.saturating_add(1);
    if now.duration_since(decided_at) > GIVE_UP_AFTER && tries >= LEAST_TRIES {
        let days = GIVE_UP_AFTER.as_hours() / 24;
        return Fate::Parked { why: format!("given up after {days} days: {why}") };
    }
    Fate::TryAgain { not_before: now.checked_add(backoff(attempts)).unwrap_or(Timestamp::MAX), why }
}

/// The same for one that was on its way when the connection was lost: it may have arrived.
#[must_use]
pub fn again_in_doubt(decided_at: Timestamp, attempts: u32, why: String, now: Timestamp) -> Fate {
    let tries = attempts.saturating_add(1);
    if tries >= MOST_IN_DOUBT {
        return Fate::Parked { why: format!("it may have arrived; given up after {tries} tries: {why}") };
    }
    again(decided_at, attempts, why, now)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_grow_to_eight_hours() {
        let minutes: Vec<i64> = [0, 1, 2, 3, 4, 5, u32::MAX].map(|n| backoff(n).as_mins()).into();
        assert_eq!(minutes, [5, 15, 60, 240, 480, 480, 480]);
    }

    #[test]
    fn after_a_fortnight_it_is_given_up_with_the_last_reason() {
        let decided: Timestamp = "2026-11-01T10:00:00Z".parse().unwrap();
        let at = |text: &str| again(decided, 4, "452 full".to_owned(), text.parse().unwrap());
        assert_eq!(
            at("2026-11-15T10:00:00Z"),
            Fate::TryAgain { not_before: "2026-11-15T18:00:00Z".parse().unwrap(), why: "452 full".to_owned() }
        );
        assert_eq!(at("2026-11-15T10:00:01Z"), Fate::Parked { why: "given up after 14 days: 452 full".to_owned() });
    }

    #[test]
    fn however_old_it_is_it_gets_five_tries() {
        let (decided, now) = ("2026-11-01T10:00:00Z".parse().unwrap(), "2026-12-24T10:00:00Z".parse().unwrap());
        for (attempts, parked) in [(0, false), (3, false), (4, true), (u32::MAX, true)] {
            let fate = again(decided, attempts, "452 full".to_owned(), now);
            assert_eq!(matches!(fate, Fate::Parked { .. }), parked, "{attempts}: {fate:?}");
        }
    }

    #[test]
    fn what_may_have_arrived_is_not_sent_for_ever() {
        let now = Timestamp::UNIX_EPOCH;
        let fate = |attempts| again_in_doubt(now, attempts, "hung up".to_owned(), now);
        assert!(matches!(fate(8), Fate::TryAgain { .. }));
        let why = "it may have arrived; given up after 10 tries: hung up".to_owned();
        assert_eq!(fate(9), Fate::Parked { why });
        assert!(matches!(again(now, 9, "421 no".to_owned(), now), Fate::TryAgain { .. }));
    }
}

//! When a mail that was refused for now is tried again, and when that ends.

use jiff::{SignedDuration, Timestamp};

use crate::ports::Fate;

/// A notice that is refused for now is parked once it was decided so long ago. RFC 5321, section 4.5.4.1, wants at
/// least four or five days; notices of which time makes something untrue are withdrawn before.
pub const GIVE_UP_AFTER: SignedDuration = SignedDuration::from_hours(14 * 24);

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

/// What becomes of a notice that could not be sent for now.
#[must_use]
pub fn again(decided_at: Timestamp, attempts: u32, why: String, now: Timestamp) -> Fate {
    if now.duration_since(decided_at) > GIVE_UP_AFTER {
        let days = GIVE_UP_AFTER.as_hours() / 24;
        return Fate::Parked { why: format!("given up after {days} days: {why}") };
    }
    Fate::TryAgain { not_before: now.checked_add(backoff(attempts)).unwrap_or(Timestamp::MAX), why }
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
        let at = |text: &str| again(decided, 1, "452 full".to_owned(), text.parse().unwrap());
        assert_eq!(
            at("2026-11-15T10:00:00Z"),
            Fate::TryAgain { not_before: "2026-11-15T10:15:00Z".parse().unwrap(), why: "452 full".to_owned() }
        );
        assert_eq!(at("2026-11-15T10:00:01Z"), Fate::Parked { why: "given up after 14 days: 452 full".to_owned() });
    }
}

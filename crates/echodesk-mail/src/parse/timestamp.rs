//! When a message was sent.

use std::time::Duration;

use jiff::Timestamp;

use super::library;

/// A Date further ahead than this is a wrong clock.
const AHEAD: Duration = Duration::from_secs(24 * 60 * 60);

/// The Date header where it can be believed, else when the server received the message, else `now`.
pub(super) fn sent_at(date: Option<&str>, received: Option<Timestamp>, now: Timestamp) -> Timestamp {
    let believable =
        |at: &Timestamp| *at >= Timestamp::UNIX_EPOCH && now.checked_add(AHEAD).is_ok_and(|latest| *at <= latest);
    // Some programs write ISO 8601, which no reader of mail expects and everybody can read.
    let read = |field: &str| library::date(field).or_else(|| field.trim().parse().ok());
    date.and_then(read).filter(believable).or(received).unwrap_or(now)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn wrong_dates_give_way_to_the_server() {
        let now: Timestamp = "2026-11-22T10:00:00Z".parse().unwrap();
        let received: Timestamp = "2026-11-20T08:00:00Z".parse().unwrap();
        let cases = [
            (Some("Thu, 19 Nov 2026 12:00:00 +0400"), "2026-11-19T08:00:00Z"),
            (Some("2026-11-19T12:00:00+04:00"), "2026-11-19T08:00:00Z"),
            (Some("Mon, 23 Nov 2026 10:00:00 +0000"), "2026-11-23T10:00:00Z"),
            (Some("Mon, 23 Nov 2026 10:00:01 +0000"), "2026-11-20T08:00:00Z"),
            (Some("Wed, 31 Dec 1969 23:59:59 +0000"), "2026-11-20T08:00:00Z"),
            (Some("Thu, 01 Jan 1970 00:00:00 +0000"), "1970-01-01T00:00:00Z"),
            (Some("Sat, 31 Feb 2026 10:00:00 +0000"), "2026-11-20T08:00:00Z"),
            (Some("tomorrow"), "2026-11-20T08:00:00Z"),
            (Some(""), "2026-11-20T08:00:00Z"),
            (None, "2026-11-20T08:00:00Z"),
        ];
        for (date, expected) in cases {
            assert_eq!(sent_at(date, Some(received), now).to_string(), expected, "{date:?}");
        }
        assert_eq!(sent_at(Some("tomorrow"), None, now), now);
    }
}

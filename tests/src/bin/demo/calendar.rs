//! The days of the play, counted from the day of expiry.

use echodesk_core::{Clock as _, SystemClock};
use jiff::civil::Date;
use jiff::tz::TimeZone;
use jiff::{Timestamp, ToSpan as _};

/// When subscriptions expire on their day: after the jobs of the night, as for most customers.
const EXPIRES_AT: (i8, i8) = (12, 0);

/// The days of the play, in UTC.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Calendar {
    /// The day of expiry.
    expiry: Date,
}

impl Calendar {
    /// One whose given day was yesterday: whatever a job writes is past, and what comes next is still to come.
    pub(crate) fn ending_yesterday(last: i32) -> Self {
        let today = TimeZone::UTC.to_datetime(SystemClock::new().now()).date();
        Self { expiry: today.saturating_sub((last + 1).days()) }
    }

    /// The calendar day.
    pub(crate) fn date(&self, day: i32) -> Date {
        self.expiry.saturating_add(day.days())
    }

    /// A time of a day.
    pub(crate) fn at(&self, day: i32, (hour, minute): (i8, i8)) -> Timestamp {
        let time = self.date(day).at(hour, minute, 0, 0);
        TimeZone::UTC.to_timestamp(time).unwrap_or_default()
    }

    /// When the subscriptions expire.
    pub(crate) fn expires_at(&self) -> Timestamp {
        self.at(0, EXPIRES_AT)
    }

    /// When one that was extended by `days` expires.
    pub(crate) fn extended_by(&self, days: i32) -> Timestamp {
        self.at(days, EXPIRES_AT)
    }
}

/// A day as people write it: `23 Nov`.
pub(crate) fn short(date: Date) -> String {
    date.strftime("%-d %b").to_string()
}

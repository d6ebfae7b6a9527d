//! Reading the values of flags: numbers, sizes and durations, with messages that say what is
//! expected.

use std::num::NonZeroU64;
use std::time::Duration;

use jiff::civil::Date;
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};

/// Why the value of a flag cannot be used. clap names the flag and shows the value.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ValueError {
    /// Not a whole number, or a negative one.
    #[error("expected a whole number, for example {example}")]
    Number {
        /// A value that would do.
        example: &'static str,
    },
    /// Zero, where nothing would ever be done.
    #[error("must be at least {least}")]
    Zero {
        /// The smallest value that would do.
        least: &'static str,
    },
    /// More than the machine can count.
    #[error("is too large")]
    TooLarge,
    /// A size whose unit is none of ours.
    #[error("expected a size such as 500KB, 25MB or 1GB (1KB = 1024 bytes)")]
    Size,
    /// A duration without a unit, or with one we do not know.
    #[error("expected a duration such as 90s, 4m or 1h30m")]
    Duration,
    /// Neither a moment with its offset from UTC nor a day.
    #[error("expected a time such as 2026-12-01T10:00:00Z, or a day such as 2026-12-01 (in UTC)")]
    Moment,
}

/// A whole number of at least 1, as any of the standard library's non-zero types.
///
/// # Errors
/// Not a number, zero, or too large for the type.
pub fn positive<T: TryFrom<NonZeroU64>>(text: &str) -> Result<T, ValueError> {
    let number = whole_number(text)?.ok_or(ValueError::TooLarge)?;
    let number = NonZeroU64::new(number).ok_or(ValueError::Zero { least: "1" })?;
    T::try_from(number).map_err(|_| ValueError::TooLarge)
}

/// A size in bytes: a whole number with the unit B, KB, MB or GB (also K, KiB, …; case does not
/// matter). A unit is 1024 of the one before, as mail servers count; no unit means bytes.
///
/// # Errors
/// Not a size, zero, or over 2⁶⁴ bytes.
pub fn size(text: &str) -> Result<u64, ValueError> {
    let text = text.trim();
    let digits = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
    let (number, unit) = text.split_at(digits);
    let shift = match unit.trim_start().to_ascii_lowercase().as_str() {
        "" | "b" => 0,
        "k" | "kb" | "kib" => 10,
        "m" | "mb" | "mib" => 20,
        "g" | "gb" | "gib" => 30,
        _ => return Err(ValueError::Size),
    };
    let number = whole_number(number).map_err(|_| ValueError::Size)?.ok_or(ValueError::TooLarge)?;
    if number == 0 {
        return Err(ValueError::Zero { least: "1 byte" });
    }
    number.checked_mul(1 << shift).ok_or(ValueError::TooLarge)
}

/// A length of time: `90s`, `4m`, `1h30m`. A number alone is refused, because nothing says whether
/// seconds or minutes are meant.
///
/// # Errors
/// Not a duration, or less than a second.
pub fn duration(text: &str) -> Result<Duration, ValueError> {
    let parsed: SignedDuration = text.trim().parse().map_err(|_| ValueError::Duration)?;
    let parsed = Duration::try_from(parsed).map_err(|_| ValueError::Duration)?;
    if parsed < Duration::from_secs(1) {
        return Err(ValueError::Zero { least: "1s" });
    }
    Ok(parsed)
}

/// A moment: RFC 3339 (`2026-12-01T10:00:00+04:00`), or a day (`2026-12-01`), which means its first
/// moment in UTC. A time without an offset is refused, because nothing says where it is that late.
///
/// # Errors
/// Neither of the two.
pub fn moment(text: &str) -> Result<Timestamp, ValueError> {
    let text = text.trim();
    if let Ok(moment) = text.parse() {
        return Ok(moment);
    }
    // A civil date is also what jiff reads from the beginning of a date with a time.
    let day: Date =
        Some(text).filter(|text| text.len() == 10).and_then(|text| text.parse().ok()).ok_or(ValueError::Moment)?;
    day.to_zoned(TimeZone::UTC).map(|begin| begin.timestamp()).map_err(|_| ValueError::Moment)
}

/// The number, `None` if it is one but has too many digits.
fn whole_number(text: &str) -> Result<Option<u64>, ValueError> {
    let text = text.trim();
    if text.is_empty() || !text.bytes().all(|byte| byte.is_ascii_digit()) {
        return Err(ValueError::Number { example: "20" });
    }
    Ok(text.parse().ok())
}

#[cfg(test)]
mod tests {
    use std::num::{NonZeroU32, NonZeroUsize};

    use proptest::prelude::*;

    use super::*;

    #[test]
    fn numbers_are_whole_and_at_least_one() {
        assert_eq!(positive::<NonZeroU32>("500"), Ok(NonZeroU32::new(500).unwrap()));
        assert_eq!(positive::<NonZeroUsize>(" 7 "), Ok(NonZeroUsize::new(7).unwrap()));
        assert_eq!(positive::<NonZeroU32>("0"), Err(ValueError::Zero { least: "1" }));
        for text in ["", "-1", "1.5", "ten", "+3"] {
            assert_eq!(positive::<NonZeroU32>(text), Err(ValueError::Number { example: "20" }), "{text:?}");
        }
        assert_eq!(positive::<NonZeroU32>("4294967296"), Err(ValueError::TooLarge));
        assert_eq!(positive::<NonZeroU32>("99999999999999999999999"), Err(ValueError::TooLarge));
    }

    #[test]
    fn sizes_take_the_units_people_write() {
        let table = [
            ("25MB", 25 << 20),
            ("25mb", 25 << 20),
            ("25 MiB", 25 << 20),
            ("25M", 25 << 20),
            ("1GB", 1 << 30),
            ("64k", 64 << 10),
            ("1000", 1000),
            ("1000B", 1000),
        ];
        for (text, bytes) in table {
            assert_eq!(size(text), Ok(bytes), "{text:?}");
        }
    }

    #[test]
    fn sizes_that_mean_nothing_are_refused() {
        for text in ["", "MB", "25 parsecs", "-1MB", "1.5MB", "2T"] {
            assert_eq!(size(text), Err(ValueError::Size), "{text:?}");
        }
        assert_eq!(size("0MB"), Err(ValueError::Zero { least: "1 byte" }));
        assert_eq!(size("18446744073709551615GB"), Err(ValueError::TooLarge));
    }

    #[test]
    fn durations_need_a_unit_and_a_second() {
        let table = [("90s", 90), ("4m", 240), ("1h30m", 5400), ("2 minutes", 120), ("1m 30s", 90)];
        for (text, seconds) in table {
            assert_eq!(duration(text), Ok(Duration::from_secs(seconds)), "{text:?}");
        }
        for text in ["", "240", "soon", "-4m", "4x"] {
            assert_eq!(duration(text), Err(ValueError::Duration), "{text:?}");
        }
        for text in ["0s", "999ms"] {
            assert_eq!(duration(text), Err(ValueError::Zero { least: "1s" }), "{text:?}");
        }
    }

    #[test]
    fn moments_are_days_or_say_where_it_is_that_late() {
        let table = [
            ("2026-12-01", "2026-12-01T00:00:00Z"),
            ("2026-12-01T10:00:00Z", "2026-12-01T10:00:00Z"),
            ("2026-12-01T10:00:00+04:00", "2026-12-01T06:00:00Z"),
        ];
        for (text, expected) in table {
            assert_eq!(moment(text), Ok(expected.parse().unwrap()), "{text:?}");
        }
        for text in ["", "tomorrow", "2026-12-01T10:00:00", "2026-12-01T10", "2026-13-01", "1764547200"] {
            assert_eq!(moment(text), Err(ValueError::Moment), "{text:?}");
        }
    }

    proptest! {
        #[test]
        fn no_text_makes_a_parser_panic(text in ".{0,40}") {
            let _ = positive::<NonZeroU32>(&text);
            let _ = size(&text);
            let _ = duration(&text);
            let _ = moment(&text);
        }

        #[test]
        fn a_size_in_bytes_is_itself(bytes in 1_u64..) {
            prop_assert_eq!(size(&bytes.to_string()), Ok(bytes));
        }
    }
}

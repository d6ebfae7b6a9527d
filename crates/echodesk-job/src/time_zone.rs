//! Whose calendar days count.

use echodesk_core::Environment;
use jiff::tz::TimeZone;

use crate::settings::SettingsError;

const NAME: &str = "ECHODESK_TIME_ZONE";

/// The time zone in which customers are billed: that of `ECHODESK_TIME_ZONE`, by its IANA name; else UTC.
///
/// # Errors
/// There is no zone of that name.
pub fn billing(environment: &Environment) -> Result<TimeZone, SettingsError> {
    let Some(name) = environment.get(NAME) else { return Ok(TimeZone::UTC) };
    let example = || format!("there is no time zone {name:?}; expected a name such as Asia/Tbilisi or UTC");
    TimeZone::get(name).map_err(|_| SettingsError::wrong(NAME, example()))
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;

    use super::*;
    use crate::error::one_line;

    fn zone(value: &str) -> Result<TimeZone, String> {
        billing(&[(NAME, value)].into_iter().collect()).map_err(|error| one_line(&error))
    }

    #[test]
    fn days_are_those_of_the_zone_that_is_named_or_else_of_utc() {
        let evening: Timestamp = "2026-11-22T21:00:00Z".parse().unwrap();
        let day = |zone: TimeZone| zone.to_datetime(evening).date().to_string();
        assert_eq!(day(billing(&Environment::default()).unwrap()), "2026-11-22");
        assert_eq!(day(zone("UTC").unwrap()), "2026-11-22");
        assert_eq!(day(zone("Asia/Tbilisi").unwrap()), "2026-11-23");
    }

    #[test]
    fn a_zone_that_there_is_not_is_refused_by_name() {
        for name in ["Asia/Tiflis2", "+04", "local", "../etc/passwd"] {
            let error = zone(name).unwrap_err();
            assert!(error.starts_with("ECHODESK_TIME_ZONE cannot be used: ") && error.contains(name), "{error}");
        }
    }
}

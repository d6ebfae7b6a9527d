//! Days as people write them, in the grammatical case that their place in a sentence needs.

use echodesk_core::Language;
use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::TimeZone;

const ENGLISH: [&str; 12] = [
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
];

/// Dative: on a day.
const GEORGIAN_ON: [&str; 12] = [
    "იანვარს",
    "თებერვალს",
    "მარტს",
    "აპრილს",
    "მაისს",
    "ივნისს",
    "ივლისს",
    "აგვისტოს",
    "სექტემბერს",
    "ოქტომბერს",
    "ნოემბერს",
    "დეკემბერს",
];

/// Terminative: until a day.
const GEORGIAN_UNTIL: [&str; 12] = [
    "იანვრამდე",
    "თებერვლამდე",
    "მარტამდე",
    "აპრილამდე",
    "მაისამდე",
    "ივნისამდე",
    "ივლისამდე",
    "აგვისტომდე",
    "სექტემბრამდე",
    "ოქტომბრამდე",
    "ნოემბრამდე",
    "დეკემბრამდე",
];

/// Genitive, which serves for both.
const RUSSIAN: [&str; 12] = [
    "января",
    "февраля",
    "марта",
    "апреля",
    "мая",
    "июня",
    "июля",
    "августа",
    "сентября",
    "октября",
    "ноября",
    "декабря",
];

/// The day of a moment, in UTC: that is how EchoDesk counts the days of a subscription.
pub(crate) fn of(moment: Timestamp) -> Date {
    TimeZone::UTC.to_datetime(moment).date()
}

/// `on 25 November 2026`.
pub(crate) fn on(date: Date, language: Language) -> String {
    let (day, year) = (date.day(), date.year());
    match language {
        Language::En => format!("on {day} {} {year}", month(&ENGLISH, date)),
        Language::Ka => format!("{year} წლის {day} {}", month(&GEORGIAN_ON, date)),
        Language::Ru => format!("{day} {} {year} года", month(&RUSSIAN, date)),
    }
}

/// `until 25 November 2026`.
pub(crate) fn until(date: Date, language: Language) -> String {
    let (day, year) = (date.day(), date.year());
    match language {
        Language::En => format!("until {day} {} {year}", month(&ENGLISH, date)),
        Language::Ka => format!("{year} წლის {day} {}", month(&GEORGIAN_UNTIL, date)),
        Language::Ru => format!("до {day} {} {year} года", month(&RUSSIAN, date)),
    }
}

/// Months are counted from 1, and jiff knows no others.
fn month(names: &[&'static str; 12], date: Date) -> &'static str {
    let index = usize::try_from(date.month() - 1).unwrap_or_default();
    names.get(index).copied().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_day_is_written_in_the_case_that_its_place_needs() {
        let date = "2026-02-05".parse().unwrap();
        let table = [
            (Language::En, "on 5 February 2026", "until 5 February 2026"),
            (Language::Ka, "2026 წლის 5 თებერვალს", "2026 წლის 5 თებერვლამდე"),
            (Language::Ru, "5 февраля 2026 года", "до 5 февраля 2026 года"),
        ];
        for (language, expected_on, expected_until) in table {
            assert_eq!((on(date, language).as_str(), until(date, language).as_str()), (expected_on, expected_until));
        }
    }

    #[test]
    fn every_month_has_a_name_of_its_own() {
        for language in [Language::En, Language::Ka, Language::Ru] {
            let months = (1..=12).map(|month| until(jiff::civil::date(2026, month, 1), language));
            assert_eq!(months.collect::<std::collections::BTreeSet<_>>().len(), 12, "{language:?}");
        }
    }

    #[test]
    fn the_day_of_a_moment_is_that_of_utc() {
        assert_eq!(of("2026-11-25T23:59:59Z".parse().unwrap()), "2026-11-25".parse().unwrap());
        assert_eq!(of("2026-11-26T00:00:00+04:00".parse().unwrap()), "2026-11-25".parse().unwrap());
    }
}

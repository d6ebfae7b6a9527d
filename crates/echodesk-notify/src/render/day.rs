//! Days as people write them, in the grammatical case that their place in a sentence needs.

use echodesk_core::Language;
use jiff::civil::Date;

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

/// Nominative: a day alone.
const GEORGIAN: [&str; 12] = [
    "იანვარი",
    "თებერვალი",
    "მარტი",
    "აპრილი",
    "მაისი",
    "ივნისი",
    "ივლისი",
    "აგვისტო",
    "სექტემბერი",
    "ოქტომბერი",
    "ნოემბერი",
    "დეკემბერი",
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

/// `25 November 2026`, as it stands in a table.
pub(super) fn alone(date: Date, language: Language) -> String {
    let (day, year) = (date.day(), date.year());
    match language {
        Language::En => format!("{day} {} {year}", month(&ENGLISH, date)),
        Language::Ka => format!("{year} წლის {day} {}", month(&GEORGIAN, date)),
        Language::Ru => format!("{day} {} {year} года", month(&RUSSIAN, date)),
    }
}

/// `on 25 November 2026`.
pub(super) fn on(date: Date, language: Language) -> String {
    let (day, year) = (date.day(), date.year());
    match language {
        Language::En => format!("on {day} {} {year}", month(&ENGLISH, date)),
        Language::Ka => format!("{year} წლის {day} {}", month(&GEORGIAN_ON, date)),
        Language::Ru => format!("{day} {} {year} года", month(&RUSSIAN, date)),
    }
}

/// `until 25 November 2026`.
pub(super) fn until(date: Date, language: Language) -> String {
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
            (Language::En, "5 February 2026", "on 5 February 2026", "until 5 February 2026"),
            (Language::Ka, "2026 წლის 5 თებერვალი", "2026 წლის 5 თებერვალს", "2026 წლის 5 თებერვლამდე"),
            (Language::Ru, "5 февраля 2026 года", "5 февраля 2026 года", "до 5 февраля 2026 года"),
        ];
        for (language, plain, with_on, with_until) in table {
            let written = [alone(date, language), on(date, language), until(date, language)];
            assert_eq!(written, [plain, with_on, with_until]);
        }
    }

    #[test]
    fn every_month_has_a_name_of_its_own() {
        for language in [Language::En, Language::Ka, Language::Ru] {
            for write in [alone, on, until] {
                let months = (1..=12).map(|month| write(jiff::civil::date(2026, month, 1), language));
                assert_eq!(months.collect::<std::collections::BTreeSet<_>>().len(), 12, "{language:?}");
            }
        }
    }
}

//! Amounts as people write them.

use echodesk_core::Language;

/// A space at which no line is broken.
const GAP: char = '\u{a0}';

/// `1234.50 GEL` as the language writes it; anything else as it is.
pub(super) fn words(amount: &str, language: Language) -> String {
    let Some((whole, fraction, currency)) = parts(amount) else { return amount.to_owned() };
    let (group, decimal, gap) = match language {
        Language::En => (',', '.', ' '),
        Language::Ka | Language::Ru => (GAP, ',', GAP),
    };
    let currency = if language == Language::Ka && currency == "GEL" { "₾" } else { currency };
    let whole = grouped(whole, group);
    let fraction = if fraction.is_empty() { String::new() } else { format!("{decimal}{fraction}") };
    format!("{whole}{fraction}{gap}{currency}")
}

fn parts(amount: &str) -> Option<(&str, &str, &str)> {
    let (number, currency) = amount.split_once(' ')?;
    let (whole, fraction) = number.split_once('.').unwrap_or((number, ""));
    let digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    let is_number = !whole.is_empty() && digits(whole) && digits(fraction) && number.len() <= 30;
    let is_currency = currency.len() == 3 && currency.bytes().all(|byte| byte.is_ascii_uppercase());
    (is_number && is_currency && !number.ends_with('.')).then_some((whole, fraction, currency))
}

/// Digits in groups of three, counted from the right.
fn grouped(digits: &str, separator: char) -> String {
    let mut grouped = String::new();
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && (digits.len() - place).is_multiple_of(3) {
            grouped.push(separator);
        }
        grouped.push(digit);
    }
    grouped
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_language_writes_amounts_its_own_way() {
        let table = [
            ("50.00 GEL", "50.00 GEL", "50,00\u{a0}₾", "50,00\u{a0}GEL"),
            ("1234.50 GEL", "1,234.50 GEL", "1\u{a0}234,50\u{a0}₾", "1\u{a0}234,50\u{a0}GEL"),
            ("1234567 USD", "1,234,567 USD", "1\u{a0}234\u{a0}567\u{a0}USD", "1\u{a0}234\u{a0}567\u{a0}USD"),
            ("123 EUR", "123 EUR", "123\u{a0}EUR", "123\u{a0}EUR"),
        ];
        for (amount, en, ka, ru) in table {
            let written = [Language::En, Language::Ka, Language::Ru].map(|language| words(amount, language));
            assert_eq!(written, [en, ka, ru], "{amount}");
        }
    }

    #[test]
    fn what_is_no_amount_is_left_as_it_is() {
        for amount in ["", "50", "50.00", "-5 GEL", "1,5 GEL", "5. GEL", ".5 GEL", "5 gel", "5 GEL ", "٥ GEL"] {
            assert_eq!(words(amount, Language::Ru), amount);
        }
    }
}

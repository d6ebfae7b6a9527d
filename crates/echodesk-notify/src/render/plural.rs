//! The form of a word that goes with a number.

/// The form that goes with `number`. How many forms are given says whose rule holds: one for languages without
/// a plural after numbers, such as Georgian; two as in English (`day`, `days`); three as in Russian (`день`,
/// `дня`, `дней`). None for any other number of forms.
pub(super) fn form(number: i64, forms: &[String]) -> Option<&str> {
    let number = number.unsigned_abs();
    let index = match forms.len() {
        1 => 0,
        2 => usize::from(number != 1),
        3 => match (number % 10, number % 100) {
            (_, 11..=14) => 2,
            (1, _) => 0,
            (2..=4, _) => 1,
            _ => 2,
        },
        _ => return None,
    };
    forms.get(index).map(String::as_str)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(number: i64, forms: &[&str]) -> Option<String> {
        let forms: Vec<String> = forms.iter().map(|form| (*form).to_owned()).collect();
        form(number, &forms).map(str::to_owned)
    }

    #[test]
    fn russian_looks_at_the_last_two_digits() {
        let table = [
            ("день", vec![1, 21, 31, 101, 121, 1001]),
            ("дня", vec![2, 3, 4, 22, 24, 102, 133, 1004]),
            ("дней", vec![0, 5, 6, 9, 10, 11, 12, 13, 14, 15, 19, 20, 25, 100, 111, 112, 114, 211, 1011]),
        ];
        for (expected, numbers) in table {
            for number in numbers {
                assert_eq!(of(number, &["день", "дня", "дней"]).as_deref(), Some(expected), "{number}");
            }
        }
    }

    #[test]
    fn english_has_two_forms_and_georgian_one() {
        for (number, expected) in [(0, "days"), (1, "day"), (2, "days"), (11, "days"), (21, "days"), (101, "days")] {
            assert_eq!(of(number, &["day", "days"]).as_deref(), Some(expected));
            assert_eq!(of(number, &["დღე"]).as_deref(), Some("დღე"));
        }
    }

    #[test]
    fn there_is_no_rule_for_other_numbers_of_forms() {
        assert_eq!((of(1, &[]), of(1, &["a", "b", "c", "d"])), (None, None));
    }

    proptest::proptest! {
        #[test]
        fn only_the_last_two_digits_count(number in 0_i64..1_000_000) {
            let forms = ["день", "дня", "дней"];
            proptest::prop_assert_eq!(of(number, &forms), of(number % 100, &forms));
        }
    }
}

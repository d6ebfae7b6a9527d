//! What an error body says, in one line that may be logged.

use echodesk_core::Secret;
use serde_json::{Map, Value};

/// The longest message, in characters.
const LONGEST: usize = 200;

/// How many characters a card number has.
const CARD_NUMBER: std::ops::RangeInclusive<usize> = 13..=19;

/// A body that is a JSON object, as the bank's are; a proxy's mostly are not.
pub(super) fn object(body: Option<&[u8]>) -> Option<Map<String, Value>> {
    serde_json::from_slice(body?).ok()
}

/// The first of the fields that may hold a message. `error_description` is none of them: it may repeat
/// what we sent. Without secrets, also if the bank repeats them here.
pub(super) fn message(body: &Map<String, Value>, secrets: &[&Secret]) -> String {
    let text = ["message", "error", "detail", "title"].into_iter().find_map(|name| match body.get(name)? {
        Value::String(text) if !text.trim().is_empty() => Some(text),
        _ => None,
    });
    text.map(|text| one_line(text, secrets)).unwrap_or_default()
}

/// A response code of the bank, if the body of an error holds one: three digits.
pub(super) fn response_code(body: &Map<String, Value>) -> Option<String> {
    let inner = body.get("payment_detail").and_then(|detail| detail.get("code"));
    [body.get("code"), inner].into_iter().flatten().find_map(|code| {
        let code = match code {
            Value::String(code) => code.trim().to_owned(),
            Value::Number(code) => code.to_string(),
            _ => return None,
        };
        (code.len() == 3 && code.bytes().all(|byte| byte.is_ascii_digit())).then_some(code)
    })
}

fn one_line(text: &str, secrets: &[&Secret]) -> String {
    let mut text = text.to_owned();
    for secret in secrets.iter().map(|secret| secret.expose()).filter(|secret| !secret.is_empty()) {
        text = text.replace(secret, "[secret]");
    }
    let mut is_credential = false;
    let words = text.split(|c: char| c.is_whitespace() || c.is_control()).filter(|word| !word.is_empty());
    let words: Vec<&str> = words
        .map(|word| {
            // What follows the name of a scheme, and how every signed token begins.
            let is_secret = is_credential || word.contains("eyJ");
            is_credential = ["basic", "bearer"].iter().any(|scheme| word.eq_ignore_ascii_case(scheme));
            if is_secret { "[secret]" } else { word }
        })
        .collect();
    without_card_numbers(&words.join(" ")).chars().take(LONGEST).collect()
}

/// Puts `[card]` for what looks like a card number, whole or masked, with or without separators.
fn without_card_numbers(text: &str) -> String {
    let characters: Vec<char> = text.chars().collect();
    let mut clean = String::with_capacity(text.len());
    let mut at = 0;
    while let Some(&character) = characters.get(at) {
        let (end, length) = number_at(&characters, at);
        if CARD_NUMBER.contains(&length) {
            clean.push_str("[card]");
            at = end;
        } else if length > 0 {
            clean.extend(&characters[at..end]);
            at = end;
        } else {
            clean.push(character);
            at += 1;
        }
    }
    clean
}

/// Where the number ends that begins at `start`, and how many characters it has without separators.
fn number_at(characters: &[char], start: usize) -> (usize, usize) {
    let is_masked_digit = |c: &char| c.is_ascii_digit() || matches!(c, '*' | 'x' | 'X' | '•');
    let (mut end, mut length, mut at) = (start, 0, start);
    if !characters.get(start).is_some_and(char::is_ascii_digit) {
        return (end, length);
    }
    while let Some(character) = characters.get(at) {
        if is_masked_digit(character) {
            (length, end) = (length + 1, at + 1);
        } else if !(matches!(character, ' ' | '-') && characters.get(at + 1).is_some_and(is_masked_digit)) {
            break;
        }
        at += 1;
    }
    (end, length)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    fn said(body: Value) -> String {
        message(body.as_object().unwrap(), &[&Secret::new("hunter2")])
    }

    #[test]
    fn the_first_field_with_words_is_taken() {
        assert_eq!(said(json!({"message": "No such\r\n\tcard", "error": "x"})), "No such card");
        assert_eq!(said(json!({"message": " ", "error": {"a": 1}, "detail": "d", "title": "t"})), "d");
        assert_eq!(said(json!({"error_description": "hunter2", "title": "Bad Request"})), "Bad Request");
        assert_eq!(said(json!({"error_description": "x"})), "");
        assert_eq!(said(json!({"message": "ბ".repeat(300)})).chars().count(), 200);
    }

    #[test]
    fn secrets_and_cards_are_taken_out() {
        for (text, clean) in [
            ("the key hunter2 is wrong", "the key [secret] is wrong"),
            ("token Bearer eyJhbGciOi.abc.def expired", "token Bearer [secret] expired"),
            ("sent Basic c2hvcA== here", "sent Basic [secret] here"),
            ("card 4000120000000001 declined", "card [card] declined"),
            ("card 4000-1200-0000-0001 declined", "card [card] declined"),
            ("card 4000 1200 0000 0001", "card [card]"),
            ("card 400012***0001, sorry", "card [card], sorry"),
            ("card 400012xxxxxx0001.", "card [card]."),
            ("order 1234567890 of 2026-11-22", "order 1234567890 of 2026-11-22"),
        ] {
            assert_eq!(said(json!({ "message": text })), clean);
        }
    }

    #[test]
    fn a_response_code_has_three_digits() {
        let code = |body: Value| response_code(body.as_object().unwrap());
        assert_eq!(code(json!({"code": "105"})).as_deref(), Some("105"));
        assert_eq!(code(json!({"code": 105})).as_deref(), Some("105"));
        assert_eq!(code(json!({"code": "BAD", "payment_detail": {"code": "107"}})).as_deref(), Some("107"));
        for body in [json!({}), json!({"code": null}), json!({"code": "1000"}), json!({"code": "x12"})] {
            assert_eq!(code(body), None);
        }
    }

    proptest! {
        #[test]
        fn whatever_is_said_becomes_a_short_line(text in "[0-9x* \\-\\PC\\n]{0,300}") {
            let line = said(json!({ "message": text }));
            prop_assert!(line.chars().count() <= LONGEST);
            prop_assert!(!line.contains('\n'));
        }
    }
}

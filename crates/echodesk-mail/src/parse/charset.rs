//! Bytes into text.

use std::borrow::Cow;

use super::{georgian, library};

/// Text, and whether its character set had to be guessed.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Text {
    /// The text.
    pub(super) text: String,
    /// The label that said nothing, if bytes beyond ASCII had to be read in spite of it.
    pub(super) unknown: Option<String>,
}

/// Reads `bytes` in the character set `label`. An unlabelled text is UTF-8 if it can be, else
/// windows-1252, which has a character for every byte; so is one whose label nobody knows.
pub(super) fn decode(label: Option<&str>, bytes: Cow<'_, [u8]>) -> Text {
    let label = label.map(clean_label).unwrap_or_default();
    if is_unlabelled(&label) {
        return Text { text: guess(bytes), unknown: None };
    }
    let text = match label.as_str() {
        "utf-8" | "utf8" => Some(utf8(bytes.clone())),
        "georgian-ps" => Some(georgian::ps(&bytes)),
        "georgian-academy" => Some(georgian::academy(&bytes)),
        _ => library::charset(&label, &bytes),
    };
    match text {
        Some(text) => Text { text: without_byte_order_mark(text), unknown: None },
        None => {
            let unknown = (!bytes.is_ascii()).then_some(label);
            Text { text: guess(bytes), unknown }
        }
    }
}

/// Reads the raw bytes of a header field: UTF-8 (RFC 6532) if they are, else in the character set of
/// the body, which is what such senders use for both, else windows-1252.
pub(super) fn decode_header(bytes: &[u8], body_charset: Option<&str>) -> String {
    if let Ok(text) = std::str::from_utf8(bytes) {
        return text.to_owned();
    }
    let label = body_charset.filter(|label| !matches!(clean_label(label).as_str(), "utf-8" | "utf8"));
    decode(label, Cow::Borrowed(bytes)).text
}

fn guess(bytes: Cow<'_, [u8]>) -> String {
    match String::from_utf8(bytes.into_owned()) {
        Ok(text) => without_byte_order_mark(text),
        Err(error) => {
            let bytes = error.into_bytes();
            library::charset("windows-1252", &bytes).unwrap_or_else(|| String::from_utf8_lossy(&bytes).into_owned())
        }
    }
}

fn utf8(bytes: Cow<'_, [u8]>) -> String {
    String::from_utf8(bytes.into_owned()).unwrap_or_else(|error| String::from_utf8_lossy(error.as_bytes()).into_owned())
}

fn without_byte_order_mark(mut text: String) -> String {
    if text.starts_with('\u{feff}') {
        text.remove(0);
    }
    text
}

/// Lower case, without quotes and without the language that RFC 2231 §5 allows after `*`.
fn clean_label(label: &str) -> String {
    let label = label.split('*').next().unwrap_or_default();
    label.trim_matches(|c: char| c.is_ascii_whitespace() || c == '"' || c == '\'').to_ascii_lowercase()
}

/// Labels that say no more than none would: bytes beyond ASCII contradict them.
fn is_unlabelled(label: &str) -> bool {
    matches!(
        label,
        "" | "us-ascii" | "ascii" | "ansi_x3.4-1968" | "7bit" | "8bit" | "unknown-8bit" | "unknown" | "none"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(label: Option<&str>, bytes: &[u8]) -> (String, Option<String>) {
        let text = decode(label, Cow::Borrowed(bytes));
        (text.text, text.unknown)
    }

    #[test]
    fn labels_are_followed_and_their_absence_is_guessed() {
        let georgian = "გამარჯობა";
        assert_eq!(read(Some("UTF-8"), georgian.as_bytes()), (georgian.to_owned(), None));
        assert_eq!(read(None, georgian.as_bytes()), (georgian.to_owned(), None));
        assert_eq!(read(Some("us-ascii"), b"caf\xe9"), ("café".to_owned(), None));
        assert_eq!(read(Some("\"windows-1251\""), b"\xcf\xf0\xe8\xe2\xe5\xf2"), ("Привет".to_owned(), None));
        assert_eq!(read(Some("iso-2022-jp"), b"\x1b$B%F%9%H\x1b(B"), ("テスト".to_owned(), None));
        assert_eq!(read(Some("georgian-academy"), b"\xc0\xc1\xc2"), ("აბგ".to_owned(), None));
        assert_eq!(read(Some("utf-8"), b"\xef\xbb\xbfa\xff"), ("a\u{fffd}".to_owned(), None));
    }

    #[test]
    fn an_unknown_label_matters_only_beyond_ascii() {
        assert_eq!(read(Some("x-acme"), b"plain"), ("plain".to_owned(), None));
        assert_eq!(read(Some("x-acme"), b"caf\xe9"), ("café".to_owned(), Some("x-acme".to_owned())));
    }

    #[test]
    fn raw_headers_follow_the_body() {
        assert_eq!(decode_header("ა".as_bytes(), Some("koi8-r")), "ა");
        assert_eq!(decode_header(b"\xf0\xd2\xc9", Some("koi8-r")), "При");
        assert_eq!(decode_header(b"caf\xe9", Some("utf-8")), "café");
    }
}

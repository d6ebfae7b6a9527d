//! Content-Type and Content-Disposition with their parameters (RFC 2045 §5.1, RFC 2183, RFC 2231).

use std::borrow::Cow;
use std::collections::BTreeMap;

use super::{bounds, charset, encoded_word};

/// The value of such a field.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Parameterised {
    /// What stands before the first semicolon, in lower case.
    pub(super) value: String,
    /// The parameters, their names in lower case.
    parameters: BTreeMap<String, String>,
}

impl Parameterised {
    /// Reads a field as generously as possible.
    pub(super) fn parse(field: &[u8]) -> Self {
        let field = charset::decode_header(field, None);
        let mut segments = split_outside_quotes(&field);
        let value = segments.next().unwrap_or_default();
        let value = value.split(['(', ' ', '\t']).find(|token| !token.is_empty()).unwrap_or_default();

        let mut plain = BTreeMap::new();
        let mut extended: BTreeMap<String, BTreeMap<u32, Section>> = BTreeMap::new();
        for segment in segments.take(bounds::PARAMETERS) {
            let Some((name, value)) = segment.split_once('=') else { continue };
            let (name, value) = (name.trim().to_ascii_lowercase(), unquote(value.trim()));
            match extended_name(&name) {
                // The first of two wins, as for header fields.
                None => drop(plain.entry(name).or_insert(value)),
                Some((base, index, encoded)) => {
                    let sections = extended.entry(base.to_owned()).or_default();
                    sections.entry(index).or_insert(Section { value, encoded });
                }
            }
        }
        let mut parameters: BTreeMap<String, String> =
            plain.into_iter().map(|(name, value)| (name, encoded_word::decode(&value))).collect();
        // The extended form says more than the plain one that stands beside it for old readers.
        parameters.extend(extended.into_iter().map(|(name, sections)| (name, join(sections))));
        Self { value: value.to_ascii_lowercase(), parameters }
    }

    /// A parameter that is there and not empty.
    pub(super) fn get(&self, name: &str) -> Option<&str> {
        self.parameters.get(name).map(String::as_str).filter(|value| !value.is_empty())
    }
}

/// One section of an extended parameter.
struct Section {
    value: String,
    /// Whether it is percent-encoded.
    encoded: bool,
}

/// Takes `filename*1*` apart: base name, section, whether it is percent-encoded.
fn extended_name(name: &str) -> Option<(&str, u32, bool)> {
    let (base, rest) = name.split_once('*')?;
    let (number, encoded) = match rest.strip_suffix('*') {
        Some(number) => (number, true),
        None => (rest, rest.is_empty()),
    };
    let index = if number.is_empty() { 0 } else { number.parse().ok()? };
    Some((base, index, encoded))
}

/// Joins the sections before decoding: a character may be cut between two of them.
fn join(sections: BTreeMap<u32, Section>) -> String {
    let mut label = None;
    let mut bytes = Vec::new();
    for (position, section) in sections.into_values().enumerate() {
        let mut value = section.value.as_str();
        if position == 0
            && section.encoded
            && let Some((charset, rest)) = value.split_once('\'')
        {
            label = Some(charset.to_owned());
            value = rest.split_once('\'').map_or(rest, |(_language, text)| text);
        }
        if section.encoded {
            percent_decode(value, &mut bytes);
        } else {
            bytes.extend_from_slice(value.as_bytes());
        }
    }
    charset::decode(label.as_deref(), Cow::Owned(bytes)).text
}

fn percent_decode(text: &str, bytes: &mut Vec<u8>) {
    let text = text.as_bytes();
    let mut at = 0;
    while let Some(&byte) = text.get(at) {
        let digit = |index: usize| text.get(at + index).and_then(|byte| char::from(*byte).to_digit(16));
        if let (b'%', Some(high), Some(low)) = (byte, digit(1), digit(2)) {
            bytes.push(u8::try_from(high * 16 + low).unwrap_or_default());
            at += 3;
        } else {
            bytes.push(byte);
            at += 1;
        }
    }
}

/// Cuts at semicolons that are not inside a quoted string.
fn split_outside_quotes(field: &str) -> impl Iterator<Item = &str> {
    let mut rest = Some(field);
    std::iter::from_fn(move || {
        let text = rest?;
        let (mut quoted, mut escaped) = (false, false);
        for (at, byte) in text.bytes().enumerate() {
            match byte {
                _ if escaped => escaped = false,
                b'\\' if quoted => escaped = true,
                b'"' => quoted = !quoted,
                b';' if !quoted => {
                    rest = Some(&text[at + 1..]);
                    return Some(&text[..at]);
                }
                _ => {}
            }
        }
        rest = None;
        Some(text)
    })
}

/// Takes the quotes off. Only `\"` and `\\` are escapes: other backslashes belong to paths that some
/// senders write into file names.
fn unquote(value: &str) -> String {
    match value.strip_prefix('"') {
        Some(inner) => {
            let inner = inner.strip_suffix('"').unwrap_or(inner);
            inner.replace("\\\\", "\u{1}").replace("\\\"", "\"").replace('\u{1}', "\\")
        }
        None => value.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn filename(field: &str) -> Option<String> {
        Parameterised::parse(field.as_bytes()).get("filename").map(str::to_owned)
    }

    #[test]
    fn values_and_parameters_are_read_generously() {
        let field = Parameterised::parse(b" Text/PLAIN (really) ; Charset = \"utf-8\"; format=flowed;; x");
        assert_eq!(field.value, "text/plain");
        assert_eq!((field.get("charset"), field.get("format"), field.get("x")), (Some("utf-8"), Some("flowed"), None));
        assert_eq!(Parameterised::parse(b"").value, "");
    }

    #[test]
    fn file_names_of_every_writing() {
        let cases = [
            ("attachment; filename=a.pdf", "a.pdf"),
            ("attachment; filename=two words.pdf", "two words.pdf"),
            (r#"attachment; filename="semi;colon \"q\".pdf""#, "semi;colon \"q\".pdf"),
            (r#"attachment; filename="C:\temp\a.pdf""#, r"C:\temp\a.pdf"),
            ("attachment; filename=\"=?utf-8?B?4YOQLnBkZg==?=\"", "ა.pdf"),
            ("attachment; filename=old.pdf; filename*=UTF-8'ka'%E1%83%90.pdf", "ა.pdf"),
            ("attachment; filename*=koi8-r''%F0%D2%C9.txt", "При.txt"),
            // Sections out of order, the second one plain, a character cut between the first two.
            ("a; filename*1*=%90; filename*2=\"b.txt\"; filename*0*=utf-8''%E1%83", "აb.txt"),
            ("a; filename*1*=%D2%C9; filename*0*=koi8-r''%F0", "При"),
            ("a; filename*=%41%zz", "A%zz"),
        ];
        for (field, expected) in cases {
            assert_eq!(filename(field).as_deref(), Some(expected), "{field}");
        }
        assert_eq!(filename("a; filename="), None);
    }
}

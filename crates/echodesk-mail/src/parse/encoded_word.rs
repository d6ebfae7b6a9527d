//! Encoded words (RFC 2047), read as generously as senders write them.

use std::borrow::Cow;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::{charset, transfer};

/// A charset label longer than this is none.
const LABEL: usize = 64;

/// A stretch of a header field.
#[derive(Debug, PartialEq, Eq)]
enum Piece<'a> {
    Plain(&'a str),
    Word { charset: &'a str, bytes: Vec<u8> },
}

/// Decodes an unstructured field. Adjacent words are joined before they are decoded, since many
/// senders cut in the middle of a character.
pub(super) fn decode(field: &str) -> String {
    if !field.contains("=?") {
        return field.to_owned();
    }
    let mut decoded = String::with_capacity(field.len());
    for piece in pieces(field) {
        match piece {
            Piece::Plain(text) => decoded.push_str(text),
            Piece::Word { charset, bytes } => decoded.push_str(&read(charset, bytes)),
        }
    }
    decoded
}

/// Rewrites every run of words as one word in UTF-8 and base64, for a parser of structured fields:
/// what they stand for (a comma, a quote) must not become syntax.
pub(super) fn normalise(field: &str) -> Cow<'_, str> {
    if !field.contains("=?") {
        return Cow::Borrowed(field);
    }
    let mut normal = String::with_capacity(field.len());
    for piece in pieces(field) {
        match piece {
            Piece::Plain(text) => normal.push_str(text),
            Piece::Word { charset, bytes } => {
                let word = STANDARD.encode(read(charset, bytes));
                // A word must stand alone between white space to be recognised.
                if !normal.is_empty() && !normal.ends_with([' ', '\t', '"', '(']) {
                    normal.push(' ');
                }
                normal.push_str("=?utf-8?B?");
                normal.push_str(&word);
                normal.push_str("?=");
            }
        }
        if normal.ends_with("?=") {
            normal.push(' ');
        }
    }
    Cow::Owned(normal)
}

fn read(charset: &str, bytes: Vec<u8>) -> String {
    charset::decode(Some(charset), Cow::Owned(bytes)).text
}

fn pieces(field: &str) -> Vec<Piece<'_>> {
    let mut pieces: Vec<Piece<'_>> = Vec::new();
    let Some(last_end) = field.rfind("?=") else { return vec![Piece::Plain(field)] };
    // Where the text that belongs to no piece yet begins, and where to look for the next word.
    let (mut taken, mut from) = (0, 0);
    while let Some(start) = field[from..].find("=?").map(|at| from + at).filter(|start| *start < last_end) {
        let Some(word) = Word::at(&field[start..]) else {
            from = start + 2;
            continue;
        };
        let between = &field[taken..start];
        taken = start + word.length;
        from = taken;
        let follows_word = matches!(pieces.last(), Some(Piece::Word { .. }));
        if !(between.is_empty() || follows_word && between.trim().is_empty()) {
            pieces.push(Piece::Plain(between));
        }
        match pieces.last_mut() {
            Some(Piece::Word { charset, bytes }) if charset.eq_ignore_ascii_case(word.charset) => {
                bytes.extend(word.bytes);
            }
            _ => pieces.push(Piece::Word { charset: word.charset, bytes: word.bytes }),
        }
    }
    if taken < field.len() {
        pieces.push(Piece::Plain(&field[taken..]));
    }
    pieces
}

/// One encoded word.
struct Word<'a> {
    charset: &'a str,
    bytes: Vec<u8>,
    /// How much of the text it takes.
    length: usize,
}

impl<'a> Word<'a> {
    /// Reads `=?charset?encoding?text?=` at the start of `text`.
    fn at(text: &'a str) -> Option<Self> {
        let after = text.strip_prefix("=?")?;
        let charset_end = after.bytes().take(LABEL + 1).position(|byte| byte == b'?')?;
        let charset = &after[..charset_end];
        if charset.is_empty() || !charset.bytes().all(|byte| byte.is_ascii_graphic()) {
            return None;
        }
        let encoding = after.as_bytes().get(charset_end + 1)?;
        if after.as_bytes().get(charset_end + 2) != Some(&b'?') {
            return None;
        }
        let decode: fn(&[u8]) -> Vec<u8> = match encoding {
            b'q' | b'Q' => transfer::decode_q,
            b'b' | b'B' => |text| transfer::decode_base64(text).0,
            _ => return None,
        };
        let encoded = after.get(charset_end + 3..)?;
        let end = encoded.find("?=")?;
        let bytes = decode(&encoded.as_bytes()[..end]);
        Some(Self { charset, bytes, length: 2 + charset_end + 3 + end + 2 })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_decoded_and_what_is_none_stays() {
        let cases = [
            ("plain", "plain"),
            ("=?utf-8?Q?=E1=83=90_b?=", "ა b"),
            ("=?UTF-8*ka?b?4YOQ?= rest", "ა rest"),
            ("=?koi8-r?B?8NLJ18XU?=", "Привет"),
            // Adjacent words: the space between them is no text; one between word and text is.
            ("=?utf-8?Q?a?= =?utf-8?Q?b?=  c", "ab  c"),
            // A character cut in two, as many senders do.
            ("=?utf-8?B?4YM=?=\t=?UTF-8?B?kA==?=", "ა"),
            ("=?iso-2022-jp?B?GyRCJUYlOSVIGyhC?=", "テスト"),
            // Glued to its neighbours, spaces inside, a question mark inside, no padding.
            ("Re:=?utf-8?Q?a b?=x", "Re:a bx"),
            ("=?utf-8?Q?What??=", "What?"),
            ("=?utf-8?B?4YOQ4YOR4YOS4YOT4YOU4YOV4YOW4YOX4YOY4YOZ4YOa4YObYQ?=", "აბგდევზთიკლმa"),
            // Broken ones stay as they are.
            ("=?utf-8?Q?never ends", "=?utf-8?Q?never ends"),
            ("=?utf-8?X?a?=", "=?utf-8?X?a?="),
            ("=??Q?a?=", "=??Q?a?="),
            ("a =? b ?= c", "a =? b ?= c"),
            // An unknown charset and bytes that are no character.
            ("=?x-acme?Q?caf=E9?=", "café"),
            ("=?utf-8?Q?a=FFb=ZZ?=", "a\u{fffd}b=ZZ"),
        ];
        for (field, expected) in cases {
            assert_eq!(decode(field), expected, "{field}");
        }
    }

    #[test]
    fn a_normal_word_hides_syntax() {
        let field = normalise("=?utf-8?Q?Last=2C?= =?utf-8?Q?_=22First=22?=<a@b>, c@d");
        assert_eq!(field, "=?utf-8?B?TGFzdCwgIkZpcnN0Ig==?= <a@b>, c@d");
    }

    #[test]
    fn a_megabyte_of_beginnings_takes_no_time() {
        for field in ["=?a?q? ".repeat(200_000), "=?a ".repeat(300_000) + "?=", "=?".repeat(500_000) + "?="] {
            assert_eq!(decode(&field).len(), field.len());
        }
    }
}

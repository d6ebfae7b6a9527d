//! Transfer encodings (RFC 2045 §6), read so that damage costs as little as possible.

use std::borrow::Cow;

use super::library;

/// How a part's bytes are wrapped.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Encoding {
    /// 7bit, 8bit, binary, and anything unknown.
    None,
    /// base64.
    Base64,
    /// quoted-printable.
    QuotedPrintable,
}

impl Encoding {
    /// Reads Content-Transfer-Encoding.
    pub(super) fn named(field: Option<&[u8]>) -> Self {
        let name = field.unwrap_or_default().split(|byte| matches!(byte, b';' | b' ' | b'\t' | b'(')).next();
        match name {
            Some(name) if name.eq_ignore_ascii_case(b"base64") => Self::Base64,
            Some(name) if name.eq_ignore_ascii_case(b"quoted-printable") => Self::QuotedPrintable,
            _ => Self::None,
        }
    }

    /// Unwraps `bytes`, and says what had to be left out.
    pub(super) fn decode(self, bytes: &[u8]) -> (Cow<'_, [u8]>, Option<&'static str>) {
        match self {
            Self::None => (Cow::Borrowed(bytes), None),
            Self::QuotedPrintable => (Cow::Owned(decode_quoted_printable(bytes)), None),
            Self::Base64 => {
                let (decoded, clean) = decode_base64(bytes);
                (Cow::Owned(decoded), (!clean).then_some("base64 with other characters in it: those were left out"))
            }
        }
    }
}

/// Decodes base64; characters outside the alphabet are left out, and the flag says whether there
/// were none.
pub(super) fn decode_base64(bytes: &[u8]) -> (Vec<u8>, bool) {
    if let Some(decoded) = library::base64(bytes) {
        return (decoded, true);
    }
    let in_alphabet = |byte: &u8| byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'/' | b'=');
    let kept: Vec<u8> = bytes.iter().copied().filter(in_alphabet).collect();
    (library::base64(&kept).unwrap_or_default(), false)
}

/// Decodes quoted-printable (RFC 2045 §6.7). What is no escape stays as it is, as in Python.
fn decode_quoted_printable(bytes: &[u8]) -> Vec<u8> {
    let mut decoded = Vec::with_capacity(bytes.len());
    for line in bytes.split_inclusive(|byte| *byte == b'\n') {
        let text = line.strip_suffix(b"\n").unwrap_or(line);
        let text = text.strip_suffix(b"\r").unwrap_or(text);
        let line_break = &line[text.len()..];
        // White space at the end of a line was added on the way.
        let text = text.trim_ascii_end();
        if let Some(soft) = text.strip_suffix(b"=") {
            unescape(soft, &mut decoded);
        } else {
            unescape(text, &mut decoded);
            decoded.extend_from_slice(line_break);
        }
    }
    decoded
}

/// Decodes the Q encoding of RFC 2047 §4.2: as quoted-printable, with `_` for a space.
pub(super) fn decode_q(bytes: &[u8]) -> Vec<u8> {
    let spaced: Vec<u8> = bytes.iter().map(|byte| if *byte == b'_' { b' ' } else { *byte }).collect();
    let mut decoded = Vec::with_capacity(spaced.len());
    unescape(&spaced, &mut decoded);
    decoded
}

fn unescape(text: &[u8], decoded: &mut Vec<u8>) {
    let mut rest = text;
    while let Some(at) = memchr::memchr(b'=', rest) {
        decoded.extend_from_slice(&rest[..at]);
        let digit = |index: usize| rest.get(at + index).and_then(|byte| char::from(*byte).to_digit(16));
        if let (Some(high), Some(low)) = (digit(1), digit(2)) {
            decoded.push(u8::try_from(high * 16 + low).unwrap_or_default());
            rest = &rest[at + 3..];
        } else {
            decoded.push(b'=');
            rest = &rest[at + 1..];
        }
    }
    decoded.extend_from_slice(rest);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn encodings_are_named_generously() {
        assert_eq!(Encoding::named(Some(b"BASE64 (comment)")), Encoding::Base64);
        assert_eq!(Encoding::named(Some(b"quoted-printable;")), Encoding::QuotedPrintable);
        assert_eq!(Encoding::named(Some(b"x-uuencode")), Encoding::None);
        assert_eq!(Encoding::named(None), Encoding::None);
    }

    #[test]
    fn quoted_printable_survives_what_is_none() {
        let (decoded, _) = Encoding::QuotedPrintable.decode(b"a=3Db=\r\nc =\t\nd \t\r\n=ZZ=4=\n=e1");
        assert_eq!(decoded.as_ref(), b"a=bc d\r\n=ZZ=4\xe1");
    }

    #[test]
    fn base64_survives_what_is_none() {
        assert_eq!(Encoding::Base64.decode(b"aGVs\r\nbG8=\r\n"), (Cow::Borrowed(&b"hello"[..]), None));
        let (decoded, problem) = Encoding::Base64.decode(b"aG!Vs\x00bG\xff8");
        assert_eq!((decoded.as_ref(), problem.is_some()), (&b"hello"[..], true));
    }
}

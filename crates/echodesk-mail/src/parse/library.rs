//! The only file that calls mail-parser.
//!
//! It reads what is hard to read in single fields and parts: addresses, dates, character sets,
//! base64. The structure of messages is read in [`super::mime`] instead, because mail-parser 0.11
//! recurses when it drops nested messages (2 MB of nested `message/rfc822` end the process with a
//! stack overflow that nothing can catch), looks for each missing boundary to the end of the message
//! (half a megabyte takes seconds), and hands out text attachments in another character set than
//! they came in. Every call here is guarded: outside data must not be able to end a run.

use std::panic::{AssertUnwindSafe, catch_unwind};

use jiff::Timestamp;
use jiff::civil;
use jiff::tz::Offset;
use mail_parser::decoders::base64::base64_decode;
use mail_parser::decoders::charsets::map::charset_decoder;
use mail_parser::parsers::MessageStream;
use mail_parser::{DateTime, HeaderValue};

use crate::model::Address;

/// No date is longer than this, comments included.
const DATE: usize = 250;

/// Runs `read`; a panic in it becomes none.
pub(super) fn guarded<T>(read: impl FnOnce() -> T) -> Option<T> {
    catch_unwind(AssertUnwindSafe(read)).ok()
}

/// The addresses of a field, members of groups included. `limit` bounds them; the second value says
/// how many there were. None if mail-parser failed.
pub(super) fn addresses(field: &str, limit: usize) -> Option<(Vec<Address>, usize)> {
    let line = format!("{field}\n");
    let value = guarded(|| MessageStream::new(line.as_bytes()).parse_address())?;
    let HeaderValue::Address(parsed) = value else { return Some((Vec::new(), 0)) };
    let text = |part: Option<&str>| part.unwrap_or_default().trim().to_owned();
    let mut count = 0;
    let mut kept = Vec::new();
    for address in parsed.iter() {
        let address = Address { email: text(address.address()), name: text(address.name()) };
        if address == Address::default() {
            continue;
        }
        count += 1;
        if kept.len() < limit {
            kept.push(address);
        }
    }
    Some((kept, count))
}

/// A date and time (RFC 5322 §3.3 and its obsolete forms) with its zone. None if it is not one.
pub(super) fn date(field: &str) -> Option<Timestamp> {
    if field.len() > DATE {
        return None;
    }
    let field = with_seconds(&without_dashes(field));
    let read = |text: &str| guarded(|| DateTime::parse_rfc822(text)).flatten();
    // Without a zone the time is taken as UTC.
    let date = read(&format!("{field}\n")).or_else(|| read(&format!("{field} +0000\n")))?;
    let small = |value: u8| i8::try_from(value).ok();
    let year = i16::try_from(date.year).ok()?;
    let second = small(date.second.min(59))?; // a leap second is as good as the one before
    let local = civil::DateTime::new(
        year,
        small(date.month)?,
        small(date.day)?,
        small(date.hour)?,
        small(date.minute)?,
        second,
        0,
    )
    .ok()?;
    let seconds = i32::from(date.tz_hour) * 3600 + i32::from(date.tz_minute) * 60;
    let offset = Offset::from_seconds(if date.tz_before_gmt { -seconds } else { seconds }).ok()?;
    offset.to_timestamp(local).ok()
}

/// `22-Nov-26`, of RFC 850, is what some programs still write. A dash between a digit and a letter is
/// no sign of a zone.
fn without_dashes(field: &str) -> String {
    let bytes = field.as_bytes();
    let joins = |at: usize| {
        let before = at.checked_sub(1).and_then(|at| bytes.get(at));
        let after = bytes.get(at + 1);
        before.zip(after).is_some_and(|(before, after)| {
            before.is_ascii_digit() && after.is_ascii_alphabetic()
                || before.is_ascii_alphabetic() && after.is_ascii_digit() && at < field.find(':').unwrap_or(0)
        })
    };
    field.char_indices().map(|(at, c)| if c == '-' && joins(at) { ' ' } else { c }).collect()
}

/// Seconds are optional, but mail-parser takes a zone for them where they are missing.
fn with_seconds(field: &str) -> String {
    let mut colons = field.match_indices(':');
    match (colons.next(), colons.next()) {
        (Some((colon, _)), None) => {
            let minutes = field[colon + 1..].bytes().take_while(u8::is_ascii_digit).count();
            let (time, zone) = field.split_at(colon + 1 + minutes);
            format!("{time}:00{zone}")
        }
        _ => field.to_owned(),
    }
}

/// `bytes` read in the character set that `label` names; none if it is not known.
pub(super) fn charset(label: &str, bytes: &[u8]) -> Option<String> {
    let decoder = guarded(|| charset_decoder(label.as_bytes())).flatten()?;
    let text = guarded(|| decoder(bytes))?;
    // Some labels (ISO-2022-KR, HZ) are known to be unsafe and decode to one replacement character.
    (bytes.is_empty() || text != "\u{fffd}").then_some(text)
}

/// Decodes base64 (RFC 2045 §6.8) with its line breaks; none if there is anything else in it.
pub(super) fn base64(bytes: &[u8]) -> Option<Vec<u8>> {
    guarded(|| base64_decode(bytes)).flatten()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_panic_is_none() {
        assert_eq!(guarded(|| panic!("outside data")).map(|(): ()| 1), None);
        assert_eq!(guarded(|| 7), Some(7));
    }

    #[test]
    fn dates_of_many_kinds() {
        let cases = [
            ("Sun, 22 Nov 2026 10:00:00 +0400", Some("2026-11-22T06:00:00Z")),
            ("22 Nov 26 10:00 EST", Some("2026-11-22T15:00:00Z")),
            ("Sunday, 22-Nov-26 10:00:00 GMT", Some("2026-11-22T10:00:00Z")),
            ("22-Nov-2026 10:00 -0330", Some("2026-11-22T13:30:00Z")),
            ("Sun, 22 Nov 2026 10:00:60 GMT (leap)", Some("2026-11-22T10:00:59Z")),
            ("Sun, 22 Nov 2026 10:00:00", Some("2026-11-22T10:00:00Z")),
            ("Sun, 30 Feb 2026 10:00:00 +0000", None),
            ("Sun, 22 Nov 2026 25:00:00 +0000", None),
            ("yesterday", None),
            ("", None),
        ];
        for (field, expected) in cases {
            assert_eq!(date(field), expected.map(|text| text.parse().unwrap()), "{field}");
        }
    }

    #[test]
    fn unsafe_and_unknown_character_sets_are_none() {
        assert_eq!(charset("iso-2022-kr", b"\x1b$)Cabc"), None);
        assert_eq!(charset("x-no-such", b"abc"), None);
        assert_eq!(charset("KOI8-R", b"\xf0\xd2\xc9").as_deref(), Some("При"));
    }
}

//! FETCH answers.

use jiff::Timestamp;
use jiff::civil::{Date, DateTime, Time};
use jiff::tz::Offset;

use super::response::{Data, Literal, Response};
use super::tokens::{Malformed, Value};
use super::wire::{Untagged, untagged};
use crate::model::{Flags, Uid};

/// What one FETCH answer says of one message.
#[derive(Debug, Default)]
pub(super) struct Fetched {
    /// None in an answer that nobody asked for: it goes by sequence number.
    pub(super) uid: Option<Uid>,
    pub(super) size: Option<u64>,
    pub(super) internal_date: Option<Timestamp>,
    pub(super) flags: Option<Flags>,
    pub(super) body: Option<Body>,
}

/// A body, or where it is.
#[derive(Debug)]
pub(super) enum Body {
    /// In the literal of this number.
    InLiteral(usize),
    /// In a quoted string.
    Inline(Vec<u8>),
}

/// Reads `* n FETCH (ATTRIBUTE value …)`. Attributes that are not known are passed over.
pub(super) fn read_fetch(data: Data<'_>) -> Result<Fetched, Malformed> {
    let mut tokens = data.tokens;
    let attributes = tokens.expect()?;
    let mut fetched = Fetched::default();
    for pair in attributes.list().ok_or(Malformed)?.chunks_exact(2) {
        let (Value::Atom(name), value) = (&pair[0], &pair[1]) else { return Err(Malformed) };
        let is = |known: &str| name.eq_ignore_ascii_case(known.as_bytes());
        if is("UID") {
            fetched.uid = Some(value.nonzero_u32().map(Uid).ok_or(Malformed)?);
        } else if is("RFC822.SIZE") {
            fetched.size = value.number();
        } else if is("INTERNALDATE") {
            fetched.internal_date = value.string().and_then(internal_date);
        } else if is("FLAGS") {
            fetched.flags = value.list().map(flags);
        } else if fetched.body.is_none() && is_whole_body(name) {
            fetched.body = match value {
                Value::Literal { index, .. } => Some(Body::InLiteral(*index)),
                Value::Quoted(bytes) => Some(Body::Inline(bytes.to_vec())),
                Value::Atom(_) | Value::List(_) => None,
            };
        }
    }
    // What only comes when it is asked for, by UID, belongs to a message of ours that this does not
    // name. Without these it may be news of any message.
    if fetched.uid.is_none() && (fetched.size.is_some() || fetched.internal_date.is_some() || fetched.body.is_some()) {
        return Err(Malformed);
    }
    Ok(fetched)
}

/// `BODY[]`, and `BODY[]<0>` where a part was asked for.
fn is_whole_body(name: &[u8]) -> bool {
    name.get(..6).is_some_and(|head| head.eq_ignore_ascii_case(b"BODY[]")) && (name.len() == 6 || name[6] == b'<')
}

/// Reads a FETCH answer and takes the body out of `response`. None if it is no FETCH.
pub(super) fn take_fetch(response: &mut Response) -> Result<Option<(Fetched, Option<Literal>)>, Malformed> {
    let fetched = match untagged(response) {
        Some(Untagged::Data(data)) if data.is("FETCH") => read_fetch(data)?,
        _ => return Ok(None),
    };
    let body = match &fetched.body {
        None => None,
        Some(Body::Inline(bytes)) => Some(Literal { bytes: bytes.clone(), size: bytes.len() as u64 }),
        Some(Body::InLiteral(index)) => Some(response.take_literal(*index).ok_or(Malformed)?),
    };
    Ok(Some((fetched, body)))
}

fn flags(values: &[Value<'_>]) -> Flags {
    values.iter().filter_map(Value::name).map(Flags::from_name).fold(Flags::NONE, |all, flag| all | flag)
}

/// ` 7-Nov-2026 10:00:00 +0100` (RFC 9051 `date-time`); none if it is anything else.
fn internal_date(text: &[u8]) -> Option<Timestamp> {
    const MONTHS: [&str; 12] = ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"];
    let text = std::str::from_utf8(text).ok()?;
    let mut parts = text.split_ascii_whitespace();
    let mut date = parts.next()?.split('-');
    let mut time = parts.next()?.split(':');
    let zone = parts.next()?;
    let (day, month, year) =
        (date.next()?.parse().ok()?, date.next()?.to_ascii_lowercase(), date.next()?.parse().ok()?);
    let month = i8::try_from(MONTHS.iter().position(|name| *name == month)?).ok()? + 1;
    let (hour, minute, second) =
        (time.next()?.parse().ok()?, time.next()?.parse().ok()?, time.next()?.parse::<i8>().ok()?);
    // A leap second is the end of its minute.
    let time = Time::new(hour, minute, if second == 60 { 59 } else { second }, 0).ok()?;
    let (sign, zone) = match zone.split_at_checked(1)? {
        ("+", digits) => (1, digits),
        ("-", digits) => (-1, digits),
        _ => return None,
    };
    let zone: i32 = zone.parse().ok().filter(|_| zone.len() == 4 && zone.bytes().all(|byte| byte.is_ascii_digit()))?;
    let offset = Offset::from_seconds(sign * (zone / 100 * 3600 + zone % 100 * 60)).ok()?;
    offset.to_timestamp(DateTime::from_parts(Date::new(year, month, day).ok()?, time)).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fetch(line: &str) -> Result<Fetched, Malformed> {
        let response = Response::new(line.as_bytes().to_vec(), Vec::new());
        let Some(Untagged::Data(data)) = untagged(&response) else { panic!("{line}") };
        read_fetch(data)
    }

    #[test]
    fn internal_dates_of_every_kind() {
        for (text, expected) in [
            (" 7-Nov-2026 10:00:00 +0100", Some("2026-11-07T09:00:00Z")),
            ("07-nov-2026 10:00:00 -0330", Some("2026-11-07T13:30:00Z")),
            ("31-Dec-2016 23:59:60 +0000", Some("2016-12-31T23:59:59Z")),
            ("31-Feb-2026 10:00:00 +0000", None),
            ("1-Foo-2026 10:00:00 +0000", None),
            ("1-Jan-2026 25:00:00 +0000", None),
            ("1-Jan-2026 10:00:00", None),
            ("1-Jan-2026 10:00:00 +00é", None),
            ("1-Jan-2026 10:00:00 +-100", None),
            ("1-Jan-99999 10:00:00 +0000", None),
            ("", None),
        ] {
            assert_eq!(internal_date(text.as_bytes()), expected.map(|time| time.parse().unwrap()), "{text}");
        }
    }

    #[test]
    fn what_is_known_is_read_and_what_is_not_is_passed_over() {
        let line = "* 12  FETCH (FLAGS (\\Seen $Важно \\Recent [x] NIL) X-GM-LABELS (\"\\\\Inbox\" (a)) UID 7 \
                    MODSEQ (99) BODY[HEADER.FIELDS (DATE \"X\")]<0> NIL  RFC822.SIZE 44 INTERNALDATE \"broken\")\r\n";
        let fetched = fetch(line).unwrap();
        assert_eq!((fetched.uid, fetched.size, fetched.internal_date), (Some(Uid(7)), Some(44), None));
        assert_eq!(fetched.flags, Some(Flags::SEEN));
        assert!(fetched.body.is_none());
    }

    #[test]
    fn answers_that_are_no_lists_are_malformed() {
        for line in
            ["* 1 FETCH\r\n", "* 1 FETCH UID\r\n", "* 1 FETCH (UID 1\r\n", "* 1 FETCH ((UID) 1)\r\n", "* 1 FETCH )\r\n"]
        {
            assert_eq!(fetch(line).map(|_| ()), Err(Malformed), "{line}");
        }
    }

    #[test]
    fn an_answer_to_us_that_names_no_message_is_malformed() {
        for line in [
            "* 1 FETCH (UID 0)\r\n",
            "* 1 FETCH (UID 4294967296)\r\n",
            "* 1 FETCH (UID NIL FLAGS ())\r\n",
            "* 1 FETCH (RFC822.SIZE 4 FLAGS ())\r\n",
            "* 1 FETCH (INTERNALDATE \" 7-Nov-2026 10:00:00 +0100\")\r\n",
            "* 1 FETCH (BODY[] \"x\")\r\n",
        ] {
            assert_eq!(fetch(line).map(|_| ()), Err(Malformed), "{line}");
        }
        assert_eq!(fetch("* 1 FETCH (FLAGS (\\Seen))\r\n").unwrap().uid, None, "news of some message");
    }
}

//! Whole responses off the wire: a line, and the literals in it with the lines after them.

use super::response::{Literal, Response};
use super::stream::Stream;
use crate::ports::MailServerError;

/// The longest response outside literals, and the most that all its literals outside message bodies
/// may hold together. Far above anything honest: the longest are lists of flags and of capabilities.
pub(super) const LINE_LIMIT: usize = 1 << 20;

/// SEARCH lists every UID it found on one line; this holds some 800,000.
pub(super) const SEARCH_LINE_LIMIT: usize = 8 << 20;

/// How much of a literal is set aside at a time while it arrives, so that memory is used as data
/// comes in and not on the server's word.
const STEP: usize = 1 << 20;

/// What to do with message bodies: literals that a FETCH answer gives for a section (`BODY[…] {n}`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Bodies {
    /// None were asked for; such a literal is like any other.
    NotExpected,
    /// Hold one of up to this many bytes whole; read a longer one without holding it.
    Whole(u64),
    /// Hold at most the first bytes, this many, and read the rest without holding it.
    First(u64),
}

/// Reads one response.
///
/// # Errors
/// The connection broke, a limit was hit, or what came is no response: an endless line, a literal
/// that is too large where no message is expected.
pub(super) fn read_response(
    stream: &mut Stream,
    bodies: Bodies,
    line_limit: usize,
) -> Result<Response, MailServerError> {
    let mut text = Vec::with_capacity(256);
    let mut literals = Vec::new();
    let mut small = LINE_LIMIT;
    let mut body_held = false;
    loop {
        let line_start = text.len();
        stream.read_line(&mut text, line_limit)?;
        if line_start == 0 && is_free_text(&text) {
            break;
        }
        let Some(marker) = LiteralMarker::at_end_of(&text[line_start..])? else { break };
        let before = &text[..line_start + marker.start];
        let literal = if bodies != Bodies::NotExpected && announces_body(before) {
            let keep = match bodies {
                _ if body_held => 0,
                Bodies::Whole(limit) if marker.size > limit => 0,
                Bodies::Whole(_) => marker.size,
                Bodies::First(limit) => marker.size.min(limit),
                Bodies::NotExpected => 0,
            };
            body_held = true;
            read_literal(stream, marker.size, keep)?
        } else {
            small = usize::try_from(marker.size).ok().and_then(|size| small.checked_sub(size)).ok_or_else(|| {
                MailServerError::Protocol { problem: format!("a literal of {} bytes outside a message", marker.size) }
            })?;
            read_literal(stream, marker.size, marker.size)?
        };
        literals.push(literal);
    }
    Ok(Response::new(text, literals))
}

/// Reads a literal of `size` bytes, the first `keep` of which are wanted, each copied once into a
/// buffer of exactly that size.
fn read_literal(stream: &mut Stream, size: u64, keep: u64) -> Result<Literal, MailServerError> {
    let too_large = || MailServerError::Protocol { problem: format!("a literal of {size} bytes") };
    let wanted = usize::try_from(keep).map_err(|_| too_large())?;
    let mut bytes = Vec::new();
    // Reserves addresses; the system backs them with memory when they are first written.
    bytes.try_reserve_exact(wanted).map_err(|_| too_large())?;
    while bytes.len() < wanted {
        let from = bytes.len();
        bytes.resize(wanted.min(from + STEP), 0);
        stream.read_exact(&mut bytes[from..])?;
    }
    stream.discard(size - keep)?;
    Ok(Literal { bytes, size })
}

/// The texts of OK, NO, BAD, BYE, PREAUTH and of continuation requests are for people: a `{5}` at
/// their end announces nothing.
fn is_free_text(line: &[u8]) -> bool {
    if line.starts_with(b"+") {
        return true;
    }
    let mut words = line.split(|byte| byte.is_ascii_whitespace()).filter(|word| !word.is_empty());
    words.next();
    let word = words.next().unwrap_or_default();
    [&b"OK"[..], b"NO", b"BAD", b"BYE", b"PREAUTH"].iter().any(|status| status.eq_ignore_ascii_case(word))
}

/// Whether what precedes a literal is `* n FETCH (… BODY[…]` or `…BODY[…]<0>`.
fn announces_body(text: &[u8]) -> bool {
    let end = text.trim_ascii_end();
    let mut words = text.split(|byte| *byte == b' ').filter(|word| !word.is_empty());
    let fetch = words.next() == Some(b"*")
        && words.next().is_some_and(|number| number.iter().all(u8::is_ascii_digit))
        && words.next().is_some_and(|name| name.eq_ignore_ascii_case(b"FETCH"));
    fetch && (end.ends_with(b"]") || end.ends_with(b">"))
}

/// `{n}`, or one of its relatives `{n+}` and `~{n}` (RFC 7888, RFC 3516), at the end of a line.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct LiteralMarker {
    /// Where it begins in the line.
    pub(super) start: usize,
    /// The announced size in bytes.
    pub(super) size: u64,
}

impl LiteralMarker {
    /// The marker at the end of `line`, if there is one.
    ///
    /// # Errors
    /// Its number is no size at all.
    pub(super) fn at_end_of(line: &[u8]) -> Result<Option<Self>, MailServerError> {
        let Some(line) = line.strip_suffix(b"\n") else { return Ok(None) };
        let line = line.strip_suffix(b"\r").unwrap_or(line);
        let Some(inner) = line.strip_suffix(b"}") else { return Ok(None) };
        let inner = inner.strip_suffix(b"+").unwrap_or(inner);
        let digits = inner.iter().rev().take_while(|byte| byte.is_ascii_digit()).count();
        let (head, digits) = inner.split_at(inner.len() - digits);
        let Some(head) = head.strip_suffix(b"{").filter(|_| !digits.is_empty()) else { return Ok(None) };
        let start = head.strip_suffix(b"~").unwrap_or(head).len();
        let size = std::str::from_utf8(digits).ok().and_then(|digits| digits.parse().ok());
        match size {
            Some(size) => Ok(Some(Self { start, size })),
            None => Err(MailServerError::Protocol { problem: "a literal of impossible size".to_owned() }),
        }
    }
}

//! A tolerant tokenizer for the data of a response: atoms, quoted strings, literals, lists, NIL.
//!
//! It stands in place of the grammar of `imap-proto`, which refuses a whole response for an unknown
//! FETCH attribute, a keyword or mailbox name that is not ASCII, or two spaces in a row. Real servers
//! send all of these. Here anything that is made of balanced tokens is read, and what it means is
//! left to the one who asked for it.

use std::borrow::Cow;

use super::response::{Literal, parse_number};

/// Deeper lists than any response has; what we ask for has two levels.
const DEEPEST: usize = 32;

/// The response is not made of tokens.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Malformed;

/// One token, or one list of them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Value<'a> {
    /// An atom, a number, a flag, a section (`BODY[HEADER.FIELDS (DATE)]<0>`), NIL.
    Atom(&'a [u8]),
    /// A quoted string without its quotes and escapes.
    Quoted(Cow<'a, [u8]>),
    /// A literal, by its number in the response.
    Literal {
        /// Which one.
        index: usize,
        /// What was held of it.
        bytes: &'a [u8],
    },
    /// A parenthesised list.
    List(Vec<Value<'a>>),
}

impl<'a> Value<'a> {
    /// The bytes of an atom or a string; none for NIL and lists.
    pub(super) fn string(&self) -> Option<&[u8]> {
        match self {
            Self::Atom(atom) if atom.eq_ignore_ascii_case(b"NIL") => None,
            Self::Atom(bytes) | Self::Literal { bytes, .. } => Some(bytes),
            Self::Quoted(bytes) => Some(bytes),
            Self::List(_) => None,
        }
    }

    /// The bytes of what has to be a string where NIL would be a name like any other: an atom may
    /// be a mailbox called nil.
    pub(super) fn name(&self) -> Option<&[u8]> {
        match self {
            Self::Atom(bytes) | Self::Literal { bytes, .. } => Some(bytes),
            Self::Quoted(bytes) => Some(bytes),
            Self::List(_) => None,
        }
    }

    /// The elements of a list; NIL is an empty one.
    pub(super) fn list(&self) -> Option<&[Value<'a>]> {
        match self {
            Self::List(values) => Some(values),
            Self::Atom(atom) if atom.eq_ignore_ascii_case(b"NIL") => Some(&[]),
            _ => None,
        }
    }

    /// An unsigned number, quoted or not.
    pub(super) fn number(&self) -> Option<u64> {
        parse_number(self.string()?)
    }

    /// The same if it is at least 1 and fits 32 bits: a UID, a UIDVALIDITY.
    pub(super) fn nonzero_u32(&self) -> Option<u32> {
        self.number().and_then(|number| u32::try_from(number).ok()).filter(|number| *number > 0)
    }
}

/// Reads the tokens of a text.
#[derive(Clone, Debug)]
pub(super) struct Tokens<'a> {
    text: &'a [u8],
    at: usize,
    literals: &'a [Literal],
    next_literal: usize,
}

impl<'a> Tokens<'a> {
    /// Over `text`, whose literals are `literals` in their order.
    pub(super) fn new(text: &'a [u8], literals: &'a [Literal]) -> Self {
        Self { text, at: 0, literals, next_literal: 0 }
    }

    /// The next value; none at the end.
    ///
    /// # Errors
    /// What follows is no value.
    pub(super) fn next_value(&mut self) -> Result<Option<Value<'a>>, Malformed> {
        self.value(DEEPEST)
    }

    /// The next value, which has to be there.
    ///
    /// # Errors
    /// It is not there, or is no value.
    pub(super) fn expect(&mut self) -> Result<Value<'a>, Malformed> {
        self.next_value()?.ok_or(Malformed)
    }

    /// The text that has not been read yet.
    pub(super) fn rest(&self) -> &'a [u8] {
        &self.text[self.at..]
    }

    fn peek(&self) -> Option<u8> {
        self.text.get(self.at).copied()
    }

    fn value(&mut self, depth: usize) -> Result<Option<Value<'a>>, Malformed> {
        while matches!(self.peek(), Some(b' ' | b'\t' | b'\r' | b'\n')) {
            self.at += 1;
        }
        match self.peek() {
            None => Ok(None),
            Some(b'(') => self.list(depth.checked_sub(1).ok_or(Malformed)?).map(Some),
            Some(b')') => Err(Malformed),
            Some(b'"') => self.quoted().map(Some),
            Some(b'{' | b'~') if self.marker().is_some() => self.literal().map(Some),
            Some(_) => self.atom().map(Some),
        }
    }

    fn list(&mut self, depth: usize) -> Result<Value<'a>, Malformed> {
        self.at += 1;
        let mut values = Vec::new();
        loop {
            while matches!(self.peek(), Some(b' ' | b'\t' | b'\r' | b'\n')) {
                self.at += 1;
            }
            if self.peek() == Some(b')') {
                self.at += 1;
                return Ok(Value::List(values));
            }
            values.push(self.value(depth)?.ok_or(Malformed)?);
        }
    }

    fn quoted(&mut self) -> Result<Value<'a>, Malformed> {
        let start = self.at + 1;
        let mut escaped = false;
        let mut at = start;
        loop {
            match self.text.get(at) {
                None | Some(b'\r' | b'\n') => return Err(Malformed),
                Some(b'"') => break,
                Some(b'\\') => {
                    escaped = true;
                    at += 2;
                }
                Some(_) => at += 1,
            }
        }
        self.at = at + 1;
        let inner = &self.text[start..at];
        Ok(Value::Quoted(if escaped { Cow::Owned(without_escapes(inner)) } else { Cow::Borrowed(inner) }))
    }

    /// The length of the literal marker at this place, its line end included.
    fn marker(&self) -> Option<usize> {
        let rest = &self.text[self.at..];
        let inner = rest.strip_prefix(b"~").unwrap_or(rest).strip_prefix(b"{")?;
        let digits = inner.iter().take_while(|byte| byte.is_ascii_digit()).count();
        let after = &inner[digits..];
        let after = after.strip_prefix(b"+").unwrap_or(after).strip_prefix(b"}")?;
        let after = after.strip_prefix(b"\r").unwrap_or(after).strip_prefix(b"\n")?;
        (digits > 0).then_some(rest.len() - after.len())
    }

    fn literal(&mut self) -> Result<Value<'a>, Malformed> {
        self.at += self.marker().ok_or(Malformed)?;
        let index = self.next_literal;
        self.next_literal += 1;
        let literal = self.literals.get(index).ok_or(Malformed)?;
        Ok(Value::Literal { index, bytes: &literal.bytes })
    }

    /// Up to a space or a parenthesis; the section of a `BODY[…]` belongs to it with all its spaces.
    fn atom(&mut self) -> Result<Value<'a>, Malformed> {
        let start = self.at;
        while let Some(byte) = self.peek() {
            match byte {
                b'\r' | b'\n' | b' ' | b'\t' | b'(' | b')' => break,
                b'{' | b'~' if self.marker().is_some() => break,
                b'[' if has_sections(&self.text[start..self.at]) => {
                    let section = self.text[self.at..].iter().position(|byte| *byte == b']').ok_or(Malformed)?;
                    self.at += section + 1;
                }
                _ => self.at += 1,
            }
        }
        if self.at == start { Err(Malformed) } else { Ok(Value::Atom(&self.text[start..self.at])) }
    }
}

fn has_sections(attribute: &[u8]) -> bool {
    [&b"BODY"[..], b"BODY.PEEK", b"BINARY", b"BINARY.PEEK", b"BINARY.SIZE"]
        .iter()
        .any(|known| known.eq_ignore_ascii_case(attribute))
}

fn without_escapes(inner: &[u8]) -> Vec<u8> {
    let mut plain = Vec::with_capacity(inner.len());
    let mut bytes = inner.iter();
    while let Some(byte) = bytes.next() {
        plain.push(if *byte == b'\\' { *bytes.next().unwrap_or(byte) } else { *byte });
    }
    plain
}

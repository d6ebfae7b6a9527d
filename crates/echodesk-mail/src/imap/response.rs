//! One response of the server, and what kind it is (RFC 9051 §7).

use super::tokens::Tokens;

/// A response as it came: its text, with the markers of its literals in place, and the literals.
#[derive(Debug)]
pub(super) struct Response {
    text: Vec<u8>,
    literals: Vec<Literal>,
}

/// A literal, or as much of it as was wanted.
#[derive(Debug)]
pub(super) struct Literal {
    /// What was held of it.
    pub(super) bytes: Vec<u8>,
    /// Its size as announced and read.
    pub(super) size: u64,
}

/// How a command ended, or what an untagged status says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Status {
    Ok,
    No,
    Bad,
    Bye,
    Preauth,
}

/// What a response is.
#[derive(Debug)]
pub(super) enum Kind<'a> {
    /// `+ …`: the server waits for more of a command.
    Continuation,
    /// A command has ended.
    Tagged {
        /// Whose tag it carries.
        tag: &'a [u8],
        /// How it ended.
        status: Status,
        /// The rest of the line.
        text: StatusText<'a>,
    },
    /// `* OK …` and its like.
    Status(Status, StatusText<'a>),
    /// `* [n] NAME …`.
    Data(Data<'a>),
    /// None of these.
    Unknown,
}

/// An untagged response with data.
#[derive(Clone, Debug)]
pub(super) struct Data<'a> {
    /// The number in front of the name (`* 12 FETCH`).
    pub(super) number: Option<u32>,
    /// The name, in whatever case.
    pub(super) name: &'a [u8],
    /// What follows.
    pub(super) tokens: Tokens<'a>,
}

impl Data<'_> {
    /// Whether this is the response `name`.
    pub(super) fn is(&self, name: &str) -> bool {
        self.name.eq_ignore_ascii_case(name.as_bytes())
    }
}

/// `[CODE arguments] words`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct StatusText<'a> {
    /// All of it.
    pub(super) all: &'a [u8],
    code: &'a [u8],
}

impl<'a> StatusText<'a> {
    fn new(text: &'a [u8]) -> Self {
        let all = text.trim_ascii();
        let code = all
            .strip_prefix(b"[")
            .and_then(|rest| rest.iter().position(|byte| *byte == b']').map(|end| &rest[..end]))
            .unwrap_or_default();
        Self { all, code }
    }

    /// The name of the response code, empty if there is none.
    pub(super) fn code(&self) -> &'a [u8] {
        split_word(self.code).0
    }

    /// What follows the response code's name.
    pub(super) fn arguments(&self) -> &'a [u8] {
        split_word(self.code).1
    }

    /// Whether the response code is `name`.
    pub(super) fn has_code(&self, name: &str) -> bool {
        self.code().eq_ignore_ascii_case(name.as_bytes())
    }

    /// The number of the response code `name`.
    pub(super) fn number(&self, name: &str) -> Option<u64> {
        let (number, _) = split_word(self.arguments());
        if self.has_code(name) { parse_number(number) } else { None }
    }
}

impl Response {
    pub(super) fn new(text: Vec<u8>, literals: Vec<Literal>) -> Self {
        Self { text, literals }
    }

    /// Takes the literal number `index` out.
    pub(super) fn take_literal(&mut self, index: usize) -> Option<Literal> {
        self.literals.get_mut(index).map(|literal| Literal {
            bytes: std::mem::take(&mut literal.bytes),
            size: std::mem::take(&mut literal.size),
        })
    }

    /// What kind of response this is.
    pub(super) fn kind(&self) -> Kind<'_> {
        // Only the last line end is taken off: the one before it may belong to a literal's marker.
        let text = self.text.strip_suffix(b"\n").unwrap_or(&self.text);
        let text = text.strip_suffix(b"\r").unwrap_or(text);
        if text.first() == Some(&b'+') {
            return Kind::Continuation;
        }
        let (first, rest) = split_word(text);
        let (word, after) = split_word(rest);
        let status = status(word);
        if first != b"*" {
            return match status {
                Some(status @ (Status::Ok | Status::No | Status::Bad)) => {
                    Kind::Tagged { tag: first, status, text: StatusText::new(after) }
                }
                _ => Kind::Unknown,
            };
        }
        if let Some(status) = status {
            return Kind::Status(status, StatusText::new(after));
        }
        match parse_number(word).map(u32::try_from) {
            Some(number) => {
                let (name, after) = split_word(after);
                Kind::Data(Data { number: number.ok(), name, tokens: Tokens::new(after, &self.literals) })
            }
            None if word.is_empty() => Kind::Unknown,
            None => Kind::Data(Data { number: None, name: word, tokens: Tokens::new(after, &self.literals) }),
        }
    }
}

fn status(word: &[u8]) -> Option<Status> {
    const ALL: [(&[u8], Status); 5] = [
        (b"OK", Status::Ok),
        (b"NO", Status::No),
        (b"BAD", Status::Bad),
        (b"BYE", Status::Bye),
        (b"PREAUTH", Status::Preauth),
    ];
    ALL.iter().find(|(name, _)| name.eq_ignore_ascii_case(word)).map(|(_, status)| *status)
}

/// The first word, and what follows the spaces after it. An opening parenthesis ends a word too.
fn split_word(text: &[u8]) -> (&[u8], &[u8]) {
    let text = text.trim_ascii_start();
    let end = text.iter().position(|byte| byte.is_ascii_whitespace() || *byte == b'(').unwrap_or(text.len());
    let (word, rest) = text.split_at(end);
    (word, rest.trim_ascii_start())
}

/// An unsigned number of digits only.
pub(super) fn parse_number(digits: &[u8]) -> Option<u64> {
    if digits.is_empty() || !digits.iter().all(u8::is_ascii_digit) {
        return None;
    }
    std::str::from_utf8(digits).ok()?.parse().ok()
}

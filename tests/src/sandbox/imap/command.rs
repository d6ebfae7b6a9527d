//! Commands, taken apart (RFC 3501 §9, as much of it as clients of ours send).

/// An argument.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Argument {
    /// An atom, a quoted string or a literal.
    Text(String),
    /// A list in parentheses.
    List(Vec<Argument>),
}

/// A command with its literals in place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Command {
    pub(super) tag: String,
    /// In capitals; `UID FETCH` and the like are one name.
    pub(super) name: String,
    pub(super) arguments: Vec<Argument>,
}

impl Argument {
    /// The text, in capitals; empty for a list.
    pub(super) fn keyword(&self) -> String {
        self.text().to_ascii_uppercase()
    }

    pub(super) fn text(&self) -> &str {
        match self {
            Self::Text(text) => text,
            Self::List(_) => "",
        }
    }

    /// The elements of a list, or the one thing itself.
    pub(super) fn items(&self) -> &[Self] {
        match self {
            Self::List(items) => items,
            Self::Text(_) => std::slice::from_ref(self),
        }
    }

    pub(super) fn is_list(&self) -> bool {
        matches!(self, Self::List(_))
    }
}

/// If a line ends with the announcement of a literal: how long it is, and whether the client waits
/// for leave to send it (RFC 7888).
pub(super) fn literal(line: &[u8]) -> Option<(usize, bool)> {
    let text = std::str::from_utf8(line).ok()?.strip_suffix('}')?;
    let number = &text[text.rfind('{')? + 1..];
    match number.strip_suffix('+') {
        Some(number) => Some((number.parse().ok()?, false)),
        None => Some((number.parse().ok()?, true)),
    }
}

/// Takes a command apart. `parts` are its lines; after each but the last stands the literal that it
/// announces.
pub(super) fn parse(parts: &[(Vec<u8>, Option<Vec<u8>>)]) -> Option<Command> {
    let mut arguments = Vec::new();
    let mut open: Vec<Vec<Argument>> = Vec::new();
    for (line, literal) in parts {
        let line = String::from_utf8_lossy(line);
        let line = if literal.is_some() { &line[..line.rfind('{')?] } else { &line };
        let mut rest = line.trim_start();
        while let Some(first) = rest.chars().next() {
            let argument = match first {
                '(' => {
                    open.push(std::mem::take(&mut arguments));
                    rest = rest[1..].trim_start();
                    continue;
                }
                ')' => {
                    let list = std::mem::replace(&mut arguments, open.pop()?);
                    rest = rest[1..].trim_start();
                    Argument::List(list)
                }
                '"' => {
                    let (text, after) = quoted(&rest[1..])?;
                    rest = after.trim_start();
                    Argument::Text(text)
                }
                _ => {
                    let end = atom_end(rest);
                    let text = rest[..end].to_owned();
                    rest = rest[end..].trim_start();
                    Argument::Text(text)
                }
            };
            arguments.push(argument);
        }
        if let Some(literal) = literal {
            arguments.push(Argument::Text(String::from_utf8_lossy(literal).into_owned()));
        }
    }
    if !open.is_empty() || arguments.len() < 2 {
        return None;
    }
    let mut words = arguments.drain(..2);
    let (tag, mut name) = (words.next()?.text().to_owned(), words.next()?.keyword());
    drop(words);
    if name == "UID" && !arguments.is_empty() {
        name = format!("UID {}", arguments.remove(0).keyword());
    }
    Some(Command { tag, name, arguments })
}

/// An atom ends at a space or parenthesis, but not within `BODY[…]`.
fn atom_end(text: &str) -> usize {
    let mut depth = 0_u32;
    for (index, character) in text.char_indices() {
        match character {
            '[' => depth += 1,
            ']' => depth = depth.saturating_sub(1),
            ' ' | '(' | ')' if depth == 0 => return index,
            _ => {}
        }
    }
    text.len()
}

fn quoted(text: &str) -> Option<(String, &str)> {
    let mut value = String::new();
    let mut characters = text.char_indices();
    while let Some((index, character)) = characters.next() {
        match character {
            '"' => return Some((value, &text[index + 1..])),
            '\\' => value.push(characters.next()?.1),
            _ => value.push(character),
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    fn one(line: &str) -> Command {
        parse(&[(line.as_bytes().to_vec(), None)]).unwrap()
    }

    #[test]
    fn commands_are_taken_apart() {
        let command = one(r#"a1 uid fetch 1:* (UID FLAGS BODY.PEEK[HEADER.FIELDS (To)]<0.10>) (CHANGEDSINCE 7)"#);
        assert_eq!((command.tag.as_str(), command.name.as_str()), ("a1", "UID FETCH"));
        assert_eq!(command.arguments[0].text(), "1:*");
        assert_eq!(command.arguments[1].items()[2].text(), "BODY.PEEK[HEADER.FIELDS (To)]<0.10>");
        assert_eq!(command.arguments[2].items()[1].text(), "7");
        assert_eq!(one(r#"b LOGIN "a \"b\" \\c" x"#).arguments[0].text(), r#"a "b" \c"#);
    }

    #[test]
    fn literals_stand_where_they_were_announced() {
        let parts = [
            (b"c LOGIN {4+}".to_vec(), Some(b"user".to_vec())),
            (b" {3}".to_vec(), Some(b"p w".to_vec())),
            (Vec::new(), None),
        ];
        let command = parse(&parts).unwrap();
        assert_eq!(command.arguments, ["user", "p w"].map(|text| Argument::Text(text.to_owned())));
        assert_eq!(literal(b"c LOGIN {4+}"), Some((4, false)));
        assert_eq!(literal(b" {3}"), Some((3, true)));
        assert_eq!(literal(b"c NOOP"), None);
    }

    #[test]
    fn what_is_no_command_is_none() {
        for line in ["", "a", "a LIST (", "a LIST \"x"] {
            assert_eq!(parse(&[(line.as_bytes().to_vec(), None)]), None, "{line}");
        }
    }
}

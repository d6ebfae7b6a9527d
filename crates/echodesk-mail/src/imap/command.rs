//! Commands, as bytes.

use jiff::civil::Date;

use super::capabilities::Capabilities;
use crate::model::UidSet;

/// No command line is longer than this, as far as it is up to us: RFC 7162 §4 has servers take 8192
/// bytes, and there are servers that take no more.
const LONGEST_LINE: usize = 8000;

/// A command without its tag and its line end.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Command {
    /// Its name, for errors.
    pub(super) name: &'static str,
    /// The bytes.
    pub(super) bytes: Vec<u8>,
    /// Places in `bytes` where the server has to ask for more before it is sent: after the marker
    /// of each literal that it does not take at once.
    pub(super) pauses: Vec<usize>,
}

impl Command {
    /// A command of ASCII only.
    pub(super) fn new(name: &'static str, text: impl Into<String>) -> Self {
        Self { name, bytes: text.into().into_bytes(), pauses: Vec::new() }
    }

    /// Adds text.
    pub(super) fn text(mut self, text: &str) -> Self {
        self.bytes.extend_from_slice(text.as_bytes());
        self
    }

    /// Adds a mailbox name, byte for byte as the server sent it: as a quoted string, or as a literal
    /// where a quoted string cannot hold it.
    pub(super) fn mailbox(mut self, wire: &[u8], capabilities: Option<&Capabilities>) -> Self {
        if wire.iter().all(|byte| byte.is_ascii() && !matches!(byte, b'\r' | b'\n' | 0)) {
            self.bytes.push(b'"');
            for byte in wire {
                if matches!(byte, b'"' | b'\\') {
                    self.bytes.push(b'\\');
                }
                self.bytes.push(*byte);
            }
            self.bytes.push(b'"');
            return self;
        }
        let at_once = capabilities.is_some_and(|known| known.takes_literal_at_once(wire.len()));
        let plus = if at_once { "+" } else { "" };
        self.bytes.extend_from_slice(format!("{{{}{plus}}}\r\n", wire.len()).as_bytes());
        if !at_once {
            self.pauses.push(self.bytes.len());
        }
        self.bytes.extend_from_slice(wire);
        self
    }
}

/// A command for `uids`, cut into several where the set makes it too long: `before`, the set,
/// `after`.
pub(super) fn for_uids(name: &'static str, before: &str, uids: &UidSet, after: &str) -> Vec<Command> {
    let room = LONGEST_LINE.saturating_sub(before.len() + after.len());
    let mut commands = Vec::new();
    let mut part = String::new();
    for range in uids.ranges() {
        let text = if range.start() == range.end() {
            range.start().to_string()
        } else {
            format!("{}:{}", range.start(), range.end())
        };
        if !part.is_empty() && part.len() + 1 + text.len() > room {
            commands.push(Command::new(name, format!("{before}{part}{after}")));
            part.clear();
        }
        if !part.is_empty() {
            part.push(',');
        }
        part.push_str(&text);
    }
    if !part.is_empty() {
        commands.push(Command::new(name, format!("{before}{part}{after}")));
    }
    commands
}

/// A date as SEARCH wants it (RFC 9051 `date`).
pub(super) fn search_date(date: Date) -> String {
    const MONTHS: [&str; 12] = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
    let month =
        usize::try_from(date.month()).ok().and_then(|month| MONTHS.get(month.wrapping_sub(1))).unwrap_or(&"Jan");
    format!("{}-{month}-{:04}", date.day(), date.year().max(0))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Uid;

    #[test]
    fn names_are_quoted_or_sent_as_literals() {
        let plus = Capabilities::new(b"LITERAL+");
        for (wire, capabilities, bytes, pauses) in [
            (&b"INBOX"[..], None, &b"EXAMINE \"INBOX\""[..], vec![]),
            (b"a \"b\" \\c", None, b"EXAMINE \"a \\\"b\\\" \\\\c\"", vec![]),
            ("ქ".as_bytes(), None, b"EXAMINE {3}\r\n\xe1\x83\xa5", vec![13]),
            ("ქ".as_bytes(), Some(&plus), b"EXAMINE {3+}\r\n\xe1\x83\xa5", vec![]),
            (b"a\r\nx DELETE b", Some(&plus), b"EXAMINE {13+}\r\na\r\nx DELETE b", vec![]),
        ] {
            let command = Command::new("EXAMINE", "EXAMINE ").mailbox(wire, capabilities);
            assert_eq!((command.bytes.as_slice(), command.pauses), (bytes, pauses));
        }
    }

    #[test]
    fn long_sets_are_cut_between_ranges() {
        let uids: UidSet = (0..5000_u32).map(|n| Uid(4_000_000_000 + 2 * n)).collect();
        let commands = for_uids("UID FETCH", "UID FETCH ", &uids, " (FLAGS)");
        assert!(commands.len() > 5);
        let mut all = UidSet::new();
        for command in &commands {
            assert!(command.bytes.len() <= LONGEST_LINE);
            let text = std::str::from_utf8(&command.bytes).unwrap();
            let set = text.strip_prefix("UID FETCH ").unwrap().strip_suffix(" (FLAGS)").unwrap();
            all = all.union(&set.parse().unwrap());
        }
        assert_eq!(all, uids);
        assert!(for_uids("x", "", &UidSet::new(), "").is_empty());
    }

    #[test]
    fn dates_are_written_as_search_wants_them() {
        assert_eq!(search_date(jiff::civil::date(2026, 2, 1)), "1-Feb-2026");
        assert_eq!(search_date(jiff::civil::date(987, 12, 31)), "31-Dec-0987");
    }
}

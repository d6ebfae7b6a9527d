//! What a server says that it can do.

use std::collections::HashSet;

use super::response::{Kind, Response};

/// A capability list, in capitals.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Capabilities(HashSet<Vec<u8>>);

impl Capabilities {
    /// From a list of words.
    pub(super) fn new(words: &[u8]) -> Self {
        let words = words.split(u8::is_ascii_whitespace).filter(|word| !word.is_empty());
        Self(words.map(<[u8]>::to_ascii_uppercase).collect())
    }

    /// The list that `response` carries: `* CAPABILITY …`, or the response code of a status.
    pub(super) fn in_response(response: &Response) -> Option<Self> {
        match response.kind() {
            Kind::Data(data) if data.is("CAPABILITY") => Some(Self::new(data.tokens.rest())),
            Kind::Status(_, text) | Kind::Tagged { text, .. } if text.has_code("CAPABILITY") => {
                Some(Self::new(text.arguments()))
            }
            _ => None,
        }
    }

    /// Whether `name` (in capitals) is in the list, or comes with the revision of the protocol.
    pub(super) fn has(&self, name: &str) -> bool {
        // Part of IMAP4rev2 itself (RFC 9051 appendix E), which a server that speaks nothing else
        // need not name one by one.
        const REV2: [&str; 4] = ["LIST-STATUS", "ESEARCH", "SPECIAL-USE", "LITERAL-"];
        let listed = |name: &str| self.0.contains(name.as_bytes());
        listed(name) || (REV2.contains(&name) && listed("IMAP4REV2") && !listed("IMAP4REV1"))
    }

    /// Whether folders keep modification sequences (RFC 7162).
    pub(super) fn has_condstore(&self) -> bool {
        self.has("CONDSTORE") || self.has("QRESYNC")
    }

    /// Whether a literal of `size` bytes may follow without waiting for the server (RFC 7888).
    pub(super) fn takes_literal_at_once(&self, size: usize) -> bool {
        self.has("LITERAL+") || (self.has("LITERAL-") && size <= 4096)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn response(line: &str) -> Option<Capabilities> {
        Capabilities::in_response(&Response::new(line.as_bytes().to_vec(), Vec::new()))
    }

    #[test]
    fn lists_are_found_wherever_they_pass_by() {
        for line in [
            "* CAPABILITY IMAP4rev1  Esearch\r\n",
            "* capability IMAP4rev1 ESEARCH\r\n",
            "* OK [CAPABILITY IMAP4rev1 ESEARCH] ready\r\n",
            "a1 OK [CAPABILITY IMAP4rev1 ESEARCH] logged in\r\n",
        ] {
            let found = response(line).unwrap();
            assert!(found.has("ESEARCH") && !found.has("CONDSTORE"), "{line}");
        }
        assert_eq!(response("* OK CAPABILITY\r\n"), None);
        assert_eq!(response("* LIST () NIL CAPABILITY\r\n"), None);
    }

    #[test]
    fn imap4rev2_alone_has_its_parts() {
        assert!(Capabilities::new(b"IMAP4rev2").has("LIST-STATUS"));
        assert!(!Capabilities::new(b"IMAP4rev2 IMAP4rev1").has("LIST-STATUS"), "it has to be enabled there");
        assert!(Capabilities::new(b"QRESYNC").has_condstore());
    }

    #[test]
    fn literals_at_once_are_bounded_without_the_plus() {
        assert!(Capabilities::new(b"LITERAL+").takes_literal_at_once(10_000));
        assert!(Capabilities::new(b"LITERAL-").takes_literal_at_once(4096));
        assert!(!Capabilities::new(b"LITERAL-").takes_literal_at_once(4097));
        assert!(!Capabilities::new(b"").takes_literal_at_once(1));
    }
}

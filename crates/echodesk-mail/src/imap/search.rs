//! SEARCH and ESEARCH answers.

use super::response::{Data, parse_number};
use super::tokens::{Malformed, Value};
use super::wire::{TAG_PREFIX, Untagged};
use crate::model::{Uid, UidSet};

/// How much of a set is read at a time, in bytes: a server may repeat itself for a whole line, and
/// what is made of its text takes several times the room.
const PART: usize = 256 << 10;

/// The fewest UIDs that are gathered before they are brought into order.
const GATHERED: usize = 4096;

/// What one search command has been answered so far. It holds nothing but what was asked for, however
/// much a server sends.
pub(super) struct Search<'a> {
    asked: &'a UidSet,
    tag: Vec<u8>,
    found: UidSet,
    gathered: Vec<Uid>,
    answered: bool,
    /// Whether an answer named this very command: it is the whole answer, whatever else was said.
    confirmed: bool,
    unreadable: bool,
}

impl<'a> Search<'a> {
    /// For the command number `tag`, which asks for (some of) `asked`.
    pub(super) fn new(asked: &'a UidSet, tag: u64) -> Self {
        let tag = format!("{TAG_PREFIX}{tag}").into_bytes();
        Self {
            asked,
            tag,
            found: UidSet::new(),
            gathered: Vec::new(),
            answered: false,
            confirmed: false,
            unreadable: false,
        }
    }

    /// Takes what `untagged` says of the search, if anything.
    ///
    /// # Errors
    /// It answers the search and cannot be read; [`Search::finish`] says so too.
    pub(super) fn take(&mut self, untagged: Untagged<'_>) -> Result<(), Malformed> {
        let read = match untagged {
            Untagged::Data(data) if data.is("SEARCH") => self.list(data).map(|()| true),
            Untagged::Data(data) if data.is("ESEARCH") => self.set(data),
            _ => Ok(false),
        };
        self.unreadable |= read.is_err();
        self.answered |= read?;
        Ok(())
    }

    /// What was found; or, in words, why that is not known. An answer that is missing or cannot be
    /// read must not pass for one that found nothing: the messages would count as gone.
    pub(super) fn finish(mut self) -> Result<UidSet, &'static str> {
        self.sort();
        match (self.unreadable && !self.confirmed, self.answered) {
            (true, _) => Err("its answer cannot be understood"),
            (false, false) => Err("it says OK without an answer"),
            (false, true) => Ok(self.found),
        }
    }

    /// Reads `* SEARCH n n …`; a modification sequence may follow (RFC 7162 §3.1.5).
    fn list(&mut self, data: Data<'_>) -> Result<(), Malformed> {
        let words = data.tokens.rest().split(u8::is_ascii_whitespace).filter(|word| !word.is_empty());
        for word in words.take_while(|word| !word.starts_with(b"(")) {
            let uid = parse_number(word).and_then(|uid| u32::try_from(uid).ok()).filter(|uid| *uid > 0);
            let uid = Uid(uid.ok_or(Malformed)?);
            if self.asked.contains(uid) {
                self.gathered.push(uid);
                // In step with what was found, so that the work stays in proportion in any order.
                if self.gathered.len() >= GATHERED.max(self.found.range_count()) {
                    self.sort();
                }
            }
        }
        Ok(())
    }

    fn sort(&mut self) {
        let gathered: UidSet = self.gathered.drain(..).collect();
        self.found = self.found.union(&gathered);
    }

    /// Reads `* ESEARCH (TAG "e5") UID ALL 1:3,5` (RFC 4731); there is no ALL where nothing was found.
    /// Returns whether it answers this command.
    fn set(&mut self, data: Data<'_>) -> Result<bool, Malformed> {
        let mut tokens = data.tokens;
        let (mut by_uid, mut named) = (false, false);
        let mut all = UidSet::new();
        while let Some(value) = tokens.next_value()? {
            match value {
                Value::List(correlator) => {
                    let tag = correlator.get(1).and_then(Value::name).ok_or(Malformed)?;
                    if tag != self.tag {
                        return Ok(false);
                    }
                    named = true;
                }
                Value::Atom(atom) if atom.eq_ignore_ascii_case(b"UID") => by_uid = true,
                Value::Atom(atom) if atom.eq_ignore_ascii_case(b"ALL") => {
                    let set = tokens.expect()?;
                    all = self.asked_of(set.string().ok_or(Malformed)?)?;
                }
                // MIN, MAX, COUNT, MODSEQ and whatever comes to be: a name and a value.
                _ => {
                    tokens.expect()?;
                }
            }
        }
        // Without the word UID it has message numbers in it.
        if !by_uid {
            return Err(Malformed);
        }
        if named && !self.confirmed {
            self.found = UidSet::new();
            self.gathered.clear();
        }
        self.confirmed |= named;
        self.found = self.found.union(&all);
        Ok(true)
    }

    /// What `set` has of what was asked.
    fn asked_of(&self, set: &[u8]) -> Result<UidSet, Malformed> {
        let mut rest =
            std::str::from_utf8(set).ok().filter(|set| set.is_ascii() && !set.is_empty()).ok_or(Malformed)?;
        let mut found = UidSet::new();
        loop {
            let cut = rest.get(PART..).and_then(|tail| tail.find(',')).map(|at| at + PART);
            let (part, after) = cut.map_or((rest, None), |cut| (&rest[..cut], rest.get(cut + 1..)));
            let part: UidSet = part.parse().map_err(|_| Malformed)?;
            found = found.union(&part.intersection(self.asked));
            match after {
                Some("") => return Err(Malformed),
                Some(after) => rest = after,
                None => return Ok(found),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::imap::response::Response;
    use crate::imap::wire::untagged;

    fn search_of(asked: &str, lines: &[&str]) -> Result<String, &'static str> {
        let asked = asked.parse().unwrap();
        let mut search = Search::new(&asked, 5);
        for line in lines {
            let response = Response::new(line.as_bytes().to_vec(), Vec::new());
            let _ = search.take(untagged(&response).unwrap());
        }
        search.finish().map(|found| found.to_string())
    }

    fn search(line: &str) -> Result<String, &'static str> {
        search_of("1:9", &[line])
    }

    #[test]
    fn search_lists_uids() {
        assert_eq!(search("* SEARCH\r\n").unwrap(), "");
        assert_eq!(search("* search 3 1  2 9 10 \r\n").unwrap(), "1:3,9", "10 was not asked for");
        assert_eq!(search("* SEARCH 2 (MODSEQ 917162500)\r\n").unwrap(), "2");
        for line in ["* SEARCH 2 x\r\n", "* SEARCH 1,2,3\r\n", "* SEARCH 0\r\n", "* SEARCH 4294967296\r\n"] {
            assert_eq!(search(line), Err("its answer cannot be understood"), "{line}");
        }
    }

    #[test]
    fn an_answer_that_names_the_command_stands_whatever_else_is_said() {
        let odd = "* SEARCH 1 what\r\n";
        assert_eq!(search_of("1:9", &[odd, "* ESEARCH (TAG \"e5\") UID ALL 2\r\n"]).unwrap(), "2");
        assert!(search_of("1:9", &[odd, "* ESEARCH UID ALL 2\r\n"]).is_err());
        assert!(search_of("1:9", &[odd, "* SEARCH 2\r\n"]).is_err());
    }

    #[test]
    fn esearch_answers_are_paired_by_their_tag() {
        assert_eq!(search("* ESEARCH (TAG \"e5\") UID ALL 1:3,7\r\n").unwrap(), "1:3,7");
        assert_eq!(search("* ESEARCH (TAG e5) UID COUNT 2 ALL 4\r\n").unwrap(), "4");
        assert_eq!(search("* ESEARCH UID ALL 4 MODSEQ 12\r\n").unwrap(), "4");
        assert_eq!(search("* ESEARCH (TAG \"e5\") UID\r\n").unwrap(), "", "nothing found");
        for tag in ["e4", "e6", "x"] {
            let line = format!("* ESEARCH (TAG \"{tag}\") UID ALL 1\r\n");
            assert_eq!(search(&line), Err("it says OK without an answer"), "{tag}");
        }
        for rest in ["ALL 1", "UID ALL 1:*", "UID ALL", "UID ALL \"\"", "UID ALL 1,", "UID ALL (1)"] {
            let line = format!("* ESEARCH (TAG \"e5\") {rest}\r\n");
            assert_eq!(search(&line), Err("its answer cannot be understood"), "{rest}");
        }
    }

    #[test]
    fn a_readable_answer_does_not_make_up_for_one_that_is_not() {
        assert!(search_of("1:9", &["* SEARCH 1\r\n", "* SEARCH x\r\n"]).is_err());
        assert!(search_of("1:9", &["* SEARCH x\r\n", "* SEARCH 1\r\n"]).is_err());
        assert!(search_of("1:9", &["* 9 EXISTS\r\n", "* LIST () NIL x\r\n"]).is_err());
        assert!(search_of("1:9", &[]).is_err());
    }

    #[test]
    fn a_set_of_everything_is_not_walked() {
        assert_eq!(search("* ESEARCH (TAG \"e5\") UID ALL 1:4294967295\r\n").unwrap(), "1:9");
        let all = search_of("1:4294967295", &["* ESEARCH UID ALL 1:4294967295\r\n"]);
        assert_eq!(all.unwrap(), "1:4294967295");
    }

    #[test]
    fn a_long_set_is_read_in_parts() {
        let uids: Vec<String> = (1..100_000_u32).map(|n| (n * 2).to_string()).collect();
        let line = format!("* ESEARCH UID ALL {}\r\n", uids.join(","));
        assert!(line.len() > 2 * PART);
        assert_eq!(search_of("1:300000", &[&line]).unwrap(), uids.join(","));
        assert!(search_of("1:9", &[&line.replace(",150000,", ",,")]).is_err());
    }

    #[test]
    fn a_list_in_any_order_holds_no_more_than_was_asked_for() {
        let mut uids: Vec<String> = (1..=20_000_u32).rev().map(|n| (n * 2).to_string()).collect();
        let line = format!("* SEARCH {} {}\r\n", uids.join(" "), "2 ".repeat(100_000));
        uids.reverse();
        assert_eq!(search_of("1:50000", &[&line, &line]).unwrap(), uids.join(","));

        let asked = "1:9".parse().unwrap();
        let mut search = Search::new(&asked, 5);
        let response = Response::new(line.into_bytes(), Vec::new());
        search.take(untagged(&response).unwrap()).unwrap();
        assert!(search.gathered.capacity() <= 2 * GATHERED, "{}", search.gathered.capacity());
    }
}

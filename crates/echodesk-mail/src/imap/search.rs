//! SEARCH and ESEARCH answers.

use super::response::{Data, parse_number};
use super::tokens::{Malformed, Value};
use super::wire::tag_number;
use crate::model::{Uid, UidSet};

/// Reads `* SEARCH n n …`; a modification sequence may follow (RFC 7162 §3.1.5).
pub(super) fn read_search(data: Data<'_>, found: &mut Vec<Uid>) -> Result<(), Malformed> {
    let mut words = data.tokens.rest().split(u8::is_ascii_whitespace).filter(|word| !word.is_empty());
    words.by_ref().take_while(|word| !word.starts_with(b"(")).try_for_each(|word| {
        let uid = parse_number(word).and_then(|uid| u32::try_from(uid).ok()).ok_or(Malformed)?;
        found.push(Uid(uid));
        Ok(())
    })
}

/// Reads `* ESEARCH (TAG "e5") UID ALL 1:3,5` (RFC 4731). None if it answers a command before
/// `first_tag`, or has message numbers in it instead of UIDs.
pub(super) fn read_esearch(data: Data<'_>, first_tag: u64) -> Result<Option<UidSet>, Malformed> {
    let mut tokens = data.tokens;
    let mut by_uid = false;
    let mut all = UidSet::new();
    while let Some(value) = tokens.next_value()? {
        match value {
            Value::List(correlator) => {
                let tag = correlator.get(1).and_then(|tag| tag_number(tag.name()?)).ok_or(Malformed)?;
                if tag < first_tag {
                    return Ok(None);
                }
            }
            Value::Atom(atom) if atom.eq_ignore_ascii_case(b"UID") => by_uid = true,
            Value::Atom(atom) if atom.eq_ignore_ascii_case(b"ALL") => {
                let set = tokens.expect()?;
                let set = set.string().and_then(|set| std::str::from_utf8(set).ok()).ok_or(Malformed)?;
                all = set.parse().map_err(|_| Malformed)?;
            }
            // MIN, MAX, COUNT, MODSEQ and whatever comes to be: a name and a value.
            _ => {
                tokens.expect()?;
            }
        }
    }
    Ok(by_uid.then_some(all))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::imap::response::Response;
    use crate::imap::wire::{Untagged, untagged};

    fn data<T>(line: &str, read: impl Fn(Data<'_>) -> T) -> T {
        let response = Response::new(line.as_bytes().to_vec(), Vec::new());
        let Some(Untagged::Data(data)) = untagged(&response) else { panic!("{line}") };
        read(data)
    }

    #[test]
    fn search_lists_uids() {
        let read = |line: &str| {
            data(line, |data| {
                let mut found = Vec::new();
                read_search(data, &mut found).map(|()| found.into_iter().collect::<UidSet>().to_string())
            })
        };
        assert_eq!(read("* SEARCH\r\n").unwrap(), "");
        assert_eq!(read("* search 3 1  2 9 \r\n").unwrap(), "1:3,9");
        assert_eq!(read("* SEARCH 2 (MODSEQ 917162500)\r\n").unwrap(), "2");
        assert_eq!(read("* SEARCH 2 x\r\n"), Err(Malformed));
    }

    #[test]
    fn esearch_answers_are_paired_by_their_tag() {
        let read = |line: &str| data(line, |data| read_esearch(data, 5)).map(|set| set.map(|set| set.to_string()));
        assert_eq!(read("* ESEARCH (TAG \"e5\") UID ALL 1:3,7\r\n"), Ok(Some("1:3,7".to_owned())));
        assert_eq!(read("* ESEARCH (TAG e6) UID COUNT 2 ALL 4\r\n"), Ok(Some("4".to_owned())));
        assert_eq!(read("* ESEARCH UID ALL 4 MODSEQ 12\r\n"), Ok(Some("4".to_owned())));
        assert_eq!(read("* ESEARCH (TAG \"e5\") UID\r\n"), Ok(Some(String::new())), "nothing found");
        assert_eq!(read("* ESEARCH (TAG \"e4\") UID ALL 1\r\n"), Ok(None), "an old one");
        assert_eq!(read("* ESEARCH (TAG \"e5\") ALL 1\r\n"), Ok(None), "message numbers");
        assert_eq!(read("* ESEARCH (TAG \"e5\") UID ALL 1:*\r\n"), Err(Malformed));
    }
}

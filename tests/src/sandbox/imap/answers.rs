//! What the server says of folders and messages.

use std::fmt::Write as _;

use jiff::civil::Date;
use jiff::tz::TimeZone;

use super::behaviour::NameStyle;
use super::command::Argument;
use super::store::{Folder, Message};
use super::utf7;

/// A folder's name as it stands in an answer.
pub(super) fn name(name: &str, style: NameStyle) -> String {
    let wire = utf7::encode(name);
    let plain = !wire.is_empty() && wire.bytes().all(|byte| byte.is_ascii_graphic() && !b"(){%*\"\\]".contains(&byte));
    match style {
        NameStyle::Literal => format!("{{{}}}\r\n{wire}", wire.len()),
        NameStyle::Atom if plain => wire,
        NameStyle::Atom | NameStyle::Quoted => format!("\"{}\"", wire.replace('\\', "\\\\").replace('"', "\\\"")),
    }
}

/// The items of a STATUS answer, in parentheses.
pub(super) fn status(folder: &Folder, items: &[Argument]) -> String {
    let values: Vec<String> = items
        .iter()
        .filter_map(|item| {
            let item = item.keyword();
            let value = match item.as_str() {
                "MESSAGES" => folder.messages.len() as u64,
                "UIDNEXT" => u64::from(folder.uid_next),
                "UIDVALIDITY" => u64::from(folder.uid_validity),
                "UNSEEN" => folder.messages.iter().filter(|message| !message.flags.contains("\\Seen")).count() as u64,
                "RECENT" => 0,
                "HIGHESTMODSEQ" => folder.highest_mod_seq,
                _ => return None,
            };
            Some(format!("{item} {value}"))
        })
        .collect();
    format!("({})", values.join(" "))
}

/// The flags of a message, in parentheses.
pub(super) fn flags(message: &Message) -> String {
    let flags: Vec<&str> = message.flags.iter().map(String::as_str).collect();
    format!("({})", flags.join(" "))
}

/// A FETCH answer of the items that were asked for, each byte of it; `None` if one is not known.
/// `size` is what RFC822.SIZE claims.
pub(super) fn fetch(sequence: usize, message: &Message, items: &[Argument], size: usize, nil: bool) -> Option<Vec<u8>> {
    let mut answer = format!("* {sequence} FETCH (").into_bytes();
    for (index, item) in items.iter().enumerate() {
        if index > 0 {
            answer.push(b' ');
        }
        let mut text = String::new();
        match item.keyword().as_str() {
            "UID" => write!(text, "UID {}", message.uid).ok()?,
            "FLAGS" => write!(text, "FLAGS {}", flags(message)).ok()?,
            "RFC822.SIZE" => write!(text, "RFC822.SIZE {size}").ok()?,
            "MODSEQ" => write!(text, "MODSEQ ({})", message.mod_seq).ok()?,
            "INTERNALDATE" => {
                let date = message.internal_date.strftime("%d-%b-%Y %H:%M:%S +0000");
                write!(text, "INTERNALDATE \"{date}\"").ok()?;
            }
            keyword => {
                let (label, bytes) = section(keyword, &message.bytes)?;
                answer.extend_from_slice(label.as_bytes());
                if nil {
                    answer.extend_from_slice(b" NIL");
                } else {
                    answer.extend_from_slice(format!(" {{{}}}\r\n", bytes.len()).as_bytes());
                    answer.extend_from_slice(bytes);
                }
            }
        }
        answer.extend_from_slice(text.as_bytes());
    }
    answer.extend_from_slice(b")\r\n");
    Some(answer)
}

/// `BODY.PEEK[]<0.10>` → how the answer calls it, and which bytes it is.
fn section<'a>(keyword: &str, message: &'a [u8]) -> Option<(String, &'a [u8])> {
    let rest = keyword.strip_prefix("BODY.PEEK[").or_else(|| keyword.strip_prefix("BODY["))?;
    let (section, partial) = rest.split_once(']')?;
    let header_end = message.windows(4).position(|window| window == b"\r\n\r\n").map_or(message.len(), |at| at + 4);
    let bytes = match section {
        "" => message,
        "HEADER" => &message[..header_end],
        "TEXT" => &message[header_end..],
        _ => return None,
    };
    if partial.is_empty() {
        return Some((format!("BODY[{section}]"), bytes));
    }
    let (offset, length) = partial.strip_prefix('<')?.strip_suffix('>')?.split_once('.')?;
    let (offset, length): (usize, usize) = (offset.parse().ok()?, length.parse().ok()?);
    let bytes = bytes.get(offset..).unwrap_or_default();
    Some((format!("BODY[{section}]<{offset}>"), &bytes[..length.min(bytes.len())]))
}

/// Whether a message is in a set such as `1:3,7:*`; `last` is what `*` stands for.
pub(super) fn in_set(set: &str, number: u32, last: u32) -> bool {
    set.split(',').any(|range| {
        let end = |text: &str| if text == "*" { Some(last) } else { text.parse::<u32>().ok() };
        let (a, b) = range.split_once(':').unwrap_or((range, range));
        let (Some(a), Some(b)) = (end(a), end(b)) else { return false };
        (a.min(b)..=a.max(b)).contains(&number)
    })
}

/// Whether a set can be understood.
pub(super) fn is_set(text: &str) -> bool {
    !text.is_empty()
        && text.split([',', ':']).all(|number| number == "*" || number.parse::<u32>().is_ok_and(|number| number > 0))
}

/// The UIDs that a SEARCH finds; `None` if a key is not known.
pub(super) fn search(folder: &Folder, keys: &[Argument]) -> Option<Vec<u32>> {
    let last = folder.messages.last().map_or(0, |message| message.uid);
    let mut found: Vec<&Message> = folder.messages.iter().collect();
    let mut keys = keys.iter();
    while let Some(key) = keys.next() {
        let mut next = || keys.next().map(Argument::text);
        match key.keyword().as_str() {
            "ALL" => {}
            "UNSEEN" => found.retain(|message| !message.flags.contains("\\Seen")),
            "SEEN" => found.retain(|message| message.flags.contains("\\Seen")),
            "UID" => {
                let set = next().filter(|set| is_set(set))?;
                found.retain(|message| in_set(set, message.uid, last));
            }
            "MODSEQ" => {
                let mod_seq: u64 = next()?.parse().ok()?;
                found.retain(|message| message.mod_seq >= mod_seq);
            }
            "SINCE" => {
                let day = Date::strptime("%d-%b-%Y", next()?).ok()?;
                found.retain(|message| message.internal_date.to_zoned(TimeZone::UTC).date() >= day);
            }
            set if is_set(set) => {
                let count = u32::try_from(folder.messages.len()).unwrap_or(u32::MAX);
                let all = folder.messages.iter().zip(1..);
                let wanted: Vec<u32> =
                    all.filter(|(_, number)| in_set(set, *number, count)).map(|(message, _)| message.uid).collect();
                found.retain(|message| wanted.contains(&message.uid));
            }
            _ => return None,
        }
    }
    Some(found.into_iter().map(|message| message.uid).collect())
}

/// UIDs as a set, neighbours joined (as ESEARCH wants them).
pub(super) fn set(uids: &[u32]) -> String {
    let mut ranges: Vec<(u32, u32)> = Vec::new();
    for uid in uids {
        match ranges.last_mut() {
            Some((_, last)) if *last + 1 == *uid => *last = *uid,
            _ => ranges.push((*uid, *uid)),
        }
    }
    let texts: Vec<String> =
        ranges.iter().map(|(a, b)| if a == b { a.to_string() } else { format!("{a}:{b}") }).collect();
    texts.join(",")
}

/// Whether a LIST pattern takes a name: `*` is anything, `%` anything within one level.
pub(super) fn matches(pattern: &str, name: &str) -> bool {
    let Some(first) = pattern.chars().next() else { return name.is_empty() };
    match first {
        '*' | '%' => {
            let rest = &pattern[1..];
            let mut ends = name.char_indices().map(|(at, _)| at).chain([name.len()]);
            ends.any(|end| (first == '*' || !name[..end].contains('/')) && matches(rest, &name[end..]))
        }
        _ => name.starts_with(first) && matches(&pattern[first.len_utf8()..], &name[first.len_utf8()..]),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_star_is_the_last_message_even_behind_the_end() {
        assert!(in_set("10:*", 7, 7), "RFC 3501: n:* always includes the last");
        assert!(in_set("1:3,7", 7, 9) && !in_set("1:3,7", 4, 9));
        assert!(is_set("1:*,5") && !is_set("0") && !is_set("a"));
        assert_eq!(set(&[1, 2, 3, 7, 9, 10]), "1:3,7,9:10");
    }

    #[test]
    fn patterns() {
        assert!(matches("*", "a/b") && !matches("%", "a/b") && matches("a/%", "a/b") && !matches("A", "a"));
    }
}

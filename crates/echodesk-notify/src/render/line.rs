//! Values from tenants and mail servers, made fit to stand inside a line.

use crate::invisible::is_invisible;

/// How many characters of a name, an address, an amount are shown.
pub(super) const NAME: usize = 100;
/// How many characters of what a server said are shown.
pub(super) const REASON: usize = 500;
/// How many characters a subject has.
pub(super) const SUBJECT: usize = 120;
/// A longer word is broken: six bytes for each of its characters, as HTML may need, still fit into the 998
/// bytes of a line that RFC 5322, section 2.1.1, allows.
const WORD: usize = 150;

/// A value on one line, at most `limit` characters long, that cannot be taken for an address to be clicked on.
pub(super) fn value(value: &str, limit: usize) -> String {
    // Mail programs make links of addresses that stand in a text.
    one_line(&value.replace("://", "[:]//").replace("www.", "www[.]"), limit)
}

/// Words of ours and values on one line, at most `limit` characters long.
pub(super) fn one_line(value: &str, limit: usize) -> String {
    let visible: String = value
        .chars()
        .filter(|character| !is_invisible(*character))
        .map(|character| if character.is_control() { ' ' } else { character })
        .collect();
    let words: Vec<String> = visible.split(is_gap).filter(|word| !word.is_empty()).map(break_word).collect();
    truncate(&words.join(" "), limit)
}

/// At most `limit` characters, the last an ellipsis if some were left out.
fn truncate(text: &str, limit: usize) -> String {
    if text.chars().count() <= limit {
        return text.to_owned();
    }
    let kept: String = text.chars().take(limit.saturating_sub(1)).collect();
    format!("{}…", kept.trim_end())
}

/// The same without a part of a word at the end.
pub(super) fn truncate_words(text: &str, limit: usize) -> String {
    match truncate(text, limit) {
        cut if cut == text => cut,
        cut => cut.rsplit_once(' ').map_or(cut.clone(), |(words, _)| format!("{words} …")),
    }
}

/// Where a value may be broken; not at the no-break spaces that amounts are written with.
fn is_gap(character: char) -> bool {
    character.is_whitespace() && character != '\u{a0}'
}

fn break_word(word: &str) -> String {
    if word.chars().count() <= WORD {
        return word.to_owned();
    }
    let characters: Vec<char> = word.chars().collect();
    characters.chunks(WORD).map(|chunk| chunk.iter().collect::<String>()).collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_becomes_one_line_of_visible_characters() {
        let table = [
            ("Ana", "Ana"),
            ("  Ana \t Maria ", "Ana Maria"),
            ("a\r\nBcc: b", "a Bcc: b"),
            ("a\u{2028}b\u{2029}c\u{85}d\u{0}e", "a b c d e"),
            ("ab\u{202e}moc.\u{2066}x\u{200b}", "abmoc.x"),
            ("pay at https://evil.example", "pay at https[:]//evil.example"),
            ("www.evil.example", "www[.]evil.example"),
            ("{{ name }} <b>", "{{ name }} <b>"),
        ];
        for (from, expected) in table {
            assert_eq!(value(from, NAME), expected, "{from:?}");
        }
    }

    #[test]
    fn a_long_value_is_cut_and_a_long_word_broken() {
        assert_eq!(value(&"ბ".repeat(101), NAME), format!("{}…", "ბ".repeat(99)));
        assert_eq!(value(&"ბ".repeat(100), NAME), "ბ".repeat(100));
        assert_eq!(truncate_words("one two three", 13), "one two three");
        assert_eq!(truncate_words("one two three", 11), "one two …");
        assert_eq!(truncate_words("onetwothree", 5), "onet…");
        let broken = value(&"x".repeat(400), REASON);
        assert_eq!(broken.split(' ').map(str::len).collect::<Vec<_>>(), [150, 150, 100]);
    }
}

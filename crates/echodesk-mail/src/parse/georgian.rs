//! The two eight-bit character sets that Georgian mail was written in before Unicode, and that no
//! common decoder knows. Both are windows-1252 but for the letters, which start at 0xC0.

use super::library;

/// The letters of Georgian-Academy from 0xC0: the alphabet in the order of Unicode.
const ACADEMY: &str = "აბგდევზთიკლმნოპჟრსტუფქღყშჩცძწჭხჯჰჱჲჳჴჵჶ";

/// The letters of Georgian-PS from 0xC0: the alphabet in its traditional order.
const PS: &str = "აბგდევზჱთიკლმნჲოპჟრსტჳუფქღყშჩცძწჭხჴჯჰჵ";

/// Reads Georgian-Academy.
pub(super) fn academy(bytes: &[u8]) -> String {
    decode(bytes, ACADEMY)
}

/// Reads Georgian-PS.
pub(super) fn ps(bytes: &[u8]) -> String {
    decode(bytes, PS)
}

fn decode(bytes: &[u8], letters: &str) -> String {
    let letters: Vec<char> = letters.chars().collect();
    let latin: Vec<char> = (0x80..=0xff_u8)
        .map(|byte| {
            library::charset("windows-1252", &[byte]).and_then(|text| text.chars().next()).unwrap_or('\u{fffd}')
        })
        .collect();
    let read = |byte: u8| match byte {
        ..0x80 => char::from(byte),
        0xc0.. => letters.get(usize::from(byte - 0xc0)).copied().unwrap_or(latin[usize::from(byte - 0x80)]),
        _ => latin[usize::from(byte - 0x80)],
    };
    bytes.iter().copied().map(read).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_orders_spell_the_same_word() {
        assert_eq!(academy(b"\xc2\xc0\xcb\xc0\xd0\xbf!"), "გამარ¿!");
        assert_eq!(ps(b"\xc2\xc0\xcc\xc0\xd2\x84"), "გამარ„");
        assert_eq!((ACADEMY.chars().count(), PS.chars().count()), (39, 38));
        assert_eq!((academy(b"\xe6\xe7"), ps(b"\xe5\xe6")), ("ჶç".to_owned(), "ჵæ".to_owned()));
    }
}

//! How the names of folders read. A folder's cursor is kept under that name, so no two folders of a
//! mailbox may share one, and a folder must have the same one in every run.

use super::utf7;

/// Begins what follows a name that does not tell by itself what the server calls the folder.
const SENT_AS: &str = " (sent as ";

/// Whether `wire` is what its name is written as by the rules: such names differ as their bytes do.
pub(super) fn is_well_encoded(wire: &[u8]) -> bool {
    wire.eq_ignore_ascii_case(b"INBOX") || utf7::decode(wire).is_some_and(|name| utf7::encode(&name) == wire)
}

/// The name of the folder that the server calls `wire`.
///
/// Most are modified UTF-7 and read as what they say. Text that is none, and can be shown, is taken
/// as it is (`R&D`, or a name in bare UTF-8): it shares its name only with the one folder that
/// spells it well, where both exist, and then has to be [`spelt_out`]. All else is spelt out at once.
pub(super) fn read(wire: &[u8]) -> String {
    if wire.eq_ignore_ascii_case(b"INBOX") {
        return "INBOX".to_owned();
    }
    let decoded = utf7::decode(wire);
    let plain = match &decoded {
        Some(name) => Some(name.as_str()).filter(|_| is_well_encoded(wire)),
        None => std::str::from_utf8(wire).ok().filter(|name| !name.chars().any(char::is_control)),
    };
    // A name that looks like a spelt out one could be that of another folder.
    plain.filter(|name| !name.contains(SENT_AS)).map_or_else(|| spelt_out(wire), str::to_owned)
}

/// What can be read of `wire`, and after that all of it, so that no other folder has this name.
pub(super) fn spelt_out(wire: &[u8]) -> String {
    let read = utf7::decode(wire).unwrap_or_else(|| String::from_utf8_lossy(wire).into_owned());
    let mut name: String = read.chars().map(|c| if c.is_control() { char::REPLACEMENT_CHARACTER } else { c }).collect();
    name.push_str(SENT_AS);
    for byte in wire {
        match byte {
            b' '..=b'~' if *byte != b'%' => name.push(char::from(*byte)),
            _ => name.push_str(&format!("%{byte:02X}")),
        }
    }
    name.push(')');
    name
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn names_read_as_they_say() {
        for (wire, name) in [
            (&b"inbox"[..], "INBOX"),
            (b"Lost &- Found", "Lost & Found"),
            (b"R&D", "R&D"),
            ("Архив".as_bytes(), "Архив"),
            // An "a" that needs no encoding, and control characters, which cannot be shown.
            (b"b&AGE-r", "bar (sent as b&AGE-r)"),
            (b"&AEk-NBOX", "INBOX (sent as &AEk-NBOX)"),
            (b"C\x01", "C\u{fffd} (sent as C%01)"),
            (b"100%\xff", "100%\u{fffd} (sent as 100%25%FF)"),
            (b"x (sent as x)", "x (sent as x) (sent as x (sent as x))"),
        ] {
            assert_eq!(read(wire), name);
        }
    }

    proptest! {
        #[test]
        fn no_two_folders_share_a_name(
            a in "[ab&%\\-\u{1}\u{2}й]{0,4}( \\(sent as [ab]\\))?",
            b in "[ab&%\\-\u{1}\u{2}й]{0,4}( \\(sent as [ab]\\))?",
        ) {
            prop_assume!(a != b);
            let (a, b) = (a.as_bytes(), b.as_bytes());
            prop_assert_ne!(spelt_out(a), spelt_out(b));
            if is_well_encoded(a) == is_well_encoded(b) {
                prop_assert_ne!(read(a), read(b));
            } else {
                let (well, badly) = if is_well_encoded(a) { (a, b) } else { (b, a) };
                prop_assert_ne!(read(well), spelt_out(badly));
            }
        }
    }
}

//! Which thread a message belongs to.

use std::fmt::Write as _;

use md5::{Digest, Md5};

/// EchoDesk's `thread_id`: md5 (hexadecimal) of the Message-ID that the thread began with, without
/// angle brackets: the first of References, else In-Reply-To, else the message's own.
pub(super) fn thread_id(references: &str, in_reply_to: &str, message_id: &str) -> String {
    let root = [references, in_reply_to, message_id].into_iter().find_map(first_id).unwrap_or_default();
    Md5::digest(root.as_bytes()).iter().fold(String::with_capacity(32), |mut hex, byte| {
        // Writing to a String cannot fail.
        let _ = write!(hex, "{byte:02x}");
        hex
    })
}

/// The first Message-ID of a field: between the first angle brackets, else the first word.
fn first_id(field: &str) -> Option<&str> {
    let bracketed = field.split_once('<').and_then(|(_, rest)| rest.split_once('>')).map(|(id, _)| id.trim());
    let word = || field.split_whitespace().next().map(|word| word.trim_matches(['<', '>']));
    bracketed.filter(|id| !id.is_empty()).or_else(word).filter(|id| !id.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_root_is_the_first_reference() {
        // printf 'root@example.com' | md5sum
        let root = "04edfc0ef6c6cf6d6b88fbc69f9f9071";
        for (references, in_reply_to, message_id) in [
            ("<root@example.com> <b@c>", "<b@c>", "<d@e>"),
            ("<root@example.com><b@c>", "", ""),
            ("", "<root@example.com> (Ana, yesterday)", "<d@e>"),
            (" ", "root@example.com", "<d@e>"),
            ("<>", "", "<root@example.com>"),
        ] {
            assert_eq!(thread_id(references, in_reply_to, message_id), root);
        }
    }
}

//! What makes two copies of a mail the same mail.

use sha2::{Digest, Sha256};

use super::header::Section;
use crate::model::{ContentDigest, RawMessage};

/// The fields that the sender writes once and that no server on the way changes.
const FIELDS: [&str; 6] = ["from", "to", "cc", "subject", "date", "message-id"];

/// The digest of a message: the raw values of [`FIELDS`] and the raw body, line endings and folding
/// aside. What servers and mailboxes add (Received, Delivered-To, signatures, X-…) does not count,
/// so copies delivered to two mailboxes share it.
///
/// The encoding is part of the database's content: it must never change under its version name.
pub(super) fn digest(section: &Section<'_>, raw: &RawMessage) -> ContentDigest {
    let mut hasher = Sha256::new();
    hasher.update(b"echodesk message content, version 1\0");
    for name in FIELDS {
        let values: Vec<Vec<u8>> = section.all(name).map(|value| collapse_spaces(&value)).collect();
        hasher.update(length(values.len()));
        for value in values {
            hasher.update(length(value.len()));
            hasher.update(value);
        }
    }
    // Of a truncated message only the beginning is here; its size stands for the rest.
    hasher.update([u8::from(raw.truncated)]);
    hasher.update(if raw.truncated { raw.meta.size } else { 0 }.to_le_bytes());
    hash_lines(section.body.trim_ascii_end(), &mut hasher);
    ContentDigest(hasher.finalize().into())
}

fn length(count: usize) -> [u8; 8] {
    // A usize is at most 64 bits wide on every platform there is.
    (count as u64).to_le_bytes()
}

/// Folding differs between copies: any run of white space is one space.
fn collapse_spaces(value: &[u8]) -> Vec<u8> {
    let mut collapsed = Vec::with_capacity(value.len());
    for word in value.split(u8::is_ascii_whitespace).filter(|word| !word.is_empty()) {
        if !collapsed.is_empty() {
            collapsed.push(b' ');
        }
        collapsed.extend_from_slice(word);
    }
    collapsed
}

/// Hashes text with every CRLF as LF.
fn hash_lines(text: &[u8], hasher: &mut Sha256) {
    let mut start = 0;
    for at in memchr::memchr_iter(b'\r', text) {
        if text.get(at + 1) == Some(&b'\n') {
            hasher.update(&text[start..at]);
            start = at + 1;
        }
    }
    hasher.update(&text[start..]);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{Flags, MessageMeta, Uid};

    const MAIL: &str = "Received: a\nFrom: a@b\nTo: c@d,\n e@f\nSubject: s\nMessage-ID: <1@b>\n\nhello\nworld\n";

    fn of(text: &str, truncated: bool, size: u64) -> ContentDigest {
        let meta = MessageMeta { uid: Uid(1), size, internal_date: None, flags: Flags::NONE };
        let raw = RawMessage { meta, bytes: text.as_bytes().to_vec(), truncated };
        digest(&Section::split(&raw.bytes), &raw)
    }

    #[test]
    fn copies_share_it() {
        let original = of(MAIL, false, 100);
        for copy in [
            MAIL.replace('\n', "\r\n"),
            MAIL.replace("Received: a", "Received: b\nDelivered-To: x@y\nDKIM-Signature: v=1\nX-Spam: no"),
            MAIL.replace("c@d,\n e@f", "c@d,\n\t e@f"),
            MAIL.replace("From:", "FROM :"),
            format!("{MAIL}\n"),
        ] {
            assert_eq!(of(&copy, false, 101), original, "{copy}");
        }
    }

    #[test]
    fn other_mail_does_not() {
        let original = of(MAIL, false, 100);
        let others = [
            MAIL.replace("hello", "Hello"),
            MAIL.replace("Subject: s", "Subject: t"),
            MAIL.replace("Subject: s", "Subject:"),
            MAIL.replace("To:", "Cc:"),
            MAIL.replace("hello\nworld", "hello world"),
            MAIL.replace("Subject: s", "Subject: s\nSubject: s"),
        ];
        for other in others {
            assert_ne!(of(&other, false, 100), original, "{other}");
        }
        assert_ne!(of(MAIL, true, 100), original);
        assert_ne!(of(MAIL, true, 100), of(MAIL, true, 101), "the part that is not here differs");
    }

    #[test]
    fn the_encoding_stands_still() {
        // Independently: python3, hashlib.sha256 over the encoding described above.
        assert_eq!(of(MAIL, false, 0).to_string(), "86ffc4ea6dbc309b8cc890c66a13edae6d93f3ff270497c2153141a356beba59");
    }
}

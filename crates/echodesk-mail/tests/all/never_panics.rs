//! No bytes make reading fail, and whatever is read fits its columns.

use echodesk_mail::model::{ColumnLimits, MailMessage};
use proptest::prelude::*;

use crate::corpus;
use crate::reading::{raw, read_raw};

/// Narrow columns, so that cutting is tried often.
fn narrow() -> ColumnLimits {
    ColumnLimits { message_id: 60, from_email: 20, from_name: 10, subject: 15, reply_to: 12, ..ColumnLimits::default() }
}

fn check(bytes: &[u8], truncated: bool, limits: &ColumnLimits) -> Result<(), TestCaseError> {
    let mut raw = raw(bytes);
    raw.truncated = truncated;
    let (read, kept) = read_raw(&raw, limits);
    let MailMessage { message_id, from, subject, reply_to, thread_id, in_reply_to, .. } = read.message.as_ref();
    for (text, limit) in [
        (message_id, limits.message_id),
        (&from.email, limits.from_email),
        (&from.name, limits.from_name),
        (subject, limits.subject),
        (reply_to, limits.reply_to),
        (thread_id, limits.thread_id),
        (in_reply_to, limits.in_reply_to),
    ] {
        prop_assert!(text.chars().count() <= limit, "{} over {}", text, limit);
    }
    prop_assert!(!message_id.is_empty());
    prop_assert!(kept.len() <= 100);
    prop_assert!(!truncated || read.reduced.is_some());
    let stored = serde_json::to_string(&read.message).unwrap();
    prop_assert!(!stored.contains("\\u0000"), "{}", stored);
    // The same bytes always give the same row: a repeat after a crash must find it.
    let (again, _) = read_raw(&raw, limits);
    prop_assert_eq!(again.message, read.message);
    prop_assert_eq!(again.fingerprint, read.fingerprint);
    Ok(())
}

/// One change to a mail.
#[derive(Clone, Debug)]
enum Change {
    Set(prop::sample::Index, u8),
    Cut(prop::sample::Index),
    Remove(prop::sample::Index, usize),
    Repeat(prop::sample::Index, usize),
    Insert(prop::sample::Index, &'static [u8]),
}

fn change() -> impl Strategy<Value = Change> {
    let pieces: Vec<&'static [u8]> = vec![
        b"\0",
        b"\r",
        b"\n",
        b"\r\n\r\n",
        b"=?utf-8?B?",
        b"?=",
        b"--b\r\n",
        b"--b--",
        b"\"",
        b"<",
        b"(",
        b";",
        b"%E1",
        b"=\r\n",
        b"\xff\xfe",
        b"\xe1\x83",
        b"Content-Type: multipart/mixed; boundary=b\r\n",
        b"Content-Type: message/rfc822\r\n\r\n",
        b"filename*1*=",
    ];
    let at = any::<prop::sample::Index>;
    prop_oneof![
        (at(), any::<u8>()).prop_map(|(at, byte)| Change::Set(at, byte)),
        at().prop_map(Change::Cut),
        (at(), 1_usize..40).prop_map(|(at, length)| Change::Remove(at, length)),
        (at(), 1_usize..200).prop_map(|(at, length)| Change::Repeat(at, length)),
        (at(), prop::sample::select(pieces)).prop_map(|(at, piece)| Change::Insert(at, piece)),
    ]
}

fn apply(bytes: &mut Vec<u8>, change: &Change) {
    let length = bytes.len() + 1;
    match change {
        Change::Set(at, byte) => {
            let at = at.index(length);
            if let Some(place) = bytes.get_mut(at) {
                *place = *byte;
            }
        }
        Change::Cut(at) => bytes.truncate(at.index(length)),
        Change::Remove(at, count) => {
            let at = at.index(length);
            let end = (at + count).min(bytes.len());
            bytes.drain(at..end);
        }
        Change::Repeat(at, count) => {
            let at = at.index(length);
            let end = (at + count).min(bytes.len());
            let piece = bytes[at..end].to_vec();
            bytes.splice(at..at, piece);
        }
        Change::Insert(at, piece) => {
            let at = at.index(length);
            bytes.splice(at..at, piece.iter().copied());
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 1_500, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn arbitrary_bytes_are_read(bytes in proptest::collection::vec(any::<u8>(), 0..400), truncated: bool) {
        check(&bytes, truncated, &narrow())?;
    }

    #[test]
    fn damaged_mails_are_read(
        file in prop::sample::select(corpus::files()),
        changes in proptest::collection::vec(change(), 1..12),
        truncated: bool,
    ) {
        let mut bytes = std::fs::read(file).unwrap();
        changes.iter().for_each(|change| apply(&mut bytes, change));
        check(&bytes, truncated, &narrow())?;
    }
}

//! Messages too large to lie in the corpus, and messages made to hurt.

use echodesk_mail::model::ColumnLimits;

use crate::reading::{raw, read, read_raw};

const HEADER: &str = "From: ana@example.com\r\nSubject: s\r\nMessage-ID: <1@b>\r\n";

#[test]
fn a_header_of_a_megabyte() {
    let mail = format!("{HEADER}Subject: x\r\nTo: {}\r\n\r\nbody", "a@example.com, ".repeat(70_000));
    let (read, _) = read(mail.as_bytes());
    assert_eq!(read.message.to.len(), 1_000);
    assert_eq!(read.message.body_text, "body");
    let reason = "header field to cut from 1050003 to 1048576 bytes; recipients cut from 69905 to 1000";
    assert_eq!(read.reduced.as_deref(), Some(reason));
}

#[test]
fn a_subject_of_a_megabyte() {
    let mail = format!("From: a@b\r\nSubject: {}\r\n\r\nbody", "=?utf-8?Q?=E1=83=90?= ".repeat(60_000));
    let (read, _) = read(mail.as_bytes());
    assert_eq!(read.message.subject, "ა".repeat(1_000));
    assert!(read.reduced.unwrap().contains("subject cut from"));
}

#[test]
fn a_bomb_of_500_parts() {
    let part = "--b\r\nContent-Type: application/pdf; name=a.pdf\r\n\r\nx\r\n";
    let mail = format!("{HEADER}Content-Type: multipart/mixed; boundary=b\r\n\r\n{}--b--", part.repeat(500));
    let (read, kept) = read(mail.as_bytes());
    assert_eq!((read.message.attachments.len(), kept.len()), (100, 100));
    assert_eq!(read.reduced.as_deref(), Some("attachments cut from 500 to 100"));
}

#[test]
fn two_megabytes_of_messages_within_messages() {
    let mail = "Content-Type: message/rfc822\r\n\r\n".repeat(65_000);
    let (read, kept) = read(mail.as_bytes());
    assert_eq!((read.reduced, kept.len()), (None, 1));
    assert_eq!(kept[0].bytes.len(), 64_999 * 32);
}

#[test]
fn two_megabytes_of_multiparts_within_multiparts() {
    let level = |n: usize| format!("Content-Type: multipart/mixed; boundary=b{n}\r\n\r\n--b{n}\r\n");
    let mail: String = (0..36_000).map(level).collect();
    let (read, kept) = read(mail.as_bytes());
    assert_eq!(kept.len(), 1, "what lies deeper is kept in one piece");
    assert_eq!(read.reduced.as_deref(), Some("parts nested deeper than 20 levels kept as one attachment"));
}

#[test]
fn a_body_of_five_million_characters() {
    let mail = format!("{HEADER}\r\n{}", "ა".repeat(5_000_000));
    let (read, _) = read(mail.as_bytes());
    assert_eq!(read.message.body_text.chars().count(), 2 << 20);
    assert_eq!(read.reduced.as_deref(), Some("body_text cut from 5000000 to 2097152 characters"));
}

#[test]
fn references_of_a_long_discussion() {
    let mail = format!("{HEADER}References:{}\r\n\r\nx", "\r\n <abcdefghijklmnop@example.com>".repeat(4_000));
    let (read, _) = read(mail.as_bytes());
    assert_eq!(read.message.references.len(), 64 << 10);
    assert!(read.reduced.unwrap().starts_with("references cut from"));
}

#[test]
fn the_beginning_of_a_message_over_the_size_limit() {
    let mail = format!(
        concat!(
            "{}Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n\r\ntext\r\n",
            "--b\r\nContent-Type: image/png\r\n\r\nwhole\r\n--b\r\nContent-Type: application/pdf\r\n\r\nhal"
        ),
        HEADER
    );
    let mut raw = raw(mail.as_bytes());
    raw.truncated = true;
    raw.meta.size = 40_000_000;
    let (read, kept) = read_raw(&raw, &ColumnLimits::default());
    assert_eq!(read.message.body_text, "text");
    assert_eq!(kept.len(), 1, "half an attachment is not kept");
    let listed: Vec<_> = read.message.attachments.iter().map(|a| (a.filename.as_str(), a.url.is_empty())).collect();
    assert_eq!(listed, [("image.png", false), ("document.pdf", true)]);
    let reason = read.reduced.unwrap();
    assert!(reason.contains("message of 40000000 bytes is over the size limit"), "{reason}");
    assert!(reason.contains("attachment 2 is not here whole"), "{reason}");
}

/// A field whose reading took more than linear time would stop a mailbox; this test would not end.
#[test]
fn fields_of_a_quarter_megabyte_of_one_kind() {
    let pieces = [
        "(", ")", "\"", "\\\\", "<", ">", ",", ";", ":", "@", "=?", "=?a?q?", "?=", "a-1", "*0=", "'", "%", "a ",
        "\u{10d0}",
    ];
    for piece in pieces {
        let value = piece.repeat((1 << 18) / piece.len());
        let mut mail = String::new();
        for name in ["From", "To", "Subject", "Date", "Message-ID", "References", "Content-Disposition"] {
            mail += &format!("{name}: {value}\r\n");
        }
        for name in ["Content-Type: text/plain; charset", "Content-Disposition: attachment; filename"] {
            mail += &format!("{name}={value}\r\n");
        }
        read(format!("{mail}\r\nbody").as_bytes());
    }
}

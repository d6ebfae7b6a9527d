use echodesk_core::Language;
use mail_parser::{MessageParser, MimeHeaders as _};
use proptest::prelude::*;

use super::*;
use crate::testing::queued;

/// Exactly these, in whatever order, and nothing else.
const HEADERS: [&str; 10] = [
    "Auto-Submitted",
    "Content-Language",
    "Content-Type",
    "Date",
    "From",
    "MIME-Version",
    "Message-ID",
    "Subject",
    "To",
    "X-Auto-Response-Suppress",
];

fn sender() -> Sender {
    Sender::parse("EchoDesk <noreply@echodesk.ge>").unwrap()
}

fn now() -> Timestamp {
    "2026-11-22T10:20:30Z".parse().unwrap()
}

fn rendered(subject: &str, text: &str, html: &str) -> Rendered {
    Rendered { subject: subject.to_owned(), text: text.to_owned(), html: html.to_owned() }
}

fn header_names(bytes: &[u8]) -> Vec<String> {
    let parsed = MessageParser::default().parse(bytes).unwrap();
    let mut names: Vec<String> = parsed.headers().iter().map(|header| header.name().to_owned()).collect();
    names.sort();
    names
}

fn assert_sound(mail: &Mail) {
    assert_eq!(header_names(&mail.bytes), HEADERS, "{}", String::from_utf8_lossy(&mail.bytes));
    for line in mail.bytes.split(|byte| *byte == b'\n') {
        assert!(line.len() <= 999, "a line of {} bytes", line.len());
        let inner = line.strip_suffix(b"\r").unwrap_or(line);
        assert!(!inner.contains(&b'\r') && !inner.contains(&0));
    }
    let bare = mail.bytes.iter().zip(mail.bytes.iter().skip(1)).any(|(a, b)| *b == b'\n' && *a != b'\r');
    assert!(!bare, "a line ends without CR");
}

#[test]
fn a_mail_says_what_it_is() {
    let mut notice = queued(7);
    notice.tenant.language = Language::Ka;
    notice.tenant.admin_name = "ანა ბერიძე".to_owned();
    notice.tenant.admin_email = "ana@ფოსტა.გე".to_owned();
    let words = rendered("გამოწერა იწურება", "გამარჯობა, ანა\n.\nპატივისცემით\n", "<p>გამარჯობა</p>");
    let mail = message(&notice, &words, &sender(), now()).unwrap();
    assert_sound(&mail);
    assert_eq!((mail.from.as_str(), mail.to.as_str()), ("noreply@echodesk.ge", "ana@xn--lodzmeh.xn--node"));
    assert!(mail.bytes.is_ascii(), "it must pass servers without 8BITMIME");
    let parsed = MessageParser::default().parse(&mail.bytes).unwrap();
    assert_eq!(parsed.subject(), Some("გამოწერა იწურება"));
    assert_eq!(parsed.from().unwrap().first().unwrap().name(), Some("EchoDesk"));
    assert_eq!(parsed.to().unwrap().first().unwrap().name(), Some("ანა ბერიძე"));
    assert_eq!(parsed.date().unwrap().to_rfc3339(), "2026-11-22T10:20:30Z");
    assert_eq!(format!("<{}>", parsed.message_id().unwrap()), mail.message_id);
    for (name, value) in
        [("Auto-Submitted", "auto-generated"), ("Content-Language", "ka"), ("X-Auto-Response-Suppress", "All")]
    {
        assert_eq!(parsed.header_raw(name).map(str::trim), Some(value));
    }
    let kind = parsed.content_type().unwrap();
    assert_eq!((kind.ctype(), kind.subtype()), ("multipart", Some("alternative")));
    assert_eq!(parsed.body_text(0).unwrap().replace("\r\n", "\n"), words.text);
    assert_eq!(parsed.body_html(0).unwrap(), words.html);
}

#[test]
fn a_repeat_has_the_same_message_id_and_nothing_else_has() {
    let id =
        |notice: &Queued, at: Timestamp| message(notice, &rendered("s", "t", "h"), &sender(), at).unwrap().message_id;
    let first = id(&queued(1), now());
    assert_eq!(first, id(&queued(1), now().checked_add(jiff::SignedDuration::from_hours(30)).unwrap()));
    assert!(first.starts_with("<renewal_paid.1.") && first.ends_with("@echodesk.ge>"), "{first}");
    let changes: [fn(&mut Queued); 5] = [
        |n| n.id = echodesk_core::NoticeId(2),
        |n| n.tenant.schema = "other".parse().unwrap(),
        |n| n.code = "reminder".to_owned(),
        |n| n.subject_key = "subscription:8".to_owned(),
        |n| n.period = "REC-2".to_owned(),
    ];
    for change in changes {
        let mut other = queued(1);
        change(&mut other);
        assert_ne!(id(&other, now()), first);
    }
}

#[test]
fn an_address_that_cannot_be_used_is_told_without_it() {
    for text in ["", "nobody", "a@x.example, b@x.example"] {
        let mut notice = queued(1);
        notice.tenant.admin_email = text.to_owned();
        let error = message(&notice, &rendered("s", "t", "h"), &sender(), now()).unwrap_err();
        assert!(error.to_string().starts_with("no mail can go to the tenant's admin_email: "), "{error}");
    }
}

#[test]
fn a_sender_is_a_name_and_an_address_or_an_address() {
    for (text, name, address) in [
        ("EchoDesk <noreply@echodesk.ge>", Some("EchoDesk"), "noreply@echodesk.ge"),
        ("\"Echo, Desk\" <noreply@echodesk.ge>", Some("Echo, Desk"), "noreply@echodesk.ge"),
        ("ექო <noreply@ექო.გე>", Some("ექო"), "noreply@xn--podsx.xn--node"),
        (" noreply@echodesk.ge ", None, "noreply@echodesk.ge"),
        ("<noreply@echodesk.ge>", None, "noreply@echodesk.ge"),
    ] {
        let sender = Sender::parse(text).unwrap();
        assert_eq!((sender.name(), sender.address()), (name, address), "{text}");
    }
    assert_eq!(Sender::parse("EchoDesk"), Err(AddressError::Invalid));
    assert_eq!(Sender::parse("EchoDesk <>"), Err(AddressError::Blank));
}

/// Names as attackers and ordinary people have them.
fn names() -> impl Strategy<Value = String> {
    let piece = prop_oneof![
        Just("\r\nBcc: eve@evil.example\r\n".to_owned()),
        Just("\n\n<html>".to_owned()),
        Just("=?utf-8?b?".to_owned()),
        Just("?=".to_owned()),
        Just("\" <eve@evil.example>, \"".to_owned()),
        Just("\\".to_owned()),
        Just("(a) ; : , @ [] <".to_owned()),
        Just("\u{2028}\u{202E}\u{0}".to_owned()),
        Just("ბერიძე".to_owned()),
        "[a-zA-Z .]{1,60}",
        "\\PC{0,20}",
        any::<String>(),
    ];
    proptest::collection::vec(piece, 0..6).prop_map(|pieces| pieces.concat())
}

proptest! {
    #[test]
    fn no_name_subject_or_text_gets_a_header_in(name in names(), subject in names(), text in names(), from in names()) {
        let mut notice = queued(3);
        notice.tenant.admin_name.clone_from(&name);
        let from = Sender { name: Some(rules::flat(&from)).filter(|name| !name.is_empty()), ..sender() };
        let mail = message(&notice, &rendered(&subject, &text, &text), &from, now()).unwrap();
        assert_sound(&mail);
        let parsed = MessageParser::default().parse(&mail.bytes).unwrap();
        let to: Vec<_> = parsed.to().unwrap().iter().collect();
        prop_assert_eq!(to.len(), 1);
        prop_assert_eq!(to[0].address(), Some("admin3@acme.example"));
        prop_assert_eq!(to[0].name().unwrap_or_default(), rules::flat(&name));
        let sender: Vec<_> = parsed.from().unwrap().iter().collect();
        prop_assert_eq!(sender.len(), 1);
        prop_assert_eq!(sender[0].address(), Some("noreply@echodesk.ge"));
        prop_assert_eq!(parsed.subject().unwrap_or_default(), rules::one_line(&subject));
        prop_assert_eq!(parsed.parts.len(), 3);
    }
}

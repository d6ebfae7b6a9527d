use jiff::Timestamp;
use proptest::prelude::*;

use super::*;
use crate::model::{Address, AttachmentRef};

fn message(texts: &[String]) -> MailMessage {
    let text = |index: usize| texts.get(index).cloned().unwrap_or_default();
    MailMessage {
        message_id: text(0),
        thread_id: text(1),
        in_reply_to: text(2),
        references: text(3),
        from: Address { email: text(4), name: text(5) },
        to: vec![Address { email: text(6), name: text(7) }],
        cc: Vec::new(),
        bcc: Vec::new(),
        reply_to: text(8),
        subject: text(9),
        body_text: text(10),
        body_html: text(11),
        attachments: vec![AttachmentRef {
            filename: text(12),
            content_type: "a/b".into(),
            url: String::new(),
            size: 0,
        }],
        timestamp: Timestamp::UNIX_EPOCH,
        is_from_business: false,
    }
}

fn fits(message: &MailMessage, limits: &ColumnLimits) -> bool {
    let count = |text: &String| text.chars().count();
    count(&message.message_id) <= limits.message_id
        && count(&message.thread_id) <= limits.thread_id
        && count(&message.in_reply_to) <= limits.in_reply_to
        && count(&message.from.email) <= limits.from_email
        && count(&message.from.name) <= limits.from_name
        && count(&message.reply_to) <= limits.reply_to
        && count(&message.subject) <= limits.subject
}

#[test]
fn what_fits_stays_and_what_does_not_is_named() {
    let mut short = message(&["<a@b>".to_owned()]);
    let before = short.clone();
    assert!(fit(&mut short, &ColumnLimits::default()).is_empty());
    assert_eq!(short, before);

    let mut long = message(&[]);
    long.subject = "ა".repeat(1400);
    long.from.email = format!("{}@example.com", "x".repeat(300));
    let reasons = fit(&mut long, &ColumnLimits::default());
    assert_eq!(reasons, ["from_email cut from 312 to 254 characters", "subject cut from 1400 to 1000 characters"]);
    assert_eq!(long.subject, "ა".repeat(1000));
}

#[test]
fn long_message_ids_that_differ_only_at_the_end_stay_apart() {
    let ids: Vec<String> = (0..2)
        .map(|end| {
            let mut long = message(&[format!("<{}{end}@b>", "x".repeat(600))]);
            assert_eq!(fit(&mut long, &ColumnLimits::default()), ["message_id cut from 605 to 500 characters"]);
            long.message_id
        })
        .collect();
    assert_ne!(ids[0], ids[1]);
}

proptest! {
    #[test]
    fn the_result_always_fits_and_fitting_twice_changes_nothing(
        texts in proptest::collection::vec("\\PC{0,80}|[a\0]{0,80}", 13),
        widths in proptest::array::uniform7(0_usize..90),
    ) {
        let [message_id, thread_id, in_reply_to, from_email, from_name, reply_to, subject] = widths;
        let limits = ColumnLimits {
            message_id, thread_id, in_reply_to, from_email, from_name, reply_to, subject,
            ..ColumnLimits::default()
        };
        let mut cut = message(&texts);
        let had_nul = texts.iter().any(|text| text.contains('\0'));
        prop_assert_eq!(remove_nuls(&mut cut), had_nul);
        prop_assert!(!remove_nuls(&mut cut), "none are left");
        let needed = !fits(&cut, &limits);
        prop_assert_eq!(!fit(&mut cut, &limits).is_empty(), needed);
        prop_assert!(fits(&cut, &limits));
        let once = cut.clone();
        prop_assert!(fit(&mut cut, &limits).is_empty());
        prop_assert_eq!(cut, once);
    }
}

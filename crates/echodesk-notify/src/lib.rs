#![doc = include_str!("../README.md")]

mod text;

use echodesk_core::Language;
use echodesk_core::notice::NoticeKind;

/// A notice, ready to be sent as mail.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rendered {
    /// One line, without control characters.
    pub subject: String,
    /// The body as plain text, lines ended by `\n`.
    pub text: String,
}

/// Renders a notice for the person called `recipient` (may be empty).
///
/// Values from outside (names, addresses, a server's words) are flattened to one line each, so that
/// none of them can add a header or pretend to be a paragraph of ours.
#[must_use]
pub fn render(notice: &NoticeKind, recipient: &str, language: Language) -> Rendered {
    match notice {
        NoticeKind::MailboxSwitchedOff { address, reason } => {
            text::mailbox_switched_off(&one_line(recipient), &one_line(address), &one_line(reason), language)
        }
    }
}

fn one_line(value: &str) -> String {
    let flat: String = value.chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
    flat.split_whitespace().collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn switched_off(address: &str) -> NoticeKind {
        NoticeKind::MailboxSwitchedOff { address: address.to_owned(), reason: "wrong\r\npassword".to_owned() }
    }

    #[test]
    fn every_language_names_the_mailbox_the_reason_and_what_to_do() {
        for language in [Language::En, Language::Ka, Language::Ru] {
            let mail = render(&switched_off("support@acme.example"), "Ana", language);
            assert!(mail.subject.contains("support@acme.example"), "{mail:?}");
            assert!(mail.text.contains("Ana") && mail.text.contains("wrong password"), "{mail:?}");
        }
        let subjects: std::collections::BTreeSet<_> = [Language::En, Language::Ka, Language::Ru]
            .map(|language| render(&switched_off("a@b"), "", language).subject)
            .into();
        assert_eq!(subjects.len(), 3);
    }

    #[test]
    fn no_value_can_add_a_line() {
        let evil = "a@b\r\nBcc: everybody@example.com";
        let mail = render(&switched_off(evil), "Ana\n\nPay here", Language::En);
        assert!(!mail.subject.contains(['\r', '\n']), "{mail:?}");
        assert!(mail.text.starts_with("Hello Ana Pay here,\n"), "{mail:?}");
    }

    #[test]
    fn a_recipient_without_a_name_is_greeted_without_one() {
        assert!(render(&switched_off("a@b"), " ", Language::En).text.starts_with("Hello,\n"));
    }
}

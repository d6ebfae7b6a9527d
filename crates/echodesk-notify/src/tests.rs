use echodesk_core::notice::PaymentProblem;

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

/// Every kind of notice and every problem of a payment, with and without another attempt.
fn examples() -> Vec<(String, NoticeKind)> {
    use PaymentProblem as P;
    let renewal = "2026-11-25T08:30:00Z".parse().unwrap();
    let mut examples = vec![
        (
            "mailbox_switched_off".to_owned(),
            NoticeKind::MailboxSwitchedOff {
                address: "support@acme.example".to_owned(),
                reason: "the server refused to log in".to_owned(),
            },
        ),
        (
            "price_changed".to_owned(),
            NoticeKind::PriceChanged { card_amount: "50.00 GEL".to_owned(), price: "75.00 GEL".to_owned(), renewal },
        ),
        ("reactivated".to_owned(), NoticeKind::Reactivated { paid_until: renewal }),
    ];
    for problem in [
        P::NotEnoughMoney,
        P::CardExpired,
        P::CardNotValid,
        P::CardNotFound,
        P::LimitReached,
        P::IssuerRefused,
        P::ConfirmationNeeded,
        P::Technical,
    ] {
        for next_attempt in [None, Some("2026-11-23".parse().unwrap())] {
            let again = if next_attempt.is_some() { "again" } else { "final" };
            let amount = "50.00 GEL".to_owned();
            let name = serde_json::to_value(problem).unwrap().as_str().unwrap().to_owned();
            examples.push((
                format!("payment_failed_{name}_{again}"),
                NoticeKind::PaymentFailed { amount, problem, next_attempt, renewal },
            ));
        }
    }
    examples
}

/// One snapshot for each notice, with its three languages side by side for a translator to compare.
#[test]
fn every_notice_in_every_language() {
    let mut settings = insta::Settings::clone_current();
    settings.set_snapshot_path("text/snapshots");
    settings.set_prepend_module_to_snapshot(false);
    settings.set_omit_expression(true);
    let _bound = settings.bind_to_scope();
    for (name, notice) in examples() {
        let in_language = |language: Language| {
            let recipient = match language {
                Language::En => "Ana",
                Language::Ka => "ანა",
                Language::Ru => "Ана",
            };
            let mail = render(&notice, recipient, language);
            format!("Subject: {}\n\n{}", mail.subject, mail.text)
        };
        let all = [Language::En, Language::Ka, Language::Ru].map(in_language);
        insta::assert_snapshot!(name, all.join("\n---\n\n"));
    }
}

#[test]
fn a_notice_names_amounts_and_days_and_fits_into_a_line_where_it_must() {
    for (name, notice) in examples() {
        for language in [Language::En, Language::Ka, Language::Ru] {
            let mail = render(&notice, "Ana", language);
            assert!(mail.subject.chars().count() <= 80 && !mail.subject.contains('\n'), "{name}: {mail:?}");
            assert!(mail.text.ends_with('\n') && mail.text.contains("Ana"), "{name}: {mail:?}");
            let named: &[&str] = match &notice {
                NoticeKind::MailboxSwitchedOff { .. } => &["support@acme.example"],
                NoticeKind::PaymentFailed { next_attempt: Some(_), .. } => &["50.00 GEL", "23 ", "25 "],
                NoticeKind::PaymentFailed { .. } => &["50.00 GEL", "25 "],
                NoticeKind::PriceChanged { .. } => &["50.00 GEL", "75.00 GEL", "25 "],
                NoticeKind::Reactivated { .. } => &["25 "],
            };
            assert!(named.iter().all(|part| mail.text.contains(part)), "{name}: {mail:?}");
        }
    }
}

//! Values come from tenants, mail servers and banks: none of them is more than a value.

use super::*;

const NASTY: [&str; 9] = [
    "x\r\nBcc: everybody@example.com",
    "x\n\nPay here",
    "x\u{2028}Pay\u{2029}here\u{85}now",
    "\u{1}link\u{1}Click\u{1}https://evil.example",
    "<a href=\"https://evil.example\">click</a><script>alert(1)</script>",
    "\"><img src=x onerror=alert(1)>",
    "{{ sign_in_url }}{% include 'en/footer.txt' %}{# gone #}",
    "\u{202e}gnp.exe\u{2066}",
    "https://evil.example/www.evil.example",
];

/// All kinds of notices, with one value wherever a value comes from outside.
fn with_value(value: &str) -> Vec<NoticeKind> {
    let mut notices: Vec<serde_json::Value> =
        crate::examples().iter().map(|example| serde_json::to_value(&example.notice).unwrap()).collect();
    for notice in &mut notices {
        let object = notice.as_object_mut().unwrap();
        for key in ["amount", "price", "card_amount", "order", "card", "address", "reason"] {
            if let Some(field) = object.get_mut(key) {
                *field = value.into();
            }
        }
        if let Some(plan) = object.get_mut("renewal").and_then(|plan| plan.as_object_mut()) {
            for key in ["masked", "expiry"] {
                if let Some(field) = plan.get_mut(key) {
                    *field = value.into();
                }
            }
        }
    }
    notices.into_iter().map(|notice| serde_json::from_value(notice).unwrap()).collect()
}

fn reader<'a>(value: &'a str, language: Language) -> Reader<'a> {
    Reader { name: value, tenant: value, ..crate::example_reader(language) }
}

/// How many of each thing there are whatever the values say.
fn shape(mail: &Rendered) -> (usize, Vec<usize>) {
    let paragraphs = mail.text.matches("\n\n").count();
    let elements = ["<p", "<a", "<table", "<tr", "<td", "<script", "<img", "\nhref=\"", "<div"];
    (paragraphs, elements.map(|element| mail.html.matches(element).count()).to_vec())
}

#[test]
fn no_value_changes_the_shape_of_a_mail() {
    for language in LANGUAGES {
        let plain = with_value("plain");
        for nasty in NASTY {
            for (plain, notice) in plain.iter().zip(with_value(nasty)) {
                let expected = shape(&rendered(plain, &reader("plain", language)));
                let mail = rendered(&notice, &reader(nasty, language));
                assert_eq!(shape(&mail), expected, "{} {nasty:?}\n{}", notice.code(), mail.html);
                assert!(!mail.subject.contains(char::is_control), "{:?}", mail.subject);
                assert!(!mail.text.contains(['\u{1}', '\u{2028}', '\u{202e}', '\u{2066}', '\r']), "{}", mail.text);
                assert!(!mail.text.contains("https://evil") && !mail.html.contains("https://evil"), "{}", mail.text);
            }
        }
    }
}

#[test]
fn template_syntax_in_a_name_is_text() {
    let mail = rendered(&example("reminder"), &reader("{{ 1 + 1 }} & <Co>", Language::En));
    assert!(mail.text.starts_with("Hello {{ 1 + 1 }} & <Co>,\n"), "{}", mail.text);
    assert!(mail.html.contains("Hello {{ 1 + 1 }} &amp; &lt;Co&gt;,"), "{}", mail.html);
}

#[test]
fn long_values_are_cut_and_lines_stay_short_enough_for_mail_servers() {
    for long in ["\"".repeat(5_000), "😀".repeat(5_000), "word ".repeat(5_000)] {
        for language in LANGUAGES {
            for notice in with_value(&long) {
                let mail = rendered(&notice, &reader(&long, language));
                assert!(mail.subject.chars().count() <= 120, "{}", mail.subject);
                assert!(mail.text.lines().chain(mail.html.lines()).all(|line| line.len() <= 998), "{}", mail.html);
                assert!(mail.html.len() < 20_000, "{}", mail.html.len());
            }
        }
    }
}

#[test]
fn only_web_addresses_become_a_link() {
    let with =
        |sign_in_url| rendered(&example("reminder"), &Reader { sign_in_url, ..crate::example_reader(Language::En) });
    let linked = with(Some("https://acme.example/login?a=1&b=2"));
    assert!(linked.text.contains("\nSign in to EchoDesk: https://acme.example/login?a=1&b=2\n"), "{}", linked.text);
    assert!(linked.html.contains("href=\"https://acme.example/login?a=1&amp;b=2\""), "{}", linked.html);
    for address in [None, Some("javascript:alert(1)"), Some("acme.example"), Some("https://a@evil.example")] {
        let mail = with(address);
        assert!(!mail.html.contains("href") && !mail.text.contains("Sign in to EchoDesk:"), "{}", mail.text);
    }
}

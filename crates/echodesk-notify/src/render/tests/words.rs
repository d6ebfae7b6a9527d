//! Numbers, days and amounts in the words of each language.

use super::*;

fn reminder(language: Language, today: &str) -> Rendered {
    rendered(&example("reminder"), &Reader { today: today.parse().unwrap(), ..crate::example_reader(language) })
}

#[test]
fn days_left_are_counted_from_the_day_of_sending() {
    let table = [
        ("2026-11-18", "in 7 days", "7 დღეში", "через 7 дней"),
        ("2026-11-21", "in 4 days", "4 დღეში", "через 4 дня"),
        ("2026-11-24", "in 1 day", "1 დღეში", "через 1 день"),
        ("2026-11-25", "expires today", "დღეს იწურება", "истекает сегодня"),
        ("2026-11-27", "expires today", "დღეს იწურება", "истекает сегодня"),
        ("2026-11-04", "in 21 days", "21 დღეში", "через 21 день"),
        ("2026-11-14", "in 11 days", "11 დღეში", "через 11 дней"),
    ];
    for (today, en, ka, ru) in table {
        for (language, expected) in [(Language::En, en), (Language::Ka, ka), (Language::Ru, ru)] {
            let mail = reminder(language, today);
            assert!(mail.subject.contains(expected) && mail.text.contains(expected), "{today}: {mail:?}");
        }
    }
}

#[test]
fn a_warning_counts_the_days_until_suspension() {
    let table = [
        ("2026-11-16", "Payment required - 7 days until suspension", "დარჩა 7 დღე", "осталось 7 дней"),
        ("2026-11-22", "Payment required - 1 day until suspension", "დარჩა 1 დღე", "остался 1 день"),
        ("2026-11-23", "will be suspended today", "დღეს შეჩერდება", "приостановлен сегодня"),
    ];
    for (today, en, ka, ru) in table {
        for (language, expected) in [(Language::En, en), (Language::Ka, ka), (Language::Ru, ru)] {
            let reader = Reader { today: today.parse().unwrap(), ..crate::example_reader(language) };
            let mail = rendered(&example("grace_warning"), &reader);
            assert!(mail.subject.contains(expected), "{today}: {mail:?}");
        }
    }
}

#[test]
fn who_has_not_paid_in_time_is_not_told_to_have_paid() {
    let table = [
        ("2026-11-25", "is paid until 25 November", "გადახდილია 2026 წლის 25 ნოემბრამდე", "оплачена до 25 ноября"),
        (
            "2026-11-26",
            "was paid until 25 November",
            "გადახდილი იყო 2026 წლის 25 ნოემბრამდე",
            "была оплачена до 25 ноября",
        ),
    ];
    for (today, en, ka, ru) in table {
        for (language, expected) in [(Language::En, en), (Language::Ka, ka), (Language::Ru, ru)] {
            for name in ["payment_failed_finally", "confirmation_needed_finally", "price_changed"] {
                let reader = Reader { today: today.parse().unwrap(), ..crate::example_reader(language) };
                let text = rendered(&example(name), &reader).text.replace('\n', " ");
                assert!(text.contains(expected), "{name} {today}: {text}");
            }
        }
    }
}

#[test]
fn days_are_those_of_the_readers_time_zone() {
    let notice = NoticeKind::Reactivated { paid_until: "2026-11-25T22:00:00Z".parse().unwrap() };
    for (zone, expected) in [("UTC", "until 25 November"), ("Etc/GMT-4", "until 26 November")] {
        let time_zone = if zone == "UTC" { TimeZone::UTC } else { TimeZone::fixed(jiff::tz::offset(4)) };
        let reader = Reader { time_zone: &time_zone, ..crate::example_reader(Language::En) };
        assert!(rendered(&notice, &reader).text.contains(expected), "{zone}");
    }
}

#[test]
fn the_plan_decides_what_a_reader_is_told_to_do() {
    let table = [
        ("", ["No card is saved", "pay in the subscription settings"]),
        ("_expiring_card", ["only valid until 10/26", "another card"]),
        ("_unusable_card", ["cannot be charged", "yourself"]),
    ];
    for kind in ["reminder", "urgent_reminder", "grace_warning"] {
        for (plan, parts) in table {
            let text = rendered(&example(&format!("{kind}{plan}")), &crate::example_reader(Language::En)).text;
            let text = text.replace('\n', " ");
            assert!(parts.iter().all(|part| text.contains(part)), "{kind}{plan}: {text}");
        }
        let text = rendered(&example(&format!("{kind}_card")), &crate::example_reader(Language::En)).text;
        let text = text.replace('\n', " ");
        assert!(text.contains("automatically") && text.contains("411111***1111"), "{kind}: {text}");
        assert!(!text.contains("What to do"), "{kind}: {text}");
    }
}

#[test]
fn three_days_before_expiry_it_is_urgent_whatever_will_be_charged() {
    for (language, urgent) in [(Language::En, "Urgent"), (Language::Ka, "სასწრაფო"), (Language::Ru, "Срочно")]
    {
        for plan in ["", "_card", "_expiring_card", "_unusable_card"] {
            let subject =
                rendered(&example(&format!("urgent_reminder{plan}")), &crate::example_reader(language)).subject;
            assert!(subject.starts_with(urgent), "{subject}");
        }
    }
}

#[test]
fn what_is_not_known_is_left_out() {
    let notice = NoticeKind::RenewalPaid {
        amount: "free".to_owned(),
        paid_at: "2026-11-18T08:00:00Z".parse().unwrap(),
        paid_until: None,
        order: "7".to_owned(),
        card: None,
    };
    let mail = rendered(&notice, &crate::example_reader(Language::En));
    assert!(mail.text.contains("\nAmount: free\nPaid: 18 November 2026\nOrder: 7\n"), "{}", mail.text);

    let nobody = Reader { name: " ", tenant: "", ..crate::example_reader(Language::En) };
    let mail = rendered(&example("suspended"), &nobody);
    assert!(mail.text.starts_with("Hello,\n\n") && mail.text.contains("the contact of an account"), "{}", mail.text);
}

#[test]
fn every_problem_has_words_and_advice_of_its_own() {
    for language in LANGUAGES {
        let mut seen = std::collections::BTreeSet::new();
        let failed: Vec<_> = crate::examples()
            .into_iter()
            .filter(|example| matches!(example.notice, NoticeKind::PaymentFailed { .. }))
            .collect();
        assert_eq!(failed.len(), 14);
        for example in failed {
            assert!(seen.insert(rendered(&example.notice, &crate::example_reader(language)).text), "{}", example.name);
        }
    }
}

#[test]
fn every_kind_has_an_example_under_its_own_name() {
    for example in crate::examples() {
        let kind = context::template(&example.notice);
        let first = crate::example(kind).unwrap();
        assert_eq!(context::template(&first.notice), kind);
        assert!(example.name.starts_with(kind), "{} is of the kind {kind}", example.name);
    }
    assert_eq!(crate::example("nothing"), None);
}

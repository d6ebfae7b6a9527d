//! From a week before expiry to after the suspension, day by day.

use std::collections::BTreeSet;

use echodesk_tests::sandbox::smtp::ReceivedMail;

use super::world::{Place, StatusWorld, everywhere, kind, moment};

everywhere!(
    the_whole_timeline_is_told_day_by_day,
    missed_days_are_caught_up_with_one_notice,
    a_week_without_a_mail_server_ends_with_one_correct_notice,
    the_days_are_those_of_the_billing_time_zone,
);

const EXPIRES: &str = "2027-03-10T12:00:00Z";

/// What each tenant is told on each day, in words of [`super::world::told`] without the tenant.
const TIMELINE: [(&str, &str); 21] = [
    ("2027-03-01", ""),
    ("2027-03-02", ""),
    ("2027-03-03", "reminder 7"),
    ("2027-03-04", ""),
    ("2027-03-05", ""),
    ("2027-03-06", ""),
    ("2027-03-07", "urgent_reminder 3"),
    ("2027-03-08", ""),
    ("2027-03-09", ""),
    ("2027-03-10", ""),
    ("2027-03-11", "grace_warning 6"),
    ("2027-03-12", "grace_warning 5"),
    ("2027-03-13", "grace_warning 4"),
    ("2027-03-14", "grace_warning 3"),
    ("2027-03-15", "grace_warning 2"),
    ("2027-03-16", "grace_warning 1"),
    ("2027-03-17", "grace_warning"),
    ("2027-03-18", "suspended"),
    ("2027-03-19", ""),
    ("2027-03-25", ""),
    ("2027-06-25", ""),
];

fn the_whole_timeline_is_told_day_by_day(place: Place) {
    let Some(world) = StatusWorld::new(place) else { return };
    let tenants = [("bell", "en"), ("cola", "ka"), ("dona", "ru")];
    for (tenant, language) in tenants {
        world.subscribe(tenant, language, EXPIRES);
    }
    world.subscribe("later", "en", "2028-01-01");
    let rows = |table: &str| world.world.public_texts(&format!("SELECT CAST(count(*) AS text) AS value FROM {table}"));
    let before = ["tenants_tenant", "tenants_tenant_subscription", "tenants_feature"].map(rows);

    for (day, told) in TIMELINE {
        let expected: Vec<String> = match told {
            "" => Vec::new(),
            told => tenants.iter().map(|(tenant, _)| format!("{tenant} {told}")).collect(),
        };
        assert_eq!(world.day(day), expected, "{day}");
        // The same day again, once at once and once later.
        assert_eq!(world.day(day), [""; 0], "{day}, again");
        assert_eq!(world.day(&format!("{day}T11:30:00Z")), [""; 0], "{day}, later");
        let active = day < "2027-03-18";
        for (tenant, _) in tenants {
            assert_eq!(world.is_active(tenant), active, "{tenant} on {day}");
            assert_eq!(world.events(tenant), if active { Vec::new() } else { vec!["suspended"] }, "{tenant} on {day}");
        }
    }
    assert!(world.is_active("later"));
    assert_eq!(
        ["tenants_tenant", "tenants_tenant_subscription", "tenants_feature"].map(rows),
        before,
        "nothing is deleted"
    );
    assert!(world.ledger().iter().all(|entry| entry.ends_with(" sent")), "{:#?}", world.ledger());

    let mails = world.mails.mails();
    let ids: BTreeSet<String> = mails.iter().map(ReceivedMail::message_id).collect();
    assert_eq!((mails.len(), ids.len()), (30, 30), "each is a mail of its own");
    let subjects: Vec<String> =
        mails.iter().filter(|mail| mail.to == ["bell@example.com"]).map(ReceivedMail::subject).collect();
    assert_eq!(subjects[0], "Your EchoDesk subscription expires in 7 days");
    assert_eq!(subjects[1], "Urgent: your EchoDesk subscription expires in 3 days");
    assert_eq!(subjects[2], "Payment required - 6 days until suspension");
    assert_eq!(subjects[9], "Your EchoDesk account is suspended");
    for mail in &mails {
        let tenant = mail.to[0].split('@').next().unwrap();
        let language = tenants.iter().find(|(name, _)| *name == tenant).unwrap().1;
        assert_proper(mail, tenant, language);
    }
}

/// The headers, the language and both bodies of a mail.
fn assert_proper(mail: &ReceivedMail, tenant: &str, language: &str) {
    let header =
        |name: &str| mail.header(name).unwrap_or_else(|| panic!("no {name}, or several: {:#?}", mail.headers()));
    assert_eq!(mail.from, "noreply@echodesk.example");
    assert_eq!(header("From"), "EchoDesk <noreply@echodesk.example>");
    let recipient = (format!("Admin of {tenant}"), format!("{tenant}@example.com"));
    assert_eq!(mail.recipient(), Some(recipient));
    assert_eq!((header("Auto-Submitted").as_str(), header("Content-Language").as_str()), ("auto-generated", language));
    let date = jiff::fmt::rfc2822::parse(&header("Date")).unwrap().timestamp();
    assert!((moment("2027-03-01")..moment("2027-03-20")).contains(&date), "{date}");
    assert!(header("Content-Type").starts_with("multipart/alternative"));
    assert!(mail.has_proper_lines());
    let script = match language {
        "ka" => '\u{10d0}'..='\u{10ff}',
        "ru" => '\u{430}'..='\u{44f}',
        _ => 'a'..='z',
    };
    for text in [mail.subject(), mail.text(), mail.html()] {
        let letters = text.chars().filter(|c| script.contains(c)).count();
        assert!(letters >= 10, "{language}: {text}");
    }
    for text in [mail.text(), mail.html()] {
        assert!(text.contains("50.00") || kind(mail) == "suspended" || text.contains("50,00"), "the price: {text}");
    }
}

fn missed_days_are_caught_up_with_one_notice(place: Place) {
    let Some(world) = StatusWorld::new(place) else { return };
    world.subscribe("bell", "en", EXPIRES);
    let table: [(&str, &[&str]); 5] = [
        ("2027-03-02", &[]),
        ("2027-03-05", &["bell reminder 5"]),
        ("2027-03-09", &["bell urgent_reminder 1"]),
        ("2027-03-14", &["bell grace_warning 3"]),
        ("2027-04-20", &["bell suspended"]),
    ];
    for (day, told) in table {
        assert_eq!(world.day(day), told, "{day}");
    }
    // Nobody looked at this one for half a year.
    world.subscribe("cola", "en", EXPIRES);
    assert_eq!(world.day("2027-09-01"), ["cola suspended"]);
    assert_eq!(world.day("2027-09-02"), [""; 0]);
}

fn a_week_without_a_mail_server_ends_with_one_correct_notice(place: Place) {
    let Some(world) = StatusWorld::new(place) else { return };
    world.subscribe("bell", "en", EXPIRES);
    world.subscribe("cola", "ka", "2027-03-16T12:00:00Z");
    world.mails.set_away(true);
    for day in 6..13 {
        let ran = world.run(&format!("2027-03-{day:02}")).with_code(1);
        assert!(ran.report["notices"]["trouble"].is_string(), "{day}: {ran:#?}");
        assert_eq!(ran.report["notices"]["parked"], 0, "{day}: it is nobody's notice's fault");
    }
    assert_eq!(world.mails.count(), 0);
    world.mails.set_away(false);
    assert_eq!(world.day("2027-03-13"), ["bell grace_warning 4", "cola urgent_reminder 3"]);
    let ledger = world.ledger();
    let of = |end: &str| ledger.iter().filter(|entry| entry.ends_with(end)).count();
    assert_eq!((of(" sent"), of(" withdrawn")), (2, ledger.len() - 2), "{ledger:#?}");
    assert_eq!(world.day("2027-03-14"), ["bell grace_warning 3"]);

    // Away for two days only: the reminder still holds, and counts from the day on which it goes out.
    world.subscribe("dona", "ru", "2027-03-27T12:00:00Z");
    world.mails.set_away(true);
    let _ = world.run("2027-03-20").with_code(1);
    let _ = world.run("2027-03-21").with_code(1);
    world.mails.set_away(false);
    assert_eq!(world.day("2027-03-22"), ["bell suspended", "cola grace_warning 1", "dona reminder 5"]);
}

fn the_days_are_those_of_the_billing_time_zone(place: Place) {
    let Some(mut world) = StatusWorld::new(place) else { return };
    world.set("ECHODESK_TIME_ZONE", "Asia/Tbilisi");
    // In Tbilisi, four hours ahead, this is the eleventh, one o'clock in the morning.
    world.subscribe("bell", "en", "2027-03-10T21:00:00Z");
    assert_eq!(world.day("2027-03-03T12:00:00Z"), [""; 0], "eight days");
    assert_eq!(world.day("2027-03-03T20:30:00Z"), ["bell reminder 7"], "half past midnight on the fourth");
    assert_eq!(world.day("2027-03-10T21:30:00Z"), ["bell grace_warning 7"], "expired half an hour ago");
    assert_eq!(world.day("2027-03-11T19:30:00Z"), [""; 0], "the same day");
    assert_eq!(world.day("2027-03-11T20:30:00Z"), ["bell grace_warning 6"], "the next day");
}

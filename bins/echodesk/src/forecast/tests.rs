use echodesk_core::Identity;
use echodesk_store::Binding;
use serde_json::Value;

use crate::testing::{Bench, now};

/// One with a card, one without, one that has expired, and one that is free.
fn bench() -> Bench {
    let bench = Bench::subscribed();
    for (schema, line) in [
        ("bell", "--expires 2026-11-27 --agents 1 --price 20"),
        ("cola", "--expires 2026-11-17 --agents 1 --price 20"),
        ("dona", "--expires 2026-11-25 --agents 1 --price 0"),
        ("later", "--expires 2027-06-01 --agents 1 --price 20"),
    ] {
        bench.add_tenant(schema);
        bench.run(&format!("tenant subscribe {schema} {line}")).unwrap();
    }
    bench
}

fn text(line: &str) -> String {
    bench().run(line).unwrap().text
}

#[test]
fn a_week_is_shown_day_by_day() {
    insta::assert_snapshot!(text("forecast --days 7"));
}

#[test]
fn declined_charges_are_tried_again() {
    insta::assert_snapshot!(text("forecast --days 14 --if declined --tenant acme"));
}

#[test]
fn machines_get_every_field() {
    insta::assert_snapshot!(text("forecast --days 3 --json"));
}

#[test]
fn an_open_order_says_once_what_it_holds_back() {
    let bench = Bench::subscribed();
    bench.prepare();
    let answer = bench.run("forecast --days 20").unwrap().text;
    let lines: Vec<&str> = answer.lines().filter(|line| line.contains(" is open (prepared)")).collect();
    assert_eq!(lines.len(), 4, "{answer}");
    assert!(lines[0].contains("not charged: order REC-"), "{answer}");
    assert!(lines[3].contains("suspension withheld"), "{answer}");
}

#[test]
fn the_flags_are_those_of_the_jobs() {
    let count = |line: &str, what: &str| {
        let answer: Value = serde_json::from_str(&text(line)).unwrap();
        answer["totals"][what].clone()
    };
    // The card's subscription expires on the 24th, and it is the 22nd.
    assert_eq!(count("forecast --json --days 1", "charges"), 1);
    assert_eq!(count("forecast --json --days 1 --days-before 0", "charges"), 0);
    assert_eq!(count("forecast --json --days 1 --as-of 2026-11-20", "charges"), 0);
    assert_eq!(count("forecast --json --days 30 --if declined --payments-at 01:00,13:00", "charges"), 4);
    // One has expired on the 17th.
    assert_eq!(count("forecast --json --days 3", "suspensions"), 1);
    assert_eq!(count("forecast --json --days 3 --status-grace-days 30", "suspensions"), 0);
    assert_eq!(
        count("forecast --json --days 3 --status-at 22:00", "suspensions"),
        1,
        "today at ten in the evening is too early"
    );
    assert_eq!(count("forecast --json --days 6 --grace-days 0", "suspensions"), 2);
}

#[test]
fn jobs_that_would_not_start_here_are_told_before_all() {
    let mut bench = Bench::subscribed();
    let before = bench.run("forecast --days 3").unwrap().text;
    assert!(before.starts_with("REFUSED HERE: recurring-payments would not start"), "{before}");
    let settings = [("BOG_CLIENT_ID", "shop"), ("BOG_CLIENT_SECRET", "hunter2"), ("ECHODESK_ENVIRONMENT", "staging")];
    bench.world.settings.environment = settings.into_iter().collect();
    let identity =
        |name: &str| Identity { environment: name.to_owned(), bank_client: Some("shop".to_owned()), mail_host: None };
    bench.store.bind(&identity("trial"), Binding::Own, "host", now()).unwrap();
    let answer: Value = serde_json::from_str(&bench.run("forecast --days 3 --json").unwrap().text).unwrap();
    let refused = answer["refused_here"].as_array().unwrap();
    assert_eq!(refused.len(), 2, "both that are played: {refused:?}");
    assert!(refused[1]["why"].as_str().unwrap().contains("belongs to \"trial\""), "{refused:?}");
    bench.store.bind(&identity("staging"), Binding::Own, "host", now()).unwrap();
    let own = bench.run("forecast --days 3").unwrap().text;
    assert!(own.starts_with("DAY (UTC)"), "{own}");
}

#[test]
fn nothing_is_said_to_be_nothing() {
    let answer = Bench::new().run("forecast").unwrap().text;
    let answer = answer.split_once("\n\n").unwrap().1;
    assert!(
        answer.starts_with("nothing to charge, to send or to suspend\n30 days from 2026-11-22T10:00:00Z"),
        "{answer}"
    );
}

#[test]
fn what_cannot_be_played_is_refused() {
    let bench = bench();
    let refused = |line: &str| echodesk_job::one_line(&bench.run(line).unwrap_err());
    assert!(refused("forecast --days-before 25").starts_with("--days-before cannot be used: together with"));
    assert_eq!(refused("forecast --tenant bel"), "no tenant bel; did you mean bell?");
}

//! A mail server that refuses, hangs up, stalls, or ends the session.

use std::time::Duration;

use echodesk_core::{Clock as _, SystemClock};
use echodesk_tests::sandbox::smtp::{Behaviour, Fault, SandboxSmtp, Stage, Wrong};

use super::way::{in_trouble, one_due};
use crate::status::world::{Place, StatusWorld, everywhere, told};

everywhere!(
    each_refusal_is_its_own_notices_fate,
    refused_for_now_is_tried_again_in_later_runs_and_sent_once,
    a_server_that_hangs_up_after_taking_a_mail_gets_it_again_under_the_same_name,
);

/// Three suspensions are due.
fn three(place: Place) -> Option<StatusWorld> {
    let world = StatusWorld::new(place)?;
    for tenant in ["bell", "cola", "dona"] {
        world.subscribe(tenant, "en", "2027-03-05");
    }
    Some(world)
}

/// Mail for one address goes wrong at a stage.
fn goes_wrong_for(server: &SandboxSmtp, address: &'static str, stage: Stage, fault: &Fault) {
    let fault = fault.clone();
    server.fail_when(move |point| {
        (point.stage == stage && point.to.last().is_some_and(|to| to == address)).then(|| fault.clone())
    });
}

fn each_refusal_is_its_own_notices_fate(place: Place) {
    for (stage, words, parked) in [
        (Stage::Recipient, "550 5.1.1 nobody", 1),
        (Stage::Message, "554 5.6.0 we do not like it", 1),
        (Stage::Recipient, "450 4.2.0 greylisted", 0),
        (Stage::Recipient, "421 4.7.0 too many mails", 0),
        (Stage::Data, "451 4.3.0 no room", 0),
        (Stage::Message, "452 4.3.1 disk full", 0),
    ] {
        let Some(world) = three(place) else { return };
        goes_wrong_for(&world.mails, "cola@example.com", stage, &Fault::says(words));
        let ran = world.run("2027-03-18").with_code(1);
        let notices = &ran.report["notices"];
        assert_eq!(told(&world.mails.mails()), ["bell suspended", "dona suspended"], "{words}: {ran:#?}");
        assert_eq!(
            (&notices["parked"], &notices["queued"]),
            (&parked.into(), &(1 - parked).into()),
            "{words}: {ran:#?}"
        );
        assert_eq!(notices["trouble"], serde_json::Value::Null, "{words}");
        let listed = world.echodesk("2027-03-18", &["notices", "list", "--json"]).well();
        let rows: serde_json::Value = serde_json::from_str(&listed.stdout).unwrap();
        assert_eq!((rows.as_array().unwrap().len(), &rows[0]["tenant"]), (1, &"cola".into()), "{rows:#}");
        assert!(rows[0]["why"].as_str().unwrap().contains(&words[4..]), "{rows:#}");
        assert!(!world.is_active("cola"), "a decision depends on no mail server");
    }
}

fn refused_for_now_is_tried_again_in_later_runs_and_sent_once(place: Place) {
    let Some(world) = three(place) else { return };
    goes_wrong_for(&world.mails, "cola@example.com", Stage::Recipient, &Fault::says("450 4.2.0 greylisted"));
    let _ = world.run("2027-03-18T09:00:00Z").with_code(1);
    // Not yet, then once more, and ever later; that it waits is told by each run until it is sent.
    let asked = || world.mails.log().iter().filter(|line| line.contains("cola@example.com")).count();
    let _ = world.run("2027-03-18T09:03:00Z").with_code(1);
    assert_eq!(asked(), 1, "it is not its time");
    let _ = world.run("2027-03-18T09:06:00Z").with_code(1);
    assert_eq!(asked(), 2);
    let _ = world.run("2027-03-18T09:13:00Z").with_code(1);
    assert_eq!(asked(), 2, "waits grow");
    world.mails.work_well();
    let _ = world.run("2027-03-18T12:00:00Z").with_code(0);
    let _ = world.run("2027-03-19").with_code(0);
    assert_eq!(told(&world.mails.mails()), ["bell suspended", "cola suspended", "dona suspended"]);
}

fn a_server_that_hangs_up_after_taking_a_mail_gets_it_again_under_the_same_name(place: Place) {
    for (fault, copies) in [(Fault::After(Wrong::HangsUp), 2), (Fault::Before(Wrong::HangsUp), 1)] {
        let Some(world) = three(place) else { return };
        world.mails.fail_next(Stage::Message, 1, &fault);
        let _ = world.run("2027-03-18").with_code(1);
        // The others were delivered over another connection.
        assert_eq!(world.mails.connections(), 2, "{fault:?}");
        let _ = world.run("2027-03-18T12:00:00Z").with_code(0);
        let mails = world.mails.mails();
        let bell: Vec<_> = mails.iter().filter(|mail| mail.to == ["bell@example.com"]).collect();
        assert_eq!((bell.len(), mails.len()), (copies, copies + 2), "{fault:?}");
        assert!(bell.iter().all(|mail| mail.message_id() == bell[0].message_id()), "{fault:?}");
        let _ = world.run("2027-03-19").with_code(0);
        assert_eq!(world.mails.count(), mails.len(), "{fault:?}");
    }
}

#[test]
fn a_server_that_refuses_us_and_not_the_mail_parks_nothing() {
    for (stage, words) in [
        (Stage::Greeting, "554 5.3.2 nobody is served"),
        (Stage::Greeting, "421 4.3.2 too busy"),
        (Stage::Hello, "550 5.7.1 we do not know you"),
        (Stage::MailFrom, "550 5.7.1 sender refused"),
        (Stage::MailFrom, "451 4.3.0 later"),
    ] {
        let server = SandboxSmtp::start(Behaviour::plain());
        let world = one_due(&server);
        server.fail_at(stage, Fault::says(words));
        let trouble = in_trouble(&world);
        assert!(trouble.contains(&words[4..]), "{words}: {trouble}");
        server.work_well();
        let _ = world.run("2027-03-18T10:00:00Z").with_code(0);
        assert_eq!(server.count(), 1, "{words}: it was not counted as tried");
    }
}

#[test]
fn a_server_that_does_not_answer_is_left_after_a_while() {
    // The answer to a whole mail is waited for longer than a test takes.
    for stage in [Stage::Greeting, Stage::Hello, Stage::MailFrom, Stage::Recipient, Stage::Data] {
        let server = SandboxSmtp::start(Behaviour::plain());
        let world = one_due(&server);
        server.fail_at(stage, Fault::Before(Wrong::Stalls));
        let clock = SystemClock::new();
        let ran = world.run("2027-03-18").with_code(1);
        assert!(clock.elapsed() < Duration::from_secs(30), "{stage:?}: {:?}", clock.elapsed());
        assert_eq!(
            (&ran.report["notices"]["parked"], &ran.report["notices"]["queued"]),
            (&0.into(), &1.into()),
            "{stage:?}"
        );
        server.work_well();
        let _ = world.run("2027-03-18T12:00:00Z").with_code(0);
        assert_eq!(server.count(), 1, "{stage:?}");
    }
}

#[test]
fn a_server_that_is_slow_or_wants_a_new_connection_now_and_then_is_served() {
    let server = SandboxSmtp::start(Behaviour { mails_per_connection: Some(2), ..Behaviour::plain() });
    let world = one_due(&server);
    for tenant in ["cola", "dona", "fern", "gale"] {
        world.subscribe(tenant, "en", "2027-03-05");
    }
    server.fail_next(Stage::Message, 1, &Fault::Late(Duration::from_millis(800)));
    let _ = world.run("2027-03-18");
    let _ = world.run("2027-03-18T12:00:00Z").with_code(0);
    assert_eq!(told(&server.mails()).len(), 5, "each once");
}

/// An open relay that has been closed answers each mail as if it were the mail's fault.
#[test]
fn a_server_that_relays_for_nobody_is_not_believed_about_everybody() {
    let server = SandboxSmtp::start(Behaviour::plain());
    let world = one_due(&server);
    for number in 10..40 {
        world.subscribe(&format!("t{number}"), "en", "2027-03-05");
    }
    server.fail_at(Stage::Recipient, Fault::says("554 5.7.1 relay access denied"));
    let ran = world.run("2027-03-18").with_code(1);
    assert!(ran.report["notices"]["trouble"].as_str().unwrap().contains("relay access denied"), "{ran:#?}");
    assert!(ran.report["notices"]["parked"].as_u64().unwrap() <= 5, "{ran:#?}");
    server.work_well();
    let _ = world.echodesk("2027-03-18", &["notices", "retry", "--all"]);
    let _ = world.run("2027-03-18T12:00:00Z").with_code(0);
    assert_eq!(server.count(), 31);
}

//! What an operator does: list, retry, preview, a test mail.

use echodesk_tests::sandbox::smtp::{Behaviour, Fault, Login, SandboxSmtp, Stage};
use serde_json::Value;

use super::way::one_due;
use crate::status::world::{Place, StatusWorld, everywhere, told};

everywhere!(parked_notices_are_listed_and_sent_again_when_somebody_says_so);

const DAY: &str = "2027-03-18T09:00:00Z";

fn listed(world: &StatusWorld, more: &[&str]) -> Vec<String> {
    let ended = world.echodesk(DAY, &[&["notices", "list", "--json"], more].concat()).well();
    let rows: Value = serde_json::from_str(&ended.stdout).unwrap();
    let name = |row: &Value| format!("{} {} {}", row["tenant"], row["kind"], row["state"]).replace('"', "");
    rows.as_array().unwrap().iter().map(name).collect()
}

fn parked_notices_are_listed_and_sent_again_when_somebody_says_so(place: Place) {
    let Some(world) = StatusWorld::new(place) else { return };
    for tenant in ["bell", "cola", "dona"] {
        world.subscribe(tenant, "en", "2027-03-05");
    }
    world.mails.fail_when(|point| {
        let refused = point.stage == Stage::Recipient && point.to.last().is_some_and(|to| !to.starts_with("bell"));
        refused.then(|| Fault::says("550 5.1.1 nobody of that name"))
    });
    let ran = world.run(DAY).with_code(1);
    assert!(ran.ended.stdout.contains("notices: 1 delivered, 2 parked"), "{ran:#?}");
    assert_eq!(listed(&world, &["--parked"]), ["cola suspended parked", "dona suspended parked"]);
    assert_eq!(listed(&world, &[]), listed(&world, &["--parked"]));
    assert_eq!(listed(&world, &["--sent", "--tenant", "bell"]), ["bell suspended sent"]);
    assert_eq!(listed(&world, &["--queued"]), [""; 0]);
    let table = world.echodesk(DAY, &["notices", "list"]).well().stdout;
    assert!(table.contains("nobody of that name") && table.contains("cola"), "{table}");
    // Nothing happens by itself.
    world.mails.work_well();
    let _ = world.run("2027-03-25").with_code(0);
    assert_eq!(world.mails.count(), 1);

    let ended = world.echodesk(DAY, &["notices", "list", "--json", "--tenant", "cola"]).well();
    let rows: Value = serde_json::from_str(&ended.stdout).unwrap();
    let id = rows[0]["id"].to_string();
    let _ = world.echodesk("2027-03-25", &["notices", "retry", &id]).well();
    assert_eq!(listed(&world, &["--queued"]), ["cola suspended queued"]);
    assert_eq!(world.day("2027-03-25T10:00:00Z"), ["cola suspended"]);
    let again = world.echodesk("2027-03-25", &["notices", "retry", &id]);
    assert_eq!(again.code, Some(1), "what was sent is not sent again: {again:#?}");
    let _ = world.echodesk("2027-03-25", &["notices", "retry", "--all"]).well();
    assert_eq!(world.day("2027-03-25T11:00:00Z"), ["dona suspended"]);
    assert_eq!(told(&world.mails.mails()), ["bell suspended", "cola suspended", "dona suspended"]);
    // A notice that does not hold any more is withdrawn, whoever wants it sent.
    assert_eq!(listed(&world, &[]), [""; 0]);
}

#[test]
fn a_test_mail_says_what_the_server_says() {
    let server = SandboxSmtp::start(Behaviour::default().with_login(Login::new("u", "right")));
    let mut world = one_due(&server);
    let _ = world.echodesk(DAY, &["send-test-email", "you@example.com", "--language", "ka"]).well();
    let mails = server.mails();
    assert_eq!((mails.len(), mails[0].to[0].as_str(), mails[0].secure), (1, "you@example.com", true));
    assert_eq!(mails[0].header("Auto-Submitted").as_deref(), Some("auto-generated"));
    assert!(!mails[0].text().is_empty() && !mails[0].html().is_empty() && mails[0].has_proper_lines());

    server.fail_next(Stage::Recipient, 1, &Fault::says("550 5.1.1 nobody of that name"));
    let ended = world.echodesk(DAY, &["send-test-email", "you@example.com"]);
    assert_eq!(ended.code, Some(1));
    assert!(format!("{ended:?}").contains("nobody of that name"), "{ended:#?}");
    world.set("EMAIL_HOST_PASSWORD", "hunter2");
    let ended = world.echodesk(DAY, &["send-test-email", "you@example.com"]);
    assert_eq!(ended.code, Some(1));
    assert!(format!("{ended:?}").contains("535") && !format!("{ended:?}").contains("hunter2"), "{ended:#?}");
    server.set_away(true);
    assert_eq!(world.echodesk(DAY, &["send-test-email", "you@example.com"]).code, Some(1));

    for (name, value) in [("EMAIL_PORT", "many"), ("DEFAULT_FROM_EMAIL", "nobody"), ("EMAIL_BACKEND", "pigeon")] {
        let before = world.settings.clone();
        world.set(name, value);
        let ended = world.echodesk(DAY, &["send-test-email", "you@example.com"]);
        assert_eq!(ended.code, Some(2), "{name}: {ended:#?}");
        assert!(ended.stderr.contains(name), "{ended:#?}");
        world.settings = before;
    }
    assert_eq!(world.echodesk(DAY, &["send-test-email", "not an address"]).code, Some(2));
    assert_eq!(server.count(), 1);
}

#[test]
fn previews_show_every_kind_in_every_language_with_replaced_templates() {
    let server = SandboxSmtp::start(Behaviour::plain());
    let mut world = one_due(&server);
    for kind in ["reminder", "urgent_reminder", "grace_warning", "suspended", "reactivated", "renewal_paid"] {
        for language in ["en", "ka", "ru"] {
            let preview = ["notices", "preview", kind, "--language", language];
            let text = world.echodesk(DAY, &preview).well().stdout;
            assert!(text.contains("EchoDesk"), "{kind} {language}: {text}");
            let html = world.echodesk(DAY, &[&preview[..], &["--html", "-"]].concat()).well().stdout;
            assert!(html.to_lowercase().starts_with("<!doctype html>"), "{kind} {language}: {html}");
        }
    }
    assert_eq!(server.connections(), 0);

    let templates = world.world.installation.folder.join("templates");
    std::fs::create_dir_all(templates.join("en")).unwrap();
    std::fs::write(templates.join("en/suspended.txt"), "Subject: Closed for now\n\nCome back soon.\n").unwrap();
    world.set("ECHODESK_NOTICE_TEMPLATES", &templates.display().to_string());
    let text = world.echodesk(DAY, &["notices", "preview", "suspended"]).well().stdout;
    assert!(text.contains("Come back soon."), "{text}");
    let _ = world.run(DAY).with_code(0);
    let mails = server.mails();
    assert_eq!(mails[0].subject(), "Closed for now");
    assert!(mails[0].text().contains("Come back soon.") && mails[0].html().contains("Come back soon."));

    std::fs::write(templates.join("en/suspended.txt"), "Subject: {{ nothing_of_the_kind }}\n\n{% if %}\n").unwrap();
    let ran = world.run("2027-03-19").with_code(2);
    assert!(ran.ended.stderr.contains("suspended"), "it is named before anything is done: {ran:#?}");
}

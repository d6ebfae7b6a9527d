//! `echodesk explain` after real runs: whether the answer to what operators ask is in it.

use echodesk_tests::processes::Ended;
use echodesk_tests::sandbox::bank::{Card, Outcome};
use serde_json::Value;

use crate::payments::world::{PaymentWorld, silent};
use crate::status::world::{Place, StatusWorld, everywhere};

everywhere!(
    a_declined_card_that_pays_on_the_next_day_is_told_step_by_step,
    a_suspension_is_told_with_what_was_sent,
    a_card_that_is_not_charged_has_its_reason,
    a_payment_that_did_not_extend_is_named,
    a_mail_that_was_not_sent_waits_with_its_reason,
    a_mailbox_that_does_not_sync_has_its_reason,
);

/// Mails go into a folder.
fn world(place: Place) -> Option<PaymentWorld> {
    let mut world = PaymentWorld::of(StatusWorld::new(place)?.world, silent());
    let folder = world.world.installation.folder.join("mails").display().to_string();
    world.set("EMAIL_BACKEND", "file");
    world.set("EMAIL_FILE_PATH", &folder);
    world.set("DEFAULT_FROM_EMAIL", "EchoDesk <noreply@echodesk.example>");
    Some(world)
}

fn run(world: &PaymentWorld, program: &str, code: i32) {
    let ended = Ended::of(world.command(program, &["-q"]).spawn().unwrap());
    assert_eq!(ended.code, Some(code), "{ended:#?}");
}

/// What is told of a tenant, on one line, and its JSON.
fn explained(world: &PaymentWorld, tenant: &str) -> (String, Value) {
    let text = world.echodesk(&["explain", tenant]).well().stdout;
    let json = world.echodesk(&["explain", tenant, "--json"]).well().stdout;
    (text.split_whitespace().collect::<Vec<_>>().join(" "), serde_json::from_str(&json).unwrap())
}

fn events(story: &Value) -> Vec<&str> {
    story["happened"].as_array().unwrap().iter().map(|entry| entry["event"].as_str().unwrap()).collect()
}

fn verdict<'a>(story: &'a Value, job: &str) -> &'a str {
    let next = story["next"].as_array().unwrap();
    next.iter().find(|next| next["job"] == job).unwrap()["verdict"].as_str().unwrap()
}

fn a_declined_card_that_pays_on_the_next_day_is_told_step_by_step(place: Place) {
    let Some(world) = world(place) else { return };
    world.subscribe("acme", 2, Card::with(&[Outcome::rejected("107"), Outcome::Pays]));
    let _ = world.run(&[]).with_code(1);
    world.age_attempts(1);
    let _ = world.run(&[]).with_code(0);
    let (text, story) = explained(&world, "acme");
    let charges: Vec<&str> = events(&story).into_iter().filter(|event| event.starts_with("charge")).collect();
    assert_eq!(charges, ["charge_prepared", "charge_refused", "charge_prepared", "charge_paid"], "{story:#}");
    for expected in [
        "refused: not enough money (code 107), by the bank's receipt to its order",
        "attempt 2",
        "; extended until",
        "invoice INV-",
        "payment failed (1), next attempt on",
        "sent to admin@example.com",
        "does not charge yet: not due before",
        "recurring-payments: last run",
    ] {
        assert!(text.contains(expected), "{expected}: {text}");
    }
    assert_eq!(story["tenant"]["active"], true);
    assert_eq!(events(&story).iter().filter(|event| **event == "history").count(), 0, "told once: {story:#}");
}

fn a_suspension_is_told_with_what_was_sent(place: Place) {
    let Some(world) = world(place) else { return };
    world.subscribe_with("acme", -8, &["--price", "25.00"]);
    let (before, _) = explained(&world, "acme");
    assert!(before.contains("suspends tenant and subscription: 7 days of grace are over"), "{before}");
    run(&world, "subscription-status", 0);
    let (text, story) = explained(&world, "acme");
    assert!(text.contains("(acme), NOT ACTIVE"), "{text}");
    assert!(text.contains("suspended: not paid since it expired at"), "{text}");
    assert!(text.contains("leaves it suspended"), "{text}");
    assert_eq!(verdict(&story, "subscription-status"), "suspended");
    assert_eq!(events(&story).iter().filter(|event| ["suspended", "notice_sent"].contains(event)).count(), 2);
}

fn a_card_that_is_not_charged_has_its_reason(place: Place) {
    let Some(world) = world(place) else { return };
    world.subscribe("acme", 2, Card::rejected("105"));
    let _ = world.run(&[]).with_code(1);
    let (text, story) = explained(&world, "acme");
    assert!(text.contains("does not charge: waits for another card: the card has expired (code 105)"), "{text}");
    assert!(text.contains("-> the customer has to save another card"), "{text}");
    assert_eq!(verdict(&story, "recurring-payments"), "waits_for_card");
}

fn a_payment_that_did_not_extend_is_named(place: Place) {
    let Some(world) = world(place) else { return };
    world.subscribe("acme", 2, Card::pays());
    let date = world.world.public_texts("SELECT CAST(expires_at AS text) AS value FROM tenants_tenant_subscription");
    let _ = world.run(&[]).with_code(0);
    world.alter_subscription("acme", &format!("expires_at = '{}'", date[0]));
    let (text, story) = explained(&world, "acme");
    assert!(text.contains("has paid for this period and the renewal date is still the old one"), "{text}");
    assert!(text.contains("withholds the urgent reminder") || text.contains("withholds the reminder"), "{text}");
    assert_eq!(verdict(&story, "recurring-payments"), "period_paid");
}

fn a_mail_that_was_not_sent_waits_with_its_reason(place: Place) {
    let Some(mut world) = world(place) else { return };
    world.set("EMAIL_BACKEND", "smtp");
    world.set("EMAIL_HOST", "localhost");
    // Nobody listens there.
    world.set("EMAIL_PORT", "1");
    world.subscribe_with("acme", 6, &["--price", "25.00"]);
    run(&world, "subscription-status", 1);
    let (text, story) = explained(&world, "acme");
    assert!(text.contains("notice 1 (reminder) waits, to be sent to admin@example.com"), "{text}");
    assert!(text.contains("nothing: the reminder waits to be sent; next: the urgent reminder from"), "{text}");
    assert!(text.contains("subscription-status: last run") && text.contains("exit code 1"), "{text}");
    assert_eq!(verdict(&story, "notices"), "waits");
}

fn a_mailbox_that_does_not_sync_has_its_reason(place: Place) {
    let Some(world) = world(place) else { return };
    world.world.mailbox("support@acme.example", "secret-of-the-mailbox", 1, &[]);
    run(&world, "sync-emails", 1);
    let (text, story) = explained(&world, "acme");
    assert!(text.contains("support@acme.example (acme/1): tried again, after 1 failure in a row:"), "{text}");
    assert!(text.contains("five in a row switch it off"), "{text}");
    assert!(text.contains("`echodesk check --tenant acme` tries to log in"), "{text}");
    assert!(!text.contains("secret-of-the-mailbox") && !story.to_string().contains("secret-of-the-mailbox"));
    world.world.execute_for_tenant("UPDATE social_integrations_emailconnection SET is_active = false");
    let (text, _) = explained(&world, "acme");
    assert!(text.contains("not synced: somebody has switched it off"), "{text}");
    assert!(text.contains("`echodesk mailbox enable acme/1`"), "{text}");
}

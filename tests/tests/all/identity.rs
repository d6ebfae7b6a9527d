//! A restored copy of the production database charges and mails nobody.

use echodesk_test_servers::postgres::Postgres;
use echodesk_tests::processes::{Ended, Installation};
use echodesk_tests::sandbox::bank::Card;

use crate::payments::world::{PaymentWorld, silent};
use crate::status::world::{Place, StatusWorld};
use crate::support::{Backend, World, on_both};

on_both! {
    nobody_is_charged_before_somebody_has_said_whose_the_database_is,
    a_copy_under_another_name_bank_or_mail_server_acts_on_nobody,
    a_copy_that_is_bound_anew_does_not_send_what_waited_in_it,
    the_operator_is_told_whose_the_database_is,
    binding_by_mistake_loses_nothing_and_charges_nobody_twice,
}

fn due(backend: Backend) -> Option<PaymentWorld> {
    let world = PaymentWorld::new(backend, silent())?;
    world.subscribe(crate::support::TENANT, 2, Card::pays());
    Some(world)
}

fn refused(ended: &Ended, words: &[&str]) {
    assert_eq!(ended.code, Some(2), "{ended:#?}");
    for word in words {
        assert!(ended.stderr.contains(word), "{word}: {ended:#?}");
    }
}

fn payments(world: &PaymentWorld, arguments: &[&str], settings: &[(&str, &str)]) -> Ended {
    let mut command = world.command("recurring-payments", arguments);
    Ended::of(command.envs(settings.iter().copied()).spawn().unwrap())
}

fn nobody_is_charged_before_somebody_has_said_whose_the_database_is(backend: Backend) {
    let Some(world) = due(backend) else { return };
    world.world.execute("DELETE FROM echodesk_identity");
    refused(&payments(&world, &[], &[]), &["ECHODESK_ENVIRONMENT", "echodesk identity bind"]);
    assert!(world.bank.captures().is_empty() && world.bank.requests().is_empty());
    assert_eq!(world.count("echodesk_charge_attempt"), 0);
    // Looking is free, and says what would be in the way.
    let dry = payments(&world, &["--dry-run"], &[]).well();
    assert!(dry.stderr.contains("a run would be refused"), "{dry:#?}");

    // A name is needed, then binding is done once.
    refused(
        &Ended::of(world.command("echodesk", &["identity", "bind"]).env("ECHODESK_ENVIRONMENT", "").spawn().unwrap()),
        &["ECHODESK_ENVIRONMENT is not set"],
    );
    assert!(world.echodesk(&["identity", "bind"]).well().stdout.contains("bank client sandbox-client"));
    assert!(world.echodesk(&["identity", "bind"]).well().stdout.contains("already"));
    let _ = world.run(&[]).with_code(0);
    assert_eq!(world.bank.captures().len(), 1);
}

fn a_copy_under_another_name_bank_or_mail_server_acts_on_nobody(backend: Backend) {
    let Some(world) = due(backend) else { return };
    let server = [("EMAIL_HOST", "smtp.elsewhere.example"), ("DEFAULT_FROM_EMAIL", "a@example.com")];
    let key = world.world.installation.folder.join("bank.pem");
    std::fs::write(&key, world.bank.public_key_pem()).unwrap();
    let table: [(&[(&str, &str)], &str); 4] = [
        (&[("ECHODESK_ENVIRONMENT", "staging")], "ECHODESK_ENVIRONMENT is \"staging\" here"),
        (&[("ECHODESK_ENVIRONMENT", "")], "ECHODESK_ENVIRONMENT is not set here"),
        (&[("BOG_CLIENT_ID", "another")], "BOG_CLIENT_ID is \"another\" here"),
        (&server, "EMAIL_HOST is \"smtp.elsewhere.example\" here"),
    ];
    for (settings, difference) in table {
        refused(&payments(&world, &[], settings), &[difference, "--copy", "--moved"]);
        for program in ["sync-emails", "subscription-status"] {
            let mut command = world.command(program, &[]);
            command.env("EMAIL_HOST", "localhost").env("DEFAULT_FROM_EMAIL", "a@example.com");
            refused(&Ended::of(command.envs(settings.iter().copied()).spawn().unwrap()), &[difference]);
        }
        let mut serve = world.command("echodesk", &["callbacks", "serve", "--listen", "127.0.0.1:0"]);
        serve.env("BOG_PUBLIC_KEY_FILE", &key);
        refused(&Ended::of(serve.envs(settings.iter().copied()).spawn().unwrap()), &[difference]);
        let dry = payments(&world, &["--dry-run"], settings).well();
        assert!(dry.stderr.contains(difference), "{dry:#?}");
    }
    assert!(world.bank.requests().is_empty());
    assert_eq!(world.count("echodesk_charge_attempt"), 0);
    // Where the installation itself had another bank or mail server, that is looked back on; a copy writes nothing.
    assert_eq!(world.count("echodesk_run WHERE exit_code = 2"), 6);
}

fn a_copy_that_is_bound_anew_does_not_send_what_waited_in_it(backend: Backend) {
    let place = if backend == Backend::Sqlite { Place::Sqlite } else { Place::Postgres };
    let Some(mut world) = StatusWorld::new(place) else { return };
    world.subscribe("bell", "en", "2027-03-11T09:00:00Z");
    world.mails.set_away(true);
    let _ = world.run("2027-03-06").with_code(1);
    world.mails.set_away(false);
    assert_eq!(world.ledger(), ["bell reminder queued"]);

    world.set("ECHODESK_ENVIRONMENT", "staging");
    refused(&world.start("2027-03-06", &[]).end().ended, &["belongs to \"test\""]);
    let said = world.echodesk("2027-03-06", &["identity", "bind"]);
    refused(&said, &["--copy", "--moved"]);
    let said = world.echodesk("2027-03-06", &["identity", "bind", "--copy"]).well();
    assert!(said.stdout.contains("1 notice that waited in it was withdrawn"), "{said:#?}");
    assert_eq!(world.day("2027-03-06"), [""; 0]);
    assert_eq!((world.ledger(), world.mails.count()), (vec!["bell reminder withdrawn".to_owned()], 0));
}

fn the_operator_is_told_whose_the_database_is(backend: Backend) {
    let Some(world) = World::new(backend, "/dev/null".as_ref()) else { return };
    let show = |arguments: &[&str], environment: &str| {
        let mut command = world.installation.command("echodesk", &[&["identity", "show"], arguments].concat());
        Ended::of(command.env("ECHODESK_ENVIRONMENT", environment).spawn().unwrap())
    };
    let ours = show(&[], "test").well();
    assert!(ours.stdout.contains("that is this installation"), "{ours:#?}");
    let theirs = show(&["--json"], "other");
    assert_eq!(theirs.code, Some(1));
    let told: serde_json::Value = serde_json::from_str(&theirs.stdout).unwrap();
    assert_eq!((&told["bound"]["environment"], told["differences"].as_array().unwrap().len()), (&"test".into(), 1));
    world.execute("DELETE FROM echodesk_identity");
    let nobodys = show(&[], "test");
    assert!(nobodys.code == Some(1) && nobodys.stdout.contains("is not bound"), "{nobodys:#?}");
}

fn binding_by_mistake_loses_nothing_and_charges_nobody_twice(backend: Backend) {
    let Some(world) = due(backend) else { return };
    let bind = |arguments: &[&str], settings: &[(&str, &str)]| {
        let mut command = world.command("echodesk", &[&["identity", "bind"], arguments].concat());
        Ended::of(command.envs(settings.iter().copied()).spawn().unwrap())
    };
    world.world.execute("DELETE FROM echodesk_identity");
    let _ = bind(&[], &[("EMAIL_HOST", "localhost"), ("DEFAULT_FROM_EMAIL", "a@example.com")]).well();
    refused(&bind(&["--copy"], &[]), &["nothing here differs"]);
    refused(&bind(&["--copy"], &[("ECHODESK_ENVIRONMENT", "staging")]), &["BOG_CLIENT_ID is still that of \"test\""]);
    refused(&bind(&["--copy", "--moved"], &[]), &["cannot be used with"]);
    // From a host that knows neither bank nor mail server, both stay bound.
    let moved = bind(&["--moved"], &[("BOG_CLIENT_ID", " ")]).well();
    assert!(moved.stdout.contains("(bank client sandbox-client, mail server localhost)"), "{moved:#?}");
    refused(&bind(&[], &[("BOG_CLIENT_ID", "another")]), &["BOG_CLIENT_ID is \"another\" here"]);
    let _ = world.run(&[]).with_code(0);

    // Nor is a copy bound to that bank later, when nobody thinks of it any more.
    let copy = ("ECHODESK_ENVIRONMENT", "staging");
    let _ = bind(&["--copy"], &[copy, ("BOG_CLIENT_ID", "")]).well();
    refused(&payments(&world, &[], &[copy]), &["BOG_CLIENT_ID is \"sandbox-client\" here"]);
    refused(&bind(&[], &[copy]), &["BOG_CLIENT_ID is still that of"]);
    let _ = bind(&[], &[copy, ("BOG_CLIENT_ID", "its own")]).well();
}

#[test]
fn a_dump_restored_elsewhere_is_recognised_under_the_same_settings() {
    let Some(world) = World::new(Backend::Postgres, "/dev/null".as_ref()) else { return };
    world.installation.bind("localhost");
    let postgres = Postgres::shared().unwrap();
    let mut restored = world.installation.clone();
    restored.database_url = postgres.copy_of(&world.installation.database_url);
    let sync = |installation: &Installation| Ended::of(installation.command("sync-emails", &[]).spawn().unwrap());
    let _ = sync(&world.installation).well();
    refused(&sync(&restored), &["the database is another one than was bound"]);
    let moved = Ended::of(restored.command("echodesk", &["identity", "bind", "--moved"]).spawn().unwrap()).well();
    assert!(moved.stdout.contains("bound to \"test\""), "{moved:#?}");
    let _ = sync(&restored).well();
}

#[test]
fn mail_is_read_and_notices_wait_while_the_database_is_nobodys() {
    let Some(world) = StatusWorld::new(Place::Sqlite) else { return };
    world.subscribe("bell", "en", "2027-03-11T09:00:00Z");
    world.mails.set_away(true);
    let _ = world.run("2027-03-06").with_code(1);
    world.mails.set_away(false);
    world.world.execute("DELETE FROM echodesk_identity");
    refused(&world.start("2027-03-06", &[]).end().ended, &["before notices are sent"]);
    let synced = Ended::of(world.command("2027-03-06", "sync-emails", &[]).spawn().unwrap()).well();
    assert!(synced.stderr.contains("1 notices wait: nobody has said whose this database is"), "{synced:#?}");
    assert_eq!(world.mails.count(), 0);
}

//! The programs behind a transaction pooler: PgBouncer with fewer sessions than there are clients, so that
//! transactions of different programs and tenants take turns on one session.

use std::time::Duration;

use echodesk_core::{Clock as _, SystemClock};
use echodesk_test_servers::pgbouncer::PgBouncer;
use echodesk_test_servers::postgres::Postgres;
use echodesk_tests::processes::Ended;
use echodesk_tests::sandbox::bank::{Behaviour, Callbacks, Card, Endpoint};
use echodesk_tests::sandbox::imap::{Account, Behaviour as Imap, Mailstore, SandboxImap};

use crate::payments::world::{PaymentWorld, eventually, silent};
use crate::status::world::StatusWorld;
use crate::support::{PATIENCE, World, mail};

/// Two sessions for everybody.
const SESSIONS: u32 = 2;

const MESSAGES: usize = 30;

/// A world that was migrated directly and is worked on through a pooler. Held along with it: the pooler.
fn world(ca_file: &std::path::Path) -> Option<(PgBouncer, World)> {
    let postgres = Postgres::shared()?;
    pooled(postgres, ca_file, &[])
}

fn pooled(postgres: &Postgres, ca_file: &std::path::Path, settings: &[&str]) -> Option<(PgBouncer, World)> {
    let direct = postgres.database();
    let bouncer = PgBouncer::in_front_of(&direct, SESSIONS, settings)?;
    let through = bouncer.url(&direct);
    Some((bouncer, World::on(Some(direct), ca_file).through(through)))
}

#[test]
fn two_syncs_at_once_store_every_message_of_every_tenant_once() {
    let tenants = ["acme", "bell", "cola", "dona"];
    let mut store = Mailstore::default();
    for tenant in tenants {
        let mut account = Account::new("pw");
        for number in 0..MESSAGES {
            account.append("INBOX", SystemClock::new().now(), &[], mail(number, 2000));
        }
        store.add(&format!("info@{tenant}.example"), account);
    }
    let server = SandboxImap::start(store, Imap { round_trip: Duration::from_millis(20), ..Imap::default() });
    let Some((bouncer, world)) = world(&server.ca_file()) else { return };
    let port = server.port().to_string();
    for tenant in tenants {
        if tenant != crate::support::TENANT {
            let add = ["tenant", "add", tenant, "--name", tenant, "--admin-email", "admin@example.com"];
            let _ = world.installation.echodesk(&add, "").well();
        }
        let address = format!("info@{tenant}.example");
        let add = ["mailbox", "add", "--tenant", tenant, "--email", &address, "--imap-host", "localhost"];
        let _ = world.installation.echodesk(&[&add[..], &["--imap-port", &port, "--password-stdin"]].concat(), "pw");
    }
    let dry = world.installation.sync(&["--dry-run"]).well();
    assert!(dry.stdout.contains(&(tenants.len() * MESSAGES).to_string()), "{dry:#?}");

    let runs = [0, 1].map(|_| world.installation.start_sync(&[]));
    for ended in runs.map(Ended::of) {
        assert!(!ended.stderr.contains("panicked") && ended.code == Some(0), "{ended:#?}\n{}", bouncer.log());
    }
    // One may have found all mailboxes taken by the other; a third run leaves no doubt.
    let _ = world.installation.sync(&[]).well();
    for tenant in tenants {
        let count = format!("SELECT CAST(count(*) AS text) AS value FROM {tenant}.social_integrations_emailmessage");
        assert_eq!(world.public_texts(&count), [MESSAGES.to_string()], "{tenant}");
    }
    let ca = server.ca_file().display().to_string();
    let checked = world.installation.echodesk(&["check", "--json", "--ca-file", &ca], "");
    assert!(!checked.stdout.contains("pooler") && checked.code == Some(0), "{checked:#?}");
    let listed = world.installation.echodesk(&["mailbox", "list", "--json"], "").well();
    let listed: serde_json::Value = serde_json::from_str(&listed.stdout).unwrap();
    assert!(listed.to_string().matches("info@").count() >= tenants.len(), "{listed:#}");
}

#[test]
fn renewals_are_charged_once_by_five_runs_and_a_server_of_callbacks() {
    let Some((_bouncer, world)) = world("/dev/null".as_ref()) else { return };
    let slow = Behaviour { latency: Duration::from_millis(60), callbacks: Callbacks::default(), ..silent() };
    let world = PaymentWorld::of(world, slow).serving_callbacks();
    let tenants: Vec<String> = (0..8).map(|number| format!("t{number}")).collect();
    tenants.iter().for_each(|tenant| world.subscribe(tenant, 2, Card::pays()));
    let runs: Vec<_> = (0..5).map(|_| world.start(&["--width", "2", "--settle-for", "20s"])).collect();
    for run in runs {
        let _ = run.end().with_code(0);
    }
    for tenant in &tenants {
        world.assert_exact(tenant, 1);
    }
    assert_eq!(world.bank.count(Endpoint::Subscribe), tenants.len());
    world.assert_nothing_left();
    let orders = world.echodesk(&["orders", "list", "--all"]).well();
    assert_eq!(orders.stdout.matches("REC-").count(), tenants.len(), "{orders:#?}");
}

#[test]
fn statuses_are_told_once_by_two_runs() {
    let Some((_bouncer, world)) = world("/dev/null".as_ref()) else { return };
    let world = StatusWorld::of(world);
    let tenants: Vec<String> = (0..10).map(|number| format!("t{number}")).collect();
    tenants.iter().for_each(|tenant| world.subscribe(tenant, "en", "2027-03-10T12:00:00Z"));
    for (day, kind) in [("2027-03-03", "reminder 7"), ("2027-03-15", "grace_warning 2"), ("2027-03-18", "suspended")] {
        let before = world.mails.count();
        let runs = [0, 1].map(|_| world.start(day, &[]));
        for run in runs {
            let _ = run.end().with_code(0);
        }
        // Whichever was first has told some, and the other the rest.
        let _ = world.run(day).with_code(0);
        let expected: Vec<String> = tenants.iter().map(|tenant| format!("{tenant} {kind}")).collect();
        assert_eq!(crate::status::world::told(&world.mails.mails_since(before)), expected, "{day}");
    }
    assert!(tenants.iter().all(|tenant| !world.is_active(tenant)));
    assert!(world.echodesk("2027-03-19", &["notices", "list", "--sent"]).code == Some(0));
}

#[test]
fn a_database_that_is_away_behind_the_pooler_is_to_be_tried_again_later() {
    let Some(postgres) = Postgres::start() else { return };
    let quick = ["server_login_retry = 1", "query_wait_timeout = 3"];
    let Some((bouncer, world)) = pooled(&postgres, "/dev/null".as_ref(), &quick) else { return };
    let world = PaymentWorld::of(world, silent());
    world.subscribe("acme", 2, Card::pays());
    postgres.stop();
    // The pooler has met the database, and lets clients in; later it knows that the database is away.
    for _ in 0..3 {
        let clock = SystemClock::new();
        let ran = world.run(&[]).with_code(75);
        assert!(clock.elapsed() < PATIENCE, "{:?}: {ran:#?}\n{}", clock.elapsed(), bouncer.log());
        assert_eq!(ran.ended.stderr.lines().count(), 1, "one line says why: {ran:#?}");
    }
    assert_eq!(world.echodesk(&["orders", "list"]).code, Some(75));
    assert!(world.bank.requests().is_empty());
    postgres.resume();
    // The pooler tells the first who come that the database was away, and only then looks again.
    let clock = SystemClock::new();
    while world.run(&[]).code() != Some(0) {
        assert!(clock.elapsed() < PATIENCE, "{}", bouncer.log());
        std::thread::sleep(Duration::from_millis(500));
    }
    world.assert_exact("acme", 1);
}

#[test]
fn a_database_that_goes_away_behind_the_pooler_meanwhile_is_to_be_tried_again_later() {
    let Some(postgres) = Postgres::start() else { return };
    let quick = ["server_login_retry = 1", "query_wait_timeout = 3"];
    let Some((bouncer, world)) = pooled(&postgres, "/dev/null".as_ref(), &quick) else { return };
    let world = PaymentWorld::of(world, Behaviour { latency: Duration::from_millis(200), ..silent() });
    let tenants: Vec<String> = (0..12).map(|number| format!("t{number}")).collect();
    tenants.iter().for_each(|tenant| world.subscribe(tenant, 2, Card::pays()));
    let run = world.start(&["--width", "2", "--settle-for", "30s"]);
    eventually("something is captured", || world.bank.captures().len() > 1);
    postgres.stop();
    let ran = run.end().with_code(75);
    assert!(world.bank.captures().len() < tenants.len(), "{ran:#?}\n{}", bouncer.log());
    postgres.resume();
    world.end_claims();
    let clock = SystemClock::new();
    while world.run(&["--settle-for", "30s"]).code() != Some(0) {
        assert!(clock.elapsed() < PATIENCE, "{}", bouncer.log());
        std::thread::sleep(Duration::from_millis(500));
    }
    for tenant in &tenants {
        world.assert_exact(tenant, 1);
    }
    world.assert_nothing_left();
}

#[test]
fn what_the_pooler_itself_refuses_is_a_setting_or_passes() {
    type Change = fn(&str) -> String;

    let Some(postgres) = Postgres::shared() else { return };
    let direct = postgres.database();
    let table: [(&[&str], Change, i32, &str); 4] = [
        (&["max_client_conn = 0"], |url| url.to_owned(), 75, "no more connections allowed"),
        (&[], |url| url.replace("echodesk:", "nobody:"), 2, "authentication failed"),
        (&[], |url| format!("{url}?options=-c%20jit%3Doff"), 2, "unsupported startup parameter"),
        (&[], |url| format!("{}nowhere", url.strip_suffix(|_: char| true).unwrap()), 2, "nowhere"),
    ];
    for (settings, change, code, said) in table {
        let Some(bouncer) = PgBouncer::in_front_of(&direct, SESSIONS, settings) else { return };
        let folder = tempfile::tempdir().unwrap();
        let installation = echodesk_tests::processes::Installation {
            database_url: change(&bouncer.url(&direct)),
            folder: folder.path().to_owned(),
            ca_file: "/dev/null".into(),
        };
        let ended = installation.echodesk(&["tenant", "list"], "");
        assert_eq!(ended.code, Some(code), "{said}: {ended:#?}\n{}", bouncer.log());
        assert!(ended.stderr.contains(said), "{said}: {ended:#?}");
    }
}

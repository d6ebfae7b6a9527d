//! Runs that are asked to stop, and runs whose database goes away: what was read is kept, and the next
//! run goes on from there.

use std::process::Child;
use std::process::Command;
use std::time::Duration;

use echodesk_core::{Clock as _, SystemClock};
use echodesk_test_servers::postgres::Postgres;
use echodesk_tests::processes::Ended;
use echodesk_tests::sandbox::imap::{Account, Behaviour, Mailstore, Misbehaviour, SandboxImap};
use serde_json::Value;

use crate::support::{Backend, PATIENCE, World, mail, on_both};

const ADDRESS: &str = "info@acme.example";
const FOLDERS: usize = 20;
const PER_FOLDER: usize = 40;
const MESSAGES: usize = FOLDERS * PER_FOLDER;

/// All of it, as far as the limit goes.
const ALL: [&str; 2] = ["--max-messages", "5000"];

/// Many folders a long way off: seconds pass between the first message and the last.
fn slow_server() -> SandboxImap {
    let mut account = Account::new("pw");
    for number in 0..MESSAGES {
        let folder = format!("Folder {:02}", number / PER_FOLDER);
        account.append(&folder, SystemClock::new().now(), &[], mail(number, 3000));
    }
    let behaviour = Behaviour { round_trip: Duration::from_millis(60), ..Behaviour::default() };
    SandboxImap::start(Mailstore::with(ADDRESS, account), behaviour)
}

/// Starts a run and waits until it has stored something.
fn begun(world: &World) -> Child {
    let report = report_file(world);
    let mut child = world.installation.start_sync(&[&ALL[..], &["--report", &report]].concat());
    let clock = SystemClock::new();
    while world.counts().0 == 0 {
        assert!(child.try_wait().unwrap().is_none(), "{:#?}", Ended::of(child));
        assert!(clock.elapsed() < PATIENCE, "nothing is stored");
        std::thread::sleep(Duration::from_millis(20));
    }
    child
}

fn report_file(world: &World) -> String {
    world.installation.folder.join("report.json").display().to_string()
}

fn report(world: &World) -> Value {
    serde_json::from_slice(&std::fs::read(report_file(world)).unwrap()).unwrap()
}

fn signal(child: &Child, name: &str) {
    // The shell's own kill: not every machine has the program.
    let kill = format!("kill -s {name} {}", child.id());
    assert!(Command::new("sh").args(["-c", &kill]).status().unwrap().success());
}

/// Waits for the end of a run that has no reason to take long.
fn ended_soon(child: Child) -> Ended {
    let clock = SystemClock::new();
    let ended = Ended::of(child);
    assert!(clock.elapsed() < PATIENCE, "took {:?}: {ended:#?}", clock.elapsed());
    assert!(!ended.stderr.contains("panicked"), "{ended:#?}");
    ended
}

/// Every message that is stored has its place, and not everything is; returns how many.
fn part(world: &World) -> usize {
    let (rows, items) = world.counts();
    assert_eq!(rows, items, "a message and its place are written together");
    assert!(0 < rows && rows < MESSAGES, "{rows}");
    rows
}

/// The next run stores exactly the rest.
fn goes_on(world: &World, stored: usize) {
    let (ended, mailbox) = world.try_sync(&ALL);
    assert_eq!((ended.code, mailbox["outcome"].as_str()), (Some(0), Some("synced")), "{mailbox:#}");
    assert_eq!(mailbox["stored"].as_u64(), Some((MESSAGES - stored) as u64), "what was read is kept: {mailbox:#}");
    assert_eq!(world.counts(), (MESSAGES, MESSAGES));
}

/// What the database says of the mailbox.
fn state(world: &World) -> Vec<String> {
    world.texts(
        "SELECT CAST(is_active AND auto_disabled_at IS NULL AND last_sync_at IS NULL AS text) || ' ' || \
           CAST(sync_failure_count AS text) || ' ' || last_sync_error AS value FROM social_integrations_emailconnection",
    )
}

on_both!(a_signal_ends_the_run_when_what_is_in_flight_is_stored);

fn a_signal_ends_the_run_when_what_is_in_flight_is_stored(backend: Backend) {
    let server = slow_server();
    for (name, code) in [("TERM", 143), ("INT", 130)] {
        let Some(world) = World::new(backend, &server.ca_file()) else { return };
        world.mailbox(ADDRESS, "pw", server.port(), &[]);
        let child = begun(&world);
        signal(&child, name);
        let ended = ended_soon(child);
        assert_eq!(ended.code, Some(code), "{ended:#?}");
        assert!(ended.stderr.contains(&format!("SIG{name}")), "{ended:#?}");

        let stored = part(&world);
        let report = report(&world);
        let mailbox = &report["mailboxes"][0];
        assert_eq!(report["stopped"], true, "{report:#}");
        assert_eq!(mailbox["outcome"], "partial", "{mailbox:#}");
        assert_eq!(mailbox["stored"].as_u64(), Some(stored as u64), "the report tells what was stored: {mailbox:#}");
        let kept = state(&world);
        assert!(kept == ["true 0 "] || kept == ["1 0 "], "no failure, and not complete either: {kept:?}");
        // The lease was given back: the next run need not wait for its end.
        goes_on(&world, stored);
    }
}

#[test]
fn a_second_signal_does_not_wait_for_a_server_that_stalls() {
    let mut account = Account::new("pw");
    for number in 0..3 {
        account.append("INBOX", SystemClock::new().now(), &[], mail(number, 50_000));
    }
    let server = SandboxImap::start(Mailstore::with(ADDRESS, account), Behaviour::wrong(Misbehaviour::StallAtFetch));
    let world = World::new(Backend::Sqlite, &server.ca_file()).unwrap();
    world.mailbox(ADDRESS, "pw", server.port(), &[]);
    let mut child = world.installation.start_sync(&[]);
    let clock = SystemClock::new();
    while !server.log().iter().any(|line| line.contains("BODY.PEEK")) {
        assert!(clock.elapsed() < PATIENCE, "{:?}", server.log());
        std::thread::sleep(Duration::from_millis(20));
    }
    signal(&child, "TERM");
    std::thread::sleep(Duration::from_millis(500));
    if child.try_wait().unwrap().is_none() {
        signal(&child, "INT");
    }
    let clock = SystemClock::new();
    let ended = Ended::of(child);
    assert!(clock.elapsed() < Duration::from_secs(5), "took {:?}: {ended:#?}", clock.elapsed());
    assert!(matches!(ended.code, Some(130 | 143)), "{ended:#?}");
    assert_eq!(world.counts().0, world.counts().1, "a message and its place are written together");
}

#[test]
fn a_database_that_is_away_at_the_start_is_to_be_tried_again_later() {
    let Some(postgres) = Postgres::start() else { return };
    let server = slow_server();
    let world = World::on(Some(postgres.database()), &server.ca_file());
    world.mailbox(ADDRESS, "pw", server.port(), &[]);
    postgres.stop();
    for arguments in [&[][..], &["--dry-run"], &["--tenant", "acme"]] {
        let ended = ended_soon(world.installation.start_sync(arguments));
        assert_eq!(ended.code, Some(75), "{ended:#?}");
        assert_eq!(ended.stderr.lines().count(), 1, "one line says why: {ended:#?}");
    }
    for arguments in [&["migrate"][..], &["mailbox", "list"], &["tenant", "list"]] {
        assert_eq!(world.installation.echodesk(arguments, "").code, Some(75), "{arguments:?}");
    }
    let checked = world.installation.echodesk(&["check"], "");
    assert!(checked.code == Some(1) && checked.stdout.contains("FAILED"), "{checked:#?}");
    assert!(server.log().is_empty(), "without a database there is nothing to ask a server for");
    postgres.resume();
    goes_on(&world, 0);
}

#[test]
fn a_database_that_restarts_meanwhile_loses_and_doubles_nothing() {
    let Some(postgres) = Postgres::start() else { return };
    let server = slow_server();
    let world = World::on(Some(postgres.database()), &server.ca_file());
    world.mailbox(ADDRESS, "pw", server.port(), &[]);
    let child = begun(&world);
    postgres.stop();
    std::thread::sleep(Duration::from_millis(500));
    postgres.resume();
    let ended = ended_soon(child);
    let (stored, items) = world.counts();
    assert_eq!(stored, items, "a message and its place are written together");
    // The wait for a new connection bridges a restart, unless it hits a transaction.
    assert_eq!(ended.code == Some(0), stored == MESSAGES, "{stored}: {ended:#?}");
    goes_on(&world, stored);
}

#[test]
fn a_database_that_goes_away_meanwhile_is_to_be_tried_again_later() {
    let Some(postgres) = Postgres::start() else { return };
    let server = slow_server();
    let world = World::on(Some(postgres.database()), &server.ca_file());
    world.mailbox(ADDRESS, "pw", server.port(), &[]);
    let child = begun(&world);
    postgres.stop();
    let ended = ended_soon(child);
    assert_eq!(ended.code, Some(75), "{ended:#?}");

    postgres.resume();
    let stored = part(&world);
    assert_eq!(report(&world)["totals"]["stored"].as_u64(), Some(stored as u64), "the report tells what was stored");
    let kept = state(&world);
    assert_eq!(kept, ["true 0 "], "our database is not the mailbox's fault");
    // Without a database the lease could not be given back, either: as if its time were over.
    world.end_leases();
    goes_on(&world, stored);
}

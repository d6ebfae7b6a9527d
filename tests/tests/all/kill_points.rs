//! The library that kills programs at every point at which dying makes a difference.

use std::process::{Command, Stdio};

use echodesk_test_servers::postgres::Postgres;
use echodesk_tests::kill_points::{KillAt, KillPoints, was_killed};
use echodesk_tests::processes::Installation;
use tempfile::TempDir;

use crate::support::{Backend, World};

const ADD: [&str; 7] = ["tenant", "add", "next", "--name", "Next", "--admin-email", "admin@example.com"];

/// Needs the tables of the new tenant.
const MAILBOX: [&str; 9] =
    ["mailbox", "add", "--tenant", "next", "--email", "a@example.com", "--imap-host", "localhost", "--password-stdin"];

/// Writes a line at a time to a file that has a database's name, and one that has not.
fn shell(folder: &TempDir) -> Command {
    let script = "exec 3>>data.sqlite3 4>>notes.txt; for i in 1 2 3 4; do echo line $i >&3; echo note >&4; done";
    let mut command = Command::new("/bin/sh");
    command.args(["-c", script]).current_dir(folder.path()).stdin(Stdio::null());
    command
}

fn lines(folder: &TempDir, file: &str) -> usize {
    std::fs::read_to_string(folder.path().join(file)).unwrap_or_default().lines().count()
}

#[test]
fn exactly_so_many_writes_have_happened() {
    let kill = KillPoints::build().unwrap();
    let folder = tempfile::tempdir().unwrap();
    let counted = kill.count(&mut shell(&folder)).unwrap();
    assert_eq!((counted.points, counted.output.status.code()), (4, Some(0)), "{counted:?}");

    for n in 0..4 {
        let folder = tempfile::tempdir().unwrap();
        let status = kill.command(&mut shell(&folder), KillAt::After(n)).status().unwrap();
        assert!(was_killed(status), "{n}: {status}");
        assert_eq!(lines(&folder, "data.sqlite3") as u64, n);
        assert_eq!(lines(&folder, "notes.txt") as u64, n.saturating_sub(1), "what is not outward is not counted");
    }
    let folder = tempfile::tempdir().unwrap();
    let status = kill.command(&mut shell(&folder), KillAt::After(4)).status().unwrap();
    assert!(was_killed(status), "after the last one there is still something to do");
    let status = kill.command(&mut shell(&folder), KillAt::After(5)).status().unwrap();
    assert_eq!(status.code(), Some(0), "there is no fifth");
}

/// The names of all tenants, as a plain run sees them.
fn tenants(installation: &Installation) -> String {
    installation.echodesk(&["tenant", "list"], "").well().stdout
}

/// Adds a tenant, killed after each point in turn, in worlds of their own; a plain run must then get there.
fn every_point(backend: Backend) {
    let kill = KillPoints::build().unwrap();
    let Some(world) = World::new(backend, "/dev/null".as_ref()) else { return };
    let counted = kill.count(&mut world.installation.command("echodesk", &ADD)).unwrap();
    assert_eq!(counted.output.status.code(), Some(0), "{counted:?}");
    assert!(counted.points > 3, "{counted:?}");

    let mut absent = 0;
    for n in 0..=counted.points {
        let Some(world) = World::new(backend, "/dev/null".as_ref()) else { return };
        let mut command = world.installation.command("echodesk", &ADD);
        let status = kill.command(&mut command, KillAt::After(n)).status().unwrap();
        assert!(was_killed(status) || n == counted.points, "{n} of {}: {status}", counted.points);
        absent += usize::from(!tenants(&world.installation).contains("next"));
        // One that is there already is refused, which is as good, if all that belongs to it is there.
        let again = world.installation.echodesk(&ADD, "");
        assert!(!again.stderr.contains("panicked"), "{n}: {again:#?}");
        assert!(tenants(&world.installation).contains("next"), "{n}: {again:#?}");
        let _ = world.installation.echodesk(&MAILBOX, "password").well();
    }
    assert!(absent > 0 && absent <= counted.points as usize, "it is there from some point on: {absent}");
}

#[test]
fn a_tenant_is_added_whole_on_sqlite_wherever_the_first_try_dies() {
    every_point(Backend::Sqlite);
}

#[test]
fn a_tenant_is_added_whole_on_postgres_wherever_the_first_try_dies() {
    every_point(Backend::Postgres);
}

#[test]
fn calls_to_postgres_are_counted() {
    let Some(server) = Postgres::shared() else { return };
    let kill = KillPoints::build().unwrap();
    let world = World::on(Some(server.database()), "/dev/null".as_ref());
    let counted = kill.count(&mut world.installation.command("echodesk", &["tenant", "list"])).unwrap();
    assert_eq!(counted.output.status.code(), Some(0), "{counted:?}");
    assert!(counted.points >= 3, "a start-up packet, a query and a farewell at least: {}", counted.points);
}

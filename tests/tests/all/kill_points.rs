//! The library that kills programs at every point at which dying makes a difference.

use std::process::{Command, Stdio};

use echodesk_test_servers::postgres::Postgres;
use echodesk_tests::kill_points::{KillAt, KillPoints, was_killed};
use tempfile::TempDir;

use crate::support::{Backend, World};

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

/// Adds a tenant, killed after each point in turn until there is none left; a plain run must then get there.
fn every_point(backend: Backend) {
    let kill = KillPoints::build().unwrap();
    let Some(mut world) = World::new(backend, "/dev/null".as_ref()) else { return };
    let (mut absent, mut there) = (0, 0);
    for n in 0..1000 {
        if backend == Backend::Sqlite {
            // The embedded database looks after all its tenants in each run: with more of them a run
            // makes more writes, and n would never reach their number.
            world = World::on(None, "/dev/null".as_ref());
        }
        let installation = &world.installation;
        let tenant = format!("t{n}");
        let add = ["tenant", "add", &tenant, "--name", "Next", "--admin-email", "admin@example.com"];
        let status = kill.command(&mut installation.command("echodesk", &add), KillAt::After(n)).status().unwrap();
        // One that is there already is refused, which is as good, if all that belongs to it is there.
        let again = installation.echodesk(&add, "");
        assert!(!again.stderr.contains("panicked"), "{n}: {again:#?}");
        let mailbox = ["mailbox", "add", "--tenant", &tenant, "--email", "a@example.com", "--imap-host", "localhost"];
        let _ = installation.echodesk(&[&mailbox[..], &["--password-stdin"]].concat(), "password").well();
        *(if again.code == Some(0) { &mut absent } else { &mut there }) += 1;
        if !was_killed(status) {
            assert_eq!(status.code(), Some(0), "{n}");
            assert!(absent > 2 && there > 0, "absent after {absent} points, there after {there}");
            return;
        }
    }
    panic!("there is always one more point");
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

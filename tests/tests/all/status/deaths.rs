//! A run that is killed before and after everything that it changes outside itself, between deciding and
//! sending and between sending and marking, and the runs that follow.

use std::collections::{BTreeMap, BTreeSet};
use std::process::Stdio;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};

use echodesk_tests::kill_points::{KillAt, KillPoints, was_killed};
use echodesk_tests::sandbox::smtp::ReceivedMail;

use super::world::{Place, StatusWorld, told};

const DAY: &str = "2027-03-03T09:00:00Z";
/// The claims of a killed run have ended by then.
const LATER: &str = "2027-03-03T09:30:00Z";

const EXPECTED: [&str; 3] = ["bell reminder 7", "cola grace_warning 6", "dona suspended"];

/// Where a run stood when it died.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Stage {
    /// Notices that were decided.
    decided: usize,
    suspended: bool,
    /// Mails that the server had taken.
    taken: usize,
    /// Notices that were marked as sent.
    marked: usize,
}

fn stage(world: &StatusWorld) -> Stage {
    let ledger = world.ledger();
    Stage {
        decided: ledger.len(),
        suspended: !world.is_active("dona"),
        taken: world.mails.count(),
        marked: ledger.iter().filter(|entry| entry.ends_with(" sent")).count(),
    }
}

fn prepared(place: Place) -> Option<StatusWorld> {
    let world = StatusWorld::new(place)?;
    world.subscribe("bell", "en", "2027-03-10T12:00:00Z");
    world.subscribe("cola", "ka", "2027-03-02T12:00:00Z");
    world.subscribe("dona", "ru", "2027-02-20T12:00:00Z");
    Some(world)
}

#[test]
fn a_run_that_dies_anywhere_loses_nothing_and_repeats_a_mail_recognisably() {
    let prepared = prepared(Place::Sqlite).unwrap();
    let kill = KillPoints::build().unwrap();
    let (next, survived, died) = (AtomicU64::new(0), AtomicU64::new(0), AtomicU64::new(0));
    let stages = Mutex::new(BTreeSet::new());
    std::thread::scope(|scope| {
        for _ in 0..2 {
            scope.spawn(|| {
                // How many points there are may differ by a few between runs.
                while survived.load(Ordering::SeqCst) < 2 {
                    let n = next.fetch_add(1, Ordering::SeqCst);
                    assert!(n < 2000, "there is always one more point");
                    let world = StatusWorld::of(prepared.world.copy());
                    let killed = dies(&world, &kill, n);
                    if killed {
                        stages.lock().unwrap().insert(stage(&world));
                    }
                    (if killed { &died } else { &survived }).fetch_add(1, Ordering::SeqCst);
                    goes_on(&world, n);
                }
            });
        }
    });
    let stages = stages.into_inner().unwrap();
    let any = |what: &str, is_so: fn(&Stage) -> bool| {
        assert!(stages.iter().any(is_so), "nobody died {what}: {stages:#?}");
    };
    any("before deciding", |stage| stage.decided == 0 && !stage.suspended);
    any("between reminding and suspending", |stage| stage.decided > 0 && !stage.suspended);
    any("between deciding and sending", |stage| stage.decided == 3 && stage.taken == 0);
    any("between sending and marking", |stage| stage.taken > stage.marked);
    any("after some were sent", |stage| stage.taken > 0 && stage.taken < 3);
    any("after all was done", |stage| stage.marked == 3);
    assert!(stages.iter().all(|stage| stage.marked <= stage.taken), "marked and not sent: {stages:#?}");
    assert!(
        stages.iter().all(|stage| !stage.suspended || stage.decided == 3),
        "suspended without a notice: {stages:#?}"
    );
    assert!(died.into_inner() > 30, "a transaction is more than one write");
}

/// On PostgreSQL what was committed is what counts, and each point needs a database of its own: some of them.
fn some_deaths(place: Place) {
    let kill = KillPoints::build().unwrap();
    let mut stages = BTreeSet::new();
    for n in (2..).step_by(5) {
        let Some(world) = prepared(place) else { return };
        let killed = dies(&world, &kill, n);
        if killed {
            stages.insert(stage(&world));
        }
        // The server may not have noticed yet that the process is dead, and hold its locks.
        world.world.come_to_rest();
        goes_on(&world, n);
        if !killed {
            break;
        }
    }
    let decided = stages.iter().any(|stage| stage.decided > 0 && stage.taken == 0);
    let taken = stages.iter().any(|stage| stage.taken > 0);
    assert!(decided && taken && stages.iter().any(|stage| stage.decided == 0), "{stages:#?}");
    assert!(stages.iter().all(|stage| !stage.suspended || stage.decided == 3), "{stages:#?}");
}

#[test]
fn on_postgresql_too() {
    some_deaths(Place::Postgres);
}

#[test]
fn beside_echodesk_too() {
    some_deaths(Place::EchoDesk);
}

/// Runs once, killed after `n` outward operations. Whether that was before its end.
fn dies(world: &StatusWorld, kill: &KillPoints, n: u64) -> bool {
    let mut command = world.command(DAY, "subscription-status", &[]);
    let command = command.stdout(Stdio::null()).stderr(Stdio::null());
    let status = kill.command(command, KillAt::After(n)).status().unwrap();
    let killed = was_killed(status);
    assert!(killed || status.code() == Some(0), "{n}: {status}");
    killed
}

/// The next run does the rest, and the one after it has nothing to do.
fn goes_on(world: &StatusWorld, n: u64) {
    let _ = world.run(LATER).with_code(0);
    let mails = world.mails.mails();
    let _ = world.run(LATER).with_code(0);
    assert_eq!(world.mails.count(), mails.len(), "{n}: nothing is left");

    let mut copies: BTreeMap<String, Vec<&ReceivedMail>> = BTreeMap::new();
    for mail in &mails {
        copies.entry(mail.message_id()).or_default().push(mail);
    }
    let once: Vec<ReceivedMail> = copies.values().map(|copies| copies[0].clone()).collect();
    assert_eq!(told(&once), EXPECTED, "{n}: each, under one Message-ID");
    for (id, copies) in &copies {
        assert!(copies.len() <= 2, "{n}: {id} came {} times", copies.len());
        let all_but_date = |mail: &ReceivedMail| {
            let text = String::from_utf8_lossy(&mail.bytes).into_owned();
            text.lines().filter(|line| !line.starts_with("Date: ")).collect::<Vec<_>>().join("\n")
        };
        assert!(copies.iter().all(|copy| all_but_date(copy) == all_but_date(copies[0])), "{n}: {id} is the same mail");
    }
    // One connection was used, one mail at a time was on its way: no more can be unmarked than were not yet written
    // down.
    let mut ledger = world.ledger();
    ledger.sort();
    assert_eq!(ledger, ["bell reminder sent", "cola grace_warning sent", "dona suspended sent"], "{n}");
    assert!(!world.is_active("dona") && world.is_active("bell") && world.is_active("cola"), "{n}");
    assert_eq!(world.events("dona"), ["suspended"], "{n}");
}

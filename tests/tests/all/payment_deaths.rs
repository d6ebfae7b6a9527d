//! A renewal whose process is killed before and after everything that it changes outside itself, and
//! the runs that follow: one capture a period, extended once, nobody lost.

use std::collections::BTreeSet;
use std::process::Stdio;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};

use echodesk_tests::kill_points::{KillAt, KillPoints, was_killed};
use echodesk_tests::sandbox::bank::{Behaviour, Callbacks, Card, Endpoint, SandboxBank};

use crate::renewal::{self, Books, Renewal, Server};
use crate::support::{Backend, on_both};

on_both!(
    a_renewal_that_pays,
    a_renewal_that_is_rejected,
    a_renewal_that_is_refused_at_once,
    a_callback_that_is_handled,
);

const ARGUMENTS: [&str; 4] = ["--width", "1", "--settle-for", "5s"];

/// Enough to use both cores while a process waits; the test runner has more to do.
const THREADS: usize = 2;

/// Calls `dies` with an installation like `prepared` and 0, 1, 2 and so on, until two processes have ended by themselves: two, since how many
/// points there are may differ by a few between runs. Returns how many have died.
fn every_point(prepared: &Renewal, dies: impl Fn(&Renewal, u64) -> bool + Sync) -> u64 {
    prepared.world.remember();
    let (next, survived, died) = (AtomicU64::new(0), AtomicU64::new(0), AtomicU64::new(0));
    std::thread::scope(|scope| {
        for _ in 0..THREADS {
            scope.spawn(|| {
                let mut renewal = None;
                while survived.load(Ordering::SeqCst) < 2 {
                    let n = next.fetch_add(1, Ordering::SeqCst);
                    assert!(n < 2000, "there is always one more point");
                    let fresh = prepared.again(renewal.take());
                    (if dies(&fresh, n) { &died } else { &survived }).fetch_add(1, Ordering::SeqCst);
                    renewal = Some(fresh);
                }
            });
        }
    });
    died.into_inner()
}

/// Where the renewal stood when its process died.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Stage {
    /// What the attempt was, if there was one.
    attempt: Option<String>,
    /// How many calls of each kind had reached the bank: token, charge, receipt.
    calls: [usize; 3],
    /// Whether the run had written down that it ended.
    ended: bool,
}

fn stage(renewal: &Renewal, bank: &SandboxBank) -> Stage {
    let ended = "SELECT id AS value FROM echodesk_run WHERE finished_at IS NOT NULL AND job = 'recurring-payments'";
    Stage {
        attempt: renewal.books().attempts.pop(),
        calls: [Endpoint::Token, Endpoint::Subscribe, Endpoint::Receipt].map(|endpoint| bank.count(endpoint)),
        ended: !renewal.world.public_texts(&ended.replace("id AS", "CAST(id AS text) AS")).is_empty(),
    }
}

/// A stage that the protocol has: before or after something is written down, or a call.
fn at(attempt: Option<&str>, calls: [usize; 3], ended: bool) -> Stage {
    Stage { attempt: attempt.map(str::to_owned), calls, ended }
}

/// Kills a renewal at every point, lets further runs go on from there, and compares what is in the books and
/// in the bank's ledger then. It must have died in each of `stages`.
fn killed_everywhere(backend: Backend, card: fn() -> Card, books: &Books, captures: usize, stages: &[Stage]) {
    let Some(prepared) = Renewal::new(backend) else { return };
    let kill = KillPoints::build().unwrap();
    let seen = Mutex::new(BTreeSet::new());
    let dies = |renewal: &Renewal, n| {
        let bank = renewal::bank(Behaviour::default(), card());
        let mut command = renewal.payments(&bank, &ARGUMENTS);
        let command = command.stdout(Stdio::null()).stderr(Stdio::null());
        let status = kill.command(command, KillAt::After(n)).status().unwrap();
        let killed = was_killed(status);
        assert!(killed || matches!(status.code(), Some(0 | 1)), "{n}: {status}");
        renewal.world.come_to_rest();
        if killed {
            seen.lock().unwrap().insert((n, stage(renewal, &bank)));
        }
        // The last run of many would only say that there is nothing to do.
        go_on(renewal, &bank, n, !killed || n % 8 == 0);
        assert_eq!(&renewal.books(), books, "{n}");
        check_ledger(&bank, captures, n);
        killed
    };
    let died = every_point(&prepared, dies);
    let missing = || {
        let seen = seen.lock().unwrap();
        stages.iter().filter(|stage| !seen.iter().any(|(_, seen)| seen == *stage)).cloned().collect::<Vec<_>>()
    };
    // Connections are opened in the background, so that the same number may be another point the next time, and
    // one be left out. It is looked for where the books change.
    let mut renewal = None;
    for n in (0..10).flat_map(|_| changes(&seen.lock().unwrap())) {
        if missing().is_empty() {
            break;
        }
        let fresh = prepared.again(renewal.take());
        dies(&fresh, n);
        renewal = Some(fresh);
    }
    assert_eq!(missing(), [], "nobody died there at any of {died} points: {:#?}", seen.lock().unwrap());
    // A transaction of any back end is more than one write.
    assert!(died > 3 * stages.len() as u64, "{died} points");
}

/// The points about which the books changed, and those about the last: the two that ended by themselves may have
/// had fewer than others.
fn changes(seen: &BTreeSet<(u64, Stage)>) -> Vec<u64> {
    let pairs = seen.iter().zip(seen.iter().skip(1));
    let changed = pairs.filter(|((_, a), (_, b))| (&a.attempt, a.ended) != (&b.attempt, b.ended));
    let last = seen.last().map_or(0, |(n, _)| *n);
    let about = changed.flat_map(|(_, (n, _))| n.saturating_sub(4)..n + 3).chain(last.saturating_sub(2)..last + 8);
    about.collect::<BTreeSet<u64>>().into_iter().collect()
}

/// Runs until nothing is open; to the end, until a run has nothing to complain of.
fn go_on(renewal: &Renewal, bank: &SandboxBank, n: u64, to_the_end: bool) {
    for _ in 0..4 {
        renewal.end_claims();
        let ended = renewal.pay(bank, &ARGUMENTS);
        assert!(matches!(ended.code, Some(0 | 1)), "{n}: {ended:#?}");
        let closed = ["paid", "failed"].map(str::to_owned);
        if (ended.code == Some(0) || !to_the_end) && renewal.books().attempts.iter().all(|state| closed.contains(state))
        {
            return;
        }
    }
    panic!("{n}: four runs were not enough: {:#?}", renewal.books());
}

/// What the bank saw is one charge, however often it was asked for.
fn check_ledger(bank: &SandboxBank, captures: usize, n: u64) {
    let ledger = bank.captures();
    assert_eq!(ledger.len(), captures, "{n}: {ledger:#?}");
    let requests = bank.requests();
    let charges = requests.iter().filter(|request| request.endpoint == Some(Endpoint::Subscribe));
    let names: BTreeSet<_> = charges.map(|request| (request.key.clone(), request.external_id.clone())).collect();
    assert_eq!(names.len(), 1, "{n}: {names:?}");
    for capture in ledger {
        assert!(names.contains(&(capture.key.clone(), capture.external_id.clone())), "{n}: {capture:?} {names:?}");
        assert_eq!(
            (capture.amount.to_string(), capture.parent_order_id.as_deref()),
            ("25.5".to_owned(), Some(renewal::PARENT))
        );
    }
    assert_eq!(bank.open_orders(), Vec::<String>::new(), "{n}");
}

fn a_renewal_that_pays(backend: Backend) {
    let stages = [
        at(None, [0, 0, 0], false),
        at(None, [1, 0, 0], false),
        at(Some("prepared"), [1, 0, 0], false),
        at(Some("prepared"), [1, 1, 0], false),
        at(Some("accepted"), [1, 1, 0], false),
        at(Some("accepted"), [1, 1, 1], false),
        at(Some("paid"), [1, 1, 1], false),
        at(Some("paid"), [1, 1, 1], true),
    ];
    killed_everywhere(backend, Card::pays, &Books::paid(), 1, &stages);
}

fn a_renewal_that_is_rejected(backend: Backend) {
    let stages = [
        at(Some("prepared"), [1, 0, 0], false),
        at(Some("prepared"), [1, 1, 0], false),
        at(Some("accepted"), [1, 1, 0], false),
        at(Some("accepted"), [1, 1, 1], false),
        at(Some("failed"), [1, 1, 1], false),
        at(Some("failed"), [1, 1, 1], true),
    ];
    killed_everywhere(backend, || Card::rejected("107"), &Books::failed("retrying"), 0, &stages);
}

fn a_renewal_that_is_refused_at_once(backend: Backend) {
    let stages = [
        at(Some("prepared"), [1, 0, 0], false),
        at(Some("prepared"), [1, 1, 0], false),
        at(Some("failed"), [1, 1, 0], false),
        at(Some("failed"), [1, 1, 0], true),
    ];
    killed_everywhere(backend, Card::gone_at_once, &Books::failed("failed"), 0, &stages);
}

/// The callback server dies at every point while it handles one callback, and is told again.
fn a_callback_that_is_handled(backend: Backend) {
    let Some(prepared) = Renewal::new(backend) else { return };
    let bank = renewal::bank(
        Behaviour { settle_after: None, callbacks: Callbacks::lost(), ..Behaviour::default() },
        Card::pays(),
    );
    let _ = prepared.pay(&bank, &["--settle-for", "1s"]).well();
    assert_eq!(prepared.books(), Books::open("accepted"));
    bank.settle_all();
    let (body, signature) = bank.callback_for(&bank.captures()[0].order_id);

    let kill = KillPoints::build().unwrap();
    let states = Mutex::new(BTreeSet::new());
    let died = every_point(&prepared, |renewal, n| {
        let killed = match Server::start(kill.command(&mut renewal.server(&bank), KillAt::After(n))) {
            // It died before it could listen.
            Err(ended) => ended.code.is_none(),
            Ok(server) => {
                let answered = server.post(&body, Some(&signature));
                server.terminate();
                let (status, log) = server.ended();
                let killed = was_killed(status);
                assert!(
                    killed || (status.code(), answered) == (Some(0), Some(200)),
                    "{n}: {status} {answered:?} {log}"
                );
                renewal.world.come_to_rest();
                let state = renewal.books().attempts.remove(0);
                assert!(answered != Some(200) || state == "paid", "{n}: what was said to be done is done");
                states.lock().unwrap().insert((state, answered));
                killed
            }
        };
        let server = Server::start(&mut renewal.server(&bank)).unwrap();
        assert_eq!(server.post(&body, Some(&signature)), Some(200), "{n}");
        server.stop();
        assert_eq!(renewal.books(), Books::paid(), "{n}");
        killed
    });
    let states = states.into_inner().unwrap();
    assert!(died >= 10, "{died} points");
    for (state, answered) in [("accepted", None), ("paid", None), ("paid", Some(200))] {
        assert!(states.contains(&(state.to_owned(), answered)), "nobody died at {state}, {answered:?}: {states:#?}");
    }
}

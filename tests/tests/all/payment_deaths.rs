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

/// Calls `dies` with 0, 1, 2 and so on, until two processes have ended by themselves: two, since how many
/// points there are may differ by a few between runs. Returns how many have died.
fn every_point(dies: impl Fn(u64) -> bool + Sync) -> u64 {
    let (next, survived, died) = (AtomicU64::new(0), AtomicU64::new(0), AtomicU64::new(0));
    std::thread::scope(|scope| {
        for _ in 0..THREADS {
            scope.spawn(|| {
                while survived.load(Ordering::SeqCst) < 2 {
                    let n = next.fetch_add(1, Ordering::SeqCst);
                    assert!(n < 2000, "there is always one more point");
                    (if dies(n) { &died } else { &survived }).fetch_add(1, Ordering::SeqCst);
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

/// Kills a renewal at every point, lets further runs go on from there, and compares what is in the books and
/// in the bank's ledger then. Returns the stages in which it died.
fn killed_everywhere(backend: Backend, card: fn() -> Card, books: &Books, captures: usize) -> Option<BTreeSet<Stage>> {
    let prepared = Renewal::new(backend)?;
    let kill = KillPoints::build().unwrap();
    let stages = Mutex::new(BTreeSet::new());
    let died = every_point(|n| {
        let (renewal, bank) = (prepared.copy(), renewal::bank(Behaviour::default(), card()));
        let mut command = renewal.payments(&bank, &ARGUMENTS);
        let command = command.stdout(Stdio::null()).stderr(Stdio::null());
        let killed = was_killed(kill.command(command, KillAt::After(n)).status().unwrap());
        if killed {
            stages.lock().unwrap().insert(stage(&renewal, &bank));
        }
        go_on(&renewal, &bank, n);
        assert_eq!(&renewal.books(), books, "{n}");
        check_ledger(&bank, captures, n);
        renewal.world.discard();
        killed
    });
    let stages = stages.into_inner().unwrap();
    // Each stage ends with a change outside the process, which is a point of its own.
    assert!(died > stages.len() as u64, "{died} points, {stages:#?}");
    Some(stages)
}

/// Runs until all is well and nothing is open.
fn go_on(renewal: &Renewal, bank: &SandboxBank, n: u64) {
    for _ in 0..4 {
        renewal.end_claims();
        let ended = renewal.pay(bank, &ARGUMENTS);
        assert!(matches!(ended.code, Some(0 | 1)), "{n}: {ended:#?}");
        let open = ["prepared", "unknown", "accepted"];
        if ended.code == Some(0) && !renewal.books().attempts.iter().any(|state| open.contains(&state.as_str())) {
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

/// The stages that the protocol has: before and after each thing that is written down, and each call.
fn assert_has(stages: &BTreeSet<Stage>, attempt: Option<&str>, calls: [usize; 3], ended: bool) {
    let stage = Stage { attempt: attempt.map(str::to_owned), calls, ended };
    assert!(stages.contains(&stage), "nobody died at {stage:?}: {stages:#?}");
}

fn a_renewal_that_pays(backend: Backend) {
    let Some(stages) = killed_everywhere(backend, Card::pays, &Books::paid(), 1) else { return };
    assert_has(&stages, None, [0, 0, 0], false);
    assert_has(&stages, None, [1, 0, 0], false);
    assert_has(&stages, Some("prepared"), [1, 0, 0], false);
    assert_has(&stages, Some("prepared"), [1, 1, 0], false);
    assert_has(&stages, Some("accepted"), [1, 1, 0], false);
    assert_has(&stages, Some("accepted"), [1, 1, 1], false);
    assert_has(&stages, Some("paid"), [1, 1, 1], false);
    assert_has(&stages, Some("paid"), [1, 1, 1], true);
}

fn a_renewal_that_is_rejected(backend: Backend) {
    let card = || Card::rejected("107");
    let Some(stages) = killed_everywhere(backend, card, &Books::failed("retrying"), 0) else { return };
    assert_has(&stages, Some("prepared"), [1, 1, 0], false);
    assert_has(&stages, Some("accepted"), [1, 1, 1], false);
    assert_has(&stages, Some("failed"), [1, 1, 1], false);
    assert_has(&stages, Some("failed"), [1, 1, 1], true);
}

fn a_renewal_that_is_refused_at_once(backend: Backend) {
    let books = Books::failed("failed");
    let Some(stages) = killed_everywhere(backend, Card::gone_at_once, &books, 0) else { return };
    assert_has(&stages, Some("prepared"), [1, 0, 0], false);
    assert_has(&stages, Some("prepared"), [1, 1, 0], false);
    assert_has(&stages, Some("failed"), [1, 1, 0], false);
    assert_has(&stages, Some("failed"), [1, 1, 0], true);
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
    let died = every_point(|n| {
        let renewal = prepared.copy();
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
        renewal.world.discard();
        killed
    });
    let states = states.into_inner().unwrap();
    assert!(died >= 10, "{died} points");
    for (state, answered) in [("accepted", None), ("paid", None), ("paid", Some(200))] {
        assert!(states.contains(&(state.to_owned(), answered)), "nobody died at {state}, {answered:?}: {states:#?}");
    }
}

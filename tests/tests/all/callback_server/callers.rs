//! Callers who are slow, silent or gone, a database that is away, and being asked to stop meanwhile.

use std::io::Write as _;
use std::net::Shutdown;
use std::time::Duration;

use echodesk_core::{Clock as _, SystemClock};
use echodesk_test_servers::postgres::Postgres;

use super::Waiting;
use crate::renewal::{self, Books, Renewal, SOON, Server, WEBHOOK, request};
use crate::support::{Backend, PATIENCE, World, on_both};

on_both!(
    who_is_slow_or_silent_holds_up_nobody,
    a_callback_counts_though_nobody_waits_for_its_answer,
    a_signal_lets_the_request_in_flight_be_answered,
);

fn who_is_slow_or_silent_holds_up_nobody(backend: Backend) {
    let Some(waiting) = Waiting::accepted(backend) else { return };
    let server = waiting.start();
    let (body, signature) = waiting.callback(|_| ());
    let request = request(&body, Some(&signature));
    let silent: Vec<_> = (0..50).map(|_| server.connect().unwrap()).collect();
    let mut half_a_body = server.connect().unwrap();
    half_a_body.write_all(&request[..request.len() / 2]).unwrap();
    let mut drops = server.connect().unwrap();
    let dripping = std::thread::spawn(move || {
        let clock = SystemClock::new();
        for byte in format!("POST {WEBHOOK} HTTP/1.1\r\nHost: {}", "x".repeat(1000)).bytes() {
            if drops.write_all(&[byte]).is_err() {
                break;
            }
            std::thread::sleep(Duration::from_secs(1));
        }
        clock.elapsed()
    });
    // One who has said that there is more, and then that there is not.
    let mut cut = server.connect().unwrap();
    cut.write_all(&request[..request.len() - 1]).unwrap();
    cut.shutdown(Shutdown::Write).unwrap();
    let answer = renewal::status(&mut cut);
    assert!(matches!(answer, Some(400) | None), "{answer:?}");
    assert_eq!(waiting.renewal.books(), Books::open("accepted"), "half a callback is none");

    let clock = SystemClock::new();
    assert_eq!(server.ask(&request), Some(200));
    assert_eq!(server.health(), Some(200));
    assert!(clock.elapsed() < Duration::from_secs(5), "{:?}", clock.elapsed());
    assert_eq!(waiting.renewal.books(), Books::paid());
    assert!(dripping.join().unwrap() < PATIENCE, "who sends a byte a second is cut off");
    assert_eq!(renewal::status(&mut half_a_body), Some(408));
    drop(silent);
    server.stop();
}

fn a_callback_counts_though_nobody_waits_for_its_answer(backend: Backend) {
    let Some(waiting) = Waiting::accepted(backend) else { return };
    let server = waiting.start();
    let (body, signature) = waiting.callback(|_| ());
    let held = waiting.renewal.world.hold_charges();
    let mut caller = server.connect().unwrap();
    caller.write_all(&request(&body, Some(&signature))).unwrap();
    std::thread::sleep(SOON * 10);
    drop(caller);
    std::thread::sleep(SOON * 10);
    drop(held);
    let clock = SystemClock::new();
    while waiting.renewal.books() != Books::paid() {
        assert!(clock.elapsed() < PATIENCE, "{:#?}", waiting.renewal.books());
        std::thread::sleep(SOON);
    }
    server.stop();
}

fn a_signal_lets_the_request_in_flight_be_answered(backend: Backend) {
    let Some(waiting) = Waiting::accepted(backend) else { return };
    let server = waiting.start();
    let (body, signature) = waiting.callback(|_| ());
    let held = waiting.renewal.world.hold_charges();
    let mut caller = server.connect().unwrap();
    caller.write_all(&request(&body, Some(&signature))).unwrap();
    std::thread::sleep(SOON * 15);
    server.terminate();
    let clock = SystemClock::new();
    while server.connect().is_ok() {
        assert!(clock.elapsed() < PATIENCE, "it still takes connections");
        std::thread::sleep(SOON);
    }
    assert_eq!(waiting.renewal.books(), Books::open("accepted"), "the callback is in flight");
    drop(held);
    assert_eq!(renewal::status(&mut caller), Some(200));
    let (status, log) = server.ended();
    assert_eq!(status.code(), Some(0), "{log}");
    assert_eq!(waiting.renewal.books(), Books::paid());
}

#[test]
fn while_the_database_is_away_callers_are_told_to_come_again() {
    let Some(database) = Postgres::start() else { return };
    let world = World::on(Some(database.database()), "/dev/null".as_ref());
    let waiting = Waiting::charged(Renewal::of(world), None);
    let server: Server = waiting.start();
    assert_eq!(server.health(), Some(200));
    database.stop();
    assert_eq!(waiting.tell(&server, |_| ()), Some(503));
    assert_eq!(server.health(), Some(503));
    database.resume();
    assert_eq!(waiting.renewal.books(), Books::open("accepted"));
    assert_eq!(waiting.tell(&server, |_| ()), Some(200), "the first after it is back is served");
    assert_eq!(server.health(), Some(200));
    assert_eq!(waiting.renewal.books(), Books::paid());
    server.stop();
}

//! Servers that stall, trickle, flood, lie about sizes and hang up: each ends in a typed error, in
//! time and without filling the memory.

use std::ops::ControlFlow;
use std::sync::Arc;
use std::time::Duration;

use echodesk_core::{Clock as _, Secret, StopToken, SystemClock};

use super::server::{Peer, TestServer, settings};
use crate::imap::ImapServer;
use crate::model::{Flags, FolderName, MessageMeta, Security, Uid, UidSet};
use crate::ports::{MailServer as _, MailServerError};

fn fetch_from(script: impl FnOnce(&mut Peer) + Send + 'static, io_timeout: u64, time_left: u64) -> MailServerError {
    let server = TestServer::logged_in("", |peer| {
        peer.hear("UID FETCH");
        script(peer);
        // The listener's thread stays while the client waits.
        peer.wait_for_end();
    });
    let mut session = server.open_within(io_timeout, time_left).unwrap();
    let batch = vec![MessageMeta { uid: Uid(1), size: 10, internal_date: None, flags: Flags::NONE }];
    let error = session.bodies(&[batch], 1000, &mut |_| ControlFlow::Continue(())).unwrap_err();
    drop(session);
    server.join();
    error
}

#[test]
fn a_server_that_stalls_times_out_wherever_it_does() {
    let server = TestServer::clear(Peer::wait_for_end);
    let error = server.open_within(200, 20_000).err().unwrap();
    assert!(matches!(error, MailServerError::Timeout { doing: "securing the connection", .. }), "{error}");
    server.join();

    let server = TestServer::tls(Peer::wait_for_end);
    let error = server.open_within(200, 20_000).err().unwrap();
    assert!(matches!(error, MailServerError::Timeout { doing: "waiting for the greeting", .. }), "{error}");
    server.join();

    let server = TestServer::tls(|peer| {
        peer.say("* OK ready\r\n");
        peer.wait_for_end();
    });
    let error = server.open_within(200, 20_000).err().unwrap();
    assert!(matches!(error, MailServerError::Timeout { doing: "logging in", .. }), "{error}");
    server.join();

    let error = fetch_from(|peer| assert!(peer.say("* 1 FETCH (UID 1 BODY[] {10}\r\nabc")), 200, 20_000);
    assert!(matches!(error, MailServerError::Timeout { doing: "reading messages", .. }), "{error}");
    assert_eq!(error.to_string(), "the server did not answer within 0 s while reading messages");
}

#[test]
fn a_server_that_trickles_ends_with_the_time() {
    let clock = SystemClock::new();
    let error = fetch_from(
        |peer| {
            peer.say("* 1 FETCH (UID 1 BODY[] {1000}\r\n");
            while peer.say("a") {
                std::thread::sleep(Duration::from_millis(20));
            }
        },
        2000,
        700,
    );
    assert!(matches!(error, MailServerError::OutOfTime), "{error}");
    assert!(clock.elapsed() < Duration::from_secs(5));
}

#[test]
fn a_handshake_that_trickles_ends_with_the_time() {
    let server = TestServer::clear(|peer| {
        // The head of a TLS record of 16 kB, which then comes byte by byte.
        peer.say([22, 3, 3, 64, 0]);
        while peer.say([2]) {
            std::thread::sleep(Duration::from_millis(20));
        }
    });
    let error = server.open_within(2000, 500).err().unwrap();
    assert!(matches!(error, MailServerError::Timeout { doing: "securing the connection", .. }), "{error}");
    server.join();
}

#[test]
fn a_server_that_uses_up_the_time_before_it_lets_us_in_has_timed_out() {
    let server = TestServer::tls(|peer| while peer.say(" ") && pause() {});
    let error = server.open_within(2000, 600).err().unwrap();
    assert!(matches!(error, MailServerError::Timeout { doing: "waiting for the greeting", .. }), "{error}");
    server.join();

    let server = TestServer::tls(|peer| {
        peer.say("* OK ready\r\n");
        while peer.say("* OK wait\r\n") && pause() {}
    });
    let error = server.open_within(2000, 600).err().unwrap();
    let MailServerError::Timeout { doing: "logging in", after } = error else { panic!("{error}") };
    assert!((Duration::from_millis(600)..Duration::from_secs(5)).contains(&after), "{after:?}");
    server.join();
}

fn pause() -> bool {
    std::thread::sleep(Duration::from_millis(20));
    true
}

/// Opens a session on `server` and, if it lets us in, asks it something; is asked to stop meanwhile.
fn stopped_while(server: TestServer, logged_in: bool) -> MailServerError {
    let (stop, clock) = (StopToken::new(), SystemClock::new());
    let client = ImapServer::new(settings(), Arc::new(SystemClock::new())).unwrap().with_stop(stop.clone());
    let stopper = std::thread::spawn(move || {
        std::thread::sleep(Duration::from_millis(700));
        stop.stop();
    });
    let opened = client.open(&server.endpoint(Security::Tls), "user", &Secret::new("secret"), Duration::from_secs(60));
    let error =
        if logged_in { opened.unwrap().metas(&UidSet::range(1, 9)).unwrap_err() } else { opened.err().unwrap() };
    assert!(clock.elapsed() < Duration::from_millis(700 + 1500), "{:?}", clock.elapsed());
    stopper.join().unwrap();
    server.join();
    error
}

#[test]
fn who_is_asked_to_stop_does_not_wait_for_the_server() {
    for error in [
        stopped_while(TestServer::clear(Peer::wait_for_end), false),
        stopped_while(TestServer::tls(Peer::wait_for_end), false),
        stopped_while(TestServer::logged_in("", Peer::wait_for_end), true),
        stopped_while(TestServer::logged_in("", |peer| while peer.say("* 1 FETCH (FLAGS ())\r\n") && pause() {}), true),
    ] {
        assert!(matches!(error, MailServerError::OutOfTime), "{error}");
    }
}

#[test]
fn a_long_silence_within_the_time_out_is_borne() {
    let server = TestServer::logged_in("", |peer| {
        peer.hear("UID FETCH");
        std::thread::sleep(Duration::from_millis(1300));
        peer.say("* 1 FETCH (UID 1 RFC822.SIZE 5)\r\n");
        peer.end("OK done");
        peer.wait_for_end();
    });
    let mut session = server.open_within(3000, 20_000).unwrap();
    assert_eq!(session.metas(&UidSet::range(1, 1)).unwrap().len(), 1, "longer than one slice of the wait");
    session.logout();
    server.join();
}

#[test]
fn a_flood_ends_with_the_time_or_by_its_length() {
    let error = fetch_from(
        |peer| {
            let flood = "* 5 EXISTS\r\n".repeat(1000);
            while peer.say(&flood) {}
        },
        2000,
        1500,
    );
    assert!(matches!(error, MailServerError::OutOfTime | MailServerError::Protocol { .. }), "{error}");
}

#[test]
fn an_endless_line_is_cut() {
    let error = fetch_from(|peer| while peer.say("a".repeat(10_000)) {}, 2000, 20_000);
    assert!(
        matches!(&error, MailServerError::Protocol { problem } if problem.contains("a line of more than")),
        "{error}"
    );
}

#[test]
fn a_giant_literal_is_refused_where_no_message_belongs() {
    for announced in [
        "* LIST () \"/\" {4294967296}\r\n",
        "* LIST () {99999999999999999999999}\r\n",
        "* 1 FETCH (FLAGS {2000000}\r\n",
        "* 1 FETCH (UID 1 BODY[] {99999999999999999999999}\r\n",
    ] {
        let error = fetch_from(move |peer| assert!(peer.say(announced)), 2000, 20_000);
        assert!(matches!(error, MailServerError::Protocol { .. }), "{announced}: {error}");
    }
}

#[test]
fn a_giant_message_is_read_past_until_the_time_is_over() {
    let error = fetch_from(
        |peer| {
            peer.say("* 1 FETCH (UID 1 BODY[] {18446744073709551615}\r\n");
            while peer.say("a".repeat(10_000)) {}
        },
        2000,
        500,
    );
    assert!(matches!(error, MailServerError::OutOfTime), "{error}");
}

#[test]
fn a_connection_that_closes_is_lost_wherever_it_does() {
    for said in ["", "* 1 FET", "* 1 FETCH (UID 1 BODY[] {10}\r\n", "* 1 FETCH (UID 1 BODY[] {10}\r\nabc"] {
        let server = TestServer::logged_in("", move |peer| {
            peer.hear("UID FETCH");
            peer.say(said);
        });
        let mut session = server.open().unwrap();
        let error = session.metas(&UidSet::range(1, 1)).unwrap_err();
        assert!(matches!(error, MailServerError::Lost { doing: "reading sizes and dates", .. }), "{said}: {error}");
        assert!(session.metas(&UidSet::range(1, 1)).is_err(), "and stays lost");
        server.join();
    }
}

#[test]
fn a_bye_says_that_the_server_is_not_available() {
    let error = fetch_from(|peer| assert!(peer.say("* 1 EXISTS\r\n* BYE idle for too long\r\n")), 2000, 20_000);
    assert!(matches!(&error, MailServerError::Unavailable { answer } if answer == "idle for too long"), "{error}");
}

#[test]
fn answers_to_nobody_are_passed_over() {
    let server = TestServer::logged_in("", |peer| {
        peer.answer("EXAMINE", "\r\nzz OK who?\r\ne99 NO later\r\n+ go on\r\ngarbage\r\n*\r\n* 1 EXISTS\r\n* OK [UIDVALIDITY 1]\r\n* OK [UIDNEXT 2]\r\n");
        peer.wait_for_end();
    });
    let mut session = server.open().unwrap();
    let inbox = FolderName { name: "INBOX".to_owned(), wire: b"INBOX".to_vec() };
    assert_eq!(session.examine(&inbox).unwrap().status.messages, 1);
    assert_eq!(session.counters().skipped_answers, 6);
    session.logout();
    server.join();
}

#[test]
fn a_server_that_lists_for_ever_fills_no_memory() {
    let server = TestServer::logged_in("", |peer| {
        peer.hear("LIST");
        let mut from = 0;
        while peer.say((from..from + 500).map(|n| format!("* LIST () \"/\" f{n}\r\n")).collect::<String>()) {
            from += 500;
        }
    });
    let mut session = server.open().unwrap();
    let error = session.folders().unwrap_err();
    assert!(matches!(&error, MailServerError::Protocol { problem } if problem.contains("folders")), "{error}");
    drop(session);
    server.join();
}

#[test]
fn a_name_that_is_too_long_is_passed_over_and_counted() {
    let server = TestServer::logged_in("", |peer| {
        let (longest, longer) = ("x".repeat(8 << 10), "y".repeat((8 << 10) + 1));
        peer.answer(
            "LIST",
            format!(
                "* LIST () NIL {longest}\r\n* LIST () NIL {longer}\r\n\
                 * STATUS {longer} (UIDVALIDITY 1 UIDNEXT 1 MESSAGES 0)\r\n"
            ),
        );
        peer.wait_for_end();
    });
    let mut session = server.open().unwrap();
    let lengths: Vec<_> = session.folders().unwrap().iter().map(|folder| folder.name.wire.len()).collect();
    assert_eq!((lengths, session.counters().skipped_answers), (vec![8 << 10], 2));
    session.logout();
    server.join();
}

#[test]
fn long_names_without_end_fill_no_memory() {
    for answer in ["LIST () NIL", "STATUS"] {
        let server = TestServer::logged_in("", move |peer| {
            peer.hear("LIST");
            let mut number = 0;
            while peer.say(format!("* {answer} {number:08000} (UIDVALIDITY 1 UIDNEXT 1 MESSAGES 0)\r\n")) {
                number += 1;
            }
            assert!(number < 20_000, "{number} of {answer} were taken");
        });
        let mut session = server.open().unwrap();
        let error = session.folders().unwrap_err();
        assert!(
            matches!(&error, MailServerError::Protocol { problem } if problem.contains("bytes of names")),
            "{error}"
        );
        drop(session);
        server.join();
    }
}

#[test]
fn no_time_left_means_no_connection() {
    let server = TestServer::clear(|_| {});
    assert!(matches!(server.open_within(200, 0), Err(MailServerError::OutOfTime)));
}

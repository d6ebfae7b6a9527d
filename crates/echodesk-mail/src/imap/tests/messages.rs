//! Searching and fetching.

use std::ops::ControlFlow;

use super::server::{Peer, TestServer};
use crate::model::{Flags, MessageMeta, RawMessage, Uid, UidSet};
use crate::ports::{MailServerError, MailSession};

fn meta(uid: u32) -> MessageMeta {
    MessageMeta { uid: Uid(uid), size: 5, internal_date: None, flags: Flags::NONE }
}

fn set(text: &str) -> UidSet {
    text.parse().unwrap()
}

fn session_with(
    capabilities: &'static str,
    script: impl FnOnce(&mut Peer) + Send + 'static,
) -> (Box<dyn MailSession>, TestServer) {
    let server = TestServer::logged_in(capabilities, |peer| {
        script(peer);
        peer.wait_for_end();
    });
    (server.open().unwrap(), server)
}

/// UID, text, and whether it was truncated.
type Came = Vec<(u32, String, bool)>;

/// Runs `bodies` and returns what came.
fn bodies(
    session: &mut dyn MailSession,
    batches: &[Vec<MessageMeta>],
    limit: u64,
) -> (Came, Result<(), MailServerError>) {
    let mut came = Vec::new();
    let result = session.bodies(batches, limit, &mut |message: RawMessage| {
        came.push((message.meta.uid.0, String::from_utf8(message.bytes).unwrap(), message.truncated));
        ControlFlow::Continue(())
    });
    (came, result)
}

#[test]
fn searches_are_answered_in_lines_and_by_tag() {
    let (mut session, server) = session_with("", |peer| {
        peer.answer("UID SEARCH UID 1:9 SINCE 2-Nov-2026", "* SEARCH 3 1\r\n* 9 EXISTS\r\n* SEARCH 9 77\r\n");
    });
    let day = jiff::civil::date(2026, 11, 2);
    assert_eq!(session.search(&set("1:9"), Some(day)).unwrap(), set("1,3,9"), "77 was not asked for");
    assert!(session.search(&UidSet::new(), None).unwrap().is_empty());
    session.logout();
    server.join();

    let (mut session, server) = session_with("ESEARCH", |peer| {
        peer.hear("UID SEARCH RETURN (ALL) UID 1:9");
        let tag = peer.tag().to_owned();
        peer.say(format!("* ESEARCH (TAG \"e0\") UID ALL 5\r\n* ESEARCH (TAG \"{tag}\") UID ALL 2:3,8\r\n"));
        peer.end("OK done");
    });
    assert_eq!(session.search(&set("1:9"), None).unwrap(), set("2:3,8"));
    session.logout();
    server.join();
}

#[test]
fn a_long_set_is_searched_with_several_commands() {
    let (mut session, server) = session_with("", |peer| {
        let mut heard = 0;
        while heard < 3000 {
            let command = peer.hear("UID SEARCH UID ");
            assert!(command.len() < 8100);
            let uids = command.strip_prefix("UID SEARCH UID ").unwrap().to_owned();
            heard += uids.split(',').count();
            peer.say(format!("* SEARCH {}\r\n", uids.replace(',', " ")));
            peer.end("OK done");
        }
    });
    let uids: UidSet = (1..=3000).map(|n| Uid(n * 2)).collect();
    assert_eq!(session.search(&uids, None).unwrap(), uids);
    session.logout();
    server.join();
}

#[test]
fn a_search_without_a_readable_answer_is_refused_and_not_empty() {
    for (capabilities, lines) in [
        ("", "* SEARCH 1,2,3\r\n"),
        ("", ""),
        ("", "* 3 EXISTS\r\n"),
        ("ESEARCH", ""),
        ("ESEARCH", "* ESEARCH (TAG \"TAG\") ALL 1:3\r\n"),
        ("ESEARCH", "* ESEARCH (TAG \"TAG\") UID ALL 1:*\r\n"),
        ("ESEARCH", "* ESEARCH (TAG \"e0\") UID ALL 1:3\r\n"),
    ] {
        let (mut session, server) = session_with(capabilities, move |peer| {
            peer.hear("UID SEARCH");
            let lines = lines.replace("TAG \"TAG\"", &format!("TAG \"{}\"", peer.tag()));
            peer.say(lines);
            peer.end("OK done");
            peer.answer("UID SEARCH", "* SEARCH 2\r\n");
        });
        let error = session.search(&set("1:3"), None).unwrap_err();
        assert!(matches!(&error, MailServerError::Refused { command: "SEARCH", .. }), "{lines}: {error}");
        assert_eq!(session.search(&set("1:3"), None).unwrap(), set("2"), "the session survives");
        session.logout();
        server.join();
    }
}

#[test]
fn each_of_several_searches_needs_its_own_answer() {
    let (mut session, server) = session_with("", |peer| {
        // The first is answered twice, the second not at all.
        peer.answer("UID SEARCH", "* SEARCH 2\r\n* SEARCH 4\r\n");
        peer.answer("UID SEARCH", "");
    });
    let uids: UidSet = (1..=2000).map(|n| Uid(n * 2)).collect();
    let error = session.search(&uids, None).unwrap_err();
    assert!(matches!(&error, MailServerError::Refused { command: "SEARCH", .. }), "{error}");
    session.logout();
    server.join();
}

#[test]
fn metas_are_those_that_were_asked_for_once_each() {
    let (mut session, server) = session_with("", |peer| {
        peer.answer(
            "UID FETCH 5:9 (UID RFC822.SIZE INTERNALDATE FLAGS)",
            "* 9 FETCH (UID 9 RFC822.SIZE 90 INTERNALDATE \" 7-Nov-2026 10:00:00 +0100\" FLAGS (\\Seen))\r\n\
             * 2 FETCH (FLAGS (\\Deleted))\r\n\
             * 5 FETCH (UID 5 RFC822.SIZE 50 INTERNALDATE \"whenever\" FLAGS ())\r\n\
             * 6 FETCH (FLAGS ($ქ) X-NEW {3}\r\nabc RFC822.SIZE 60 UID 6)\r\n\
             * 5 FETCH (UID 5 FLAGS (\\Flagged))\r\n\
             * 7 FETCH (UID 7 (\r\n\
             * 8 FETCH (UID 8 FLAGS () RFC822.SIZE NIL)\r\n\
             * 20 FETCH (UID 20 RFC822.SIZE 1 FLAGS ())\r\n\
             * 3 EXPUNGE\r\n* VANISHED 4\r\n",
        );
    });
    let metas = session.metas(&set("5:9")).unwrap();
    let seen: Vec<_> = metas.iter().map(|meta| (meta.uid.0, meta.size, meta.flags)).collect();
    assert_eq!(seen, [(5, 50, Flags::FLAGGED), (6, 60, Flags::NONE), (8, 0, Flags::NONE), (9, 90, Flags::SEEN)]);
    assert_eq!(metas[3].internal_date, Some("2026-11-07T09:00:00Z".parse().unwrap()));
    assert_eq!(metas[0].internal_date, None);
    assert_eq!(session.counters().skipped_answers, 1);
    session.logout();
    server.join();
}

#[test]
fn answers_about_sizes_that_cannot_be_read_are_counted() {
    let (mut session, server) = session_with("", |peer| {
        peer.answer(
            "UID FETCH",
            "* 1 FETCH (UID 1 RFC822.SIZE 80 FLAGS ())\r\n\
             * 2 FETCH (UID 2 RFC822.SIZE 80 FLAGS (x)\r\n\
             * 3 FETCH (RFC822.SIZE 80 FLAGS ())\r\n\
             * 4 FETCH (UID 0 RFC822.SIZE 80 FLAGS ())\r\n\
             * 5 FETCH (FLAGS (\\Seen))\r\n",
        );
    });
    let uids: Vec<_> = session.metas(&set("1:5")).unwrap().iter().map(|meta| meta.uid.0).collect();
    assert_eq!(uids, [1]);
    assert_eq!(session.counters().skipped_answers, 3, "the last one is news that nobody asked for");
    session.logout();
    server.join();
}

#[test]
fn bodies_arrive_whole_whatever_lies_between_them() {
    let (mut session, server) = session_with("", |peer| {
        peer.answer(
            "UID FETCH 1:9 (UID FLAGS INTERNALDATE BODY.PEEK[])",
            "* 4 FETCH (UID 4 FLAGS (\\Seen) BODY[] {5}\r\nfour.)\r\n\
             * 1 FETCH (BODY[] {9}\r\n* 1 (a\r\nb UID 1)\r\n\
             * 2 FETCH (FLAGS (\\Seen))\r\n\
             * 4 FETCH (UID 4 BODY[] {5}\r\nagain)\r\n\
             * 2 FETCH (UID 2 BODY[] NIL)\r\n\
             * OK still {8}\r\n\
             * 3 FETCH (UID 3 BODY[] \"qu\\\"ted\" X-NEW (a \"b)\"))\r\n\
             * 5 FETCH (UID 5  ბ 1 BODY[] {0}\r\n)\r\n\
             * 6 FETCH (UID 6 BODY[] {9}\r\ntoo large)\r\n\
             * 7 FETCH (UID 7 BODY[] ~{3+}\r\nabc)\r\n\
             * 8 FETCH (UID 8 BODY[] {3}\r\nabc\"\r\n\
             * 30 FETCH (UID 30 BODY[] {3}\r\nabc)\r\n\
             * 3 EXPUNGE\r\n* 29 EXISTS\r\n",
        );
    });
    let batch = (1..=9).map(meta).collect();
    let mut came = Vec::new();
    session
        .bodies(&[batch], 8, &mut |message| {
            came.push((message.meta.uid.0, message.bytes, message.truncated, message.meta.flags));
            ControlFlow::Continue(())
        })
        .unwrap();
    let expected: [(u32, &[u8], bool, Flags); 6] = [
        (4, b"four.", false, Flags::SEEN),
        (3, b"qu\"ted", false, Flags::NONE),
        (5, b"", false, Flags::NONE),
        (6, b"", true, Flags::NONE),
        (7, b"abc", false, Flags::NONE),
        (1, b"", true, Flags::NONE),
    ];
    for (uid, bytes, truncated, flags) in expected {
        assert!(came.contains(&(uid, bytes.to_vec(), truncated, flags)), "{uid}: {came:?}");
    }
    assert_eq!(came.len(), expected.len(), "2 is gone, 4 came once, 8 is malformed, 30 was not asked for");
    assert_eq!(session.counters().skipped_answers, 1);
    session.logout();
    server.join();
}

#[test]
fn the_next_batch_is_asked_for_before_the_last_one_is_read() {
    let (mut session, server) = session_with("", |peer| {
        let mut tags = Vec::new();
        for uid in 1..=2 {
            peer.hear(&format!("UID FETCH {uid} "));
            tags.push(peer.tag().to_owned());
        }
        for uid in 1..=4 {
            peer.say(format!("* {uid} FETCH (UID {uid} BODY[] {{1}}\r\n{uid})\r\n{} OK x\r\n", tags[uid - 1]));
            if uid < 3 {
                peer.hear(&format!("UID FETCH {} ", uid + 2));
                tags.push(peer.tag().to_owned());
            }
        }
    });
    let before = session.counters().round_trips;
    let batches: Vec<Vec<MessageMeta>> = (1..=4).map(|uid| vec![meta(uid)]).collect();
    let (came, result) = bodies(&mut *session, &batches, 100);
    result.unwrap();
    assert_eq!(came.iter().map(|(uid, ..)| *uid).collect::<Vec<_>>(), [1, 2, 3, 4]);
    assert_eq!(session.counters().round_trips - before, 1, "only the first answer is waited for");
    session.logout();
    server.join();
}

#[test]
fn answers_to_two_batches_may_be_mixed() {
    // Dovecot runs both commands by turns when its output is full.
    let (mut session, server) = session_with("", |peer| {
        peer.hear("UID FETCH 1:2 ");
        let first = peer.tag().to_owned();
        peer.hear("UID FETCH 3 ");
        peer.say("* 1 FETCH (UID 1 BODY[] {1}\r\n1)\r\n* 3 FETCH (UID 3 BODY[] {1}\r\n3)\r\n");
        peer.end("OK done");
        peer.say(format!("* 2 FETCH (UID 2 BODY[] {{1}}\r\n2)\r\n{first} OK x\r\n"));
    });
    let (came, result) = bodies(&mut *session, &[vec![meta(1), meta(2)], vec![meta(3)]], 100);
    result.unwrap();
    assert_eq!(came.iter().map(|(uid, ..)| *uid).collect::<Vec<_>>(), [1, 3, 2]);
    session.logout();
    server.join();
}

#[test]
fn a_refused_batch_does_not_keep_the_others_back() {
    let (mut session, server) = session_with("", |peer| {
        peer.hear("UID FETCH 1 ");
        let first = peer.tag().to_owned();
        peer.hear("UID FETCH 2 ");
        peer.say(format!("{first} NO [SERVERBUG] broken\r\n* 2 FETCH (UID 2 BODY[] {{1}}\r\n2)\r\n"));
        peer.end("OK done");
        peer.answer("UID SEARCH", "* SEARCH 1\r\n");
    });
    let (came, result) = bodies(&mut *session, &[vec![meta(1)], vec![meta(2)]], 100);
    assert_eq!(came, [(2, "2".to_owned(), false)]);
    let error = result.unwrap_err();
    assert!(matches!(&error, MailServerError::Refused { command: "UID FETCH", .. }), "{error}");
    assert_eq!(session.search(&set("1"), None).unwrap(), set("1"), "the session is in step");
    session.logout();
    server.join();
}

#[test]
fn a_sink_that_breaks_off_is_left_alone() {
    let (mut session, server) = session_with("", |peer| {
        peer.hear("UID FETCH 1:2 ");
        peer.say("* 1 FETCH (UID 1 BODY[] {1}\r\n1)\r\n* 2 FETCH (UID 2 BODY[] {1}\r\n2)\r\n");
        peer.end("OK done");
    });
    let mut came = 0;
    session
        .bodies(&[vec![meta(1), meta(2)]], 100, &mut |_| {
            came += 1;
            ControlFlow::Break(())
        })
        .unwrap();
    assert_eq!(came, 1);
    assert!(session.search(&set("1"), None).is_err(), "what is still on its way must not be taken for an answer");
    session.logout();
    server.join();
}

#[test]
fn a_head_is_as_long_as_was_asked_for_at_most() {
    let (mut session, server) = session_with("", |peer| {
        peer.answer(
            "UID FETCH 7 (UID FLAGS INTERNALDATE BODY.PEEK[]<0.4>)",
            "* 1 FETCH (UID 7 BODY[]<0> {4}\r\nabcd)\r\n",
        );
        peer.answer("UID FETCH 7 ", "* 1 FETCH (UID 7 BODY[]<0> {2}\r\nab FLAGS (\\Seen))\r\n");
        peer.answer("UID FETCH 7 ", "* 1 FETCH (UID 7 BODY[] {26}\r\nabcdefghijklmnopqrstuvwxyz)\r\n");
        peer.answer("UID FETCH 7 ", "* 1 FETCH (UID 8 BODY[]<0> {1}\r\na)\r\n* 1 FETCH (UID 7 BODY[]<0> NIL)\r\n");
    });
    let mut head = || session.head(&meta(7), 4).unwrap().map(|head| (head.bytes, head.truncated, head.meta.flags));
    assert_eq!(head(), Some((b"abcd".to_vec(), true, Flags::NONE)));
    assert_eq!(head(), Some((b"ab".to_vec(), false, Flags::SEEN)));
    assert_eq!(head(), Some((b"abcd".to_vec(), true, Flags::NONE)), "a server that sends the whole of it");
    assert_eq!(head(), None);
    session.logout();
    server.join();
}

#[test]
fn flags_are_read_by_uid() {
    let (mut session, server) = session_with("CONDSTORE", |peer| {
        peer.answer(
            "UID FETCH 1:9 (UID FLAGS) (CHANGEDSINCE 12)",
            "* 3 FETCH (UID 3 MODSEQ (13) FLAGS (\\SEEN $Junk))\r\n* 1 FETCH (FLAGS ())\r\n* 2 FETCH (UID 2 FLAGS (\\Answered))\r\n\
             * 12 FETCH (UID 12 FLAGS ())\r\n",
        );
        peer.answer("UID FETCH 1 (UID FLAGS)", "");
    });
    assert_eq!(session.flags(&set("1:9"), Some(12)).unwrap(), [(Uid(2), Flags::ANSWERED), (Uid(3), Flags::SEEN)]);
    assert!(session.flags(&set("1"), None).unwrap().is_empty());
    session.logout();
    server.join();
}

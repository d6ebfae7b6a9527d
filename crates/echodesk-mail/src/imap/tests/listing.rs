//! Folders and their numbers.

use super::server::TestServer;
use crate::model::{FolderListing, FolderName, FolderStatus, SpecialUse};

fn folders(capabilities: &'static str, expected: &'static str, lines: &'static str) -> (Vec<FolderListing>, u32) {
    let server = TestServer::logged_in(capabilities, move |peer| {
        peer.answer(expected, lines);
        peer.wait_for_end();
    });
    let mut session = server.open().unwrap();
    let folders = session.folders().unwrap();
    let skipped = session.counters().skipped_answers;
    session.logout();
    server.join();
    (folders, skipped)
}

fn status(uid_validity: u32, uid_next: u32, messages: u32, highest_mod_seq: Option<u64>) -> FolderStatus {
    FolderStatus { uid_validity, uid_next, messages, highest_mod_seq }
}

#[test]
fn names_come_as_atoms_quoted_strings_and_literals() {
    let (folders, skipped) = folders(
        "",
        "LIST \"\" \"*\"",
        "* LIST (\\HasNoChildren) \"/\" inbox\r\n\
         * LIST () \"/\" \"Lost \\\"&-\\\" \\\\Found\"\r\n\
         * LIST (\\Sent) \".\" {29}\r\n&ENIQ0BDSENYQ0BDVENwQ2BDaENg-\r\n\
         *  LIST  (\\Drafts \\Marked)  NIL  Drafts  (\"CHILDINFO\" (\"SUBSCRIBED\"))\r\n\
         * LIST (\\Noselect) \"/\" Архив\r\n\
         * LIST (\\NonExistent) \"/\" R&D\r\n\
         * LIST () \"/\" NIL\r\n\
         * LIST () \"/\" [Gmail]/All\r\n\
         * LIST (\\Trash) \"/\" Drafts\r\n",
    );
    let seen: Vec<_> = folders
        .iter()
        .map(|folder| (folder.name.name.as_str(), folder.separator, folder.selectable, folder.special_use))
        .collect();
    assert_eq!(
        seen,
        [
            ("INBOX", Some('/'), true, None),
            ("Lost \"&\" \\Found", Some('/'), true, None),
            ("გაგზავნილი", Some('.'), true, Some(SpecialUse::Sent)),
            ("Drafts", Some('/'), true, Some(SpecialUse::Drafts)),
            ("Архив", Some('/'), false, None),
            ("R&D", Some('/'), false, None),
            ("NIL", Some('/'), true, None),
            ("[Gmail]/All", Some('/'), true, None),
        ]
    );
    assert_eq!(folders[0].name.wire, b"inbox");
    assert_eq!(folders[1].name.wire, b"Lost \"&-\" \\Found");
    assert_eq!(skipped, 0);
}

#[test]
fn numbers_come_with_the_list_where_the_server_can() {
    let (folders, skipped) = folders(
        "LIST-STATUS CONDSTORE SPECIAL-USE",
        "LIST \"\" \"*\" RETURN (SPECIAL-USE STATUS (MESSAGES UIDNEXT UIDVALIDITY HIGHESTMODSEQ))",
        "* 5 EXISTS\r\n* 1 FETCH (FLAGS ())\r\n* OK [ALERT] x\r\n* NO y\r\n* BAD z {9}\r\n\
         * STATUS {4}\r\nlate (UIDVALIDITY 3 UIDNEXT 9 MESSAGES 2 HIGHESTMODSEQ 0)\r\n\
         * LIST () \"/\" INBOX\r\n* STATUS \"Inbox\" (MESSAGES 2  UIDNEXT 3 SIZE 99 UIDVALIDITY 1 HIGHESTMODSEQ 7)\r\n\
         * LIST (\\Sent) \"/\" \"a\\\"b\"\r\n* STATUS {3}\r\na\"b (UIDVALIDITY 2 UIDNEXT 1 MESSAGES 0)\r\n\
         * LIST () \"/\" broken\r\n* STATUS broken (UIDVALIDITY 0 UIDNEXT 1 MESSAGES 0)\r\n\
         * LIST () \"/\" late\r\n* LIST () \"/\" none\r\n* STATUS broken (((\r\n* STATUS\r\n",
    );
    let seen: Vec<_> = folders.iter().map(|folder| (folder.name.name.as_str(), folder.status)).collect();
    assert_eq!(
        seen,
        [
            ("INBOX", Some(status(1, 3, 2, Some(7)))),
            ("a\"b", Some(status(2, 1, 0, None))),
            ("broken", None),
            ("late", Some(status(3, 9, 2, None))),
            ("none", None),
        ]
    );
    assert_eq!(skipped, 2, "the two that are no answers");
}

#[test]
fn two_names_that_read_the_same_stay_two_folders() {
    let both = [
        folders(
            "",
            "LIST",
            "* LIST () NIL A&-B\r\n* LIST () NIL A&B\r\n* LIST () NIL bar\r\n* LIST () NIL b&AGE-r\r\n",
        ),
        folders(
            "",
            "LIST",
            "* LIST () NIL b&AGE-r\r\n* LIST () NIL bar\r\n* LIST () NIL A&B\r\n* LIST () NIL A&-B\r\n",
        ),
    ];
    for (folders, _) in both {
        let mut names: Vec<_> =
            folders.iter().map(|folder| (folder.name.name.as_str(), folder.name.wire.as_slice())).collect();
        names.sort_unstable();
        let expected: [(&str, &[u8]); 4] =
            [("A&B", b"A&-B"), ("A&B (sent as A&B)", b"A&B"), ("bar", b"bar"), ("bar (sent as b&AGE-r)", b"b&AGE-r")];
        assert_eq!(names, expected, "in whichever order they are listed");
    }
}

#[test]
fn names_that_cannot_be_shown_stay_two_folders() {
    let (folders, _) = folders("", "LIST", "* LIST () NIL \"C\x01\"\r\n* LIST () NIL \"C\x02\"\r\n");
    let names: Vec<_> = folders.iter().map(|folder| folder.name.name.as_str()).collect();
    assert_eq!(names, ["C\u{fffd} (sent as C%01)", "C\u{fffd} (sent as C%02)"]);
}

#[test]
fn a_refused_list_status_is_asked_again_without() {
    let server = TestServer::logged_in("LIST-STATUS", |peer| {
        for _ in 0..2 {
            if peer.hear("LIST \"\" \"*\"").contains("RETURN") {
                peer.end("BAD unknown argument");
                peer.hear("LIST \"\" \"*\"");
            }
            peer.say("* LIST () \"/\" INBOX\r\n");
            peer.end("OK done");
        }
        peer.wait_for_end();
    });
    let mut session = server.open().unwrap();
    for _ in 0..2 {
        let folders = session.folders().unwrap();
        assert_eq!((folders.len(), folders[0].status), (1, None));
    }
    assert_eq!(session.counters().round_trips, 2 + 2 + 1, "it is not tried again");
    session.logout();
    server.join();
}

#[test]
fn nothing_new_costs_three_turnarounds_with_list_status() {
    let server = TestServer::logged_in("LIST-STATUS", |peer| {
        peer.answer("LIST", "* LIST () \"/\" INBOX\r\n* STATUS INBOX (UIDVALIDITY 1 UIDNEXT 1 MESSAGES 0)\r\n");
        assert_eq!(peer.hear("LOGOUT"), "LOGOUT");
    });
    let mut session = server.open().unwrap();
    assert!(session.folders().unwrap()[0].status.is_some());
    let counters = session.counters();
    assert_eq!(counters.round_trips, 3, "greeting, login, list");
    assert!(counters.bytes > 100);
    session.logout();
    server.join();
}

#[test]
fn nothing_new_costs_four_turnarounds_without() {
    let server = TestServer::tls(|peer| {
        peer.say("* OK ready\r\n");
        peer.hear("LOGIN");
        peer.end("OK in");
        peer.hear("LIST \"\" \"*\"");
        let list = peer.tag().to_owned();
        peer.hear("CAPABILITY");
        peer.say(format!("* LIST () \"/\" a\r\n* LIST () \"/\" b\r\n* LIST () \"/\" c\r\n{list} OK x\r\n"));
        peer.say("* CAPABILITY IMAP4rev1 CONDSTORE\r\n");
        peer.end("OK done");
        let mut tags = Vec::new();
        for name in ["a", "b", "c"] {
            peer.hear(&format!("STATUS \"{name}\" (MESSAGES UIDNEXT UIDVALIDITY HIGHESTMODSEQ)"));
            tags.push(peer.tag().to_owned());
        }
        // All were sent before any was answered; the answers come as they like.
        peer.say(
            "* STATUS c (UIDVALIDITY 3 UIDNEXT 4 MESSAGES 5)\r\n* STATUS a (UIDVALIDITY 1 UIDNEXT 2 MESSAGES 3)\r\n",
        );
        peer.say(format!("{} OK x\r\n{} NO gone\r\n{} OK x\r\n", tags[2], tags[1], tags[0]));
        peer.wait_for_end();
    });
    let mut session = server.open().unwrap();
    let folders = session.folders().unwrap();
    let names: Vec<&FolderName> = folders.iter().map(|folder| &folder.name).collect();
    let statuses = session.status(&names).unwrap();
    assert_eq!(statuses, [Some(status(1, 2, 3, None)), None, Some(status(3, 4, 5, None))]);
    assert_eq!(session.counters().round_trips, 4);
    session.logout();
    server.join();
}

#[test]
fn hundreds_of_folders_are_asked_about_in_few_turnarounds() {
    let server = TestServer::logged_in("", |peer| {
        for index in 0..250 {
            peer.answer("STATUS", format!("* STATUS f{index} (UIDVALIDITY 1 UIDNEXT 2 MESSAGES 3)\r\n"));
        }
        peer.wait_for_end();
    });
    let mut session = server.open().unwrap();
    let names: Vec<FolderName> =
        (0..250).map(|i| format!("f{i}")).map(|name| FolderName { wire: name.clone().into_bytes(), name }).collect();
    let statuses = session.status(&names.iter().collect::<Vec<_>>()).unwrap();
    assert!(statuses.iter().all(Option::is_some));
    assert!(session.counters().round_trips <= 2 + 3, "{:?}", session.counters());
    session.logout();
    server.join();
}

#[test]
fn a_name_that_no_quoted_string_holds_waits_for_the_server() {
    let server = TestServer::logged_in("", |peer| {
        peer.answer("STATUS \"a\"", "* STATUS a (UIDVALIDITY 1 UIDNEXT 2 MESSAGES 3)\r\n");
        assert_eq!(peer.hear("STATUS"), "STATUS {3}");
        let tag = peer.tag().to_owned();
        peer.say("* 3 EXISTS\r\n+ go on\r\n");
        assert_eq!(peer.hear_line(), "ქ (MESSAGES UIDNEXT UIDVALIDITY)");
        peer.say(format!("* STATUS {{3}}\r\nქ (UIDVALIDITY 9 UIDNEXT 2 MESSAGES 3)\r\n{tag} OK x\r\n"));
        assert_eq!(peer.hear("STATUS"), "STATUS {3}");
        peer.end("NO not that one");
        peer.answer("STATUS \"b\"", "* STATUS b (UIDVALIDITY 4 UIDNEXT 2 MESSAGES 3)\r\n");
        peer.wait_for_end();
    });
    let mut session = server.open().unwrap();
    let names = ["a", "ქ", "წ", "b"].map(|name| FolderName { name: name.to_owned(), wire: name.into() });
    let statuses = session.status(&names.iter().collect::<Vec<_>>()).unwrap();
    let validities: Vec<_> = statuses.iter().map(|status| status.map(|status| status.uid_validity)).collect();
    assert_eq!(validities, [Some(1), Some(9), None, Some(4)]);
    session.logout();
    server.join();
}

#[test]
fn opening_a_folder_reads_its_numbers_among_anything_else() {
    let server = TestServer::logged_in("CONDSTORE", |peer| {
        peer.answer(
            "EXAMINE \"INBOX\" (CONDSTORE)",
            "* OK [CLOSED] x\r\n* NO [ALERT] quota\r\n* BAD odd\r\n* FLAGS (\\Seen ქ)\r\n* OK [PERMANENTFLAGS ()] x\r\n\
             * VANISHED (EARLIER) 1:3\r\n* 4 FETCH (UID 4 FLAGS ())\r\n* 7 EXISTS\r\n* 1 RECENT\r\n* 2 EXPUNGE\r\n\
             * OK [UIDVALIDITY 5] x\r\n* OK [UIDNEXT 12] x\r\n* OK [HIGHESTMODSEQ 99] x\r\n* XODD\r\n",
        );
        peer.answer("EXAMINE \"INBOX\" (CONDSTORE)", "* 0 EXISTS\r\n* OK [UIDVALIDITY 5]\r\n* OK [NOMODSEQ] x\r\n");
        peer.answer("EXAMINE", "* 2 EXISTS\r\n* OK [UIDVALIDITY 5]\r\n");
        peer.answer("UID FETCH * (UID)", "* 2 FETCH (UID 41)\r\n");
        peer.hear("EXAMINE");
        peer.end("NO [NONEXISTENT] \x07no such folder");
        peer.answer("EXAMINE", "* 2 EXISTS\r\n* OK [UIDVALIDITY 0]\r\n* OK [UIDNEXT 3]\r\n");
        peer.wait_for_end();
    });
    let mut session = server.open().unwrap();
    let inbox = FolderName { name: "INBOX".to_owned(), wire: b"INBOX".to_vec() };
    assert_eq!(session.examine(&inbox).unwrap().status, status(5, 12, 7, Some(99)));
    assert_eq!(session.examine(&inbox).unwrap().status, status(5, 1, 0, None), "empty, and without UIDNEXT");
    assert_eq!(session.examine(&inbox).unwrap().status, status(5, 42, 2, None), "UIDNEXT from the last message");
    let refused = session.examine(&inbox).unwrap_err();
    assert!(refused.session_survives());
    assert_eq!(refused.to_string(), "the server refused EXAMINE: [NONEXISTENT] no such folder");
    let no_validity = session.examine(&inbox).unwrap_err();
    assert!(no_validity.session_survives() && no_validity.to_string().contains("UIDVALIDITY"), "{no_validity}");
    session.logout();
    server.join();
}

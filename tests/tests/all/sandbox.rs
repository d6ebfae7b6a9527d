//! The sandbox server is itself right, where it is not asked to be wrong.

use echodesk_core::{Clock as _, SystemClock};
use echodesk_tests::client::Client;
use echodesk_tests::demo_mailbox::{ADDRESS, MESSAGES, PASSWORD, demo_mailbox};
use echodesk_tests::sandbox::imap::{Account, Behaviour, Mailstore, Misbehaviour, NameStyle, SandboxImap};

fn demo(behaviour: Behaviour) -> (SandboxImap, Client) {
    let store = Mailstore::with(ADDRESS, demo_mailbox(SystemClock::new().now()));
    let server = SandboxImap::start(store, behaviour);
    let client = Client::connect(server.port(), &server.ca_file()).unwrap();
    (server, client)
}

#[test]
fn a_session_from_greeting_to_goodbye() {
    let (server, mut client) = demo(Behaviour::default());
    assert!(client.command("LIST \"\" \"*\"").unwrap().contains("BAD"), "not before log in");
    assert!(client.login(ADDRESS, "wrong").unwrap().contains("NO [AUTHENTICATIONFAILED]"));
    assert!(client.login(ADDRESS, PASSWORD).unwrap().contains("LIST-STATUS"));
    let list = client.command("LIST \"\" \"*\" RETURN (SPECIAL-USE STATUS (MESSAGES UIDNEXT UIDVALIDITY))").unwrap();
    assert!(list.contains("* LIST (\\HasNoChildren \\Sent) \"/\" \"Sent\""), "{list}");
    assert!(list.contains("\"&ENMQ0BDu"), "Georgian names go in modified UTF-7: {list}");
    assert!(list.contains("* STATUS \"INBOX\" (MESSAGES 10 UIDNEXT 11 UIDVALIDITY "), "{list}");
    assert!(client.command("EXAMINE INBOX").unwrap().contains("* 10 EXISTS"));
    let fetched = client.command("UID FETCH 9:* (UID FLAGS RFC822.SIZE BODY.PEEK[]<0.5>)").unwrap();
    assert!(fetched.contains("* 9 FETCH (UID 9 FLAGS () RFC822.SIZE "), "{fetched}");
    assert!(fetched.contains("BODY[]<0> {5}\r\nFrom:)"), "{fetched}");
    let found = client.command("UID SEARCH RETURN (ALL COUNT) UID 2:4 ALL").unwrap();
    assert!(found.contains(") UID ALL 2:4 COUNT 3"), "{found}");
    assert!(client.command("LOGOUT").unwrap().contains("* BYE"));
    assert!(server.log().iter().all(|line| !line.contains(PASSWORD) && !line.contains("wrong")));
}

#[test]
fn changes_show_by_their_numbers() {
    let (server, mut client) = demo(Behaviour::default());
    client.login(ADDRESS, PASSWORD).unwrap();
    let numbers = |client: &mut Client| client.command("STATUS INBOX (MESSAGES UIDNEXT HIGHESTMODSEQ)").unwrap();
    let before = numbers(&mut client);
    let (uid, mod_seq) = {
        let mut store = server.store().lock();
        let account = store.account(ADDRESS);
        let mod_seq = 16;
        account.set_flags("INBOX", 3, &["\\Flagged"]);
        account.expunge("INBOX", 1);
        (account.move_message("INBOX", 2, "Archive/2025").unwrap(), mod_seq)
    };
    assert_eq!(uid, 2, "the second message there");
    let after = numbers(&mut client);
    assert!(after.contains("(MESSAGES 8 UIDNEXT 11 ") && before != after, "{after}");
    client.command("EXAMINE INBOX (CONDSTORE)").unwrap();
    let changed = client.command(&format!("UID FETCH 1:* (FLAGS) (CHANGEDSINCE {mod_seq})")).unwrap();
    assert!(changed.starts_with("* 1 FETCH (UID 3 MODSEQ (17) FLAGS (\\Flagged))"), "{changed}");
    assert_eq!(changed.matches("FETCH (").count(), 1, "{changed}");
    server.store().lock().account(ADDRESS).renumber("INBOX");
    assert!(numbers(&mut client).contains("UIDNEXT 9 "), "UIDs start again");
}

#[test]
fn only_peeking_leaves_messages_unread() {
    let (server, mut client) = demo(Behaviour::default());
    client.login(ADDRESS, PASSWORD).unwrap();
    let unread = || {
        let mut store = server.store().lock();
        let account = store.account(ADDRESS);
        account.messages().filter(|(folder, _, flags)| *folder == "INBOX" && !flags.contains("\\Seen")).count()
    };
    let before = unread();
    client.command("EXAMINE INBOX").unwrap();
    client.command("UID FETCH 1:* (BODY[])").unwrap();
    client.command("SELECT INBOX").unwrap();
    client.command("UID FETCH 1:* (BODY.PEEK[])").unwrap();
    assert_eq!(unread(), before);
    client.command("UID FETCH 1:* (BODY[])").unwrap();
    assert_eq!(unread(), 0, "a client that changes something would be found out");
}

#[test]
fn names_can_be_written_in_three_ways() {
    for (names, inbox) in [
        (NameStyle::Quoted, "\"/\" \"INBOX\"\r\n"),
        (NameStyle::Atom, "\"/\" INBOX\r\n"),
        (NameStyle::Literal, "\"/\" {5}\r\nINBOX\r\n"),
    ] {
        let (_server, mut client) = demo(Behaviour { names, ..Behaviour::default() });
        client.login(ADDRESS, PASSWORD).unwrap();
        let list = client.command("LIST \"\" \"*\"").unwrap();
        assert!(list.contains(inbox), "{names:?}: {list}");
    }
}

#[test]
fn every_misbehaviour_has_a_name_and_none_hangs_the_server() {
    for (name, misbehaviour) in Misbehaviour::ALL {
        assert_eq!(Misbehaviour::named(name), Some(misbehaviour));
        let server = SandboxImap::start(Mailstore::with("u", Account::new("p")), Behaviour::wrong(misbehaviour));
        assert_ne!(server.port(), server.starttls_port());
    }
}

#[test]
fn a_body_is_cut_where_it_should_be() {
    let (_server, mut client) = demo(Behaviour::wrong(Misbehaviour::CloseMidLiteral));
    client.login(ADDRESS, PASSWORD).unwrap();
    client.command("EXAMINE INBOX").unwrap();
    client.command("UID FETCH 1:* (BODY.PEEK[])").unwrap_err();
}

#[test]
fn the_demo_mailbox_holds_what_it_says() {
    let account = demo_mailbox(SystemClock::new().now());
    let synced = account.messages().filter(|(folder, ..)| !["Sent", "Spam"].contains(folder)).count();
    assert_eq!(synced, MESSAGES + 1, "one lies in two folders");
}

#[test]
fn the_way_takes_as_long_as_it_should() {
    let round_trip = std::time::Duration::from_millis(40);
    let clock = SystemClock::new();
    let (_server, mut client) = demo(Behaviour { round_trip, ..Behaviour::default() });
    assert!(clock.elapsed() >= 2 * round_trip, "TCP, TLS: {:?}", clock.elapsed());
    let before = clock.elapsed();
    client.login(ADDRESS, PASSWORD).unwrap();
    let took = clock.elapsed() - before;
    assert!(took >= round_trip && took < 3 * round_trip, "{took:?}");
}

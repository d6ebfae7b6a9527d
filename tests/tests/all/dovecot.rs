//! A mailbox on Dovecot, through its life.

use echodesk_test_servers::dovecot::{Dovecot, Options, PASSWORD, USER};
use serde_json::Value;

use crate::support::{Backend, World, mail, mail_with_id, on_both};

/// A server with three messages in INBOX and a world that has not synced it yet.
fn setting(backend: Backend) -> Option<(Dovecot, World)> {
    let server = Dovecot::start(&Options { users: vec!["other@example.com".to_owned()], ..Options::default() })?;
    for number in 1..=3 {
        server.deliver(USER, "INBOX", &mail(number, 2000));
    }
    let world = World::new(backend, &server.ca_file())?;
    world.mailbox(USER, PASSWORD, server.tls_port(), &[]);
    Some((server, world))
}

fn number(value: &Value, name: &str) -> u64 {
    value[name].as_u64().unwrap_or_else(|| panic!("{name} in {value:#}"))
}

on_both!(
    first_sync_stores_everything_and_the_second_costs_three_turnarounds,
    new_mail_is_stored_and_nothing_else_is_touched,
    flags_follow_the_server,
    a_moved_message_keeps_its_row,
    a_deleted_message_keeps_its_row_and_loses_its_place,
    a_new_uidvalidity_stores_nothing_twice,
    one_message_in_two_folders_is_one_row_with_two_places,
    a_message_id_in_two_mailboxes_is_one_row_if_the_content_is_one_and_two_if_not,
    twenty_folders_cost_no_more_turnarounds_than_one,
    a_small_limit_reads_the_newest_first_and_the_rest_in_later_runs,
);

fn first_sync_stores_everything_and_the_second_costs_three_turnarounds(backend: Backend) {
    let Some((server, world)) = setting(backend) else { return };
    server.deliver(USER, "შემოსული", &mail(4, 2000));
    server.deliver(USER, "Sent", &mail(5, 2000));
    let first = world.sync();
    assert_eq!(number(&first, "stored"), 4, "Sent is left out: {first:#}");
    assert_eq!(world.counts(), (4, 4));
    let folders = world.texts("SELECT DISTINCT folder AS value FROM social_integrations_emailmessage ORDER BY 1");
    assert_eq!(folders, ["INBOX", "შემოსული"]);

    let second = world.sync();
    assert_eq!(number(&second, "stored"), 0);
    assert!(number(&second, "round_trips") <= 3, "{second:#}");
    assert_eq!(world.counts(), (4, 4));
}

fn new_mail_is_stored_and_nothing_else_is_touched(backend: Backend) {
    let Some((server, world)) = setting(backend) else { return };
    let _ = world.sync();
    server.deliver(USER, "INBOX", &mail(4, 2000));
    let bytes = number(&world.sync(), "bytes");
    assert!(bytes < 8000, "one message of 2,000 bytes cost {bytes}");
    assert_eq!(world.counts(), (4, 4));
    let unseen = server.doveadm(&["search", "-u", USER, "mailbox", "INBOX", "UNSEEN"]);
    assert_eq!(unseen.lines().count(), 4, "reading marks nothing as read");
}

fn flags_follow_the_server(backend: Backend) {
    let Some((server, world)) = setting(backend) else { return };
    let _ = world.sync();
    server.doveadm(&["flags", "add", "-u", USER, "\\Seen \\Flagged", "mailbox", "INBOX", "UID", "2"]);
    assert_eq!(number(&world.sync(), "flags_changed"), 1);
    let read = "SELECT uid AS value FROM social_integrations_emailmessage WHERE is_read AND is_starred";
    assert_eq!(world.texts(read), ["2"]);
    server.doveadm(&["flags", "remove", "-u", USER, "\\Seen", "mailbox", "INBOX", "UID", "2"]);
    let _ = world.sync();
    assert_eq!(world.texts(read), [""; 0]);
}

fn a_moved_message_keeps_its_row(backend: Backend) {
    let Some((server, world)) = setting(backend) else { return };
    let _ = world.sync();
    server.doveadm(&["mailbox", "create", "-u", USER, "Done"]);
    server.doveadm(&["move", "-u", USER, "Done", "mailbox", "INBOX", "UID", "2"]);
    let report = world.sync();
    assert_eq!((number(&report, "stored"), number(&report, "gone")), (0, 1), "{report:#}");
    let place = "SELECT folder AS value FROM social_integrations_emailmessage WHERE subject = 'Message 2'";
    // Which of the two folders is read first is not promised, so the row may follow a run later.
    let _ = world.sync();
    assert_eq!(world.texts(place), ["Done"]);
    assert_eq!(world.counts().0, 3);
}

fn a_deleted_message_keeps_its_row_and_loses_its_place(backend: Backend) {
    let Some((server, world)) = setting(backend) else { return };
    let _ = world.sync();
    server.doveadm(&["expunge", "-u", USER, "mailbox", "INBOX", "UID", "1"]);
    assert_eq!(number(&world.sync(), "gone"), 1);
    assert_eq!(world.counts(), (3, 3));
    let gone = "SELECT CAST(uid AS text) AS value FROM echodesk_mail_item WHERE gone_at IS NOT NULL";
    assert_eq!(world.texts(gone), ["1"]);
}

fn a_new_uidvalidity_stores_nothing_twice(backend: Backend) {
    let Some((server, world)) = setting(backend) else { return };
    let _ = world.sync();
    server.doveadm(&["mailbox", "update", "-u", USER, "--uid-validity", "1900000000", "INBOX"]);
    server.deliver(USER, "INBOX", &mail(4, 2000));
    let report = world.sync();
    assert_eq!((number(&report, "stored"), number(&report, "duplicate")), (1, 3), "{report:#}");
    assert_eq!(world.counts().0, 4);
}

fn one_message_in_two_folders_is_one_row_with_two_places(backend: Backend) {
    let Some((server, world)) = setting(backend) else { return };
    server.deliver(USER, "Archive", &mail(1, 2000));
    let report = world.sync();
    assert_eq!((number(&report, "stored"), number(&report, "duplicate")), (3, 1), "{report:#}");
    assert_eq!(world.counts(), (3, 4));
}

fn a_message_id_in_two_mailboxes_is_one_row_if_the_content_is_one_and_two_if_not(backend: Backend) {
    let Some((server, world)) = setting(backend) else { return };
    world.mailbox("other@example.com", PASSWORD, server.tls_port(), &[]);
    server.deliver("other@example.com", "INBOX", &mail(1, 2000));
    server.deliver("other@example.com", "INBOX", &mail_with_id("m2@example.com", 99, 2000));
    let (ended, report) = world.installation.sync_reported(&[]);
    let _ = ended.well();
    assert_eq!((number(&report["totals"], "stored"), number(&report["totals"], "duplicate")), (4, 1), "{report:#}");
    let forged = "SELECT message_id AS value FROM social_integrations_emailmessage WHERE subject = 'Message 99'";
    assert_eq!(world.texts(forged).len(), 1, "a reused Message-ID loses nothing");
}

fn twenty_folders_cost_no_more_turnarounds_than_one(backend: Backend) {
    let Some((server, world)) = setting(backend) else { return };
    for number in 10..30 {
        server.deliver(USER, &format!("Folder {number}"), &mail(number, 500));
    }
    let _ = world.sync();
    assert_eq!(world.counts(), (23, 23));
    let second = world.sync();
    assert!(number(&second, "round_trips") <= 3, "{second:#}");
}

fn a_small_limit_reads_the_newest_first_and_the_rest_in_later_runs(backend: Backend) {
    let Some((_server, world)) = setting(backend) else { return };
    let (_, first) = world.try_sync(&["--max-messages", "2"]);
    assert_eq!((first["outcome"].as_str(), number(&first, "pending")), (Some("partial"), 1), "{first:#}");
    let newest = world.texts("SELECT uid AS value FROM social_integrations_emailmessage ORDER BY 1");
    assert_eq!(newest, ["2", "3"]);
    let synced =
        "SELECT email_address AS value FROM social_integrations_emailconnection WHERE last_sync_at IS NOT NULL";
    assert_eq!(world.texts(synced), [""; 0], "not everything was read");
    let _ = world.try_sync(&["--max-messages", "2"]);
    assert_eq!(world.counts(), (3, 3));
    assert_eq!(world.texts(synced), [USER]);
}

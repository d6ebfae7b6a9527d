use echodesk_mail::model::Uid;
use echodesk_mail::sync::{FolderReport, Problem, TenantNote, Totals};

use super::*;

/// A run that found nothing to do.
pub(crate) fn empty() -> SyncReport {
    SyncReport {
        started_at: "2026-11-22T10:00:00Z".parse().unwrap(),
        seconds: 1.25,
        dry_run: false,
        stopped: false,
        database_away: false,
        totals: Totals::default(),
        tenants: Vec::new(),
        mailboxes: Vec::new(),
    }
}

fn mailbox(connection: i64, outcome: MailboxOutcome, stored: usize) -> MailboxReport {
    MailboxReport {
        tenant: "acme".to_owned(),
        connection,
        address: format!("box{connection}@acme.example"),
        outcome,
        error: None,
        switched_off: false,
        messages: MessageCounts { stored, ..MessageCounts::default() },
        flags_changed: 0,
        gone: 0,
        pending: 0,
        folders: Vec::new(),
        folders_left_out: Vec::new(),
        problems: Vec::new(),
        bytes: 0,
        round_trips: 3,
        skipped_answers: 0,
        seconds: 0.5,
    }
}

fn folder(name: &str, outcome: FolderOutcome, stored: usize) -> FolderReport {
    FolderReport {
        name: name.to_owned(),
        outcome,
        error: None,
        messages: MessageCounts { stored, ..MessageCounts::default() },
        pending: 2,
    }
}

#[test]
fn a_run_with_troubles_lists_them() {
    let mut failed = mailbox(2, MailboxOutcome::Failed, 0);
    failed.error = Some("the server refused to log in box2: [AUTHENTICATIONFAILED]\r\nno".to_owned());
    failed.switched_off = true;
    let mut partial = mailbox(3, MailboxOutcome::Partial, 40);
    partial.pending = 260;
    partial.messages.reduced = 13;
    partial.problems = (1..=12)
        .map(|uid| Problem {
            folder: "INBOX".to_owned(),
            uid: Uid(uid),
            fate: "reduced",
            reason: "larger than 25 MB".to_owned(),
        })
        .collect();
    let mut unreadable = folder("Архив", FolderOutcome::Failed, 0);
    unreadable.error = Some("the server refused EXAMINE: NO".to_owned());
    partial.folders = vec![unreadable];
    let report = SyncReport {
        tenants: vec![
            TenantNote {
                tenant: "ghost".to_owned(),
                outcome: TenantOutcome::Failed,
                message: "schema ghost does not exist".to_owned(),
            },
            TenantNote { tenant: "idle".to_owned(), outcome: TenantOutcome::Inactive, message: "suspended".to_owned() },
        ],
        mailboxes: vec![mailbox(1, MailboxOutcome::Synced, 7), failed, partial],
        totals: Totals {
            mailboxes: 3,
            synced: 1,
            partial: 1,
            failed: 1,
            skipped: 0,
            messages: MessageCounts { stored: 47, duplicate: 0, reduced: 13, failed: 0 },
            bytes: 3 << 20,
            round_trips: 9,
        },
        ..empty()
    };
    insta::assert_snapshot!(render(&report));
}

#[test]
fn a_dry_run_switches_nothing_off_and_does_not_say_so() {
    let mut refused = mailbox(1, MailboxOutcome::Failed, 0);
    refused.error = Some("the server refused to log in box1: no".to_owned());
    refused.switched_off = true;
    let report = SyncReport { mailboxes: vec![refused], ..empty() };
    let wet = render(&report);
    let dry = render(&SyncReport { dry_run: true, ..report });
    assert!(wet.contains("(switched off: "), "{wet}");
    assert!(dry.contains("(would be switched off)") && !dry.contains("(switched off"), "{dry}");
}

#[test]
fn a_dry_run_tells_folder_by_folder() {
    let mut one = mailbox(1, MailboxOutcome::Partial, 12);
    one.folders = vec![folder("INBOX", FolderOutcome::Partial, 12), folder("Sales", FolderOutcome::Unchanged, 0)];
    let mut two = mailbox(2, MailboxOutcome::Failed, 0);
    two.error = Some("imap.acme.example cannot be resolved".to_owned());
    let report = SyncReport {
        dry_run: true,
        mailboxes: vec![one, two],
        totals: Totals {
            mailboxes: 2,
            partial: 1,
            failed: 1,
            messages: MessageCounts { stored: 12, ..MessageCounts::default() },
            ..Totals::default()
        },
        ..empty()
    };
    insta::assert_snapshot!(render(&report));
}

#[test]
fn among_many_mailboxes_only_those_with_something_to_tell_are_shown() {
    let mut mailboxes: Vec<_> = (1..=30).map(|id| mailbox(id, MailboxOutcome::Synced, 0)).collect();
    mailboxes[4].messages.stored = 1;
    mailboxes[9].outcome = MailboxOutcome::Skipped;
    let text = render(&SyncReport { mailboxes, ..empty() });
    let lines: Vec<&str> = text.lines().collect();
    assert!(lines[1].contains("box5@") && lines[2].contains("box10@"), "{text}");
    assert_eq!(lines[3], "… and 28 mailboxes with nothing new");
}

#[test]
fn a_run_over_nothing_has_totals_all_the_same() {
    let text = render(&empty());
    assert_eq!(
        text,
        "0 mailboxes: 0 synced, 0 partial, 0 failed, 0 skipped\n\
         messages: 0 stored, 0 duplicate, 0 reduced, 0 failed; 0 B received in 1.2 s, 0 round trips\n"
    );
}

#[test]
fn a_stopped_run_says_so() {
    let text = render(&SyncReport { stopped: true, ..empty() });
    assert!(text.starts_with("stopped by a signal: 0 mailboxes"), "{text}");
}

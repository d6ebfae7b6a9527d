//! The runs against doubles: what must hold whatever breaks.

mod away;
mod odd_servers;

use std::collections::BTreeSet;
use std::num::NonZeroU32;

use echodesk_core::{ManualClock, SchemaName};
use proptest::prelude::*;
use uuid::Uuid;

use super::*;
use crate::model::{Fate, Flags, Mailbox, SpecialUse, Uid};
use crate::ports::{Lease, Scope};
use crate::testing::{self, FakeServer, MemoryStore};

/// After so long nobody holds a lease that was not renewed.
const LEASE_AND_MORE: Duration = Duration::from_mins(3);

struct World {
    server: FakeServer,
    store: Arc<MemoryStore>,
    clock: Arc<ManualClock>,
    stop: StopToken,
    options: SyncOptions,
    mailbox: Mailbox,
}

fn mail(number: u32) -> String {
    format!(
        "From: Ana <ana@example.com>\r\nTo: box@acme.example\r\nSubject: number {number}\r\n\
         Message-ID: <{number}@example.com>\r\nDate: Thu, 1 Jan 2026 00:00:00 +0000\r\n\r\nHello {number}\r\n"
    )
}

impl World {
    fn new() -> Self {
        let mailbox = testing::mailbox("acme", 1);
        Self {
            server: FakeServer::new(),
            store: Arc::new(MemoryStore::with([mailbox.clone()])),
            clock: Arc::new(ManualClock::at("2026-11-22T10:00:00Z".parse().unwrap())),
            stop: StopToken::new(),
            options: SyncOptions::default(),
            mailbox,
        }
    }

    fn with_mail(messages: u32) -> Self {
        let world = Self::new();
        for number in 1..=messages {
            world.server.deliver("INBOX", mail(number));
        }
        world
    }

    fn run(&self) -> MailboxReport {
        self.run_all().mailboxes.remove(0)
    }

    fn run_all(&self) -> SyncReport {
        let world = SyncWorld {
            store: self.store.clone(),
            server: Arc::new(self.server.clone()),
            attachments: Arc::new(dry_run::NoAttachments),
            keys: testing::keys(),
            clock: self.clock.clone(),
            stop: self.stop.clone(),
            run: RunId(Uuid::from_u128(1)),
            observer: Arc::new(Silent),
        };
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).build().unwrap();
        runtime.block_on(sync_all(world, Scope::AllActive, self.options.clone())).unwrap()
    }

    fn stored_ids(&self) -> Vec<String> {
        let mut ids: Vec<String> = self.store.rows().into_iter().map(|row| row.message_id).collect();
        ids.sort_unstable();
        ids
    }

    fn last_sync(&self) -> bool {
        self.store.mailbox(&self.mailbox.key).unwrap().last_sync_at.is_some()
    }
}

#[test]
fn a_first_sync_stores_everything_and_a_second_one_opens_nothing() {
    let world = World::with_mail(250);
    let first = world.run();
    assert_eq!((first.outcome, first.messages.stored), (MailboxOutcome::Synced, 250), "{first:?}");
    assert!(world.last_sync());
    drop(world.server.take_examined());
    let second = world.run();
    assert_eq!((second.outcome, second.messages.stored), (MailboxOutcome::Synced, 0));
    assert_eq!(world.server.take_examined(), [""; 0], "an unchanged folder is not opened");
    assert_eq!(second.round_trips, 3);
}

#[test]
fn a_limited_run_takes_the_newest_and_later_runs_fill_in_the_rest() {
    let mut world = World::with_mail(25);
    world.options.max_messages = NonZeroU32::new(10).unwrap();
    let first = world.run();
    assert_eq!((first.outcome, first.messages.stored, first.pending), (MailboxOutcome::Partial, 10, 15));
    assert!(world.stored_ids().contains(&"<25@example.com>".to_owned()));
    assert!(!world.last_sync(), "not everything was read");
    world.server.deliver("INBOX", mail(26));
    world.run();
    assert!(world.stored_ids().contains(&"<26@example.com>".to_owned()), "new mail comes before history");
    let last = world.run();
    assert_eq!((last.outcome, world.stored_ids().len()), (MailboxOutcome::Synced, 26));
    assert!(world.last_sync());
}

#[test]
fn a_moved_message_is_followed_and_a_deleted_one_keeps_its_row() {
    let world = World::with_mail(3);
    world.run();
    world.server.move_message("INBOX", Uid(2), "Archive");
    world.server.change("INBOX", |inbox| drop(inbox.expunge(3)));
    let report = world.run();
    assert_eq!((report.messages.stored, report.messages.duplicate, report.gone), (0, 1, 2), "{report:?}");
    let rows = world.store.rows();
    let moved = rows.iter().find(|row| row.message_id == "<2@example.com>").unwrap();
    assert_eq!((moved.folder.as_str(), moved.uid), ("Archive", Uid(1)));
    assert_eq!(rows.len(), 3, "nothing is deleted here");
}

#[test]
fn a_renamed_folder_is_matched_by_content() {
    let world = World::with_mail(1);
    for number in 10..15 {
        world.server.deliver("Clients", mail(number));
    }
    world.run();
    world.server.remove_folder("Clients");
    for number in 10..15 {
        world.server.deliver("Customers", mail(number));
    }
    let report = world.run();
    assert_eq!((report.messages.stored, report.messages.duplicate, report.gone), (0, 5, 5));
    assert_eq!(world.store.rows().iter().filter(|row| row.folder == "Customers").count(), 5);
}

#[test]
fn flags_follow_the_server() {
    let world = World::with_mail(3);
    world.run();
    world.server.change("INBOX", |inbox| inbox.set_flags(2, Flags::SEEN));
    let report = world.run();
    assert_eq!(report.flags_changed, 1);
    let row = world.store.rows().into_iter().find(|row| row.uid == Uid(2)).unwrap();
    assert_eq!(row.flags, Flags::SEEN);
    assert_eq!(world.run().flags_changed, 0);
}

#[test]
fn a_changed_uidvalidity_stores_nothing_twice() {
    let world = World::with_mail(20);
    world.run();
    world.server.change("INBOX", |inbox| {
        inbox.uid_validity = 2;
        inbox.uid_next = 101;
        let old = std::mem::take(&mut inbox.messages);
        inbox.messages = old.into_iter().map(|(uid, message)| (uid + 80, message)).collect();
    });
    world.server.deliver("INBOX", mail(21));
    let report = world.run();
    assert_eq!((report.messages.stored, report.messages.duplicate), (1, 20), "{report:?}");
    assert_eq!(world.store.rows().len(), 21);
    assert_eq!(world.run().messages, MessageCounts::default());
}

#[test]
fn only_the_window_is_read_and_a_wider_one_is_filled_in() {
    let mut world = World::with_mail(4);
    world.server.change("INBOX", |inbox| {
        for (uid, received) in [(1, "2024-01-01T00:00:00Z"), (2, "2026-11-01T00:00:00Z"), (3, "2026-11-12T00:00:00Z")] {
            inbox.messages.get_mut(&uid).unwrap().received = Some(received.parse().unwrap());
        }
    });
    world.mailbox.days_back = 10;
    world.store = Arc::new(MemoryStore::with([world.mailbox.clone()]));
    let narrow = world.run();
    assert_eq!((narrow.outcome, world.stored_ids().len()), (MailboxOutcome::Synced, 2), "{narrow:?}");
    assert!(world.store.widen(&world.mailbox.key, 30));
    assert_eq!(world.run().messages.stored, 1);
    assert!(world.store.widen(&world.mailbox.key, 0));
    assert_eq!((world.run().messages.stored, world.stored_ids().len()), (1, 4));
}

#[test]
fn one_bad_folder_stops_no_other_and_one_bad_message_no_folder() {
    let world = World::with_mail(3);
    for folder in ["Clients", "Orders"] {
        world.server.deliver(folder, mail(100 + folder.len() as u32));
    }
    world.server.refuse_folder(Some("Clients"));
    world.server.change("INBOX", |inbox| inbox.messages.get_mut(&2).unwrap().undeliverable = true);
    let report = world.run();
    assert_eq!((report.outcome, report.messages.stored, report.messages.failed), (MailboxOutcome::Failed, 3, 1));
    assert!(report.error.as_deref().unwrap().contains("folder Clients"), "{report:?}");
    assert!(report.problems[0].reason.contains("does not deliver"));
    assert!(!world.last_sync(), "not every folder was read");
    for _ in 0..10 {
        world.run();
    }
    assert!(world.store.mailbox(&world.mailbox.key).unwrap().is_active, "a folder is no reason to switch off");
    world.server.refuse_folder(None);
    assert_eq!(world.run().outcome, MailboxOutcome::Synced);
}

#[test]
fn a_message_that_the_server_refuses_takes_no_other_with_it() {
    let world = World::with_mail(150);
    world.server.change("INBOX", |inbox| inbox.messages.get_mut(&7).unwrap().refused = Some("cannot read it"));
    let report = world.run();
    assert_eq!((report.outcome, report.messages.stored), (MailboxOutcome::Synced, 149), "{report:?}");
    assert!(report.problems[0].reason.contains("cannot read it"));
    assert_eq!(world.run().messages, MessageCounts::default(), "its fate is final");
}

#[test]
fn a_message_that_the_database_refuses_takes_no_other_with_it() {
    let world = World::with_mail(250);
    world.store.refuse("<77@example.com>");
    let report = world.run();
    assert_eq!((report.outcome, report.messages.stored), (MailboxOutcome::Synced, 249), "{report:?}");
    assert!(report.problems[0].uid == Uid(77) && report.problems[0].reason.contains("the database refuses it"));
}

#[test]
fn a_refusal_that_will_pass_is_no_fate() {
    let world = World::with_mail(1);
    let refuse = |refused| world.server.change("INBOX", |inbox| inbox.messages.get_mut(&1).unwrap().refused = refused);
    refuse(Some("[UNAVAILABLE] try later"));
    let report = world.run();
    assert_eq!((report.outcome, report.messages), (MailboxOutcome::Failed, MessageCounts::default()));
    refuse(None);
    assert_eq!(world.run().messages.stored, 1);
}

#[test]
fn a_folder_that_goes_and_comes_back_is_read_again() {
    let world = World::with_mail(1);
    let clients = [world.server.deliver("Clients", mail(10)), world.server.deliver("Clients", mail(11))];
    world.run();
    let mut kept = None;
    world.server.change("Clients", |folder| kept = Some(folder.clone()));
    world.server.remove_folder("Clients");
    assert_eq!(world.run().gone, 2);
    // Under the old UIDVALIDITY, with another message under an old UID.
    world.server.change("Clients", |folder| *folder = kept.take().unwrap());
    world.server.change("Clients", |folder| folder.messages.get_mut(&clients[1].0).unwrap().bytes = mail(12).into());
    let report = world.run();
    assert_eq!((report.messages.stored, report.messages.duplicate), (1, 1), "{report:?}");
    assert_eq!(world.store.fates(&world.mailbox.key).len(), 3);
}

#[test]
fn a_message_over_the_limit_is_stored_reduced() {
    let mut world = World::with_mail(2);
    world.options.max_message_size = 2000;
    world.server.deliver("INBOX", format!("{}{}", mail(3), "x".repeat(10_000)));
    let report = world.run();
    assert_eq!((report.outcome, report.messages.stored, report.messages.reduced), (MailboxOutcome::Synced, 2, 1));
    assert_eq!(world.store.rows().len(), 3);
}

#[test]
fn folders_nobody_wants_are_left_out_by_use_and_by_name() {
    let world = World::with_mail(1);
    world.server.add_folder("Papelera", Some(SpecialUse::Trash));
    world.server.deliver("Papelera", mail(2));
    world.server.deliver("Sent", mail(3));
    let report = world.run();
    assert_eq!((report.messages.stored, report.folders_left_out), (1, vec!["Papelera".to_owned(), "Sent".to_owned()]));
}

#[test]
fn a_wrong_password_switches_off_once_and_network_trouble_does_not_advance_the_clock() {
    let world = World::with_mail(1);
    world.server.refuse_login(true);
    let report = world.run();
    assert!(report.switched_off && report.outcome == MailboxOutcome::Failed);
    assert_eq!(world.run_all().mailboxes.len(), 0, "switched off");
    assert_eq!(world.store.failures().len(), 1);
}

#[test]
fn a_mailbox_that_another_run_holds_is_left_to_it() {
    let world = World::with_mail(1);
    let until = "2026-11-22T11:00:00Z".parse().unwrap();
    let theirs = Lease { holder: RunId(Uuid::from_u128(2)), until };
    world.store.steal(&world.mailbox.key, theirs);
    let report = world.run();
    assert_eq!((report.outcome, world.store.rows().len()), (MailboxOutcome::Skipped, 0));
    world.clock.set("2026-11-22T11:00:00Z".parse().unwrap());
    assert_eq!(world.run().outcome, MailboxOutcome::Synced, "its holder is dead");
}

#[test]
fn a_dry_run_says_what_a_run_then_does_and_writes_nothing() {
    let mut world = World::with_mail(30);
    world.server.deliver("Archive", mail(7));
    world.options.dry_run = true;
    let dry = world.run();
    assert_eq!((world.store.rows().len(), world.last_sync()), (0, false));
    world.options.dry_run = false;
    let real = world.run();
    assert_eq!(dry.messages, real.messages);
    assert_eq!((real.messages.stored, real.messages.duplicate), (30, 1));
    let folders =
        |report: &MailboxReport| report.folders.iter().map(|f| (f.name.clone(), f.messages)).collect::<Vec<_>>();
    assert_eq!(folders(&dry), folders(&real));
}

#[test]
fn a_run_that_is_asked_to_stop_keeps_what_it_has() {
    let world = World::with_mail(5);
    world.stop.stop();
    let report = world.run_all();
    assert!(report.stopped);
    assert_eq!(report.mailboxes[0].outcome, MailboxOutcome::Skipped);
}

#[test]
fn two_mailboxes_of_one_tenant_share_a_row_and_two_tenants_do_not() {
    let mailboxes = [testing::mailbox("acme", 1), testing::mailbox("acme", 2), testing::mailbox("other", 1)];
    let world = World { store: Arc::new(MemoryStore::with(mailboxes)), ..World::with_mail(2) };
    let report = world.run_all();
    assert_eq!((report.totals.messages.stored, report.totals.messages.duplicate), (4, 2));
    let acme: SchemaName = "acme".parse().unwrap();
    assert_eq!(world.store.rows().iter().filter(|row| row.schema == acme).count(), 2);
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, ..ProptestConfig::default() })]

    /// Cut the connection after any number of messages, lose the database after any number of
    /// batches, deliver, expunge and move mail between runs: in the end every message that the
    /// server holds is stored once, and every UID has one fate.
    #[test]
    fn whatever_breaks_nothing_is_lost_and_nothing_doubled(
        cuts in proptest::collection::vec((proptest::option::of(0_usize..40), proptest::option::of(0_u32..4), 0_u8..4), 1..8),
        max in 5_u32..60,
    ) {
        let mut world = World::with_mail(60);
        world.options.max_messages = NonZeroU32::new(max).unwrap();
        let mut number = 100;
        for (cut, die, event) in cuts {
            world.server.cut_after(cut);
            world.store.die_after(die);
            world.run();
            number += 1;
            match event {
                0 => drop(world.server.deliver("INBOX", mail(number))),
                1 => world.server.change("INBOX", |inbox| drop(inbox.expunge(number - 95))),
                2 => world.server.move_message("INBOX", Uid(number - 80), "Archive"),
                _ => {}
            }
        }
        world.server.cut_after(None);
        world.store.die_after(None);
        let mut last = world.run();
        for _ in 0..40 {
            if last.outcome == MailboxOutcome::Synced { break }
            last = world.run();
        }
        prop_assert_eq!(last.outcome, MailboxOutcome::Synced, "{:?}", last);

        let mut held = BTreeSet::new();
        for folder in ["INBOX", "Archive"] {
            world.server.change(folder, |folder| {
                held.extend(folder.messages.values().map(|message| message.bytes.clone()));
            });
        }
        let ids = world.stored_ids();
        prop_assert!(ids.windows(2).all(|pair| pair[0] != pair[1]), "stored twice: {:?}", ids);
        for bytes in &held {
            let text = String::from_utf8_lossy(bytes);
            let id = text.lines().find_map(|line| line.strip_prefix("Message-ID: ")).unwrap();
            prop_assert!(ids.iter().any(|stored| stored == id), "{} is lost", id);
        }
        let fates = world.store.fates(&world.mailbox.key);
        prop_assert_eq!(fates.len(), held.len());
        prop_assert!(fates.iter().all(|(_, _, fate)| matches!(fate, Fate::Stored | Fate::Duplicate)));
    }
}

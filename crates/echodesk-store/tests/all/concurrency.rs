//! Several at once.

use std::sync::Barrier;

use echodesk_core::RunId;
use echodesk_mail::model::Fate;
use echodesk_mail::ports::{Lease, MailStore, StoreErrorKind};

use crate::world::{batch, item, now, on_both};

on_both! {
    fn the_same_messages_from_two_mailboxes_at_once_get_one_row_each(world) {
        let others = [(world.mailbox.clone(), world.lease.clone()), world.another_mailbox("sales@acme.example")];
        let start = Barrier::new(others.len());
        let fates: Vec<Vec<Fate>> = std::thread::scope(|scope| {
            let threads: Vec<_> = others
                .iter()
                .enumerate()
                .map(|(index, (mailbox, lease))| {
                    let (start, store) = (&start, world.store.clone());
                    scope.spawn(move || {
                        start.wait();
                        let mut fates = Vec::new();
                        for round in 0..20_u32 {
                            // In opposite orders, and with Message-IDs that are used twice.
                            let mut items: Vec<_> = (1..=10)
                                .flat_map(|n| {
                                    let id = format!("<{round}-{n}@x>");
                                    [item(round * 20 + n, &id, round * 100 + n), item(round * 20 + n + 10, &id, round * 100 + n + 50)]
                                })
                                .collect();
                            if index == 1 {
                                items.reverse();
                            }
                            fates.extend(store.store(mailbox, lease, &batch("INBOX", 1, items)).unwrap());
                        }
                        fates
                    })
                })
                .collect();
            threads.into_iter().map(|thread| thread.join().unwrap()).collect()
        });
        let stored = fates.iter().flatten().filter(|fate| **fate == Fate::Stored).count();
        let duplicates = fates.iter().flatten().filter(|fate| **fate == Fate::Duplicate).count();
        assert_eq!((stored, duplicates), (400, 400));
        assert_eq!(world.rows().len(), 400);
        let digests = "SELECT CAST(count(DISTINCT digest) AS text) AS row FROM echodesk_mail_item GROUP BY message_row \
                       HAVING count(DISTINCT digest) <> 1 OR count(*) <> 2";
        assert!(world.select(digests).is_empty(), "each row stands for one content in two places");
    }
}

on_both! {
    fn one_of_two_who_want_the_same_lease_gets_it(world) {
        world.store.release(world.key(), &world.lease).unwrap();
        for _ in 0..10 {
            let leases: Vec<Lease> = (0..4)
                .map(|_| Lease { holder: RunId::random(), until: "2026-11-22T11:00:00Z".parse().unwrap() })
                .collect();
            let start = Barrier::new(leases.len());
            let taken: Vec<bool> = std::thread::scope(|scope| {
                let threads: Vec<_> = leases
                    .iter()
                    .map(|lease| {
                        let (start, store) = (&start, world.store.clone());
                        scope.spawn(move || {
                            start.wait();
                            store.acquire(world.key(), lease, now()).unwrap()
                        })
                    })
                    .collect();
                threads.into_iter().map(|thread| thread.join().unwrap()).collect()
            });
            assert_eq!(taken.iter().filter(|taken| **taken).count(), 1);
            for lease in &leases {
                world.store.release(world.key(), lease).unwrap();
            }
        }
    }
}

on_both! {
    fn a_lease_that_is_taken_over_while_batches_come_in_stops_them_at_once(world) {
        let theirs = Lease { holder: RunId::random(), until: "2026-11-22T12:00:00Z".parse().unwrap() };
        let late = "2026-11-22T11:00:00Z".parse().unwrap();
        let stored = std::thread::scope(|scope| {
            let (store, mailbox, lease) = (world.store.clone(), &world.mailbox, &world.lease);
            let writer = scope.spawn(move || {
                for uid in 1..=2000 {
                    match store.store(mailbox, lease, &batch("INBOX", 1, vec![item(uid, &format!("<{uid}@x>"), uid)])) {
                        Ok(_) => {}
                        Err(error) if error.kind == StoreErrorKind::LeaseLost => return uid - 1,
                        Err(error) => panic!("{error}: {:?}", error.source),
                    }
                }
                panic!("the lease was never lost");
            });
            while world.rows().len() < 5 {
                std::thread::yield_now();
            }
            assert!(world.store.acquire(world.key(), &theirs, late).unwrap());
            let at_once = world.rows().len();
            let stored = writer.join().unwrap();
            assert_eq!(world.rows().len(), at_once, "nothing is written after the lease has changed hands");
            stored
        });
        assert_eq!(world.rows().len(), usize::try_from(stored).unwrap());
    }
}

#[test]
fn a_row_that_echodesk_adds_in_between_is_not_an_error() {
    use diesel::connection::SimpleConnection;

    use crate::world::{World, postgres};

    let Some(world) = World::postgres() else { return };
    world.put("INBOX", vec![item(1, "<theirs@x>", 1)]);
    // Django's transaction has added the message and not committed yet when we come with it.
    let mut django = postgres(&world.url);
    django.batch_execute("SET search_path TO acme; BEGIN").unwrap();
    let copy = "INSERT INTO social_integrations_emailmessage (message_id, thread_id, in_reply_to, \"references\", from_email, \
        from_name, to_emails, cc_emails, bcc_emails, reply_to, subject, body_text, body_html, attachments, timestamp, folder, \
        uid, is_from_business, is_read, is_starred, is_answered, is_draft, labels, is_read_by_staff, is_deleted, created_at, \
        updated_at, connection_id) SELECT 'ID', thread_id, in_reply_to, \"references\", from_email, from_name, to_emails, \
        cc_emails, bcc_emails, reply_to, 'subject 2', body_text, body_html, attachments, timestamp, folder, uid, \
        is_from_business, is_read, is_starred, is_answered, is_draft, labels, is_read_by_staff, is_deleted, created_at, \
        updated_at, connection_id FROM social_integrations_emailmessage WHERE message_id = '<theirs@x>'";
    django.batch_execute(&copy.replace("'ID'", "'<same@x>'")).unwrap();
    django.batch_execute(&copy.replace("'ID'", "'<other@x>'")).unwrap();
    let other = "UPDATE social_integrations_emailmessage SET from_email = 'eve@x', subject = 'x' WHERE message_id = '<other@x>'";
    django.batch_execute(other).unwrap();
    let fates = std::thread::scope(|scope| {
        let ours = scope
            .spawn(|| world.put("INBOX", vec![item(2, "<same@x>", 2), item(3, "<other@x>", 3), item(4, "<d@x>", 4)]));
        // Long enough for our INSERT to wait for Django's row.
        std::thread::sleep(std::time::Duration::from_millis(500));
        django.batch_execute("COMMIT").unwrap();
        ours.join().unwrap()
    });
    assert_eq!(fates, [Fate::Duplicate, Fate::Stored, Fate::Stored]);
    let ids = world
        .select("SELECT message_id AS row FROM social_integrations_emailmessage ORDER BY message_id COLLATE \"C\"");
    assert_eq!(ids, ["<d@x>", "<other@x>", "<other@x>#00000003000000000000000000000000", "<same@x>", "<theirs@x>"]);
    drop(django);
}

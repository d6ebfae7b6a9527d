//! Who may work on a mailbox.

use echodesk_core::RunId;
use echodesk_core::notice::{NewNotice, NoticeKind};
use echodesk_mail::model::Flags;
use echodesk_mail::model::Uid;
use echodesk_mail::ports::{FailureRecord, Lease, MailStore, StoreErrorKind};
use jiff::Timestamp;

use crate::world::{batch, item, now, on_both};

fn lease(until: &str) -> Lease {
    Lease { holder: RunId::random(), until: until.parse().unwrap() }
}

fn at(time: &str) -> Timestamp {
    time.parse().unwrap()
}

on_both! {
    fn a_lease_is_held_by_one_until_it_is_given_back_or_runs_out(world) {
        let (store, key) = (&world.store, world.key());
        store.release(key, &world.lease).unwrap();
        let (ours, theirs) = (lease("2026-11-22T11:00:00Z"), lease("2026-11-22T11:30:00Z"));
        assert!(store.acquire(key, &ours, now()).unwrap());
        assert!(!store.acquire(key, &theirs, now()).unwrap(), "held");
        assert!(store.acquire(key, &ours, now()).unwrap(), "the holder may take it again");
        store.release(key, &theirs).unwrap();
        assert!(!store.acquire(key, &theirs, now()).unwrap(), "only the holder can give it back");
        assert!(!store.acquire(key, &theirs, at("2026-11-22T10:59:59.999999Z")).unwrap(), "not yet");
        assert!(store.acquire(key, &theirs, at("2026-11-22T11:00:00Z")).unwrap(), "run out");
        assert!(!store.acquire(key, &ours, at("2026-11-22T11:00:01Z")).unwrap());
        store.release(key, &theirs).unwrap();
        store.release(key, &theirs).unwrap();
        assert!(store.acquire(key, &ours, now()).unwrap(), "given back");
    }
}

on_both! {
    fn only_a_lease_that_nobody_has_taken_since_is_renewed(world) {
        let (store, key) = (&world.store, world.key());
        store.release(key, &world.lease).unwrap();
        let (ours, theirs) = (lease("2026-11-22T11:00:00Z"), lease("2026-11-22T11:30:00Z"));
        assert!(store.acquire(key, &ours, now()).unwrap());
        let longer = Lease { until: at("2026-11-22T11:10:00Z"), ..ours };
        assert!(store.renew(key, &longer).unwrap());
        assert!(!store.acquire(key, &theirs, at("2026-11-22T11:09:59Z")).unwrap(), "it was renewed");
        assert!(store.acquire(key, &theirs, at("2026-11-22T11:10:00Z")).unwrap());
        let again = Lease { until: at("2026-11-22T12:00:00Z"), ..longer };
        assert!(!store.renew(key, &again).unwrap(), "another holds it");
        store.release(key, &theirs).unwrap();
        assert!(!store.renew(key, &again).unwrap(), "another has held it");
        assert!(store.acquire(key, &theirs, now()).unwrap(), "nothing was taken by that");
    }
}

on_both! {
    fn mailboxes_have_leases_of_their_own(world) {
        let (other, lease_on_other) = world.another_mailbox("sales@acme.example");
        assert_ne!(lease_on_other.holder, world.lease.holder);
        world.store.release(&other.key, &lease_on_other).unwrap();
        assert!(!world.store.acquire(world.key(), &lease_on_other, now()).unwrap());
    }
}

on_both! {
    fn a_lease_that_ran_out_and_was_not_taken_still_counts(world) {
        let key = world.key();
        let late = Lease { holder: world.lease.holder, until: at("2020-01-01T00:00:00Z") };
        assert!(world.store.acquire(key, &late, now()).unwrap());
        world.store.store(&world.mailbox, &late, &batch("INBOX", 1, vec![item(1, "<a@x>", 1)])).unwrap();
    }
}

on_both! {
    fn without_the_lease_nothing_is_written(world) {
        let (store, key) = (&world.store, world.key());
        world.put("INBOX", vec![item(1, "<a@x>", 1)]);
        let theirs = lease("2026-11-22T12:00:00Z");
        assert!(store.acquire(key, &theirs, at("2026-11-22T11:00:00Z")).unwrap());

        let lost = &world.lease;
        let failure = FailureRecord {
            error: "no".to_owned(),
            failure_count: 5,
            switch_off: Some(NewNotice {
                kind: NoticeKind::MailboxSwitchedOff { address: "a@b".to_owned(), reason: "no".to_owned() },
                subject_key: "mailbox:1".to_owned(),
                period: "x".to_owned(),
                decided_at: now(),
            }),
            at: now(),
        };
        let errors = [
            store.store(&world.mailbox, lost, &batch("INBOX", 2, vec![item(2, "<b@x>", 2)])).unwrap_err(),
            store.update_flags(key, lost, "INBOX", 1, &[(Uid(1), Flags::SEEN)], now()).unwrap_err(),
            store.mark_gone(key, lost, "INBOX", 1, None, now()).unwrap_err(),
            store.record_success(key, lost, now()).unwrap_err(),
            store.record_failure(&world.mailbox, lost, &failure).unwrap_err(),
        ];
        for error in errors {
            assert_eq!(error.kind, StoreErrorKind::LeaseLost, "{error}");
        }
        assert_eq!(world.rows(), ["<a@x> INBOX/1"]);
        assert_eq!(store.cursors(key).unwrap()[0].status.uid_validity, 1);
        assert_eq!(store.items(key, "INBOX", 1).unwrap()[0].flags, Flags::NONE);
        let mailbox = world.read_mailbox();
        assert!(mailbox.is_active && mailbox.last_sync_at.is_none() && mailbox.last_error.is_empty());
        assert!(world.select("SELECT kind AS row FROM public.echodesk_notice").is_empty());
    }
}

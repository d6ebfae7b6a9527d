//! Flags, and messages that are no longer there.

use echodesk_mail::model::{Fate, Flags, Uid, UidSet};
use echodesk_mail::ports::{FailedItems, Item, MailStore};

use crate::world::{flagged, item, now, on_both, unreadable};

const FLAGS: &str = "SELECT uid || CASE WHEN is_read THEN ' read' ELSE '' END || CASE WHEN is_starred THEN ' starred' ELSE '' END \
                     || CASE WHEN is_answered THEN ' answered' ELSE '' END || CASE WHEN is_draft THEN ' draft' ELSE '' END AS row \
                     FROM social_integrations_emailmessage ORDER BY id";

on_both! {
    fn flags_follow_the_server_and_only_what_changed_there(world) {
        let (store, key) = (&world.store, world.key());
        world.put("INBOX", vec![item(1, "<a@x>", 1), flagged(item(2, "<b@x>", 2), Flags::SEEN), item(3, "<c@x>", 3)]);
        world.execute("UPDATE social_integrations_emailmessage SET is_starred = true WHERE uid = '1'");
        let now_on_server = [
            (Uid(1), Flags::SEEN | Flags::DRAFT),
            (Uid(2), Flags::ANSWERED),
            (Uid(3), Flags::NONE),
            (Uid(77), Flags::SEEN),
        ];
        assert_eq!(store.update_flags(key, &world.lease, "INBOX", 1, &now_on_server, now()).unwrap(), 2);
        assert_eq!(world.select(FLAGS), ["1 read starred draft", "2 answered", "3"]);
        assert_eq!(store.update_flags(key, &world.lease, "INBOX", 1, &now_on_server, now()).unwrap(), 0);
        // Staff mark it unread: that stands until the server says something new.
        world.execute("UPDATE social_integrations_emailmessage SET is_read = false WHERE uid = '1'");
        store.update_flags(key, &world.lease, "INBOX", 1, &now_on_server, now()).unwrap();
        assert_eq!(world.select(FLAGS)[0], "1 starred draft");
        let items = store.items(key, "INBOX", 1).unwrap();
        assert_eq!(items[0], Item { uid: Uid(1), flags: Flags::SEEN | Flags::DRAFT });
    }
}

on_both! {
    fn flags_of_unknown_folders_and_uidvalidities_are_nobodys(world) {
        let (store, key) = (&world.store, world.key());
        world.put("INBOX", vec![item(1, "<a@x>", 1)]);
        for (folder, uid_validity) in [("Nowhere", 1), ("INBOX", 2)] {
            let flags = [(Uid(1), Flags::SEEN)];
            assert_eq!(store.update_flags(key, &world.lease, folder, uid_validity, &flags, now()).unwrap(), 0);
            assert_eq!(store.mark_gone(key, &world.lease, folder, uid_validity, None, now()).unwrap(), 0);
            assert!(store.items(key, folder, uid_validity).unwrap().is_empty());
        }
    }
}

on_both! {
    fn gone_items_are_no_longer_listed_and_keep_their_rows(world) {
        let (store, key) = (&world.store, world.key());
        world.put("INBOX", (1..=5).rev().map(|uid| item(uid, &format!("<{uid}@x>"), uid)).collect());
        assert_eq!(world.gone("INBOX", "2,4:90"), 3);
        assert_eq!(world.gone("INBOX", "1:2"), 1, "2 was gone already");
        let left: Vec<_> = store.items(key, "INBOX", 1).unwrap().into_iter().map(|item| item.uid.0).collect();
        assert_eq!(left, [3]);
        assert_eq!(world.rows().len(), 5);
        let none = store.mark_gone(key, &world.lease, "INBOX", 1, Some(&UidSet::new()), now()).unwrap();
        assert_eq!(none, 0);
    }
}

on_both! {
    fn a_place_that_was_gone_and_is_there_again_gets_its_fate_anew(world) {
        let (store, key) = (&world.store, world.key());
        world.put("Clients", vec![item(1, "<a@x>", 1), item(2, "<b@x>", 2)]);
        assert_eq!(world.gone("Clients", "1:2"), 2);
        // The folder is back: UID 1 holds what it held, UID 2 another message.
        world.put("Clients", vec![flagged(item(1, "<a@x>", 1), Flags::SEEN), item(2, "<c@x>", 3)]);
        assert_eq!(world.select(FLAGS)[0], "1 read", "what was read meanwhile");
        let living: Vec<_> = store.items(key, "Clients", 1).unwrap().into_iter().map(|item| item.uid.0).collect();
        assert_eq!(living, [1, 2]);
        assert_eq!(world.rows().len(), 3, "nothing twice, and nothing lost");
    }
}

on_both! {
    fn what_could_not_be_read_is_listed_and_decided_anew(world) {
        let (store, key) = (&world.store, world.key());
        world.put("INBOX", vec![unreadable(1, "broken"), item(2, "<b@x>", 2), unreadable(3, "broken")]);
        let failed = |since| store.failed(key, since).unwrap();
        let uids = "1,3".parse().unwrap();
        assert_eq!(failed(now()), [FailedItems { folder: "INBOX".to_owned(), uid_validity: 1, uids }]);
        assert!(failed(now() + jiff::SignedDuration::from_secs(1)).is_empty(), "too long ago");
        let fates = world.put("INBOX", vec![item(1, "<a@x>", 1)]);
        assert_eq!(fates, [Fate::Stored]);
        assert_eq!(failed(now())[0].uids.to_string(), "3");
        assert_eq!(world.rows().len(), 2);
    }
}

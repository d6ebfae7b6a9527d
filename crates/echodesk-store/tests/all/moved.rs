//! Rows follow their messages.

use echodesk_mail::model::{Fate, Flags, Uid};
use echodesk_mail::ports::MailStore;

use crate::world::{batch, flagged, item, now, on_both};

on_both! {
    fn a_message_that_turns_up_elsewhere_after_it_went_has_moved(world) {
        world.put("INBOX", vec![item(1, "<a@x>", 1), item(2, "<b@x>", 2)]);
        assert_eq!(world.gone("INBOX", "1"), 1);
        assert_eq!(world.rows()[0], "<a@x> INBOX/1", "rows stay");
        assert_eq!(world.put("Archive", vec![item(9, "<a@x>", 1)]), [Fate::Duplicate]);
        assert_eq!(world.rows(), ["<a@x> Archive/9", "<b@x> INBOX/2"]);
    }
}

on_both! {
    fn a_message_that_was_elsewhere_already_when_it_went_has_moved_too(world) {
        world.put("INBOX", vec![item(1, "<a@x>", 1)]);
        world.put("Archive", vec![item(9, "<a@x>", 1)]);
        assert_eq!(world.rows(), ["<a@x> INBOX/1"]);
        world.gone("INBOX", "1:4294967295");
        assert_eq!(world.rows(), ["<a@x> Archive/9"]);
        world.gone("Archive", "9");
        assert_eq!(world.rows(), ["<a@x> Archive/9"], "nowhere left to go");
        world.put("INBOX", vec![item(3, "<a@x>", 1)]);
        assert_eq!(world.rows(), ["<a@x> INBOX/3"], "and back");
    }
}

on_both! {
    fn a_message_can_move_to_another_mailbox(world) {
        world.put("INBOX", vec![item(1, "<a@x>", 1)]);
        world.gone("INBOX", "1");
        let (other, lease) = world.another_mailbox("sales@acme.example");
        world.store.store(&other, &lease, &batch("INBOX", 4, vec![item(8, "<a@x>", 1)])).unwrap();
        assert_eq!(world.rows(), ["<a@x> INBOX/8"]);
        let connections = world.select("SELECT CAST(connection_id AS text) AS row FROM social_integrations_emailmessage");
        assert_eq!(connections, [other.key.connection.to_string()]);
    }
}

on_both! {
    fn a_flag_that_changed_along_with_the_move_is_taken_over(world) {
        world.put("INBOX", vec![flagged(item(1, "<a@x>", 1), Flags::FLAGGED)]);
        // Staff take the star off; the server knows nothing of it.
        world.execute("UPDATE social_integrations_emailmessage SET is_starred = false");
        world.gone("INBOX", "1");
        world.put("Archive", vec![flagged(item(9, "<a@x>", 1), Flags::FLAGGED | Flags::SEEN)]);
        let flags = "SELECT CASE WHEN is_read THEN 'read' ELSE '' END || CASE WHEN is_starred THEN ' starred' ELSE '' END AS row \
                     FROM social_integrations_emailmessage";
        assert_eq!(world.select(flags), ["read"]);
    }
}

on_both! {
    fn a_new_uidvalidity_is_matched_by_content(world) {
        world.put("INBOX", vec![item(1, "<a@x>", 1), item(2, "<b@x>", 2)]);
        let (store, key) = (&world.store, world.key());
        assert_eq!(store.mark_gone(key, &world.lease, "INBOX", 1, None, now()).unwrap(), 2);
        assert_eq!(store.mark_gone(key, &world.lease, "INBOX", 1, None, now()).unwrap(), 0, "not twice");
        // The same UID for another message, and a new one among them.
        let again = vec![item(1, "<b@x>", 2), item(2, "<a@x>", 1), item(3, "<c@x>", 3)];
        let fates = store.store(&world.mailbox, &world.lease, &batch("INBOX", 2, again)).unwrap();
        assert_eq!(fates, [Fate::Duplicate, Fate::Duplicate, Fate::Stored]);
        assert_eq!(world.rows(), ["<a@x> INBOX/2", "<b@x> INBOX/1", "<c@x> INBOX/3"]);
        assert!(store.items(key, "INBOX", 1).unwrap().is_empty());
        let uids: Vec<_> = store.items(key, "INBOX", 2).unwrap().into_iter().map(|item| item.uid).collect();
        assert_eq!(uids, [Uid(1), Uid(2), Uid(3)]);
    }
}

on_both! {
    fn a_row_whose_place_we_never_saw_stays(world) {
        world.put("INBOX", vec![item(1, "<a@x>", 1)]);
        // As if EchoDesk had written it, from a folder that is not synced.
        world.execute("DELETE FROM echodesk_mail_item; UPDATE social_integrations_emailmessage SET folder = 'Elsewhere'");
        world.put("Archive", vec![item(3, "<a@x>", 1)]);
        world.gone("Archive", "3");
        world.put("Later", vec![item(4, "<a@x>", 1)]);
        assert_eq!(world.rows(), ["<a@x> Elsewhere/1"]);
    }
}

on_both! {
    fn a_message_with_a_long_folder_name_moves_as_well(world) {
        let (from, to) = ("a".repeat(150), "b".repeat(150));
        world.put(&from, vec![item(1, "<a@x>", 1)]);
        world.gone(&from, "1");
        world.put(&to, vec![item(1, "<a@x>", 1)]);
        assert_eq!(world.rows(), [format!("<a@x> {}/1", "b".repeat(100))]);
    }
}

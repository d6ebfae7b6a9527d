//! What becomes of messages.

use echodesk_mail::model::{Fate, Flags, MailMessage};
use echodesk_mail::ports::{ItemContent, MailStore};

use crate::world::{World, batch, cursor, flagged, item, message, now, of_message, on_both, reduced, unreadable};

on_both! {
    fn new_messages_get_a_row_each(world) {
        assert_eq!(world.put("INBOX", vec![item(1, "<a@x>", 1), item(2, "<b@x>", 2)]), [Fate::Stored, Fate::Stored]);
        assert_eq!(world.rows(), ["<a@x> INBOX/1", "<b@x> INBOX/2"]);
        assert_eq!(world.fates(), ["INBOX/1 stored", "INBOX/2 stored"]);
    }
}

on_both! {
    fn every_column_of_a_row_is_as_echodesk_writes_it(world) {
        world.put("INBOX", vec![flagged(item(7, "<a@x>", 1), Flags::SEEN | Flags::ANSWERED)]);
        let columns = "message_id, thread_id, in_reply_to, \"references\", from_email, from_name, reply_to, subject, \
                       body_text, body_html, folder, uid";
        let texts = columns.split(", ").map(|column| format!("'[' || {column} || ']'")).collect::<Vec<_>>().join(" || ");
        assert_eq!(
            world.select(&format!("SELECT {texts} AS row FROM social_integrations_emailmessage")),
            ["[<a@x>][0123456789abcdef][][<r@x>][nino@example.com][ნინო][][subject 1][text 1][][INBOX][7]"]
        );
        let booleans = ["is_from_business", "is_read", "is_starred", "is_answered", "is_draft", "is_read_by_staff", "is_deleted"];
        let booleans = booleans.map(|column| format!("CASE WHEN {column} THEN '1' ELSE '0' END")).join(" || ");
        assert_eq!(world.select(&format!("SELECT {booleans} AS row FROM social_integrations_emailmessage")), ["0101000"]);
        for (column, want) in [
            ("to_emails", r#"[{"email":"info@acme.example","name":"Info \"A\""}]"#),
            ("cc_emails", "[]"),
            ("bcc_emails", "[]"),
            ("labels", "[]"),
            (
                "attachments",
                r#"[{"content_type":"application/pdf","filename":"a.pdf","size":12,"url":"attachments/ab"}]"#,
            ),
        ] {
            let got = world.select(&format!("SELECT CAST({column} AS text) AS row FROM social_integrations_emailmessage"));
            let got: serde_json::Value = serde_json::from_str(&got[0]).unwrap();
            assert_eq!(got.to_string(), serde_json::from_str::<serde_json::Value>(want).unwrap().to_string(), "{column}");
        }
        let want = if world.is_embedded() { "2026-11-20T08:30:00.000000Z" } else { "2026-11-20 08:30:00+00" };
        let times = world.select("SELECT CAST(timestamp AS text) AS row FROM social_integrations_emailmessage");
        assert_eq!(times, [want]);
        let want = if world.is_embedded() { "2026-11-22T10:00:00.123456Z" } else { "2026-11-22 10:00:00.123456+00" };
        for column in ["created_at", "updated_at"] {
            let times = world.select(&format!("SELECT CAST({column} AS text) AS row FROM social_integrations_emailmessage"));
            assert_eq!(times, [want], "{column}");
        }
    }
}

on_both! {
    fn the_same_message_in_another_folder_is_one_row_and_two_items(world) {
        world.put("INBOX", vec![item(1, "<a@x>", 1)]);
        assert_eq!(world.put("Archive", vec![item(5, "<a@x>", 1)]), [Fate::Duplicate]);
        assert_eq!(world.rows(), ["<a@x> INBOX/1"]);
        assert_eq!(world.fates(), ["INBOX/1 stored", "Archive/5 duplicate"]);
    }
}

on_both! {
    fn the_same_message_in_another_mailbox_is_one_row(world) {
        world.put("INBOX", vec![item(1, "<a@x>", 1)]);
        let (other, lease) = world.another_mailbox("sales@acme.example");
        let fates = world.store.store(&other, &lease, &batch("INBOX", 9, vec![item(1, "<a@x>", 1)])).unwrap();
        assert_eq!(fates, [Fate::Duplicate]);
        assert_eq!(world.rows(), ["<a@x> INBOX/1"]);
    }
}

on_both! {
    fn a_reused_message_id_is_stored_under_another_name(world) {
        world.put("INBOX", vec![item(1, "<a@x>", 1)]);
        assert_eq!(world.put("INBOX", vec![item(2, "<a@x>", 2), item(3, "<a@x>", 3)]), [Fate::Stored, Fate::Stored]);
        assert_eq!(
            world.rows(),
            [
                "<a@x> INBOX/1",
                "<a@x>#00000002000000000000000000000000 INBOX/2",
                "<a@x>#00000003000000000000000000000000 INBOX/3"
            ]
        );
        // And is found again under that name.
        assert_eq!(world.put("Archive", vec![item(1, "<a@x>", 3)]), [Fate::Duplicate]);
    }
}

on_both! {
    fn the_same_message_twice_in_a_batch_is_one_row(world) {
        let fates = world.put("INBOX", vec![item(1, "<a@x>", 1), item(2, "<a@x>", 1), item(3, "<a@x>", 2)]);
        assert_eq!(fates, [Fate::Stored, Fate::Duplicate, Fate::Stored]);
        assert_eq!(world.rows().len(), 2);
        let rows = world.select("SELECT CAST(message_row AS text) AS row FROM echodesk_mail_item ORDER BY uid");
        assert_eq!(rows[0], rows[1]);
        assert_ne!(rows[0], rows[2]);
    }
}

on_both! {
    fn a_row_that_echodesk_wrote_is_recognised(world) {
        world.put("INBOX", vec![item(1, "<a@x>", 1)]);
        // Without our items, the row is as if EchoDesk had written it.
        world.execute("DELETE FROM echodesk_mail_item");
        assert_eq!(world.put("INBOX", vec![item(1, "<a@x>", 1)]), [Fate::Duplicate]);
        assert_eq!(world.rows(), ["<a@x> INBOX/1"]);
    }
}

on_both! {
    fn a_uid_with_a_fate_keeps_it_unless_it_failed(world) {
        world.put("INBOX", vec![item(1, "<a@x>", 1), unreadable(2, "broken"), reduced(item(3, "<c@x>", 3), "too big")]);
        let again = vec![item(1, "<z@x>", 9), item(2, "<y@x>", 8), item(3, "<c@x>", 3), item(4, "<d@x>", 4)];
        let fates = world.put("INBOX", again);
        assert_eq!(fates, [Fate::Stored, Fate::Stored, Fate::Reduced("too big".to_owned()), Fate::Stored]);
        assert_eq!(world.rows(), ["<a@x> INBOX/1", "<c@x> INBOX/3", "<d@x> INBOX/4", "<y@x> INBOX/2"]);
    }
}

on_both! {
    fn a_uid_that_comes_twice_in_a_batch_has_the_fate_of_its_first(world) {
        let fates = world.put("INBOX", vec![reduced(item(1, "<a@x>", 1), "why"), item(1, "<b@x>", 2)]);
        assert_eq!(fates, [Fate::Reduced("why".to_owned()), Fate::Reduced("why".to_owned())]);
        assert_eq!(world.rows(), ["<a@x> INBOX/1"]);
    }
}

on_both! {
    fn what_cannot_be_stored_is_an_item_with_its_reason(world) {
        let fates = world.put("INBOX", vec![unreadable(1, "a NUL\0 in it")]);
        assert_eq!(fates, [Fate::Failed("a NUL\0 in it".to_owned())]);
        assert!(world.rows().is_empty());
        assert_eq!(world.select("SELECT reason AS row FROM echodesk_mail_item"), ["a NUL in it"]);
    }
}

on_both! {
    fn nul_characters_and_overlong_texts_never_fail_a_batch(world) {
        let mut bad = message("<n\0ul@x>", 1);
        bad.subject = format!("{}\0", "ქ".repeat(2000));
        bad.body_text = "a\0b".to_owned();
        bad.to[0].name = "N\0".to_owned();
        bad.attachments[0].filename = "x\0.pdf".to_owned();
        bad.from.email = "e".repeat(300);
        bad.timestamp = jiff::Timestamp::MIN;
        let long_folder = "f".repeat(150);
        assert_eq!(world.put(&long_folder, vec![of_message(1, bad, 1)]), [Fate::Stored]);
        assert_eq!(world.rows(), [format!("<nul@x> {}/1", "f".repeat(100))]);
        let lengths = "SELECT CAST(length(subject) AS text) || ' ' || CAST(length(from_email) AS text) || ' ' || body_text AS row \
                       FROM social_integrations_emailmessage";
        assert_eq!(world.select(lengths), ["1000 254 ab"]);
    }
}

on_both! {
    fn the_cursor_is_written_with_the_messages_and_read_back(world) {
        world.put("გაგზავნილი", vec![item(1, "<a@x>", 1)]);
        assert_eq!(world.store.cursors(world.key()).unwrap(), [cursor("გაგზავნილი", 1)]);

        // Alone, over what was there, and with nothing in its optional fields.
        let mut later = cursor("გაგზავნილი", 2);
        later.status.highest_mod_seq = None;
        later.window_start = None;
        later.pending = echodesk_mail::model::UidSet::new();
        let empty = echodesk_mail::ports::Batch { cursor: later.clone(), items: Vec::new(), now: now() };
        assert_eq!(world.store.store(&world.mailbox, &world.lease, &empty).unwrap(), []);
        assert_eq!(world.store.cursors(world.key()).unwrap(), [later]);
    }
}

on_both! {
    fn more_messages_than_one_statement_takes_are_stored(world) {
        let many: Vec<_> = (1..=1203).map(|uid| item(uid, &format!("<{uid}@x>"), uid)).collect();
        assert!(world.put("INBOX", many.clone()).iter().all(|fate| *fate == Fate::Stored));
        assert_eq!(world.rows().len(), 1203);
        assert!(world.put("Archive", many).iter().all(|fate| *fate == Fate::Duplicate));
        assert_eq!(world.rows().len(), 1203);
    }
}

on_both! {
    fn a_message_that_echodesk_deleted_is_stored_again_only_under_a_new_uid(world) {
        world.put("INBOX", vec![item(1, "<a@x>", 1)]);
        world.execute("DELETE FROM social_integrations_emailmessage");
        assert_eq!(world.put("INBOX", vec![item(1, "<a@x>", 1)]), [Fate::Stored], "its fate stands");
        assert!(world.rows().is_empty(), "what was deleted on purpose does not come back");
        assert_eq!(world.put("INBOX", vec![item(2, "<a@x>", 1)]), [Fate::Stored]);
        assert_eq!(world.rows(), ["<a@x> INBOX/2"]);
    }
}

on_both! {
    fn existing_tells_rows_with_the_digests_that_came_to_them(world) {
        world.put("INBOX", vec![item(1, "<a@x>", 1), item(2, "<b@x>", 2)]);
        world.put("Archive", vec![item(1, "<a@x>", 1)]);
        let ids = ["<a@x>".to_owned(), "<nobody@x>".to_owned(), "<nul\0@x>".to_owned()];
        let found = world.store.existing(&world.key().schema, &ids).unwrap();
        assert_eq!(found.len(), 1);
        let ItemContent::Message { fingerprint, .. } = item(1, "<a@x>", 1).content else { panic!() };
        assert_eq!(found[0].message_id, "<a@x>");
        assert_eq!(found[0].digests, [fingerprint.digest]);
        assert_eq!(found[0].timestamp, fingerprint.timestamp);
        assert_eq!(found[0].subject, "subject 1");
    }
}

#[test]
fn a_batch_is_written_whole_or_not_at_all() {
    let Some(world) = World::postgres() else { return };
    world.execute("ALTER TABLE echodesk_mail_item ADD CHECK (uid <> 2)");
    let bad = batch("INBOX", 1, vec![item(1, "<a@x>", 1), item(2, "<b@x>", 2)]);
    let error = world.store.store(&world.mailbox, &world.lease, &bad).unwrap_err();
    assert_eq!(error.kind, echodesk_mail::ports::StoreErrorKind::Other);
    assert!(world.rows().is_empty() && world.fates().is_empty());
    assert!(world.store.cursors(world.key()).unwrap().is_empty());
}

on_both! {
    fn a_reused_message_id_beside_a_row_of_echodesks_is_neither_lost_nor_doubled(world) {
        // A row that EchoDesk wrote: there is no item of ours.
        world.put("INBOX", vec![item(1, "<a@x>", 1)]);
        world.execute("DELETE FROM echodesk_mail_item");
        // The newest first: another mail of the same author, under the same Message-ID.
        world.put("INBOX", vec![item(2, "<a@x>", 2)]);
        assert_eq!(world.put("INBOX", vec![item(1, "<a@x>", 1)]), [Fate::Duplicate]);
        let mut bodies = world.select("SELECT body_text AS row FROM social_integrations_emailmessage");
        bodies.sort_unstable();
        assert_eq!(bodies, ["text 1", "text 2"]);
    }
}

on_both! {
    fn a_reminder_with_the_message_id_and_subject_of_a_row_of_echodesks_is_stored(world) {
        let first = message("<a@x>", 1);
        let reminder = MailMessage {
            body_text: "reminder".to_owned(),
            timestamp: "2026-11-21T08:30:00Z".parse().unwrap(),
            ..first.clone()
        };
        world.put("INBOX", vec![of_message(1, first.clone(), 1)]);
        world.execute("DELETE FROM echodesk_mail_item");
        let both = vec![of_message(2, reminder, 2), of_message(1, first, 1)];
        assert_eq!(world.put("INBOX", both), [Fate::Stored, Fate::Duplicate]);
        let rows = world.rows();
        assert_eq!((rows.len(), rows[0].as_str()), (2, "<a@x> INBOX/1"));
        assert!(rows[1].starts_with("<a@x>#") && rows[1].ends_with(" INBOX/2"), "{rows:?}");
    }
}

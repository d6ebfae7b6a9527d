//! How a sync ended, and runs.

use echodesk_core::RunId;
use echodesk_core::notice::{NewNotice, NoticeKind};
use echodesk_mail::ports::{FailureRecord, MailStore};
use echodesk_store::NewRun;

use crate::world::{now, on_both};

fn failure(error: &str, count: u32, switch_off: bool) -> FailureRecord {
    let notice = NewNotice {
        kind: NoticeKind::MailboxSwitchedOff { address: "info@acme.example".to_owned(), reason: format!("{error}\0") },
        subject_key: "mailbox:1".to_owned(),
        period: "2026-11-22T10:00:00Z".to_owned(),
        decided_at: now(),
    };
    FailureRecord { error: error.to_owned(), failure_count: count, switch_off: switch_off.then_some(notice), at: now() }
}

on_both! {
    fn a_success_forgets_earlier_failures(world) {
        let (store, key, lease) = (&world.store, world.key(), &world.lease);
        assert!(store.record_failure(&world.mailbox, lease, &failure("timed out", 3, false)).unwrap());
        let mailbox = world.read_mailbox();
        assert_eq!((mailbox.failure_count, mailbox.last_error.as_str(), mailbox.is_active), (3, "timed out", true));
        assert_eq!(mailbox.last_sync_at, None);
        let at = "2026-11-22T10:05:00Z".parse().unwrap();
        store.record_success(key, lease, at).unwrap();
        let mailbox = world.read_mailbox();
        assert_eq!((mailbox.failure_count, mailbox.last_error.as_str(), mailbox.is_active), (0, "", true));
        assert_eq!(mailbox.last_sync_at, Some(at));
        let touched = world.select("SELECT CAST(updated_at AS text) AS row FROM social_integrations_emailconnection");
        assert!(touched[0].contains("10:05:00"), "{touched:?}");
    }
}

on_both! {
    fn switching_off_queues_its_notice_once(world) {
        let (store, lease) = (&world.store, &world.lease);
        for written in [true, false] {
            let failure = failure("wrong \0password", 0, true);
            assert_eq!(store.record_failure(&world.mailbox, lease, &failure).unwrap(), written);
        }
        let mailbox = world.read_mailbox();
        assert!(!mailbox.is_active);
        assert_eq!(mailbox.last_error, "wrong password");
        let off = world.select("SELECT CAST(auto_disabled_at AS text) AS row FROM social_integrations_emailconnection");
        assert!(off[0].contains("10:00:00.123456"), "{off:?}");
        let notices = "SELECT kind || ' ' || subject_key || ' ' || period || ' ' || state || ' ' || CAST(tenant_id AS text) AS row \
                       FROM public.echodesk_notice";
        let tenant = world.store.tenants_list().unwrap()[0].id;
        assert_eq!(
            world.select(notices),
            [format!("mailbox_switched_off mailbox:1 2026-11-22T10:00:00Z queued {tenant}")]
        );
        let payload = world.select("SELECT CAST(payload AS text) AS row FROM public.echodesk_notice");
        let payload: NoticeKind = serde_json::from_str(&payload[0]).unwrap();
        let reason = "wrong password".to_owned();
        assert_eq!(payload, NoticeKind::MailboxSwitchedOff { address: "info@acme.example".to_owned(), reason });
    }
}

on_both! {
    fn a_mailbox_that_was_mended_meanwhile_is_neither_switched_off_nor_blamed(world) {
        let (store, lease) = (&world.store, &world.lease);
        // The run has read the mailbox and waits for its turn; somebody mends the password.
        world.execute(
            "UPDATE social_integrations_emailconnection SET encrypted_password = 'the right one', \
             last_sync_error = 'just mended', sync_failure_count = 1",
        );
        for switch_off in [true, false] {
            assert!(!store.record_failure(&world.mailbox, lease, &failure("refused", 2, switch_off)).unwrap());
        }
        let mailbox = world.read_mailbox();
        assert!(mailbox.is_active, "switched off for a password that is no longer there");
        assert_eq!((mailbox.last_error.as_str(), mailbox.failure_count), ("just mended", 1));
        assert!(world.select("SELECT kind AS row FROM public.echodesk_notice").is_empty());
        // What fails with the password that stands there now is written down.
        assert!(store.record_failure(&mailbox, lease, &failure("refused", 2, true)).unwrap());
        assert!(!world.read_mailbox().is_active);
        assert_eq!(world.select("SELECT kind AS row FROM public.echodesk_notice").len(), 1);
    }
}

on_both! {
    fn a_mailbox_is_read_again_as_it_stands_now(world) {
        let (store, old) = (&world.store, &world.mailbox);
        world.another_mailbox("other@acme.example");
        world.execute("UPDATE social_integrations_emailconnection SET encrypted_password = 'new', sync_failure_count = 4");
        let now = store.refresh(old).unwrap().unwrap();
        assert_eq!((now.stored_password.expose(), now.failure_count), ("new", 4));
        assert_eq!((now.key, now.address.as_str()), (old.key.clone(), "info@acme.example"));
        world.execute("UPDATE social_integrations_emailconnection SET is_active = false");
        assert!(store.refresh(old).unwrap().is_none(), "switched off");
        world.execute("DELETE FROM social_integrations_emailconnection");
        assert!(store.refresh(old).unwrap().is_none(), "gone");
    }
}

on_both! {
    fn a_run_is_written_down_from_its_beginning_to_its_end(world) {
        let run = NewRun {
            id: RunId::random(),
            job: "sync-emails",
            host: "host-1".to_owned(),
            version: "0.1.0",
            arguments: "--tenant acme".to_owned(),
            tenant: None,
            started_at: now(),
        };
        world.store.begin_run(&run).unwrap();
        let rows = "SELECT CAST(id AS text) || ' ' || job || ' ' || host || ' ' || version || ' ' || arguments || ' ' \
                    || coalesce(CAST(exit_code AS text), 'open') AS row FROM public.echodesk_run";
        assert_eq!(world.select(rows), [format!("{} sync-emails host-1 0.1.0 --tenant acme open", run.id)]);
        world.store.finish_run(run.id, run.job, now(), 1, &serde_json::json!({"failed": 2})).unwrap();
        assert_eq!(world.select(rows), [format!("{} sync-emails host-1 0.1.0 --tenant acme 1", run.id)]);
        let summary = world.select("SELECT CAST(summary AS text) AS row FROM public.echodesk_run");
        assert_eq!(summary[0].replace(' ', ""), r#"{"failed":2}"#);
    }
}

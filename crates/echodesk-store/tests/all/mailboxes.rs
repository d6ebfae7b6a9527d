//! Mailboxes: adding, reading, switching on.

use echodesk_core::ConnectionId;
use echodesk_mail::model::{MailboxKey, Security};
use echodesk_mail::ports::{MailStore, Scope, StoreErrorKind};

use crate::world::{new_mailbox, now, on_both, schema, tenant};

on_both! {
    fn a_mailbox_is_read_as_it_was_added(world) {
        let mut new = new_mailbox("sales@acme.example");
        new.endpoint.security = Security::StartTls;
        new.endpoint.port = 143;
        new.days_back = 0;
        let id = world.store.add_mailbox(&schema("acme"), &new, now()).unwrap();
        let tenants = world.store.tenants(&Scope::AllActive).unwrap();
        let (limits, mailboxes) = tenants[0].mailboxes.as_ref().unwrap();
        assert_eq!(*limits, echodesk_mail::model::ColumnLimits::default());
        assert_eq!(mailboxes.len(), 2);
        let mailbox = &mailboxes[1];
        assert_eq!(mailbox.key, MailboxKey { schema: schema("acme"), connection: id });
        assert_eq!((&mailbox.address, &mailbox.username), (&new.address, &new.username));
        assert_eq!(mailbox.endpoint, new.endpoint);
        assert_eq!(mailbox.stored_password.expose(), "sealed:hunter2");
        assert_eq!((mailbox.sync_folder.as_str(), mailbox.days_back), ("INBOX", 0));
        assert!(mailbox.is_active && mailbox.last_sync_at.is_none() && mailbox.last_error.is_empty());
        assert_eq!(mailbox.failure_count, 0);
        let smtp = "SELECT smtp_server || ' ' || CAST(smtp_port AS text) AS row FROM social_integrations_emailconnection";
        assert_eq!(world.select(smtp)[1], "imap.acme.example 587");
        assert!(!format!("{mailbox:?}{new:?}").contains("hunter2"));
    }
}

on_both! {
    fn nonsense_in_a_row_costs_no_other_mailbox_anything(world) {
        world.another_mailbox("sales@acme.example");
        world.execute(
            "UPDATE social_integrations_emailconnection SET imap_port = 99999, sync_days_back = -3, sync_failure_count = -1 \
             WHERE email_address = 'info@acme.example'",
        );
        let tenants = world.store.tenants(&Scope::AllActive).unwrap();
        let (_, mailboxes) = tenants[0].mailboxes.as_ref().unwrap();
        assert_eq!((mailboxes[0].endpoint.port, mailboxes[0].days_back, mailboxes[0].failure_count), (0, 0, 0));
        assert_eq!(mailboxes[1].endpoint.port, 993);
    }
}

on_both! {
    fn a_mailbox_is_switched_on_again_with_its_failures_forgotten(world) {
        world.execute(
            "UPDATE social_integrations_emailconnection SET is_active = false, auto_disabled_at = created_at, \
             sync_failure_count = 3, last_sync_error = 'no'",
        );
        assert!(!world.read_mailbox().is_active, "those that are off are listed too");
        assert!(world.store.enable_mailbox(world.key(), now()).unwrap());
        let mailbox = world.read_mailbox();
        assert!(mailbox.is_active && mailbox.last_error.is_empty() && mailbox.failure_count == 0);
        let off = "SELECT CAST(auto_disabled_at AS text) AS row FROM social_integrations_emailconnection";
        assert_eq!(world.select(off), ["-"]);
        let nobody = MailboxKey { schema: schema("acme"), connection: ConnectionId(999) };
        assert!(!world.store.enable_mailbox(&nobody, now()).unwrap());
    }
}

on_both! {
    fn a_tenant_that_does_not_exist_has_no_mailboxes(world) {
        let nobody = schema("nobody");
        let key = MailboxKey { schema: nobody.clone(), connection: ConnectionId(1) };
        let errors = [
            world.store.add_mailbox(&nobody, &new_mailbox("x@y"), now()).unwrap_err(),
            world.store.enable_mailbox(&key, now()).unwrap_err(),
            world.store.tenants(&Scope::One(nobody)).unwrap_err(),
        ];
        for error in errors {
            assert_eq!(error.kind, StoreErrorKind::UnknownTenant);
            assert!(error.to_string().contains("nobody"), "{error}");
        }
    }
}

on_both! {
    fn the_same_mailbox_is_not_added_twice_to_a_tenant(world) {
        let mut again = new_mailbox("another-address@acme.example");
        again.username = "INFO@acme.example".to_owned();
        again.endpoint.host = "IMAP.Acme.example".to_owned();
        let error = world.store.add_mailbox(&schema("acme"), &again, now()).unwrap_err();
        assert_eq!(error.kind, StoreErrorKind::Conflict);
        assert!(error.to_string().contains(&format!("mailbox {} ", world.key().connection)), "{error}");
        assert_eq!(world.select("SELECT email_address AS row FROM social_integrations_emailconnection").len(), 1);
        again.endpoint.port = 143;
        world.store.add_mailbox(&schema("acme"), &again, now()).unwrap();
        world.store.add_tenant(&tenant("other"), now()).unwrap();
        world.store.add_mailbox(&schema("other"), &again, now()).unwrap();
    }
}

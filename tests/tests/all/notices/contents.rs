//! What arrives, whatever tenants are called, and from which job.

use echodesk_test_servers::dovecot;
use echodesk_tests::sandbox::imap::{Account, Mailstore, SandboxImap};

use crate::status::world::{Place, StatusWorld, everywhere, kind, told};

everywhere!(
    names_and_addresses_that_want_to_be_headers_arrive_as_text,
    sync_emails_tells_that_a_mailbox_was_switched_off,
);

fn names_and_addresses_that_want_to_be_headers_arrive_as_text(place: Place) {
    let Some(world) = StatusWorld::new(place) else { return };
    for tenant in ["bell", "cola", "dona", "fern"] {
        world.subscribe(tenant, "en", "2027-03-05");
    }
    let set = |tenant: &str, column: &str, value: &str| {
        let value = value.replace('\'', "''");
        world.world.execute(&format!("UPDATE tenants_tenant SET {column} = '{value}' WHERE schema_name = '{tenant}'"));
    };
    set("bell", "admin_name", "Eve\r\nBcc: victim@example.com\r\n\r\nBuy <b>this</b>, \"Sir\" 'O' {{ 7*7 }}");
    set("bell", "name", "Bell\r\n.\r\nMAIL FROM:<x@y>\r\n<script>alert(1)</script>");
    set("cola", "admin_email", "a@example.com>\r\nRCPT TO:<victim");
    set("dona", "admin_email", "a@example.com, b@example.com");
    set("fern", "admin_email", "");
    let ran = world.run("2027-03-18").with_code(1);
    assert_eq!(
        (&ran.report["notices"]["delivered"], &ran.report["notices"]["parked"]),
        (&1.into(), &3.into()),
        "{ran:#?}"
    );

    let mails = world.mails.mails();
    assert_eq!(told(&mails), ["bell suspended"]);
    let mut names: Vec<String> = mails[0].headers().into_iter().map(|(name, _)| name.to_lowercase()).collect();
    names.sort();
    let expected = [
        "auto-submitted",
        "content-language",
        "content-type",
        "date",
        "from",
        "message-id",
        "mime-version",
        "subject",
        "to",
        "x-auto-response-suppress",
    ];
    assert_eq!(names, expected);
    let (name, address) = mails[0].recipient().unwrap();
    assert_eq!(address, "bell@example.com");
    assert!(name.contains("Eve") && name.contains("Bcc: victim@example.com"), "it is part of the name: {name}");
    assert!(!mails[0].html().contains("<b>this</b>") && !mails[0].html().contains("<script>"), "{}", mails[0].html());
    assert!(!mails[0].text().contains("49"), "{}", mails[0].text());
    let recipients: Vec<String> = world.mails.log().into_iter().filter(|line| line.starts_with("RCPT")).collect();
    assert_eq!(recipients, ["RCPT TO:<bell@example.com>"]);
    for (tenant, why) in [("cola", "not a valid"), ("dona", "more than one"), ("fern", "no address")] {
        let listed = world.echodesk("2027-03-18", &["notices", "list", "--parked", "--tenant", tenant]).well().stdout;
        assert!(listed.contains(why), "{tenant}: {listed}");
    }
    // Once it is put right, the notice goes out.
    set("fern", "admin_email", "fern@example.com");
    let _ = world.echodesk("2027-03-18", &["notices", "retry", "--all", "--tenant", "fern"]).well();
    assert_eq!(world.day("2027-03-18T10:00:00Z"), ["fern suspended"]);
}

fn sync_emails_tells_that_a_mailbox_was_switched_off(place: Place) {
    // The schema of a tenant of EchoDesk's is not in this fixture.
    if place == Place::EchoDesk {
        return;
    }
    let Some(world) = StatusWorld::new(place) else { return };
    let server = SandboxImap::start(Mailstore::with(dovecot::USER, Account::new("pw")), Default::default());
    world.world.execute("UPDATE tenants_tenant SET preferred_language = 'ka' WHERE schema_name = 'acme'");
    world.world.mailbox(dovecot::USER, "wrong", server.port(), &[]);
    let ca_file = server.ca_file().display().to_string();
    let sync = || {
        let command = &mut world.command("2027-03-18", "sync-emails", &["--ca-file", &ca_file]);
        echodesk_tests::processes::Ended::of(command.spawn().unwrap())
    };
    let ended = sync();
    assert_eq!(ended.code, Some(1), "{ended:#?}");
    assert!(ended.stdout.contains("notices: 1 delivered"), "{ended:#?}");
    let mails = world.mails.mails();
    assert_eq!((mails.len(), kind(&mails[0]).as_str()), (1, "mailbox_switched_off"));
    assert_eq!(mails[0].header("Content-Language").as_deref(), Some("ka"));
    assert!(mails[0].text().contains(dovecot::USER) && !mails[0].text().contains("wrong"), "{}", mails[0].text());
    let _ = sync().well();
    assert_eq!(world.mails.count(), 1, "once");
}

//! Who is trusted, and what happens to a mailbox whose server or password is not right.

use echodesk_test_servers::dovecot::{Dovecot, Options, PASSWORD, Shown, USER};
use echodesk_tests::sandbox::imap::{Account, Behaviour, Mailstore, Misbehaviour, SandboxImap};

use crate::support::{Backend, World, mail, on_both};

const STATE: &str = "SELECT CAST(sync_failure_count AS text) AS value FROM social_integrations_emailconnection \
                     WHERE is_active AND auto_disabled_at IS NULL";

fn dovecot(backend: Backend, certificate: Shown) -> Option<(Dovecot, World)> {
    let server = Dovecot::start(&Options { certificate, ..Options::default() })?;
    server.deliver(USER, "INBOX", &mail(1, 2000));
    let world = World::new(backend, &server.ca_file())?;
    Some((server, world))
}

on_both!(starttls_works_like_tls, a_wrong_password_switches_the_mailbox_off_at_once);

fn starttls_works_like_tls(backend: Backend) {
    let Some((server, world)) = dovecot(backend, Shown::Valid) else { return };
    world.mailbox(USER, PASSWORD, server.starttls_port(), &["--starttls"]);
    assert_eq!(world.sync()["stored"], 1);
}

#[test]
fn a_certificate_that_is_not_right_is_refused_before_the_password_is_sent() {
    for certificate in [Shown::OtherHost, Shown::SelfSigned] {
        let Some((server, world)) = dovecot(Backend::Sqlite, certificate) else { return };
        world.mailbox(USER, PASSWORD, server.tls_port(), &[]);
        let (ended, mailbox) = world.try_sync(&[]);
        assert_eq!((ended.code, mailbox["outcome"].as_str()), (Some(1), Some("failed")), "{certificate:?} {mailbox:#}");
        assert!(mailbox["error"].as_str().unwrap().contains("secure connection"), "{mailbox:#}");
        assert!(!server.log().contains("Login: user="), "{certificate:?}: {}", server.log());
        assert_eq!(world.counts(), (0, 0));
    }
}

fn a_wrong_password_switches_the_mailbox_off_at_once(backend: Backend) {
    let Some(server) = Dovecot::start(&Options::default()) else { return };
    let Some(world) = World::new(backend, &server.ca_file()) else { return };
    world.mailbox(USER, "not-the-password", server.tls_port(), &[]);
    let (ended, mailbox) = world.try_sync(&[]);
    assert_eq!(ended.code, Some(1));
    assert_eq!(mailbox["switched_off"], true, "{mailbox:#}");
    assert!(!format!("{ended:?}{mailbox}").contains("not-the-password"));
    assert_eq!(world.texts(STATE), [""; 0], "it is off");
}

#[test]
fn starttls_that_is_missing_or_tampered_with_is_no_reason_to_go_on_in_plain_text() {
    for misbehaviour in [Misbehaviour::NoStartTls, Misbehaviour::StartTlsInjection] {
        let server = SandboxImap::start(Mailstore::with(USER, Account::new("pw")), Behaviour::wrong(misbehaviour));
        let world = World::new(Backend::Sqlite, &server.ca_file()).unwrap();
        world.mailbox(USER, "pw", server.starttls_port(), &["--starttls"]);
        let (_, mailbox) = world.try_sync(&[]);
        assert_eq!(mailbox["outcome"], "failed", "{misbehaviour:?}: {mailbox:#}");
        assert!(!server.log().iter().any(|line| line.starts_with("LOGIN") || line.starts_with("AUTH")));
        assert_eq!(world.texts(STATE), ["1"], "it counts as a passing failure");
    }
}

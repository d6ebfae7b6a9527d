//! Dovecot's submission service, a real server with TLS and passwords. It hands on what it has taken to
//! the sandbox, which shows what it was.

use echodesk_test_servers::certificate::Shown;
use echodesk_test_servers::submission::{PASSWORD, Submission, USER};
use echodesk_tests::sandbox::smtp::{Behaviour, SandboxSmtp};

use super::way::{in_trouble, one_due, trouble};
use crate::status::world::StatusWorld;

/// The service, what is behind it, and an installation that knows it.
fn served(certificate: Shown, start_tls: bool) -> Option<(Submission, SandboxSmtp, StatusWorld)> {
    let behind = SandboxSmtp::start(Behaviour::plain());
    let server = Submission::start(certificate, behind.port())?;
    let mut world = one_due(&behind);
    let port = if start_tls { server.starttls_port() } else { server.tls_port() };
    let truth = |is_so| if is_so { "True" } else { "False" };
    for (name, value) in [
        ("EMAIL_PORT", &*port.to_string()),
        ("EMAIL_USE_TLS", truth(start_tls)),
        ("EMAIL_USE_SSL", truth(!start_tls)),
        ("EMAIL_HOST_USER", USER),
        ("EMAIL_HOST_PASSWORD", PASSWORD),
        ("ECHODESK_CA_FILE", &server.ca_file().display().to_string()),
        ("EMAIL_TIMEOUT", "20"),
    ] {
        world.set(name, value);
    }
    Some((server, behind, world))
}

#[test]
fn a_real_server_takes_notices_in_every_language() {
    for start_tls in [true, false] {
        let Some((server, behind, world)) = served(Shown::Valid, start_tls) else { return };
        for (tenant, language) in [("cola", "ka"), ("dona", "ru")] {
            world.subscribe(tenant, language, "2027-03-05");
        }
        let ran = world.run("2027-03-18").with_code(0);
        assert_eq!(ran.report["notices"]["delivered"], 3, "{ran:#?}\n{}", server.log());
        let mails = behind.mails();
        let mut languages: Vec<_> = mails.iter().filter_map(|mail| mail.header("Content-Language")).collect();
        languages.sort();
        assert_eq!(languages, ["en", "ka", "ru"]);
        for mail in &mails {
            assert!(mail.headers()[0].0 == "Received" && mail.has_proper_lines(), "{:#?}", mail.headers());
            assert!(mail.text().contains("EchoDesk") && mail.html().contains("EchoDesk"));
        }
        assert!(mails.iter().any(|mail| mail.subject().contains("შეჩერებულია")), "{mails:#?}");
        let logins = server.log().matches("Login: user=").count();
        assert_eq!((logins, server.log().matches("TLS").count() > 0), (1, true), "one connection: {}", server.log());
    }
}

#[test]
fn a_real_server_refuses_a_wrong_password() {
    for start_tls in [true, false] {
        let Some((_server, behind, mut world)) = served(Shown::Valid, start_tls) else { return };
        world.set("EMAIL_HOST_PASSWORD", "hunter2");
        let ran = world.run("2027-03-18").with_code(1);
        assert!(trouble(&ran).contains("535"), "{ran:#?}");
        assert!(!format!("{ran:?}").contains("hunter2"), "{ran:#?}");
        world.set("EMAIL_HOST_PASSWORD", PASSWORD);
        let _ = world.run("2027-03-18T10:00:00Z").with_code(0);
        assert_eq!(behind.count(), 1);
    }
}

#[test]
fn a_real_server_is_told_nothing_if_its_certificate_is_not_right() {
    for certificate in [Shown::OtherHost, Shown::SelfSigned] {
        let Some((server, behind, world)) = served(certificate, true) else { return };
        assert!(in_trouble(&world).to_lowercase().contains("certificate"));
        assert!(!server.log().contains("Login: user="), "{}", server.log());
        assert_eq!(behind.count(), 0);
    }
}

/// What the server behind refuses, Dovecot refuses in its stead.
#[test]
fn a_refusal_behind_a_real_server_reaches_us() {
    use echodesk_tests::sandbox::smtp::{Fault, Stage};
    let Some((_server, behind, world)) = served(Shown::Valid, true) else { return };
    behind.fail_at(Stage::Recipient, Fault::says("550 5.1.1 nobody of that name"));
    let ran = world.run("2027-03-18").with_code(1);
    assert_eq!((&ran.report["notices"]["parked"], behind.count()), (&1.into(), 0), "{ran:#?}");
    let listed = world.echodesk("2027-03-18", &["notices", "list", "--parked"]);
    assert!(listed.stdout.contains("nobody of that name"), "{listed:#?}");
}

//! Resolving, connecting, TLS, STARTTLS.

use std::sync::Arc;
use std::time::Duration;

use echodesk_core::{Secret, SystemClock};

use super::server::{Authority, Peer, TestServer, client, settings};
use crate::imap::{CheckStep, ExtraCa, ImapServer, ImapSettings, check_mailbox};
use crate::model::{Endpoint, Security};
use crate::ports::{MailServer, MailServerError, MailSession};

fn open(server: &ImapServer, endpoint: &Endpoint) -> Result<Box<dyn MailSession>, MailServerError> {
    server.open(endpoint, "user", &Secret::new("secret"), Duration::from_secs(20))
}

#[test]
fn a_name_without_an_address_cannot_be_resolved() {
    let endpoint = Endpoint { host: "no-such-host.invalid".to_owned(), port: 993, security: Security::Tls };
    assert!(matches!(open(&client(), &endpoint), Err(MailServerError::Resolve { host, .. }) if host == endpoint.host));
}

#[test]
fn a_port_that_nobody_listens_on_cannot_be_connected_to() {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    drop(listener);
    let endpoint = Endpoint { host: "127.0.0.1".to_owned(), port, security: Security::Tls };
    assert!(matches!(open(&client(), &endpoint), Err(MailServerError::Connect { .. })));
}

#[test]
fn a_certificate_for_another_host_is_refused() {
    let server = TestServer::elsewhere();
    let error = server.open().err().unwrap();
    assert!(matches!(&error, MailServerError::Tls { problem, .. } if problem.contains("another host")), "{error}");
    assert!(!error.is_untrusted_certificate());
    server.join();
}

#[test]
fn a_certificate_that_has_expired_is_refused() {
    let server = TestServer::expired();
    let error = server.open().err().unwrap();
    assert!(matches!(&error, MailServerError::Tls { problem, .. } if problem.contains("expired")), "{error}");
    assert!(error.is_untrusted_certificate());
    server.join();
}

#[test]
fn an_authority_that_is_not_trusted_is_refused() {
    for extra_ca in [None, Some(ExtraCa { path: "other.pem".into(), pem: Authority::new("another").pem.into_bytes() })]
    {
        let server = TestServer::clear(|peer| peer.secure());
        let client = ImapServer::new(ImapSettings { extra_ca, ..settings() }, Arc::new(SystemClock::new())).unwrap();
        let error = open(&client, &server.endpoint(Security::Tls)).err().unwrap();
        assert!(error.is_untrusted_certificate() && error.to_string().contains("trusted here"), "{error}");
        server.join();
    }
}

#[test]
fn a_server_that_speaks_no_tls_is_refused() {
    let server = TestServer::clear(|peer| {
        peer.say("* OK ready\r\n");
        peer.wait_for_end();
    });
    let error = server.open().err().unwrap();
    assert!(matches!(&error, MailServerError::Tls { problem, .. } if problem.contains("wants STARTTLS")), "{error}");
    server.join();

    let server = TestServer::clear(|peer| {
        peer.say("* OK [CAPABILITY IMAP4rev1 STARTTLS] ready\r\n");
        peer.answer("STARTTLS", "");
        // What the client says next is TLS, and no line.
        std::thread::sleep(Duration::from_millis(100));
        peer.say("* OK and now?\r\n");
        peer.wait_for_end();
    });
    let error = server.open_with(Security::StartTls, "user", "secret").err().unwrap();
    assert!(
        matches!(&error, MailServerError::Tls { problem, .. } if problem.contains("does not go on in TLS")),
        "{error}"
    );
    server.join();

    let server = TestServer::clear(|_| {});
    let error = server.open().err().unwrap();
    assert!(matches!(&error, MailServerError::Tls { problem, .. } if problem.contains("hung up")), "{error}");
    server.join();
}

#[test]
fn a_server_that_waits_for_tls_is_not_asked_for_it_in_the_clear() {
    let server = TestServer::clear(Peer::wait_for_end);
    let error = server.open_securely_within(Security::StartTls, 300, 20_000).err().unwrap();
    assert!(matches!(&error, MailServerError::Timeout { .. }), "{error}");
    assert!(error.to_string().contains("the port may speak TLS from the start"), "{error}");
    server.join();
}

#[test]
fn a_file_of_authorities_that_holds_none_is_named() {
    for pem in [&b""[..], b"hello", b"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"] {
        let extra_ca = Some(ExtraCa { path: "/etc/mail/ca.pem".into(), pem: pem.to_vec() });
        let settings = ImapSettings { extra_ca, ..ImapSettings::default() };
        let error = ImapServer::new(settings, Arc::new(SystemClock::new())).unwrap_err();
        assert!(error.to_string().contains("/etc/mail/ca.pem"), "{error}");
    }
}

#[test]
fn a_file_may_hold_several_authorities() {
    let mut settings = settings();
    let extra_ca = settings.extra_ca.as_mut().unwrap();
    extra_ca.pem.splice(0..0, Authority::new("another").pem.into_bytes());
    let server = TestServer::logged_in("", |peer| peer.wait_for_end());
    let client = ImapServer::new(settings, Arc::new(SystemClock::new())).unwrap();
    open(&client, &server.endpoint(Security::Tls)).unwrap().logout();
    server.join();
}

#[test]
fn starttls_comes_before_anything_else() {
    for capabilities in ["[CAPABILITY IMAP4rev1 STARTTLS LOGINDISABLED] ", ""] {
        let server = TestServer::clear(move |peer| {
            peer.say(format!("* OK {capabilities}ready\r\n"));
            if capabilities.is_empty() {
                peer.answer("CAPABILITY", "* CAPABILITY IMAP4rev1 STARTTLS LOGINDISABLED\r\n");
            }
            peer.answer("STARTTLS", "");
            peer.secure();
            peer.hear("LOGIN \"user\" \"secret\"");
            peer.end("OK [CAPABILITY IMAP4rev1] logged in");
            peer.answer("LIST \"\" \"*\"", "* LIST () \"/\" INBOX\r\n");
            peer.wait_for_end();
        });
        let mut session = server.open_with(Security::StartTls, "user", "secret").unwrap();
        assert_eq!(session.folders().unwrap().len(), 1);
        session.logout();
        server.join();
    }
}

#[test]
fn a_server_without_starttls_is_told_nothing() {
    for (greeting, capabilities) in [
        ("* OK [CAPABILITY IMAP4rev1 AUTH=PLAIN] ready\r\n", None),
        ("* OK ready\r\n", Some("* CAPABILITY IMAP4rev1\r\n")),
        ("* PREAUTH [CAPABILITY IMAP4rev1 STARTTLS] welcome\r\n", None),
    ] {
        let server = TestServer::clear(move |peer| {
            peer.say(greeting);
            if let Some(capabilities) = capabilities {
                peer.answer("CAPABILITY", capabilities);
            }
            assert_eq!(peer.hear_line(), "", "the client hangs up");
        });
        let error = server.open_with(Security::StartTls, "user", "secret").err().unwrap();
        assert!(matches!(error, MailServerError::NoStartTls { .. }), "{error}");
        server.join();
    }
}

#[test]
fn a_refused_starttls_is_no_reason_to_go_on_in_the_clear() {
    let server = TestServer::clear(|peer| {
        peer.say("* OK [CAPABILITY IMAP4rev1 STARTTLS] ready\r\n");
        peer.hear("STARTTLS");
        peer.end("NO not today");
        assert_eq!(peer.hear_line(), "", "the client hangs up");
    });
    let error = server.open_with(Security::StartTls, "user", "secret").err().unwrap();
    assert!(matches!(&error, MailServerError::NoStartTls { problem, .. } if problem.contains("not today")), "{error}");
    server.join();
}

#[test]
fn what_is_slipped_in_before_the_handshake_is_an_attack() {
    let server = TestServer::clear(|peer| {
        peer.say("* OK [CAPABILITY IMAP4rev1 STARTTLS] ready\r\n");
        peer.hear("STARTTLS");
        let injected = format!("{} OK go on\r\n* CAPABILITY IMAP4rev1 INJECTED\r\n", peer.tag());
        peer.say(injected);
        peer.wait_for_end();
    });
    let error = server.open_with(Security::StartTls, "user", "secret").err().unwrap();
    assert!(
        matches!(&error, MailServerError::NoStartTls { problem, .. } if problem.contains("in the clear")),
        "{error}"
    );
    server.join();
}

#[test]
fn a_check_names_the_step_that_failed() {
    let check = |endpoint: &Endpoint| {
        check_mailbox(&client(), endpoint, "user", &Secret::new("secret"), Duration::from_secs(20))
    };
    let nowhere = Endpoint { host: "no-such-host.invalid".to_owned(), port: 993, security: Security::Tls };
    assert_eq!(check(&nowhere).unwrap_err().step, CheckStep::Resolve);

    let server = TestServer::elsewhere();
    assert_eq!(check(&server.endpoint(Security::Tls)).unwrap_err().step, CheckStep::Secure);

    let server = TestServer::clear(|_| {});
    assert_eq!(check(&server.endpoint(Security::Tls)).unwrap_err().step, CheckStep::Secure, "it hangs up");

    let server = TestServer::tls(|_| {});
    assert_eq!(check(&server.endpoint(Security::Tls)).unwrap_err().step, CheckStep::LogIn, "it hangs up later");

    let server = TestServer::logged_in("", |peer| {
        peer.hear("LIST");
        peer.end("NO no");
    });
    assert_eq!(check(&server.endpoint(Security::Tls)).unwrap_err().step, CheckStep::List);

    let server = TestServer::logged_in("", |peer| {
        peer.answer("LIST", "* LIST () \"/\" INBOX\r\n");
        assert_eq!(peer.hear("LOGOUT"), "LOGOUT");
    });
    assert_eq!(check(&server.endpoint(Security::Tls)).unwrap().len(), 1);
    server.join();
}

//! The way to the mail server: TLS, log-in, and what is done without them.

use echodesk_tests::sandbox::smtp::{Behaviour, Extension, Login, SandboxSmtp, Shown};

use crate::payments::run::Ran;
use crate::status::world::{Place, StatusWorld};

/// An installation in which one suspension is due, and whose notices go to this server.
pub(super) fn one_due(server: &SandboxSmtp) -> StatusWorld {
    let mut world = StatusWorld::new(Place::Sqlite).unwrap();
    world.subscribe("bell", "en", "2027-03-05");
    for (name, value) in server.settings() {
        world.set(name, &value);
    }
    world.set("EMAIL_TIMEOUT", "2");
    world
}

/// A run that decides and suspends, and could deliver nothing. Returns why.
pub(super) fn in_trouble(world: &StatusWorld) -> String {
    trouble(&world.run("2027-03-18").with_code(1))
}

pub(super) fn trouble(ran: &Ran) -> String {
    let notices = &ran.report["notices"];
    assert_eq!((&notices["delivered"], &notices["parked"], &notices["queued"]), (&0.into(), &0.into(), &1.into()));
    let trouble = notices["trouble"].as_str().unwrap_or_else(|| panic!("no trouble: {ran:#?}")).to_owned();
    assert!(ran.ended.stdout.contains(&trouble), "people are told too: {ran:#?}");
    assert!(!trouble.contains('\n'), "{trouble}");
    trouble
}

#[test]
fn every_way_to_log_in_and_to_speak_tls_is_taken() {
    let login = || Login::new("noreply@echodesk.example", "p:a s$w\"ö=rd");
    let only = |mechanism| Login { mechanisms: vec![mechanism], ..login() };
    for login in [None, Some(login()), Some(only("PLAIN")), Some(only("LOGIN"))] {
        for start_tls in [true, false] {
            let behaviour = Behaviour { wants_tls: true, login: login.clone(), ..Behaviour::default() };
            let server = SandboxSmtp::start(behaviour);
            let mut world = one_due(&server);
            if !start_tls {
                world.set("EMAIL_PORT", &server.tls_port().to_string());
                world.set("EMAIL_USE_TLS", "False");
                world.set("EMAIL_USE_SSL", "True");
            }
            let _ = world.run("2027-03-18").with_code(0);
            let mails = server.mails();
            assert_eq!(mails.len(), 1, "{login:?} {start_tls}");
            assert!(mails[0].secure, "{login:?} {start_tls}");
            assert_eq!(mails[0].user, login.as_ref().map(|login| login.user.clone()));
        }
    }
}

#[test]
fn nothing_is_said_to_a_server_that_is_not_who_it_says_it_is() {
    for certificate in [Shown::OtherHost, Shown::SelfSigned] {
        for start_tls in [true, false] {
            let behaviour = Behaviour { certificate, ..Behaviour::default().with_login(Login::new("u", "hunter2")) };
            let server = SandboxSmtp::start(behaviour);
            let mut world = one_due(&server);
            if !start_tls {
                world.set("EMAIL_PORT", &server.tls_port().to_string());
                world.set("EMAIL_USE_TLS", "False");
                world.set("EMAIL_USE_SSL", "True");
            }
            let trouble = in_trouble(&world);
            assert!(trouble.to_lowercase().contains("certificate"), "{certificate:?}: {trouble}");
            assert!(
                !server.log().iter().any(|line| line.starts_with("AUTH") || line.starts_with("MAIL")),
                "{certificate:?}"
            );
        }
    }
    // Whom nobody has told us to trust.
    let server = SandboxSmtp::start(Behaviour::default());
    let mut world = one_due(&server);
    world.settings.retain(|(name, _)| *name != "ECHODESK_CA_FILE");
    assert!(in_trouble(&world).to_lowercase().contains("certificate"));
    world.set("ECHODESK_CA_FILE", &server.ca_file().display().to_string());
    let _ = world.run("2027-03-18T10:00:00Z").with_code(0);
    assert_eq!(server.count(), 1, "the notice has waited");
}

#[test]
fn starttls_that_is_not_offered_is_no_reason_to_go_on_in_plain_text() {
    let server =
        SandboxSmtp::start(Behaviour::default().without(Extension::StartTls).with_login(Login::new("u", "hunter2")));
    let mut world = one_due(&server);
    world.set("EMAIL_USE_TLS", "True");
    let trouble = in_trouble(&world);
    assert!(trouble.to_uppercase().contains("STARTTLS") || trouble.contains("TLS"), "{trouble}");
    assert!(
        !server.log().iter().any(|line| line.starts_with("AUTH") || line.starts_with("MAIL")),
        "{:?}",
        server.log()
    );
}

#[test]
fn a_wrong_password_is_told_without_the_password_and_parks_nothing() {
    let server = SandboxSmtp::start(Behaviour::default().with_login(Login::new("u", "right")));
    let mut world = one_due(&server);
    world.set("EMAIL_HOST_PASSWORD", "hunter2");
    let ran = world.run("2027-03-18").with_code(1);
    let trouble = trouble(&ran);
    assert!(trouble.contains("535"), "{trouble}");
    assert!(!format!("{ran:?}").contains("hunter2") && !format!("{ran:?}").contains("aHVudGVyMg"), "{ran:#?}");
    world.set("EMAIL_HOST_PASSWORD", "right");
    let _ = world.run("2027-03-18T10:00:00Z").with_code(0);
    assert_eq!(server.count(), 1);
    // A server that knows nobody, while we have a name.
    let open = SandboxSmtp::start(Behaviour::default());
    let mut world = one_due(&open);
    world.set("EMAIL_HOST_USER", "u");
    world.set("EMAIL_HOST_PASSWORD", "hunter2");
    let _ = in_trouble(&world);
}

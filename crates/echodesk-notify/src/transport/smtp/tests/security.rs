//! Connecting, TLS and log-in.

use super::server::{AUTHORITY, Tls};
use super::*;
use crate::testing::mail;

fn trusting(server: &Server, security: SmtpSecurity) -> SmtpSettings {
    SmtpSettings { security, ca_file: Some(AUTHORITY.file.path().to_owned()), ..settings(server) }
}

async fn why_not(settings: SmtpSettings) -> String {
    connect(settings).await.unwrap_err().0
}

#[tokio::test]
async fn mails_go_over_tls_of_both_kinds_with_a_log_in() {
    for (tls, security) in [(Tls::Implicit, SmtpSecurity::Tls), (Tls::Upgrade, SmtpSecurity::StartTls)] {
        let server = Server::start(tls, |_| None).await;
        let settings = SmtpSettings { credentials: Some(credentials()), ..trusting(&server, security) };
        let mut session = connect(settings).await.unwrap();
        session.send(&mail("one", "1", "1")).await.unwrap();
        session.quit().await;
        let heard = server.heard();
        // "\0jobs\0hunter2"
        assert!(heard.contains(&"AUTH PLAIN AGpvYnMAaHVudGVyMg==".to_owned()), "{heard:?}");
        assert_eq!(heard.last().map(String::as_str), Some("QUIT"));
        let in_the_clear = heard.iter().position(|line| line == "STARTTLS");
        assert_eq!(in_the_clear, (tls == Tls::Upgrade).then_some(1), "{heard:?}");
    }
}

#[tokio::test]
async fn log_in_also_works_with_login() {
    let server = Server::start(Tls::None, |line| match line {
        "AUTH LOGIN" => Some("334 VXNlcm5hbWU6"),
        "am9icw==" => Some("334 UGFzc3dvcmQ6"),
        "aHVudGVyMg==" => Some("235 welcome"),
        line if line.starts_with("EHLO") => Some("250-tests\r\n250 AUTH LOGIN"),
        _ => None,
    })
    .await;
    connect(SmtpSettings { credentials: Some(credentials()), ..settings(&server) }).await.unwrap();
    assert_eq!(server.heard().last().map(String::as_str), Some("aHVudGVyMg=="));
}

#[tokio::test]
async fn certificates_are_always_verified() {
    let server = Server::start(Tls::Implicit, |_| None).await;
    let why = why_not(SmtpSettings { security: SmtpSecurity::Tls, ..settings(&server) }).await;
    assert!(why.contains("not trusted") && why.contains("ECHODESK_CA_FILE"), "{why}");
    let server = Server::start(Tls::Upgrade, |_| None).await;
    let why = why_not(SmtpSettings { security: SmtpSecurity::StartTls, ..settings(&server) }).await;
    assert!(why.contains("not trusted"), "{why}");
    let server = Server::start(Tls::Elsewhere, |_| None).await;
    let why = why_not(trusting(&server, SmtpSecurity::StartTls)).await;
    assert!(why.contains("for another host"), "{why}");
    assert!(!server.heard().iter().any(|line| line.starts_with("AUTH")));
}

#[tokio::test]
async fn tls_that_is_wanted_is_never_done_without() {
    let server = Server::start(Tls::None, |_| None).await;
    let why = why_not(trusting(&server, SmtpSecurity::StartTls)).await;
    assert!(why.contains("does not offer STARTTLS") && why.contains("EMAIL_USE_TLS"), "{why}");
    let why = why_not(trusting(&server, SmtpSecurity::Tls)).await;
    assert!(why.contains("does not speak TLS on this port"), "{why}");
    assert!(!server.heard().iter().any(|line| line.starts_with("MAIL") || line.starts_with("AUTH")));
}

#[tokio::test]
async fn what_is_said_in_the_clear_after_starttls_is_not_believed() {
    let server = Server::start(Tls::Injected, |_| None).await;
    let why = why_not(trusting(&server, SmtpSecurity::StartTls)).await;
    assert!(why.contains("in the clear") || why.contains("TLS"), "{why}");
    assert_eq!(server.heard().last().map(String::as_str), Some("STARTTLS"), "nothing was said after it");
}

#[tokio::test]
async fn a_log_in_that_is_refused_says_so_without_the_password() {
    for (answer, words) in [
        ("535 5.7.8 wrong password", "log-in refused: 535 5.7.8 wrong password"),
        ("454 try later", "log-in refused: 454 try later"),
        ("502 what is AUTH PLAIN AGpvYnMAaHVudGVyMg==", "log-in refused: 502"),
        ("CLOSE", "lost during log-in"),
        ("HANG", "(log-in)"),
    ] {
        let server = Server::start(Tls::None, move |line| line.starts_with("AUTH").then_some(answer)).await;
        let why = why_not(SmtpSettings { credentials: Some(credentials()), ..settings(&server) }).await;
        assert!(why.contains(words) && !why.contains("AGpvYnMAaHVudGVyMg"), "{why}");
        assert!(why.starts_with(&format!("mail server localhost:{}: ", server.port)), "{why}");
    }
    let server =
        Server::start(Tls::None, |line| line.starts_with("EHLO").then_some("250-tests\r\n250 AUTH GSSAPI")).await;
    let why = why_not(SmtpSettings { credentials: Some(credentials()), ..settings(&server) }).await;
    assert!(why.contains("no way to log in"), "{why}");
}

#[tokio::test]
async fn a_server_that_does_not_greet_is_down() {
    for (to, answer, words) in [
        ("GREETING", "554 no service here", "554 no service here (greeting)"),
        ("GREETING", "421 too many connections", "421 too many connections (greeting)"),
        ("GREETING", "HANG", "no answer within 500ms (greeting)"),
        ("GREETING", "CLOSE", "hung up"),
        ("EHLO", "550 who are you?", "550 who are you?"),
    ] {
        let server = Server::start(Tls::Upgrade, move |line| line.starts_with(to).then_some(answer)).await;
        for security in [SmtpSecurity::None, SmtpSecurity::StartTls] {
            let why = why_not(trusting(&server, security)).await;
            let words = if security == SmtpSecurity::None { words } else { words.trim_end_matches(" (greeting)") };
            assert!(why.contains(words), "{to} {answer}: {why}");
        }
    }
}

#[tokio::test]
async fn a_server_that_is_not_there_is_down() {
    let port = {
        let listener = std::net::TcpListener::bind("localhost:0").unwrap();
        listener.local_addr().unwrap().port()
    };
    let gone = Server::start(Tls::None, |_| None).await;
    let why = why_not(SmtpSettings { port, ..settings(&gone) }).await;
    assert!(why.contains("cannot connect"), "{why}");
    let why = why_not(SmtpSettings { host: "mail.invalid".to_owned(), ..settings(&gone) }).await;
    assert!(why.contains("its address cannot be found") || why.contains("no answer within"), "{why}");
}

#[tokio::test]
async fn a_probe_logs_in_says_goodbye_and_sends_nothing() {
    let server = Server::start(Tls::Upgrade, |_| None).await;
    let settings = SmtpSettings { credentials: Some(credentials()), ..trusting(&server, SmtpSecurity::StartTls) };
    SmtpTransport::new(settings).unwrap().probe().await.unwrap();
    let heard = server.heard();
    assert!(heard.iter().any(|line| line.starts_with("AUTH PLAIN")), "{heard:?}");
    assert!(!heard.iter().any(|line| line.starts_with("MAIL")), "{heard:?}");
    assert_eq!(heard.last().map(String::as_str), Some("QUIT"));
}

#[tokio::test]
async fn a_probe_tells_by_its_kind_what_stands_in_the_way() {
    use SmtpObstacle::{Connect, Greeting, LogIn, NoStartTls, Resolve, Tls as Untrusted};
    use SmtpSecurity as Security;
    let probed = async |settings: SmtpSettings| SmtpTransport::new(settings).unwrap().probe().await.unwrap_err();
    let plain = Server::start(Tls::None, |_| None).await;
    let closed = Server::start(Tls::None, |line| line.starts_with("GREETING").then_some("554 go away")).await;
    let strict = Server::start(Tls::None, |line| line.starts_with("AUTH").then_some("535 no")).await;
    let other = Server::start(Tls::Elsewhere, |_| None).await;
    let nobody = SmtpSettings { port: 1, ..settings(&plain) };
    let table = [
        (SmtpSettings { host: "mail.invalid".to_owned(), ..settings(&plain) }, Resolve),
        (nobody, Connect),
        (trusting(&plain, Security::StartTls), NoStartTls),
        (trusting(&plain, Security::Tls), Untrusted),
        (trusting(&other, Security::StartTls), Untrusted),
        (settings(&closed), Greeting),
        (trusting(&closed, Security::StartTls), Greeting),
        (SmtpSettings { credentials: Some(credentials()), ..settings(&strict) }, LogIn),
    ];
    for (settings, obstacle) in table {
        let error = probed(settings.clone()).await;
        assert!(error.obstacle == obstacle && !error.why.contains("hunter2"), "{settings:?}: {error:?}");
    }
}

//! The sandbox mail server is itself right, where it is not asked to be wrong.

mod client;

use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use client::Client;
use echodesk_core::{Clock as _, SystemClock};
use echodesk_tests::sandbox::smtp::{Behaviour, Extension, Fault, Login, SandboxSmtp, Shown, Stage, Wrong};

const MAIL: &str = "From: a@example.com\r\nTo: =?utf-8?B?4YOc4YOY4YOc4YOd?= <b@example.com>\r\nSubject: =?utf-8?Q?=D0=BE=D0=BA?=\r\n\
    Message-ID: <1@x>\r\nX-Long: one\r\n two\r\nContent-Type: text/plain; charset=utf-8\r\n\
    Content-Transfer-Encoding: base64\r\n\r\n4YOS4YOQ4YOb4YOQ4YOg4YOv4YOd4YOR4YOQ";

fn greeted(behaviour: Behaviour) -> (SandboxSmtp, Client) {
    let server = SandboxSmtp::start(behaviour);
    let (mut client, greeting) = Client::connect(&server);
    assert!(greeting.starts_with("220 "), "{greeting}");
    assert!(client.ask("EHLO test").starts_with("250"), "it knows EHLO");
    (server, client)
}

#[test]
fn a_session_from_greeting_to_goodbye() {
    let server = SandboxSmtp::start(Behaviour::default());
    let (mut client, _) = Client::connect(&server);
    assert!(client.ask("MAIL FROM:<a@example.com>").starts_with("503"), "not before EHLO");
    let offered = client.ask("EHLO test");
    for extension in ["PIPELINING", "8BITMIME", "SMTPUTF8", "SIZE 10485760", "ENHANCEDSTATUSCODES", "STARTTLS"] {
        assert!(offered.contains(extension), "{offered}");
    }
    assert!(!offered.contains("AUTH"), "{offered}");
    assert!(client.ask("RCPT TO:<b@example.com>").starts_with("503"));
    assert!(client.ask("DATA").starts_with("503"));
    assert!(client.mail("b@example.com", MAIL).starts_with("250 2.0.0 taken as 1"));
    assert!(client.mail("c@example.com", "Subject: two\r\n\r\n..dot\r\n..\r\nend").starts_with("250 2.0.0 taken as 2"));
    assert!(client.ask("QUIT").starts_with("221"));
    assert_eq!(client.answer(), "", "closed");

    let mails = server.mails();
    let first = &mails[0];
    assert_eq!((first.from.as_str(), &first.to[..]), ("a@example.com", &["b@example.com".to_owned()][..]));
    assert_eq!((first.secure, first.user.as_deref(), first.connection), (false, None, 1));
    assert_eq!(first.recipient(), Some(("ნინო".to_owned(), "b@example.com".to_owned())));
    assert_eq!((first.subject().as_str(), first.text().as_str()), ("ок", "გამარჯობა"));
    assert_eq!((first.message_id().as_str(), first.header("x-long").as_deref()), ("<1@x>", Some("one two")));
    assert!(first.has_proper_lines() && first.bytes == format!("{MAIL}\r\n").into_bytes());
    assert_eq!(mails[1].bytes, b"Subject: two\r\n\r\n.dot\r\n.\r\nend\r\n", "dots are taken off");
    assert!(SystemClock::new().now().duration_since(first.at).as_secs() < 60);
    assert_eq!(server.mails_since(1), mails[1..]);
}

#[test]
fn commands_may_come_all_at_once() {
    let (server, mut client) = greeted(Behaviour::default());
    for number in 0..3 {
        client.send(b"MAIL FROM:<a@x>\r\nRCPT TO:<b@x>\r\nDATA\r\n");
        client.send(format!("Subject: {number}\r\n\r\ntext\r\n.\r\nNOOP\r\n").as_bytes());
    }
    let answers: Vec<String> = (0..15).map(|_| client.answer().chars().take(3).collect()).collect();
    assert_eq!(answers.chunks(5).collect::<Vec<_>>(), [&["250", "250", "354", "250", "250"][..]; 3]);
    let subjects: Vec<String> = server.mails().iter().map(|mail| mail.subject()).collect();
    assert_eq!(subjects, ["0", "1", "2"]);
}

#[test]
fn what_was_not_offered_is_refused() {
    let plain = Behaviour { extensions: Vec::new(), ..Behaviour::default() };
    let (_server, mut client) = greeted(plain);
    for parameter in ["BODY=8BITMIME", "SMTPUTF8", "SIZE=100"] {
        assert!(client.ask(&format!("MAIL FROM:<a@x> {parameter}")).starts_with("555"), "{parameter}");
    }
    assert!(client.ask("STARTTLS").starts_with("502"));
    assert!(client.ask("AUTH PLAIN AAA=").starts_with("503"));
    assert!(client.ask("MAIL FROM:<ნინო@x>").starts_with("553"));
    assert!(client.ask("MAIL FROM:<a@x>").starts_with("250"));
    assert!(client.ask("RCPT TO:<ნინო@x>").starts_with("553"));

    let (server, mut client) = greeted(Behaviour { max_size: 1000, ..Behaviour::default() });
    assert!(client.ask("MAIL FROM:<a@x> SMTPUTF8 BODY=8BITMIME SIZE=10").starts_with("250"));
    assert!(client.ask("RCPT TO:<ნინო@x>").starts_with("250"));
    assert!(client.ask("RSET").starts_with("250"));
    assert!(client.mail("b@x", &"0123456789\r\n".repeat(20_000)).starts_with("552"), "too long");
    assert!(client.mail("b@x", "short").starts_with("250"), "and goes on");
    assert_eq!(server.count(), 1);
}

#[test]
fn a_log_in_wants_tls_and_the_right_password() {
    let login = Login::new("user@example.com", "pass word");
    let behaviour = Behaviour { wants_tls: true, ..Behaviour::default().with_login(login) };
    let (server, mut client) = greeted(behaviour);
    assert!(client.ask("MAIL FROM:<a@x>").starts_with("530"), "TLS first");
    assert!(client.log_in_plain("user@example.com", "pass word").starts_with("538"));
    // What is smuggled in before TLS is forgotten.
    client.send(b"STARTTLS\r\nNOOP\r\n");
    assert!(client.answer().starts_with("220"));
    let mut client = client.secured(&server);
    assert!(client.ask("MAIL FROM:<a@x>").starts_with("503"), "EHLO again");
    let offered = client.ask("EHLO test");
    assert!(offered.contains("AUTH PLAIN LOGIN") && !offered.contains("STARTTLS"), "{offered}");
    assert!(client.ask("MAIL FROM:<a@x>").starts_with("530"), "log in first");
    assert!(client.log_in_plain("user@example.com", "wrong").starts_with("535"));
    assert!(client.ask("AUTH CRAM-MD5").starts_with("504"));
    assert!(client.ask("AUTH LOGIN").starts_with("334"));
    assert!(client.ask(&STANDARD.encode("user@example.com")).starts_with("334"));
    assert!(client.ask(&STANDARD.encode("pass word")).starts_with("235"));
    assert!(client.mail("b@x", MAIL).starts_with("250"));
    assert_eq!((server.mails()[0].secure, server.mails()[0].user.as_deref()), (true, Some("user@example.com")));

    let mut client = Client::connect_tls(&server).unwrap();
    assert!(client.ask("EHLO test").contains("AUTH"));
    assert!(client.ask("AUTH PLAIN").starts_with("334"));
    assert!(client.ask(&STANDARD.encode("\0user@example.com\0pass word")).starts_with("235"));
    assert!(client.mail("b@x", MAIL).starts_with("250"));
    let log = server.log().join("\n");
    assert!(!log.contains("pass") && !log.contains(&STANDARD.encode("pass word")), "{log}");
}

#[test]
fn certificates_are_wrong_on_demand() {
    for (certificate, is_right) in [(Shown::Valid, true), (Shown::OtherHost, false), (Shown::SelfSigned, false)] {
        let server = SandboxSmtp::start(Behaviour { certificate, ..Behaviour::default() });
        assert_eq!(Client::connect_tls(&server).is_ok(), is_right, "{certificate:?}");
    }
}

#[test]
fn each_stage_goes_wrong_on_demand() {
    let stages =
        [Stage::Hello, Stage::StartTls, Stage::Auth, Stage::MailFrom, Stage::Recipient, Stage::Data, Stage::Message];
    for stage in stages {
        let server = SandboxSmtp::start(Behaviour::default());
        server.fail_next(stage, 1, &Fault::says("450 4.3.0 later"));
        let (mut client, _) = Client::connect(&server);
        let mut answers = vec![client.ask("EHLO test")];
        if stage == Stage::Hello {
            answers.push(client.ask("EHLO test"));
        }
        if stage == Stage::StartTls {
            answers.push(client.ask("STARTTLS"));
        }
        if stage == Stage::Auth {
            answers.push(client.log_in_plain("a", "b"));
        }
        answers.push(client.mail("b@x", MAIL));
        assert_eq!(answers.iter().filter(|answer| *answer == "450 4.3.0 later").count(), 1, "{stage:?} {answers:?}");
        assert!(client.ask("RSET").starts_with("250"));
        assert!(client.mail("b@x", MAIL).starts_with("250"), "{stage:?}: once only");
    }
    let server = SandboxSmtp::start(Behaviour::default());
    server.fail_next(Stage::Greeting, 1, &Fault::says("554 5.3.2 nobody is served"));
    assert_eq!(Client::connect(&server).1, "554 5.3.2 nobody is served");
    server.fail_next(Stage::Greeting, 1, &Fault::Before(Wrong::HangsUp));
    assert_eq!(Client::connect(&server).1, "");
}

#[test]
fn a_mail_is_taken_or_not_before_the_server_hangs_up() {
    for (fault, taken) in [(Fault::Before(Wrong::HangsUp), 0), (Fault::After(Wrong::HangsUp), 1)] {
        let (server, mut client) = greeted(Behaviour::default());
        server.fail_next(Stage::Message, 1, &fault);
        assert_eq!((client.mail("b@x", MAIL).as_str(), server.count()), ("", taken), "{fault:?}");
    }
    let (server, mut client) = greeted(Behaviour::default());
    server.fail_at(Stage::Content, Fault::Before(Wrong::HangsUp));
    assert_eq!((client.mail("b@x", MAIL).as_str(), server.count()), ("", 0));
}

#[test]
fn a_server_stalls_is_slow_ends_the_session_and_goes_away() {
    let (server, mut client) = greeted(Behaviour { mails_per_connection: Some(2), ..Behaviour::default() });
    server.fail_next(Stage::Message, 1, &Fault::Late(Duration::from_millis(150)));
    let clock = SystemClock::new();
    assert!(client.mail("b@x", MAIL).starts_with("250"));
    assert!(clock.elapsed() >= Duration::from_millis(150));
    assert!(client.mail("b@x", MAIL).starts_with("250"));
    assert_eq!(client.answer(), "", "two are enough");

    let (mut client, _) = Client::connect(&server);
    client.ask("EHLO test");
    server.fail_at(Stage::MailFrom, Fault::says("421 4.3.2 closing"));
    assert_eq!((client.ask("MAIL FROM:<a@x>").as_str(), client.answer().as_str()), ("421 4.3.2 closing", ""));

    let (mut client, _) = Client::connect(&server);
    server.fail_at(Stage::Hello, Fault::After(Wrong::Stalls));
    client.send(b"EHLO test\r\n");
    assert!(client.is_left_waiting(Duration::from_millis(150)));

    server.set_away(true);
    assert_eq!(Client::connect(&server).1, "");
    server.set_away(false);
    server.work_well();
    assert!(Client::connect(&server).1.starts_with("220"));
}

#[test]
fn rules_see_who_is_written_to() {
    let (server, mut client) = greeted(Behaviour::default());
    server.fail_when(|point| {
        let refused = point.stage == Stage::Recipient && point.to.last().is_some_and(|to| to == "no@x");
        refused.then(|| Fault::says("550 5.1.1 nobody"))
    });
    assert_eq!(client.mail("no@x", MAIL), "550 5.1.1 nobody");
    assert!(client.ask("DATA").starts_with("503"), "there is no recipient");
    assert!(client.ask("RCPT TO:<yes@x>").starts_with("250"));
    assert!(client.ask("DATA").starts_with("354"));
    assert!(client.ask("Subject: x\r\n\r\n.").starts_with("250"));
    assert_eq!(server.mails()[0].to, ["yes@x"]);
}

#[test]
fn settings_name_the_way_in() {
    let login = Login::new("u", "p");
    let server = SandboxSmtp::start(Behaviour::default().without(Extension::StartTls).with_login(login));
    let settings = server.settings();
    assert!(settings.contains(&("EMAIL_USE_TLS", "False".to_owned())), "{settings:?}");
    assert!(settings.contains(&("EMAIL_HOST_PASSWORD", "p".to_owned())), "{settings:?}");
    let (mut client, _) = Client::connect(&server);
    assert!(client.ask("EHLO test").contains("AUTH PLAIN LOGIN"), "where there is no TLS at all");
    assert!(client.log_in_plain("u", "p").starts_with("235"));
}

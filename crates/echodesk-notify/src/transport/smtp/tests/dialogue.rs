//! What is said, and what each answer means.

use super::server::Tls;
use super::*;
use crate::mail::Mail;
use crate::testing::mail;

/// Sends two mails over one connection to a server that says `answer` to the first line that starts with `to`.
async fn two_mails(to: &'static str, answer: &'static str) -> (Server, [Result<(), SendError>; 2]) {
    let once = std::sync::atomic::AtomicBool::new(true);
    let server = Server::start(Tls::None, move |line| {
        let is_it = line.starts_with(to) && once.swap(false, std::sync::atomic::Ordering::SeqCst);
        is_it.then_some(answer)
    })
    .await;
    let mut session = connect(settings(&server)).await.unwrap();
    let results = [session.send(&mail("one", "1", "1")).await, session.send(&mail("two", "2", "2")).await];
    session.quit().await;
    (server, results)
}

#[tokio::test]
async fn many_mails_go_over_one_connection_and_arrive_as_they_are() {
    let server = Server::start(Tls::None, |_| None).await;
    let mut session = connect(settings(&server)).await.unwrap();
    let first = mail("one", "A line\n.\n..two dots\n.hidden\n", "<p>.</p>");
    let second = mail("two", "2", "2");
    session.send(&first).await.unwrap();
    session.send(&second).await.unwrap();
    session.quit().await;
    let heard = server.heard();
    let commands: Vec<&str> = heard.iter().skip(1).map(|line| line.split(':').next().unwrap()).collect();
    assert_eq!(commands.len(), 9, "{commands:?}");
    assert_eq!(heard.first().unwrap().split(' ').next(), Some("EHLO"));
    assert_eq!(heard[1], "MAIL FROM:<noreply@echodesk.example>");
    assert_eq!(heard[2], "RCPT TO:<admin1@acme.example>");
    assert_eq!((heard[3].as_str(), heard[7].as_str(), heard[9].as_str()), ("DATA", "DATA", "QUIT"));
    // A server takes one dot off each line that begins with one.
    let arrived: Vec<&str> = heard[4].split("\r\n").map(|line| line.strip_prefix('.').unwrap_or(line)).collect();
    assert_eq!(format!("{}\r\n", arrived.join("\r\n")), String::from_utf8(first.bytes).unwrap());
    assert!(heard[4].contains("\r\n..\r\n...two dots\r\n..hidden"), "{}", heard[4]);
}

#[tokio::test]
async fn each_refusal_means_what_it_says_and_the_connection_goes_on() {
    for (to, answer, refused, words) in [
        ("RCPT", "550 5.1.1 user unknown", true, "550 5.1.1 user unknown (after RCPT TO)"),
        ("RCPT", "450-4.2.1 full\r\n450 4.2.1 try later", false, "450 4.2.1 full try later (after RCPT TO)"),
        ("DATA", "554 no", true, "554 no (after DATA)"),
        ("DATA", "451 later", false, "451 later (after DATA)"),
        ("From", "552 5.3.4 too big", true, "552 5.3.4 too big (after the mail's content)"),
        ("From", "452 4.3.1 disk full", false, "452 4.3.1 disk full (after the mail's content)"),
    ] {
        let (server, [first, second]) = two_mails(to, answer).await;
        let expected = if refused { SendError::Refused(words.to_owned()) } else { SendError::NotNow(words.to_owned()) };
        assert_eq!((first, second), (Err(expected), Ok(())), "{to} {answer}");
        assert_eq!(server.heard().iter().filter(|line| *line == "RSET").count(), 1);
    }
}

#[tokio::test]
async fn what_is_about_us_is_no_mails_fault() {
    for (to, answer) in [
        ("MAIL", "550 5.7.1 sender refused"),
        ("MAIL", "451 too many mails"),
        ("MAIL", "CLOSE"),
        ("MAIL", "HANG"),
        ("MAIL", "nonsense"),
        ("MAIL", "421 shutting down"),
        ("RCPT", "530 5.7.0 log in first"),
        ("DATA", "538 encryption needed"),
    ] {
        let (_, [first, second]) = two_mails(to, answer).await;
        assert!(matches!(first, Err(SendError::Down(_))), "{to} {answer}: {first:?}");
        assert!(matches!(second, Err(SendError::Down(_))), "{to} {answer}: {second:?}");
    }
}

#[tokio::test]
async fn a_connection_that_is_lost_over_a_mail_may_have_delivered_it_once_its_content_was_sent() {
    for (to, answer, in_doubt, words) in [
        ("RCPT", "CLOSE", false, "hung up"),
        ("RCPT", "421 shutting down", false, "421 shutting down"),
        ("DATA", "HANG", false, "no answer within"),
        ("DATA", "421 shutting down", false, "421 shutting down"),
        ("DATA", "250 what?", false, "makes no sense"),
        ("From", "421 shutting down", false, "421 shutting down"),
        ("From", "CLOSE", true, "hung up"),
        ("From", "HANG", true, "no answer within"),
        ("From", "nonsense", true, "cannot be read"),
    ] {
        let (_, [first, second]) = two_mails(to, answer).await;
        let why = match &first {
            Err(SendError::InDoubt(why)) if in_doubt => why,
            Err(SendError::Broken(why)) if !in_doubt => why,
            other => panic!("{to} {answer}: {other:?}"),
        };
        assert!(why.contains(words), "{to} {answer}: {why}");
        assert!(matches!(second, Err(SendError::Down(_))), "{to} {answer}: {second:?}");
    }
}

#[tokio::test]
async fn an_answer_is_told_on_one_line_that_is_not_long() {
    static LONG: std::sync::LazyLock<String> =
        std::sync::LazyLock::new(|| format!("550 bad\u{1b}[31m {}", "x".repeat(900)));
    let (_, [first, _]) = two_mails("RCPT", LONG.as_str()).await;
    let Err(SendError::Refused(why)) = first else { panic!("{first:?}") };
    assert!(why.chars().count() < 350 && !why.contains(char::is_control), "{why}");
}

#[tokio::test]
async fn addresses_outside_ascii_need_a_server_that_takes_them() {
    let georgian = Mail { to: "ანა@acme.example".to_owned(), ..mail("one", "1", "1") };
    let server = Server::start(Tls::None, |_| None).await;
    connect(settings(&server)).await.unwrap().send(&georgian).await.unwrap();
    assert!(
        server.heard().contains(&"MAIL FROM:<noreply@echodesk.example> SMTPUTF8".to_owned()),
        "{:?}",
        server.heard()
    );
    assert!(server.heard().contains(&"RCPT TO:<ანა@acme.example>".to_owned()));
    let server = Server::start(Tls::None, |line| line.starts_with("EHLO").then_some("250 tests")).await;
    let mut session = connect(settings(&server)).await.unwrap();
    let error = session.send(&georgian).await.unwrap_err();
    assert!(matches!(&error, SendError::Unwritable(why) if why.contains("SMTPUTF8")), "{error:?}");
    let nowhere = Mail { to: "ana@acme..example".to_owned(), ..mail("one", "1", "1") };
    assert!(matches!(session.send(&nowhere).await, Err(SendError::Unwritable(_))));
    session.send(&mail("two", "2", "2")).await.unwrap();
    assert!(!server.heard().contains(&"RSET".to_owned()), "nothing had begun");
    // Our own address is in every mail.
    let from_georgia = Mail { from: "ანა@echodesk.example".to_owned(), ..mail("one", "1", "1") };
    assert!(matches!(session.send(&from_georgia).await, Err(SendError::Down(_))));
}

#[tokio::test]
async fn mails_do_not_wait_for_delayed_acknowledgements() {
    let server = Server::start(Tls::None, |_| None).await;
    let mut session = connect(settings(&server)).await.unwrap();
    let clock = echodesk_core::SystemClock::new();
    for _ in 0..50 {
        session.send(&mail("one", "1", "1")).await.unwrap();
    }
    let spent = echodesk_core::Clock::elapsed(&clock);
    // With Nagle's algorithm each mail takes 40 ms or more.
    assert!(spent < Duration::from_millis(1000), "{spent:?} for 50 mails");
}

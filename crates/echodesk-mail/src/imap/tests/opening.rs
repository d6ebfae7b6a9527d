//! Greeting and login.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::server::TestServer;
use crate::model::Security;
use crate::ports::MailServerError;

fn refused_with(answer: &'static str) -> MailServerError {
    let server = TestServer::tls(move |peer| {
        peer.say("* OK ready\r\n");
        peer.hear("LOGIN");
        let answer = answer.replace("TAG", peer.tag());
        peer.say(answer);
        peer.wait_for_end();
    });
    let error = server.open().err().unwrap();
    server.join();
    error
}

#[test]
fn a_wrong_password_is_a_matter_for_the_user() {
    for answer in [
        "TAG NO [AUTHENTICATIONFAILED] Authentication failed.\r\n",
        "TAG NO [AUTHORIZATIONFAILED] x\r\n",
        "TAG NO [EXPIRED] x\r\n",
        "TAG NO [PRIVACYREQUIRED] x\r\n",
        "TAG NO LOGIN failed.\r\n",
        "TAG NO პაროლი არასწორია {5}\r\n",
        "* BYE too many failures\r\nTAG NO [AUTHENTICATIONFAILED] no\r\n",
    ] {
        let error = refused_with(answer);
        assert!(matches!(&error, MailServerError::Login { username, .. } if username == "user"), "{answer}: {error}");
    }
}

#[test]
fn a_server_that_cannot_tell_now_is_not_available() {
    for answer in [
        "TAG NO [UNAVAILABLE] Temporary authentication failure.\r\n",
        "TAG NO [INUSE] x\r\n",
        "TAG NO [LIMIT] Maximum number of connections exceeded\r\n",
        "* BYE shutting down\r\n",
        "* BYE shutting down\r\nTAG OK or not\r\n",
    ] {
        let error = refused_with(answer);
        assert!(matches!(error, MailServerError::Unavailable { .. }), "{answer}: {error}");
    }
    assert!(matches!(refused_with("TAG BAD what?\r\n"), MailServerError::Refused { command: "LOGIN", .. }));
}

#[test]
fn a_server_that_repeats_the_password_is_not_quoted() {
    let error = refused_with("TAG BAD syntax: LOGIN \"user\" \"secret\"\r\n");
    assert!(!error.one_line().contains("secret"), "{error}");
    assert!(!format!("{error:?}").contains("secret"), "{error:?}");
}

#[test]
fn whatever_is_said_beside_the_answer_does_not_matter() {
    let server = TestServer::tls(|peer| {
        peer.say("* OK ready\r\n");
        peer.hear("LOGIN");
        peer.say("* NO [ALERT] quota {7}\r\n* BAD \u{ff}\r\n* 3 FETCH (FLAGS (ქ))\r\n* XSTRANGE  \"\r\n+ what\r\nzz OK other\r\n");
        peer.say("* CAPABILITY IMAP4rev1 LIST-STATUS\r\n");
        peer.end("OK [ODD \u{10d0}] შესულია");
        peer.answer("LIST \"\" \"*\" RETURN (STATUS (MESSAGES UIDNEXT UIDVALIDITY))", "");
        peer.wait_for_end();
    });
    let mut session = server.open().unwrap();
    assert!(session.folders().unwrap().is_empty());
    session.logout();
    server.join();
}

#[test]
fn greetings_other_than_ok() {
    for (greeting, expected) in [
        ("* BYE too busy\r\n", "the server is not available: too busy"),
        ("HTTP/1.1 400 Bad Request\r\n", "cannot be understood"),
        ("+OK POP3 ready\r\n", "cannot be understood"),
        ("* LIST () NIL x\r\n", "cannot be understood"),
    ] {
        let server = TestServer::tls(move |peer| {
            peer.say(greeting);
            peer.wait_for_end();
        });
        let error = server.open().err().unwrap();
        assert!(error.to_string().contains(expected), "{greeting}: {error}");
        server.join();
    }
}

#[test]
fn preauth_needs_no_login() {
    let server = TestServer::tls(|peer| {
        peer.say("* PREAUTH [CAPABILITY IMAP4rev1 LIST-STATUS] welcome\r\n");
        peer.answer("LIST \"\" \"*\" RETURN", "* LIST () \"/\" INBOX\r\n");
        peer.wait_for_end();
    });
    let mut session = server.open().unwrap();
    assert_eq!(session.folders().unwrap().len(), 1);
    session.logout();
    server.join();
}

#[test]
fn passwords_of_every_kind_arrive() {
    let server = TestServer::tls(|peer| {
        peer.say("* OK ready\r\n");
        assert_eq!(peer.hear("LOGIN"), r#"LOGIN "u ser" "p\"a\\s {5}""#);
        peer.end("OK in");
        peer.wait_for_end();
    });
    server.open_with(Security::Tls, "u ser", "p\"a\\s {5}").unwrap().logout();
    server.join();

    let server = TestServer::tls(|peer| {
        peer.say("* OK ready\r\n");
        peer.hear("AUTHENTICATE PLAIN");
        peer.say("* OK still here\r\n+ \r\n");
        assert_eq!(STANDARD.decode(peer.hear_line()).unwrap(), "\0მომხმარებელი\0a\r\nb".as_bytes());
        peer.end("OK in");
        peer.wait_for_end();
    });
    server.open_with(Security::Tls, "მომხმარებელი", "a\r\nb").unwrap().logout();
    server.join();
}

#[test]
fn a_nul_is_not_sent_at_all() {
    let server = TestServer::tls(|peer| {
        peer.say("* OK ready\r\n");
        assert_eq!(peer.hear_line(), "");
    });
    let error = server.open_with(Security::Tls, "user", "a\0b").err().unwrap();
    assert!(matches!(error, MailServerError::Login { .. }), "{error}");
    server.join();
}

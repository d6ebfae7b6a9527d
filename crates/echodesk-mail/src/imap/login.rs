//! Logging in, with the `imap` crate's client over our stream.
//!
//! The crate writes LOGIN and AUTHENTICATE with all their quoting. It must not see what the server
//! says beside the tagged answer: one line that its grammar does not know, and it reports a BYE that
//! never came. So [`Tap`] hands it nothing but tagged answers and continuation requests, reduced to
//! what they mean, and keeps the rest: the capabilities, which the crate throws away, and the words
//! of a refusal. Whether the login worked is judged by what passed the tap.

use std::io::{self, Read, Write};

use echodesk_core::Secret;

use super::answer::{plain_response, shown_without};
use super::capabilities::Capabilities;
use super::reader::{Bodies, LINE_LIMIT, read_response};
use super::response::{Kind, Status};
use super::stream::Stream;
use crate::ports::MailServerError;

/// Names the phase in errors.
pub(super) const LOGGING_IN: &str = "logging in";

/// The tag of the crate's first command, the only one that it sends for us.
const CRATE_TAG: &[u8] = b"a1";

/// More lines than a server has to say while somebody logs in.
const MOST_LINES: u32 = 1000;

/// Logs in; returns the capabilities after that, if the server named them along the way.
///
/// # Errors
/// [`MailServerError::Login`] if name or password are wrong or the account may not log in,
/// [`MailServerError::Unavailable`] if the server cannot tell now.
pub(super) fn log_in(
    stream: &mut Stream,
    before: Option<&Capabilities>,
    username: &str,
    password: &Secret,
) -> Result<Option<Capabilities>, MailServerError> {
    let refused = |answer: &str| MailServerError::Login { username: username.to_owned(), answer: answer.to_owned() };
    if username.contains('\0') || password.expose().contains('\0') {
        return Err(refused("the name or the password holds a NUL, which IMAP cannot carry"));
    }
    stream.doing = LOGGING_IN;
    let plain = needs_plain(before, username, password);
    let mut tap = Tap { stream, continues: plain, ready: Vec::new(), at: 0, lines: 0, seen: Seen::default() };
    // What the crate makes of it does not matter: see the module's words.
    if plain {
        let _ = imap::Client::new(&mut tap).authenticate("PLAIN", &Plain { username, password });
    } else {
        let _ = imap::Client::new(&mut tap).login(username, password.expose());
    }
    let seen = tap.seen;
    let words = |text: &[u8]| shown_without(text, username, password);
    match (seen.verdict, seen.bye) {
        (Some((Status::Ok, _)), None) => Ok(seen.capabilities),
        (Some((Status::No, text)), _) if is_passing(&text) => {
            Err(MailServerError::Unavailable { answer: words(&text) })
        }
        (Some((Status::No, text)), _) => Err(refused(&words(&text))),
        (_, Some(bye)) => Err(MailServerError::Unavailable { answer: words(&bye) }),
        (Some((_, text)), None) => Err(MailServerError::Refused { command: "LOGIN", answer: words(&text) }),
        (None, None) => Err(seen.failure.unwrap_or_else(|| MailServerError::Protocol {
            problem: "it neither accepted nor refused the login".to_owned(),
        })),
    }
}

/// LOGIN takes quoted strings, which hold ASCII and no line ends; and some servers take none at all.
fn needs_plain(before: Option<&Capabilities>, username: &str, password: &Secret) -> bool {
    let awkward = |text: &str| !text.is_ascii() || text.contains(['\r', '\n']);
    awkward(username)
        || awkward(password.expose())
        || before.is_some_and(|known| known.has("LOGINDISABLED") && known.has("AUTH=PLAIN"))
}

/// Whether a NO to a login says nothing about name and password (RFC 5530 §3). Without a code of
/// that kind it is a wrong password, except where the words are those of Gmail and others for too
/// many connections at a time.
fn is_passing(text: &[u8]) -> bool {
    const PASSING: [&str; 4] = ["UNAVAILABLE", "INUSE", "LIMIT", "SERVERBUG"];
    let text = String::from_utf8_lossy(text).to_ascii_uppercase();
    let code = text.strip_prefix('[').and_then(|rest| rest.split([']', ' ']).next()).unwrap_or_default();
    PASSING.contains(&code) || (!code.starts_with("AUTH") && text.contains("TOO MANY"))
}

struct Plain<'a> {
    username: &'a str,
    password: &'a Secret,
}

impl imap::Authenticator for Plain<'_> {
    type Response = String;

    fn process(&self, _challenge: &[u8]) -> String {
        plain_response(self.username, self.password.expose())
    }
}

/// What passed by.
#[derive(Default)]
struct Seen {
    verdict: Option<(Status, Vec<u8>)>,
    bye: Option<Vec<u8>>,
    capabilities: Option<Capabilities>,
    failure: Option<MailServerError>,
}

/// Stands between the crate and the stream, and gives out at most one line per read, so that nothing
/// stays in the crate's buffer when it is done.
struct Tap<'a> {
    stream: &'a mut Stream,
    /// Whether the command has continuations.
    continues: bool,
    ready: Vec<u8>,
    at: usize,
    lines: u32,
    seen: Seen,
}

impl Tap<'_> {
    /// The next line that the crate is to see.
    fn next_line(&mut self) -> Result<Vec<u8>, MailServerError> {
        loop {
            self.lines += 1;
            if self.lines > MOST_LINES {
                return Err(MailServerError::Protocol { problem: format!("more than {MOST_LINES} lines at login") });
            }
            let response = read_response(self.stream, Bodies::NotExpected, LINE_LIMIT)?;
            self.seen.capabilities = Capabilities::in_response(&response).or(self.seen.capabilities.take());
            match response.kind() {
                Kind::Continuation if self.continues => return Ok(b"+\r\n".to_vec()),
                Kind::Tagged { tag: tag @ CRATE_TAG, status, text } => {
                    self.seen.verdict = Some((status, text.all.to_vec()));
                    let word: &[u8] = if status == Status::Ok { b" OK done\r\n" } else { b" NO refused\r\n" };
                    return Ok([tag, word].concat());
                }
                // The answer may still follow, and tell a wrong password from a server in trouble.
                Kind::Status(Status::Bye, text) => {
                    self.seen.bye = Some(text.all.to_vec());
                    self.stream.expect_close();
                }
                _ => {}
            }
        }
    }
}

impl Read for Tap<'_> {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        if self.at == self.ready.len() {
            self.ready = self.next_line().map_err(|error| {
                self.seen.failure = Some(error);
                io::Error::other("see the tap")
            })?;
            self.at = 0;
        }
        let count = buf.len().min(self.ready.len() - self.at);
        buf[..count].copy_from_slice(&self.ready[self.at..self.at + count]);
        self.at += count;
        Ok(count)
    }
}

impl Write for Tap<'_> {
    fn write(&mut self, buf: &[u8]) -> io::Result<usize> {
        self.stream.send(buf, true).map_err(|error| {
            self.seen.failure = Some(error);
            io::Error::other("see the tap")
        })?;
        Ok(buf.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn refusals_are_told_from_passing_trouble() {
        for passing in ["[UNAVAILABLE] later", "[inuse] x", "[LIMIT] 15", "[ALERT] Too many simultaneous connections."]
        {
            assert!(is_passing(passing.as_bytes()), "{passing}");
        }
        for lasting in [
            "[AUTHENTICATIONFAILED] Authentication failed.",
            "[AUTHENTICATIONFAILED] too many failures",
            "[AUTHORIZATIONFAILED] x",
            "[EXPIRED] x",
            "[PRIVACYREQUIRED] x",
            "[ALERT] Invalid credentials (Failure)",
            "LOGIN failed.",
            "",
        ] {
            assert!(!is_passing(lasting.as_bytes()), "{lasting}");
        }
    }

    #[test]
    fn names_and_passwords_that_login_cannot_carry_go_by_plain() {
        let needs = |user: &str, password: &str| needs_plain(None, user, &Secret::new(password));
        assert!(!needs("u@example.org", "a \"b\\ {5}"));
        assert!(needs("u", "пароль") && needs("ქ", "p") && needs("u", "a\r\nb LOGOUT"));
        let known = Capabilities::new(b"LOGINDISABLED AUTH=PLAIN");
        assert!(needs_plain(Some(&known), "u", &Secret::new("p")));
    }
}

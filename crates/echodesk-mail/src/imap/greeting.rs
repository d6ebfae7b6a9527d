//! What is said before logging in: the greeting, and STARTTLS.

use super::answer::shown;
use super::capabilities::Capabilities;
use super::reader::{Bodies, LINE_LIMIT, read_response};
use super::response::{Kind, Response, Status};
use super::stream::Stream;
use crate::model::Endpoint;
use crate::ports::MailServerError;

/// Names the phase in errors.
pub(super) const GREETING: &str = "waiting for the greeting";

/// The same where the server has to speak first, in the clear: one that speaks TLS waits for us.
pub(super) const CLEAR_GREETING: &str = "waiting for the greeting (the port may speak TLS from the start)";

/// More untagged lines than a server has to say before a command of ours is answered.
const MOST_LINES: usize = 1000;

/// What the greeting said.
#[derive(Debug)]
pub(super) struct Greeting {
    /// PREAUTH: the server knows who we are and takes no login.
    pub(super) logged_in: bool,
    /// The capabilities before login, if it named them.
    pub(super) capabilities: Option<Capabilities>,
}

/// Reads the greeting (RFC 9051 §7.1).
///
/// # Errors
/// The server says BYE, or something that is no greeting.
pub(super) fn read_greeting(stream: &mut Stream) -> Result<Greeting, MailServerError> {
    stream.doing = GREETING;
    greet(stream)
}

fn greet(stream: &mut Stream) -> Result<Greeting, MailServerError> {
    let response = read_response(stream, Bodies::NotExpected, LINE_LIMIT)?;
    let capabilities = Capabilities::in_response(&response);
    match response.kind() {
        Kind::Status(Status::Ok, _) => Ok(Greeting { logged_in: false, capabilities }),
        Kind::Status(Status::Preauth, _) => Ok(Greeting { logged_in: true, capabilities }),
        Kind::Status(Status::Bye, text) => Err(MailServerError::Unavailable { answer: shown(text.all) }),
        _ => Err(MailServerError::Protocol { problem: "it does not begin with a greeting of IMAP".to_owned() }),
    }
}

/// Greeting, capabilities, STARTTLS; on success the server waits for the handshake, and everything
/// that it said so far is forgotten (RFC 9051 §6.2.1).
///
/// # Errors
/// STARTTLS is not offered or refused, or more came in the clear than the answer to it.
pub(super) fn start_tls(stream: &mut Stream, endpoint: &Endpoint) -> Result<(), MailServerError> {
    let refuse = |problem: String| Err(MailServerError::NoStartTls { endpoint: endpoint.to_string(), problem });
    stream.doing = CLEAR_GREETING;
    let greeting = greet(stream)?;
    if greeting.logged_in {
        return refuse("it begins with PREAUTH, after which there is no STARTTLS".to_owned());
    }
    stream.doing = super::tls::SECURING;
    let capabilities = match greeting.capabilities {
        Some(capabilities) => capabilities,
        None => match ask(stream, b"s1", b"s1 CAPABILITY\r\n")? {
            (Ending { status: Status::Ok, .. }, Some(capabilities)) => capabilities,
            (Ending { words, .. }, _) => return refuse(format!("it does not say what it can do: {words}")),
        },
    };
    if !capabilities.has("STARTTLS") {
        return refuse("it is not among its capabilities".to_owned());
    }
    match ask(stream, b"s2", b"s2 STARTTLS\r\n")? {
        (Ending { status: Status::Ok, .. }, _) => {}
        (Ending { words, .. }, _) => return refuse(format!("it was refused: {words}")),
    }
    // Whatever comes before the handshake could be put in by anyone on the way, and would be taken
    // for the answer to something that is said under TLS (CVE-2011-0411 and its many relatives).
    if stream.has_buffered() {
        return refuse("it went on talking in the clear after its OK".to_owned());
    }
    Ok(())
}

struct Ending {
    status: Status,
    words: String,
}

fn ask(stream: &mut Stream, our_tag: &[u8], command: &[u8]) -> Result<(Ending, Option<Capabilities>), MailServerError> {
    stream.send(command, true)?;
    let mut capabilities = None;
    for _ in 0..MOST_LINES {
        let response: Response = read_response(stream, Bodies::NotExpected, LINE_LIMIT)?;
        capabilities = Capabilities::in_response(&response).or(capabilities);
        match response.kind() {
            Kind::Tagged { tag, status, text } if tag == our_tag => {
                return Ok((Ending { status, words: shown(text.all) }, capabilities));
            }
            Kind::Status(Status::Bye, text) => return Err(MailServerError::Unavailable { answer: shown(text.all) }),
            _ => {}
        }
    }
    Err(MailServerError::Protocol { problem: format!("more than {MOST_LINES} lines before an answer") })
}

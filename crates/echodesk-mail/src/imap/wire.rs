//! Commands out, responses in: several commands under way at a time, each answered by its tag.

use std::ops::ControlFlow;

use super::answer::shown;
use super::capabilities::Capabilities;
use super::command::Command;
use super::reader::{Bodies, LINE_LIMIT, read_response};
use super::response::{Data, Kind, Response, Status, StatusText, parse_number};
use super::stream::Stream;
use super::tokens::Malformed;
use crate::ports::{MailServerError, SessionCounters};

/// Begins our tags; the `imap` crate's begin with `a`.
pub(super) const TAG_PREFIX: &str = "e";

/// The most untagged responses to one command: a flood ends here if not by the clock. The largest
/// mailboxes have half as many messages.
const MOST_ANSWERS: u64 = 2_000_000;

/// The most bytes of commands that are written at once. A server may refuse to read on until its
/// answers are read; what it has not read must fit the buffers in between.
const MOST_AT_ONCE: usize = 32 << 10;

/// How one command ended: the server's words if with NO or BAD.
pub(super) type Ending = Option<String>;

/// What a handler is given: an untagged status, or data.
pub(super) enum Untagged<'a> {
    Status(StatusText<'a>),
    Data(Data<'a>),
}

/// What a handler says of a response: whether to go on, or that it could not be read.
pub(super) type Handled = Result<ControlFlow<()>, Malformed>;

/// How to run some commands.
pub(super) struct Plan {
    /// Names the phase in errors.
    pub(super) doing: &'static str,
    /// How many commands may be under way at a time.
    pub(super) width: usize,
    /// What to do with message bodies.
    pub(super) bodies: Bodies,
    /// The longest line that is accepted.
    pub(super) line_limit: usize,
}

impl Plan {
    /// The usual: no bodies, and four commands under way.
    pub(super) fn new(doing: &'static str) -> Self {
        Self { doing, width: 4, bodies: Bodies::NotExpected, line_limit: LINE_LIMIT }
    }
}

/// A logged-in connection.
pub(super) struct Wire {
    stream: Stream,
    next_tag: u64,
    skipped: u32,
    /// What the server can do; none until it has said so after the login.
    pub(super) capabilities: Option<Capabilities>,
    /// Set once answers may still be on their way that nobody waits for.
    out_of_step: bool,
}

impl Wire {
    pub(super) fn new(stream: Stream, capabilities: Option<Capabilities>) -> Self {
        Self { stream, next_tag: 1, skipped: 0, capabilities, out_of_step: false }
    }

    pub(super) fn counters(&self) -> SessionCounters {
        SessionCounters {
            bytes: self.stream.bytes(),
            round_trips: self.stream.round_trips(),
            skipped_answers: self.skipped,
        }
    }

    /// Whether the server is known to have `capability`.
    pub(super) fn has(&self, capability: &str) -> bool {
        self.capabilities.as_ref().is_some_and(|known| known.has(capability))
    }

    /// The number of the next command's tag.
    pub(super) fn next_tag(&self) -> u64 {
        self.next_tag
    }

    /// Counts a response that could not be understood.
    pub(super) fn skip(&mut self) {
        self.skipped = self.skipped.saturating_add(1);
    }

    /// Sends LOGOUT and does not wait.
    pub(super) fn say_goodbye(mut self) {
        if !self.out_of_step {
            // The connection is closed next, whatever becomes of this.
            let _ = self.stream.send(b"e0 LOGOUT\r\n", false);
        }
    }

    /// Runs `commands`, several under way at a time, and hands every untagged response to `on`.
    /// Returns how each ended: a refusal of one does not keep the others from running. Where `on`
    /// breaks off it returns at once, and the connection is of no more use.
    ///
    /// # Errors
    /// Anything that ends the session.
    pub(super) fn run(
        &mut self,
        plan: &Plan,
        commands: &[Command],
        on: &mut dyn FnMut(Untagged<'_>) -> Handled,
    ) -> Result<Vec<Ending>, MailServerError> {
        self.run_taking(plan, commands, &mut |response| match untagged(response) {
            Some(untagged) => on(untagged),
            None => Err(Malformed),
        })
    }

    /// The same for a handler that takes literals out of the responses.
    ///
    /// # Errors
    /// Anything that ends the session.
    pub(super) fn run_taking(
        &mut self,
        plan: &Plan,
        commands: &[Command],
        on: &mut dyn FnMut(&mut Response) -> Handled,
    ) -> Result<Vec<Ending>, MailServerError> {
        if self.out_of_step {
            return Err(MailServerError::Protocol { problem: "the session was broken off before".to_owned() });
        }
        self.out_of_step = true;
        self.stream.doing = plan.doing;
        let endings = self.exchange(plan, commands, on)?;
        if let Some(endings) = endings {
            self.out_of_step = false;
            return Ok(endings);
        }
        Ok(Vec::new())
    }

    /// None if `on` broke off.
    fn exchange(
        &mut self,
        plan: &Plan,
        commands: &[Command],
        on: &mut dyn FnMut(&mut Response) -> Handled,
    ) -> Result<Option<Vec<Ending>>, MailServerError> {
        let first_tag = self.next_tag;
        let mut endings: Vec<Option<Ending>> = Vec::with_capacity(commands.len());
        let mut open = 0;
        let mut answers = 0;
        loop {
            // Topped up when half are answered: a write for several commands, not one for each.
            if open <= plan.width / 2 {
                open += self.send_next(plan.width - open, commands, &mut endings, open == 0)?;
            }
            if open == 0 {
                return Ok(Some(endings.into_iter().map(Option::flatten).collect()));
            }
            let mut response = self.read(plan)?;
            match response.kind() {
                Kind::Tagged { tag, status, text } => {
                    let index = tag_number(tag).and_then(|number| number.checked_sub(first_tag));
                    let ending = index.and_then(|index| endings.get_mut(usize::try_from(index).ok()?));
                    match ending.filter(|ending| ending.is_none()) {
                        Some(ending) => {
                            *ending = Some((status != Status::Ok).then(|| shown(text.all)));
                            open -= 1;
                            answers = 0;
                        }
                        None => self.skip(),
                    }
                    continue;
                }
                Kind::Continuation | Kind::Unknown => self.skip(),
                Kind::Status(..) | Kind::Data(_) => match on(&mut response) {
                    Ok(ControlFlow::Continue(())) => {}
                    Ok(ControlFlow::Break(())) => return Ok(None),
                    Err(Malformed) => self.skip(),
                },
            }
            answers += 1;
            if answers > MOST_ANSWERS {
                return Err(MailServerError::Protocol {
                    problem: format!("over {MOST_ANSWERS} answers to one command"),
                });
            }
        }
    }

    /// Sends the next commands, at most `count` and as many as fit one write; returns how many.
    fn send_next(
        &mut self,
        count: usize,
        commands: &[Command],
        endings: &mut Vec<Option<Ending>>,
        idle: bool,
    ) -> Result<usize, MailServerError> {
        let mut bytes = Vec::new();
        let mut sent = 0;
        for command in commands.iter().skip(endings.len()).take(count) {
            let tag = format!("{TAG_PREFIX}{} ", self.next_tag);
            if !command.pauses.is_empty() {
                // It has to wait for the server in its middle, so it goes alone.
                if !bytes.is_empty() || !idle {
                    break;
                }
                self.next_tag += 1;
                let refusal = self.send_pausing(&tag, command)?;
                let open = usize::from(refusal.is_none());
                endings.push(refusal.map(Some));
                sent += open;
                if open == 0 {
                    continue;
                }
                break;
            }
            if !bytes.is_empty() && bytes.len() + tag.len() + command.bytes.len() > MOST_AT_ONCE {
                break;
            }
            bytes.extend_from_slice(tag.as_bytes());
            bytes.extend_from_slice(&command.bytes);
            bytes.extend_from_slice(b"\r\n");
            endings.push(None);
            self.next_tag += 1;
            sent += 1;
        }
        if !bytes.is_empty() {
            self.stream.send(&bytes, idle)?;
        }
        Ok(sent)
    }

    /// Sends a command piece by piece, each when the server has asked for it. Returns the words of a
    /// refusal if one comes in between.
    fn send_pausing(&mut self, tag: &str, command: &Command) -> Result<Option<String>, MailServerError> {
        let mut from = 0;
        let plan = Plan::new(self.stream.doing);
        for pause in &command.pauses {
            let head = if from == 0 { tag.as_bytes() } else { &[] };
            self.stream.send(&[head, &command.bytes[from..*pause]].concat(), true)?;
            from = *pause;
            let mut answers = 0;
            loop {
                let response = self.read(&plan)?;
                match response.kind() {
                    Kind::Continuation => break,
                    Kind::Tagged { tag: answered, text, .. } if answered == tag.trim_end().as_bytes() => {
                        return Ok(Some(shown(text.all)));
                    }
                    _ => answers += 1,
                }
                if answers > MOST_ANSWERS {
                    return Err(MailServerError::Protocol { problem: "no answer to a literal".to_owned() });
                }
            }
        }
        self.stream.send(&[&command.bytes[from..], b"\r\n"].concat(), true)?;
        Ok(None)
    }

    /// The next response. A BYE ends the session, whatever was asked.
    fn read(&mut self, plan: &Plan) -> Result<Response, MailServerError> {
        let response = read_response(&mut self.stream, plan.bodies, plan.line_limit)?;
        if let Kind::Status(Status::Bye, text) = response.kind() {
            return Err(MailServerError::Unavailable { answer: shown(text.all) });
        }
        if let Some(capabilities) = Capabilities::in_response(&response) {
            self.capabilities = Some(capabilities);
        }
        Ok(response)
    }
}

/// What an untagged response says; none for other kinds.
pub(super) fn untagged(response: &Response) -> Option<Untagged<'_>> {
    match response.kind() {
        Kind::Status(_, text) => Some(Untagged::Status(text)),
        Kind::Data(data) => Some(Untagged::Data(data)),
        _ => None,
    }
}

/// The number in a tag of ours.
fn tag_number(tag: &[u8]) -> Option<u64> {
    tag.strip_prefix(TAG_PREFIX.as_bytes()).and_then(parse_number)
}

/// The first refusal among `endings`, as an error.
///
/// # Errors
/// One of the commands was refused.
pub(super) fn all_done(command: &'static str, endings: Vec<Ending>) -> Result<(), MailServerError> {
    match endings.into_iter().flatten().next() {
        Some(answer) => Err(MailServerError::Refused { command, answer }),
        None => Ok(()),
    }
}

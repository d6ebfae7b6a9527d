//! What a server's refusal means, and in which words it is told.

use std::error::Error as _;

use lettre::transport::smtp::Error;

use crate::ports::SendError;
use crate::rules;

/// So much of an answer is told, in characters.
const LONGEST: usize = 300;

/// How far the sending of a mail had come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Stage {
    /// `MAIL FROM`: about us, not about the mail.
    Sender,
    /// `RCPT TO`.
    Recipient,
    /// `DATA`.
    Data,
    /// The mail itself.
    Content,
}

impl Stage {
    fn name(self) -> &'static str {
        match self {
            Self::Sender => "MAIL FROM",
            Self::Recipient => "RCPT TO",
            Self::Data => "DATA",
            Self::Content => "the mail's content",
        }
    }
}

/// What a failure at `stage` means.
pub(super) fn meaning(stage: Stage, error: &Error) -> SendError {
    let words = format!("{} (after {})", in_words(error), stage.name());
    match code(error) {
        Some(_) if stage == Stage::Sender => SendError::Down(words),
        // It wants a log-in or encryption that we did not give.
        Some(530 | 534 | 535 | 538) => SendError::Down(words),
        // It closes the connection and has not taken the mail. That may be because of this mail: were it nobody's
        // fault, the same one would end every run.
        Some(421) => SendError::Broken(words),
        Some(500..) => SendError::Refused(words),
        Some(_) => SendError::NotNow(words),
        None => lost(stage, words),
    }
}

/// What it means that the connection was lost, or that no answer came in time. Before the mail was named it can
/// have nothing to do with it; before its content was sent it cannot have been taken.
pub(super) fn lost(stage: Stage, words: String) -> SendError {
    match stage {
        Stage::Sender => SendError::Down(words),
        Stage::Recipient | Stage::Data => SendError::Broken(words),
        Stage::Content => SendError::InDoubt(words),
    }
}

/// The code of an answer; none if there was none that could be read.
pub(super) fn code(error: &Error) -> Option<u16> {
    error.status().map(u16::from)
}

/// The answer on one line, with its code; or what happened instead.
pub(super) fn in_words(error: &Error) -> String {
    let said = error.source().map(ToString::to_string).unwrap_or_default();
    match code(error) {
        Some(code) => one_line(&format!("{code} {said}")),
        None if said == "incomplete response" => "the server hung up".to_owned(),
        None if error.is_response() => one_line(&format!("the server's answer cannot be read: {said}")),
        None if said.is_empty() => "the connection was lost".to_owned(),
        None => one_line(&format!("the connection was lost: {said}")),
    }
}

/// A server's words, safe to be shown: one line, not long.
pub(super) fn one_line(text: &str) -> String {
    let line = rules::one_line(text);
    if line.chars().count() <= LONGEST { line } else { line.chars().take(LONGEST).chain(['…']).collect() }
}

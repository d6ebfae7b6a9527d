//! What goes wrong on demand.

use std::collections::VecDeque;
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

/// Where in a session something goes wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Stage {
    /// The first line, which the server says.
    Greeting,
    /// EHLO or HELO.
    Hello,
    /// STARTTLS.
    StartTls,
    /// AUTH.
    Auth,
    /// MAIL FROM.
    MailFrom,
    /// RCPT TO.
    Recipient,
    /// DATA.
    Data,
    /// The content has begun to arrive.
    Content,
    /// The content has arrived whole.
    Message,
    /// QUIT.
    Quit,
}

/// What goes wrong.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fault {
    /// The server does nothing of what it was asked for.
    Before(Wrong),
    /// The server does what it was asked for, and then answers like this.
    After(Wrong),
    /// The server does what it was asked for, and its true answer comes so much later.
    Late(Duration),
}

/// An answer that is not the true one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Wrong {
    /// These words, code first: `450 4.2.1 later`. After 421 the connection is closed (RFC 5321, 3.8).
    Says(String),
    /// None; the connection is closed.
    HangsUp,
    /// None; the connection stays open until the client closes it.
    Stalls,
}

impl Fault {
    /// It refuses, in these words.
    #[must_use]
    pub fn says(words: &str) -> Self {
        Self::Before(Wrong::Says(words.to_owned()))
    }
}

/// A moment at which something may go wrong, for a rule to decide.
#[derive(Clone, Debug)]
pub struct Point {
    /// Where.
    pub stage: Stage,
    /// The how manieth connection it is, from 1.
    pub connection: usize,
    /// The how manieth mail of all connections it is, counted by MAIL FROM from 1; 0 before the first.
    pub mail: usize,
    /// The sender, once that was said.
    pub from: Option<String>,
    /// The recipients so far; at [`Stage::Recipient`] the one that is asked for is the last.
    pub to: Vec<String>,
}

type Rule = Arc<dyn Fn(&Point) -> Option<Fault> + Send + Sync>;

/// The faults to come: those for the next times first, then the rule.
#[derive(Default)]
pub(super) struct Faults(Mutex<Pending>);

#[derive(Default)]
struct Pending {
    next: VecDeque<(Stage, Fault)>,
    rule: Option<Rule>,
}

impl fmt::Debug for Faults {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Faults").finish_non_exhaustive()
    }
}

impl Faults {
    pub(super) fn push(&self, stage: Stage, times: usize, fault: &Fault) {
        self.lock().next.extend(std::iter::repeat_n((stage, fault.clone()), times));
    }

    pub(super) fn set_rule(&self, rule: Rule) {
        self.lock().rule = Some(rule);
    }

    pub(super) fn clear(&self) {
        *self.lock() = Pending::default();
    }

    /// What goes wrong at a stage. `point` is made only if somebody asks.
    pub(super) fn at(&self, stage: Stage, point: impl FnOnce() -> Point) -> Option<Fault> {
        let rule = {
            let mut pending = self.lock();
            if let Some(at) = pending.next.iter().position(|(next, _)| *next == stage) {
                return pending.next.remove(at).map(|(_, fault)| fault);
            }
            pending.rule.clone()?
        };
        // Called without the lock: a rule may set further faults.
        rule(&point())
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Pending> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

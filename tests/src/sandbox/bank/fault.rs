//! What goes wrong on demand.

use std::collections::VecDeque;
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use super::endpoint::Endpoint;

/// What goes wrong with one call.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fault {
    /// The bank does nothing, and answers like this.
    Before(Wrong),
    /// The bank does what it was asked for, and then answers like this.
    After(Wrong),
    /// The bank does what it was asked for, and its true answer arrives in this state.
    Altered(Alteration),
}

/// An answer that is none.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Wrong {
    /// An error with a message in JSON.
    Status(u16),
    /// The same, with `Retry-After` in seconds.
    RetryAfter(u16, u64),
    /// A status and a body, sent as JSON whether it is or not.
    Body(u16, String),
    /// A page of HTML, as the network in front of the bank gives.
    Html(u16),
    /// A status and nothing else.
    Empty(u16),
    /// A JSON string of about so many bytes, with status 200.
    Huge(usize),
    /// No answer; the connection stays open until the client closes it.
    Hang,
    /// No answer; the connection is closed.
    Close,
}

/// What happens to a true answer on its way.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Alteration {
    /// It comes so much later.
    Late(Duration),
    /// It comes in eight pieces with so much time between them.
    Dribbled(Duration),
    /// The connection is closed in the middle of the body.
    CutShort,
    /// Half of the body, sent as if it were all of it.
    Truncated,
    /// The object has no `id`.
    WithoutId,
    /// Compressed, whether or not the client can read that.
    Gzip,
    /// Sent with a status of its own.
    WithStatus(u16),
}

/// A call that is about to be answered, for a rule to decide whether something goes wrong.
#[derive(Clone, Debug)]
pub struct Call {
    /// What is asked for.
    pub endpoint: Endpoint,
    /// The how manieth call of this endpoint it is, from 1.
    pub number: usize,
    /// The order in the path, if one is.
    pub order_id: Option<String>,
    /// The external id in the body, if one is.
    pub external_id: Option<String>,
    /// `Idempotency-Key` as it was sent.
    pub key: Option<String>,
}

type Rule = Arc<dyn Fn(&Call) -> Option<Fault> + Send + Sync>;

/// The faults to come: those for the next calls first, then the rule.
#[derive(Default)]
pub(crate) struct Faults(Mutex<Pending>);

#[derive(Default)]
struct Pending {
    next: VecDeque<(Endpoint, Fault)>,
    rule: Option<Rule>,
}

impl fmt::Debug for Faults {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Faults").finish_non_exhaustive()
    }
}

impl Faults {
    pub(crate) fn push(&self, endpoint: Endpoint, calls: usize, fault: &Fault) {
        self.lock().next.extend(std::iter::repeat_n((endpoint, fault.clone()), calls));
    }

    pub(crate) fn set_rule(&self, rule: Rule) {
        self.lock().rule = Some(rule);
    }

    pub(crate) fn clear(&self) {
        *self.lock() = Pending::default();
    }

    /// What goes wrong with this call.
    pub(crate) fn of(&self, call: &Call) -> Option<Fault> {
        let rule = {
            let mut pending = self.lock();
            if let Some(at) = pending.next.iter().position(|(endpoint, _)| *endpoint == call.endpoint) {
                return pending.next.remove(at).map(|(_, fault)| fault);
            }
            pending.rule.clone()?
        };
        // Called without the lock: a rule may set further faults.
        rule(call)
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Pending> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

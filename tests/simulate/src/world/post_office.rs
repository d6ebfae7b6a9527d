//! The mail server: every mail that it took, and what the run that sent it had seen before.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::{Mutex, MutexGuard, PoisonError};

use echodesk_core::{NoticeId, RunId};
use jiff::{SignedDuration, Timestamp};

use crate::world::accounts::Account;

/// A mail that the server took.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Taken {
    /// When.
    pub at: Timestamp,
    /// For whom.
    pub to: String,
    /// Its Message-ID.
    pub message_id: String,
    /// Its subject.
    pub subject: String,
    /// Who sent it.
    pub run: RunId,
    /// What the clock of that run's host was wrong by.
    pub clock_wrong_by: SignedDuration,
    /// Whether the server did not get to say so.
    pub lost: bool,
}

/// The truth about whom a notice is for, at the moment when a run looked at it.
#[derive(Clone, Debug)]
pub struct Look {
    /// When.
    pub at: Timestamp,
    /// What the clock of the run's host was wrong by.
    pub clock_wrong_by: SignedDuration,
    /// How things stood.
    pub account: Account,
    /// Whether a renewal of ours was with the bank, or captured and not booked.
    pub unsettled: bool,
    /// Whether the mailbox that it is about was switched off, if it is about one.
    pub mailbox_off: Option<bool>,
}

/// A claim on a notice, by the clock of the host that made it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Held {
    /// When it was made.
    pub from: Timestamp,
    /// When it ends by itself.
    pub until: Timestamp,
}

/// What the mail server knows.
#[derive(Debug, Default)]
pub struct PostOffice {
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    taken: BTreeMap<NoticeId, Vec<Taken>>,
    looks: HashMap<(RunId, NoticeId), Look>,
    /// In their order.
    claims: HashMap<NoticeId, Vec<(RunId, Held)>>,
    /// Runs that could not write down what they have sent.
    silenced: HashSet<RunId>,
    /// Notices of which the database knows that they were sent.
    written: HashSet<NoticeId>,
}

impl PostOffice {
    /// A run looks at a notice.
    pub fn look(&self, run: RunId, notice: NoticeId, look: Look) {
        self.lock().looks.insert((run, notice), look);
    }

    /// What a run saw when it looked at a notice the last time.
    #[must_use]
    pub fn looked(&self, run: RunId, notice: NoticeId) -> Option<Look> {
        self.lock().looks.get(&(run, notice)).cloned()
    }

    /// A run claims a notice.
    pub fn claim(&self, run: RunId, notice: NoticeId, held: Held) {
        self.lock().claims.entry(notice).or_default().push((run, held));
    }

    /// Whether a run's claim had ended by the clock of another that claimed the notice after it. That may have given it
    /// back since, and a third may have it now.
    #[must_use]
    pub fn had_ended(&self, notice: NoticeId, of: RunId) -> bool {
        let state = self.lock();
        let Some(claims) = state.claims.get(&notice) else { return false };
        let Some(place) = claims.iter().rposition(|(run, _)| *run == of) else { return false };
        claims[place..].iter().any(|(run, second)| *run != of && second.from >= claims[place].1.until)
    }

    /// A run is done with a notice.
    pub fn forget(&self, run: RunId, notice: NoticeId) {
        self.lock().looks.remove(&(run, notice));
    }

    /// A run could not write something down, and what it has sent may be sent again.
    pub fn silence(&self, run: RunId) {
        self.lock().silenced.insert(run);
    }

    /// Whether a run could not write something down.
    #[must_use]
    pub fn is_silenced(&self, run: RunId) -> bool {
        self.lock().silenced.contains(&run)
    }

    /// It is written down that a notice was sent.
    pub fn write(&self, notice: NoticeId) {
        self.lock().written.insert(notice);
    }

    /// Whether it is written down that a notice was sent.
    #[must_use]
    pub fn is_written(&self, notice: NoticeId) -> bool {
        self.lock().written.contains(&notice)
    }

    /// Takes a mail of a notice.
    pub fn take(&self, notice: NoticeId, mail: Taken) {
        self.lock().taken.entry(notice).or_default().push(mail);
    }

    /// The last mail of a notice.
    #[must_use]
    pub fn last(&self, notice: NoticeId) -> Option<Taken> {
        self.lock().taken.get(&notice).and_then(|mails| mails.last().cloned())
    }

    /// How many mails there are.
    #[must_use]
    pub fn count(&self) -> usize {
        self.lock().taken.values().map(Vec::len).sum()
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

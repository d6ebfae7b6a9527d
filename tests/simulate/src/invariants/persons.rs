//! What is left to a person needs one, by what has really happened. The list is written anew here, from what is
//! promised: what runs can find out by themselves they have to.

use echodesk_billing::model::Attempt;
use jiff::SignedDuration;

use crate::violation::Invariant;
use crate::world::World;
use crate::world::mishaps::Mishap;

/// A claim lasts ten minutes, and the clocks of whoever prepares and of whoever asks may be wrong by an hour each.
const ASKED_AFTER: SignedDuration = SignedDuration::from_mins(2 * 60 + 10);

/// A key is used for 22 hours, by clocks that may be wrong by an hour each.
const ASKED_UNTIL: SignedDuration = SignedDuration::from_hours(20);

/// Whether a run has asked for a person: it has written down what is the matter, or that a key is too old to ask with.
pub(crate) fn needs_person(attempt: &Attempt) -> bool {
    let key_too_old = |why: &String| why.contains("asking again with a key from");
    attempt.trouble.is_some() || attempt.state.is_open() && attempt.last_error.as_ref().is_some_and(key_too_old)
}

/// What must have befallen a charge for a run to say this of it.
fn cause(trouble: &str) -> Option<Mishap> {
    const CAUSES: [(&str, Mishap); 6] = [
        ("the bank has also charged order of-another-", Mishap::CallbackOfAnother),
        ("the bank has also ", Mishap::AnsweredWithAnotherOrder),
        ("the bank calls its order ", Mishap::AnsweredWithAnotherOrder),
        ("the bank does not know its order not-", Mishap::AnsweredWithAnotherOrder),
        ("it is about order REC-000000000000,", Mishap::ReceiptOfAnother),
        ("it is about the bank's order not-", Mishap::ReceiptOfAnother),
    ];
    let found = CAUSES.iter().find(|(words, _)| trouble.starts_with(words)).map(|(_, mishap)| *mishap);
    found.or_else(|| trouble.contains(" GEL were paid, not ").then_some(Mishap::ReceiptOfAnother))
}

impl World {
    /// Holds that a run had a reason to leave an attempt to a person, and counts it once.
    pub(crate) fn check_needs_person(&self, attempt: &Attempt) {
        if self.mishaps.is_left(attempt.order.as_str()) {
            self.count(|counts| counts.left_to_a_person += 1);
        }
        if let Err(why) = self.reason(attempt) {
            let tenant = self.accounts.of_subscription(attempt.subscription);
            self.violated(Invariant::AllResolved, tenant, format!("{} is left to a person: {why}", attempt.order));
        }
    }

    /// Why nobody but a person can decide, or why a run could have.
    fn reason(&self, attempt: &Attempt) -> Result<(), String> {
        let order = attempt.order.as_str();
        if let Some(trouble) = &attempt.trouble {
            // The bank has contradicted itself. Nothing else is beyond a run.
            // One is joined to another by a semicolon; each has to be so.
            let is_so = |part| cause(part).is_some_and(|mishap| self.mishaps.has_befallen(order, mishap));
            let has_befallen = trouble.split("; ").all(is_so);
            return has_befallen.then_some(()).ok_or_else(|| format!("{trouble:?}, and nothing like it was so"));
        }
        // Nothing was heard of it, and its key is too old. That is nobody's fault only if no run came in time, or
        // something was in the way of each, and the bank has not told either.
        if self.mishaps.was_told_of(order) {
            return Err("the bank has told how it ended".to_owned());
        }
        let Some(tenant) = self.accounts.of_subscription(attempt.subscription) else { return Ok(()) };
        let decided = self.accounts.read(tenant, |account| account.decided.get(order).copied());
        let Some(decided) = decided else { return Ok(()) };
        match self.mishaps.undisturbed(tenant, decided.at + ASKED_AFTER, decided.at + ASKED_UNTIL) {
            Some(at) => Err(format!("it was made at {}, and the run of {at} could have asked again", decided.at)),
            None => Ok(()),
        }
    }
}

//! What the bank said of the card the last time.

use echodesk_billing::model::AttemptState;
use echodesk_billing::rules::refusal::meaning;
use jiff::Timestamp;

use super::facts::Billing;
use super::shown::minute;

/// The last charge of a card, which the bank refused for a reason that is the card's.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Refused {
    pub(super) at: Timestamp,
    /// The bank's reason.
    pub(super) words: String,
    /// Whether that period is not charged to the card again. The next one is, once: by then the customer may
    /// have come to terms with the issuer.
    pub(super) for_good: bool,
}

/// None if the card was never charged, or paid the last time.
pub(super) fn last(billing: &Billing, parent: &str) -> Option<Refused> {
    let of_card = billing.story.attempts.rows.iter().filter(|entry| entry.attempt.parent.as_str() == parent);
    let answered = of_card.filter(|entry| matches!(entry.attempt.state, AttemptState::Paid | AttemptState::Failed));
    let (at, attempt) =
        answered.filter_map(|entry| Some((entry.closed_at?, &entry.attempt))).max_by_key(|(at, _)| *at)?;
    let meaning = meaning(attempt.refusal.as_ref().filter(|_| attempt.state == AttemptState::Failed)?);
    // What was refused for a reason of ours says nothing about the card.
    meaning.problem.as_ref()?;
    Some(Refused { at, for_good: meaning.retry.is_hard(), words: meaning.words })
}

impl Refused {
    /// To be put behind what is said of the card.
    pub(super) fn shown(&self) -> String {
        let Self { at, words, for_good } = self;
        let what = if *for_good { "refused for good" } else { "refused" };
        let then = if *for_good { "; each further period is tried with it once more all the same" } else { "" };
        format!("; its last charge was {what} on {}: {words}{then}", minute(*at))
    }
}

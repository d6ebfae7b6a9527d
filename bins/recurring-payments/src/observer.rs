//! Watching a run: a log line per subscription, the progress line, and what is kept for report and
//! summary.

use std::sync::Arc;

use echodesk_billing::run::{Outcome, Phase, RenewalEvent, RenewalObserver};
use echodesk_job::{Progress, ProgressWords, Spool};

use crate::item::Item;
use crate::{line, words};

/// What the progress line counts. `place` and `fate` give the places in these lists.
pub(crate) const PROGRESS: ProgressWords = ProgressWords::Phases {
    phases: &["settling", "charging", "polling"],
    fates: &["paid", "pending", "refused", "open", "skipped", "due", "failed"],
};

/// Passes on what happens to people.
pub(crate) struct Watch {
    pub(crate) progress: Progress,
    pub(crate) spool: Arc<Spool>,
}

impl RenewalObserver for Watch {
    fn begun(&self, phase: Phase) {
        self.progress.enter(place(phase));
        tracing::debug!(?phase, "phase begins");
    }

    fn event(&self, event: &RenewalEvent) {
        self.progress.fate(fate(&event.outcome));
        self.spool.append(&Item::of(event), &line::of(event), event.outcome.is_failure());
        if event.outcome.is_failure() { warn_of(event) } else { inform_of(event) }
    }
}

fn place(phase: Phase) -> usize {
    match phase {
        Phase::Settling => 0,
        Phase::Charging => 1,
        Phase::Polling => 2,
    }
}

fn fate(outcome: &Outcome) -> usize {
    match outcome {
        Outcome::Paid { .. } => 0,
        Outcome::Pending(_) => 1,
        Outcome::Refused { .. } => 2,
        Outcome::Unknown(_) | Outcome::NeedsPerson(_) => 3,
        Outcome::Skipped(_) => 4,
        Outcome::WouldCharge | Outcome::WouldSettle(_) => 5,
        Outcome::Postponed(_) | Outcome::Failed(_) => 6,
    }
}

/// What a log line names.
struct Fields<'a> {
    tenant: &'a str,
    amount: Option<String>,
    period: Option<String>,
    order: Option<&'a str>,
    outcome: &'static str,
    words: String,
}

impl<'a> Fields<'a> {
    fn of(event: &'a RenewalEvent) -> Self {
        Self {
            tenant: event.tenant.as_str(),
            amount: event.amount.map(|amount| amount.to_string()),
            period: event.period.map(|period| words::day(period).to_string()),
            order: event.order.as_ref().map(|order| order.as_str()),
            outcome: event.outcome.code(),
            words: words::outcome(event),
        }
    }
}

fn inform_of(event: &RenewalEvent) {
    let Fields { tenant, amount, period, order, outcome, words } = Fields::of(event);
    let subscription = event.subscription.0;
    tracing::info!(tenant, subscription, amount, period, order, outcome, words, "renewal");
}

fn warn_of(event: &RenewalEvent) {
    let Fields { tenant, amount, period, order, outcome, words } = Fields::of(event);
    let subscription = event.subscription.0;
    tracing::warn!(tenant, subscription, amount, period, order, outcome, words, "renewal");
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_phase_and_outcome_has_its_word_in_the_progress_line() {
        let ProgressWords::Phases { phases, fates } = PROGRESS else { panic!("phases") };
        for (phase, word) in [(Phase::Settling, "settling"), (Phase::Charging, "charging"), (Phase::Polling, "polling")]
        {
            assert_eq!(phases[place(phase)], word);
        }
        for event in words::tests::events() {
            let word = fates[fate(&event.outcome)];
            let code = event.outcome.code();
            let fits = match word {
                "open" => ["unknown", "needs_person"].contains(&code),
                "due" => ["would_charge", "would_settle"].contains(&code),
                "failed" => ["postponed", "failed"].contains(&code),
                same => same == code,
            };
            assert!(fits, "{code} is counted as {word}");
        }
    }
}

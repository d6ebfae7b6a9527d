//! Watching a run: a log line per subscription, the progress line, and what is kept for report and
//! summary.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use echodesk_billing::status::{StatusEvent, StatusObserver, StatusOutcome};
use echodesk_job::{Progress, ProgressWords, Spool};

use crate::item::Item;
use crate::line;
use crate::words::Words;

/// What the progress line counts. `fate` gives the places in its list.
pub(crate) const PROGRESS: ProgressWords = ProgressWords::Phases {
    phases: &["looking at what expires"],
    fates: &["reminded", "urgently reminded", "in grace", "suspended", "active again", "withheld", "failed"],
};

/// Passes on what happens to people.
pub(crate) struct Watch {
    pub(crate) progress: Progress,
    pub(crate) spool: Arc<Spool>,
    pub(crate) words: Words,
    /// How often each reason has withheld something.
    withheld: Mutex<BTreeMap<&'static str, u64>>,
}

impl Watch {
    pub(crate) fn new(progress: Progress, spool: Arc<Spool>, words: Words) -> Self {
        Self { progress, spool, words, withheld: Mutex::default() }
    }

    /// How often each reason has withheld something, by the name of the reason.
    pub(crate) fn withheld(&self) -> BTreeMap<&'static str, u64> {
        self.withheld.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

impl StatusObserver for Watch {
    fn event(&self, event: &StatusEvent) {
        if let Some(fate) = fate(&event.outcome) {
            self.progress.fate(fate);
        }
        if let StatusOutcome::Withheld { why, .. } = &event.outcome {
            *self.withheld.lock().unwrap_or_else(PoisonError::into_inner).entry(why.code()).or_default() += 1;
        }
        self.spool.append(&Item::of(event), &line::of(event, &self.words), event.outcome.is_failure());
        let (tenant, subscription) = (event.tenant.as_str(), event.subscription.0);
        let expires = event.expires_at.map(|at| self.words.day(at).to_string());
        let (outcome, words) = (event.outcome.code(), self.words.outcome(event));
        if event.outcome.is_failure() {
            tracing::warn!(tenant, subscription, expires, outcome, words, "subscription");
        } else {
            tracing::info!(tenant, subscription, expires, outcome, words, "subscription");
        }
    }
}

fn fate(outcome: &StatusOutcome) -> Option<usize> {
    match outcome {
        StatusOutcome::Reminded(_) => Some(0),
        StatusOutcome::UrgentlyReminded(_) => Some(1),
        StatusOutcome::Warned { .. } | StatusOutcome::InGrace { .. } => Some(2),
        StatusOutcome::Suspended => Some(3),
        StatusOutcome::Reactivated { .. } => Some(4),
        StatusOutcome::Withheld { .. } => Some(5),
        StatusOutcome::Failed(_) | StatusOutcome::StillSuspended { .. } => Some(6),
        StatusOutcome::Changed => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::words;

    #[test]
    fn every_outcome_has_its_word_in_the_progress_line() {
        let ProgressWords::Phases { fates, .. } = PROGRESS else { panic!("phases") };
        for event in words::tests::events() {
            let code = event.outcome.code();
            let word = fate(&event.outcome).map(|fate| fates[fate].replace(' ', "_"));
            let expected = match code {
                "changed" => None,
                "warned" => Some("in_grace"),
                "reactivated" => Some("active_again"),
                "still_suspended" => Some("failed"),
                same => Some(same),
            };
            assert_eq!(word.as_deref(), expected);
        }
    }
}

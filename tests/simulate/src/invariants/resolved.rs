//! After days on which nothing went wrong: nothing is open that no person has to see to.

use echodesk_billing::ports::BillingStore as _;
use echodesk_store::{NoticeFilter, NoticeState};
use jiff::SignedDuration;

use crate::trace::TenantNumber;
use crate::violation::Invariant;
use crate::world::World;

/// The longest from one run to the next, and what it takes.
const RUNS_APART: SignedDuration = SignedDuration::from_hours(30);

impl World {
    /// Holds that everything is resolved.
    pub(crate) fn check_resolved(&self) {
        for number in self.accounts.numbers() {
            let account = self.accounts.read(number, Clone::clone);
            if let Some(capture) = account.unbooked().next() {
                let what = format!("{} was captured at {} and is not booked", capture.order, capture.at);
                self.violated(Invariant::AllResolved, number, what);
            }
        }
        match self.database.store.left(None, None, usize::MAX) {
            Ok(left) => {
                for attempt in left {
                    let tenant = self.accounts.of_subscription(attempt.subscription);
                    self.still_open(tenant, &attempt);
                }
            }
            Err(error) => self.violated(Invariant::AllResolved, None, format!("the ledger cannot be read: {error}")),
        }
        self.check_nothing_waits();
    }

    /// No notice waits that was tried, is claimed, or could have been sent by the last runs.
    fn check_nothing_waits(&self) {
        let filter = NoticeFilter { states: &[NoticeState::Queued], limit: usize::MAX, ..NoticeFilter::default() };
        let waiting = self.database.store.notices(&filter).unwrap_or_default();
        for notice in waiting {
            let is_old = self.time.now().duration_since(notice.decided_at) > RUNS_APART;
            if notice.attempts > 0 || notice.claimed_until.is_some() || is_old {
                let tenant = self.notices.get(notice.id).map(|notice| notice.tenant);
                self.violated(Invariant::AllResolved, tenant, format!("a notice still waits: {notice:?}"));
            }
        }
    }

    fn still_open(&self, tenant: Option<TenantNumber>, attempt: &echodesk_billing::model::Attempt) {
        self.violated(Invariant::AllResolved, tenant, format!("{attempt:?} is still open"));
    }
}

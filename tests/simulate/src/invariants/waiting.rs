//! After days on which nothing went wrong: no notice waits that could be delivered.

use std::collections::BTreeSet;

use echodesk_billing::ports::BillingStore as _;
use echodesk_core::StoreError;
use echodesk_store::{NoticeFilter, NoticeState};
use jiff::SignedDuration;

use crate::violation::Invariant;
use crate::world::World;

/// The longest from one run to the next, and what it takes.
const RUNS_APART: SignedDuration = SignedDuration::from_hours(30);

impl World {
    /// No notice waits that was tried, is claimed, or could have been sent by the last runs. Who has an open charge is
    /// not asked to pay.
    pub(crate) fn check_nothing_waits(&self) {
        let filter = NoticeFilter { states: &[NoticeState::Queued], limit: usize::MAX, ..NoticeFilter::default() };
        let (store, now) = (&self.database.store, self.time.now());
        let left = store.left(None, None, usize::MAX).unwrap_or_else(|error| self.unreadable(&error));
        let open: BTreeSet<_> =
            left.iter().filter_map(|left| self.accounts.of_subscription(left.subscription)).collect();
        for notice in store.notices(&filter).unwrap_or_else(|error| self.unreadable(&error)) {
            let tenant = self.notices.get(notice.id).map(|notice| notice.tenant);
            let is_kept_back = tenant.is_some_and(|tenant| open.contains(&tenant));
            let is_old = notice.attempts > 0 || now.duration_since(notice.decided_at) > RUNS_APART;
            if notice.claimed_until.is_some() || (is_old && !is_kept_back) {
                self.violated(Invariant::AllResolved, tenant, format!("a notice still waits: {notice:?}"));
            }
        }
    }

    fn unreadable<T>(&self, error: &StoreError) -> Vec<T> {
        self.violated(Invariant::AllResolved, None, format!("what is open cannot be read: {error}"));
        Vec::new()
    }
}

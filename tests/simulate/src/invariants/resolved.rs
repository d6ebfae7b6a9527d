//! After days on which nothing went wrong: nothing is open that no person has to see to.

use echodesk_billing::ports::BillingStore as _;

use crate::trace::TenantNumber;
use crate::violation::Invariant;
use crate::world::World;

impl World {
    /// Holds that everything is resolved.
    pub(crate) fn check_resolved(&self) {
        self.check_mail_resolved();
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
    }

    fn still_open(&self, tenant: Option<TenantNumber>, attempt: &echodesk_billing::model::Attempt) {
        self.violated(Invariant::AllResolved, tenant, format!("{attempt:?} is still open"));
    }
}

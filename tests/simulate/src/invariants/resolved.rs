//! After days on which nothing went wrong: nothing is open that no person has to see to.

use echodesk_billing::ports::BillingStore as _;

use jiff::SignedDuration;

use crate::trace::TenantNumber;
use crate::violation::Invariant;
use crate::world::World;

/// So old a key is no longer used.
const KEYS_TRUSTED_FOR: SignedDuration = SignedDuration::from_hours(22);

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

    fn still_open(&self, tenant: Option<TenantNumber>, attempt: &echodesk_billing::model::Attempt) {
        // Asking again with a key that the bank may have forgotten would charge twice, and the bank cannot be asked
        // by our name of an order: that needs a person, and so does what is marked as trouble.
        let age = self.time.now().duration_since(attempt.prepared_at);
        if attempt.trouble.is_some() || (attempt.bank_order.is_none() && age > KEYS_TRUSTED_FOR) {
            return self.count(|counts| counts.left_to_a_person += 1);
        }
        self.violated(Invariant::AllResolved, tenant, format!("{attempt:?} is still open"));
    }
}

//! After days on which nothing went wrong: nothing is open that no person has to see to.

use std::collections::BTreeSet;

use echodesk_billing::ports::BillingStore as _;

use crate::invariants::needs_person;
use crate::trace::TenantNumber;
use crate::violation::Invariant;
use crate::world::World;
use crate::world::accounts::{Capture, Payer};

impl World {
    /// Holds that everything is resolved.
    pub(crate) fn check_resolved(&self) {
        self.check_mail_resolved();
        let left = match self.database.store.left(None, None, usize::MAX) {
            Ok(left) => left,
            Err(error) => {
                return self.violated(Invariant::AllResolved, None, format!("the ledger cannot be read: {error}"));
            }
        };
        let with_person: BTreeSet<&str> =
            left.iter().filter(|attempt| needs_person(attempt)).map(|attempt| attempt.order.as_str()).collect();
        for number in self.accounts.numbers() {
            let account = self.accounts.read(number, Clone::clone);
            // What EchoDesk has charged itself it books itself, as late as it is told.
            let ours =
                |capture: &&Capture| capture.payer != Payer::EchoDesk && !with_person.contains(capture.order.as_str());
            if let Some(capture) = account.unbooked().find(ours) {
                let what = format!("{} was captured at {} and is not booked", capture.order, capture.at);
                self.violated(Invariant::AllResolved, number, what);
            }
        }
        for attempt in &left {
            if needs_person(attempt) {
                self.check_needs_person(attempt);
            } else {
                self.still_open(self.accounts.of_subscription(attempt.subscription), attempt);
            }
        }
        self.check_nothing_waits();
    }

    fn still_open(&self, tenant: Option<TenantNumber>, attempt: &echodesk_billing::model::Attempt) {
        self.violated(Invariant::AllResolved, tenant, format!("{attempt:?} is still open"));
    }
}

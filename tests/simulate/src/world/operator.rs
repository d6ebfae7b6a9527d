//! The person who looks up what the runs ask a person for.

use std::sync::Arc;

use echodesk_billing::model::{Attempt, Refusal};
use echodesk_billing::ports::{BillingStore as _, Settled, Settlement, Source};

use crate::invariants::needs_person;
use crate::world::World;
use crate::world::bank::OrderState;

impl World {
    /// What needs a person is looked up at the bank and resolved, as `echodesk orders resolve` does.
    pub(crate) fn operator_looks(self: &Arc<Self>) {
        let left = self.database.store.left(None, None, usize::MAX).unwrap_or_default();
        for attempt in left.iter().filter(|attempt| needs_person(attempt)) {
            self.check_needs_person(attempt);
            self.resolve(attempt);
        }
        self.retry_notices();
    }

    /// What is parked is sent again, as `echodesk notices retry --all` does.
    fn retry_notices(&self) {
        let retried = self.database.store.retry_notices(None, None, self.time.now());
        for id in retried.unwrap_or_default() {
            let tenant = self.notices.get(id).map(|notice| notice.tenant);
            self.trace.note(tenant, format_args!("the operator has a notice sent again"));
        }
    }

    fn resolve(&self, attempt: &Attempt) {
        let Some(tenant) = self.accounts.of_subscription(attempt.subscription) else { return };
        let orders = self.bank.of_external(attempt.order.as_str());
        if orders.iter().any(|order| order.state == OrderState::Processing) {
            return;
        }
        let is_paid = orders.iter().any(|order| order.state == OrderState::Completed);
        let because = "looked up at the bank";
        let refusal = (!is_paid).then(|| Refusal::Person { because: because.to_owned() });
        let settlement = Settlement {
            refusal: refusal.as_ref(),
            bank_order: None,
            source: Source::Person { because },
            now: self.time.now(),
            run: None,
            time_zone: &self.billing_zone,
        };
        let settled = self.database.store.settle(attempt.id, &settlement);
        self.trace.note(tenant, format_args!("the operator resolves {}, paid: {is_paid}: {settled:?}", attempt.order));
        let _ = self.accounts.change(tenant, |account| account.unknown.remove(attempt.order.as_str()));
        if matches!(settled, Ok(Settled::Already(_))) {
            let _ = self.database.store.set_trouble(attempt.id, None, self.time.now());
        }
        self.check_account(tenant);
        self.check_new_notices();
    }
}

//! Bugs in deciding whom to charge.

use echodesk_billing::model::Candidate;
use echodesk_billing::ports::{BillingStore as _, NewAttempt, Prepared};
use echodesk_billing::rules::due::price;
use echodesk_billing::rules::period::Window;
use echodesk_core::StoreError;
use jiff::SignedDuration;

use super::ledger::Ledger;
use crate::bugs::Bug;

/// Around any renewal date that there is.
const YEARS: SignedDuration = SignedDuration::from_hours(5 * 365 * 24);

impl Ledger {
    pub(super) fn misread(&self, candidate: &mut Candidate) {
        match self.bug {
            Bug::PriceIgnored => {
                let Ok(price) = price(candidate) else { return };
                let cards = [&mut candidate.own_card_order, &mut candidate.newest_card_order];
                cards.into_iter().flatten().for_each(|card| card.amount = Ok(price));
            }
            Bug::ForeignRetryIgnored => (candidate.echodesk_retry, candidate.foreign_order) = (None, None),
            _ => {}
        }
    }

    /// Writes it down for a subscription that is another by now.
    pub(super) fn prepare_unguarded(&self, new: &NewAttempt<'_>) -> Result<Prepared, StoreError> {
        let prepared = self.real.prepare(new)?;
        if matches!(prepared, Prepared::Written(_)) {
            return Ok(prepared);
        }
        let (charge, now) = (new.charge, new.claim.now);
        let always = Window { after: now - YEARS, until: now + YEARS };
        let store = &self.process.world.database.store;
        let found = store.candidates(&always, Some(charge.tenant.id), None, 1, now)?;
        let Some(found) = found.into_iter().next() else { return Ok(prepared) };
        let charge = echodesk_billing::model::Charge { seen: found.seen, ..charge.clone() };
        self.real.prepare(&NewAttempt { charge: &charge, ..new.clone() })
    }

    /// Writes it down as if EchoDesk had planned nothing.
    pub(super) fn prepare_beside_retries(&self, new: &NewAttempt<'_>) -> Result<Prepared, StoreError> {
        let (subscription, tenant) = (new.charge.subscription, new.charge.tenant.id);
        let set = |from: &str, to: &str| {
            self.process.world.database.execute(&format!(
                "UPDATE tenants_payment_retry_schedule SET status = '{to}' \
                   WHERE subscription_id = {subscription} AND status = '{from}'; \
                 UPDATE tenants_payment_order SET status = '{to}' \
                   WHERE tenant_id = {tenant} AND order_id LIKE 'RETRY-%' AND status = '{from}'"
            ));
        };
        set("pending", "pending!");
        set("executing", "executing!");
        let prepared = self.real.prepare(new);
        set("pending!", "pending");
        set("executing!", "executing");
        prepared
    }
}

//! Bugs in booking.

use echodesk_billing::model::{Attempt, AttemptState, Refusal};
use echodesk_billing::ports::{BillingStore as _, Settled, Settlement, Source};
use echodesk_core::{AttemptId, StoreError};
use jiff::tz::TimeZone;
use jiff::{Timestamp, ToSpan as _};

use super::ledger::Ledger;
use crate::bugs::Bug;
use crate::database::literal;
use crate::trace::TenantNumber;
use crate::world::accounts::MONTH;

impl Ledger {
    /// What has not answered has failed.
    pub(super) fn fail(&self, attempt: Attempt, why: &str, now: Timestamp) -> Result<Attempt, StoreError> {
        if !attempt.state.is_open() {
            return Ok(attempt);
        }
        let refusal = Refusal::Http { status: 504, code: None, message: why.to_owned() };
        let settlement = Settlement {
            refusal: Some(&refusal),
            bank_order: None,
            source: Source::Answer,
            now,
            run: None,
            time_zone: &self.process.world.billing_zone,
        };
        self.real.settle(attempt.id, &settlement)?;
        Ok(self.real.attempt_of_order(&attempt.order)?.unwrap_or(attempt))
    }

    /// Whoever books does not look whether that was done.
    pub(super) fn as_if_open(&self, attempt: Attempt) -> Attempt {
        match (self.bug, attempt.state) {
            (Bug::SettlementUnguarded, AttemptState::Paid) => Attempt { state: AttemptState::Accepted, ..attempt },
            _ => attempt,
        }
    }

    /// What the bug does to what was booked.
    pub(super) fn settle_wrongly(&self, attempt: AttemptId, settlement: &Settlement<'_>, settled: &Settled) {
        let world = &self.process.world;
        let Some(tenant) = world.accounts.of_attempt(attempt) else { return };
        let now = settlement.now;
        match (self.bug, settled) {
            (Bug::SettlementUnguarded, Settled::Already(AttemptState::Paid)) if settlement.refusal.is_none() => {
                self.move_date(tenant, |date| date + MONTH);
            }
            (Bug::HookIgnored, Settled::Paid { extended: false, .. }) => self.move_date(tenant, |date| date + MONTH),
            (Bug::ExtensionFromNow, Settled::Paid { extended: true, .. }) => self.move_date(tenant, |_| now + MONTH),
            (Bug::ExtensionByCalendar, Settled::Paid { extended: true, .. }) => self.move_date(tenant, |date| {
                let from = (date - MONTH).to_zoned(TimeZone::UTC);
                from.checked_add(1.month()).map_or(date, |until| until.timestamp())
            }),
            (Bug::RetriesNotCancelled, Settled::Paid { .. }) => {
                let subscription = world.accounts.read(tenant, |account| account.subscription);
                world.database.execute(&format!(
                    "UPDATE tenants_payment_retry_schedule SET status = 'pending', executed_at = NULL, skip_reason = '' \
                       WHERE subscription_id = {subscription} AND skip_reason LIKE 'paid by order%'"
                ));
            }
            (Bug::ReactivationForgetsTenant, Settled::Paid { reactivated: true, .. }) => {
                let id = world.accounts.read(tenant, |account| account.tenant);
                world.database.execute(&format!("UPDATE tenants_tenant SET is_active = false WHERE id = {id}"));
            }
            _ => return,
        }
        world.check_account(tenant);
    }

    fn move_date(&self, tenant: TenantNumber, to: impl FnOnce(Timestamp) -> Timestamp) {
        let world = &self.process.world;
        let (id, date) = world.accounts.read(tenant, |account| (account.tenant, account.expires_at));
        let until = literal(to(date));
        world.database.execute(&format!(
            "UPDATE tenants_tenant_subscription SET expires_at = {until}, next_billing_date = {until} \
               WHERE tenant_id = {id}"
        ));
    }
}

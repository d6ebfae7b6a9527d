//! A final answer, with all that follows from it.

use echodesk_billing::model::{AttemptState, PastAttempt};
use echodesk_billing::ports::{Settled, Settlement, Source};
use echodesk_billing::rules::period::{Standing, extend};
use echodesk_billing::rules::retry::next_attempt;
use echodesk_billing::rules::settle::{Closing, OrderStatus, closing};
use echodesk_core::{AttemptId, StoreError};

use super::ledger::Entry;
use super::{State, missing};

impl State {
    /// The rules say what is done; this does it, and all of it at once.
    pub(super) fn settle(&mut self, id: AttemptId, settlement: &Settlement<'_>) -> Result<Settled, StoreError> {
        let entry = self.attempts.get_mut(&id).ok_or_else(|| missing(id))?;
        if let Some(run) = settlement.run {
            entry.release(run);
        }
        if settlement.is_overtaken(&entry.attempt, entry.sender) {
            return Ok(Settled::Already(entry.attempt.state));
        }
        // Nobody but us books orders here, so that the order stands as the attempt does.
        let order = match entry.attempt.state {
            AttemptState::Paid => OrderStatus::Paid,
            AttemptState::Failed | AttemptState::NotSent => OrderStatus::Closed,
            AttemptState::Prepared | AttemptState::Unknown | AttemptState::Accepted => OrderStatus::Pending,
        };
        Ok(match closing(entry.attempt.state, order, settlement.refusal.is_none()) {
            Closing::Nothing => Settled::Already(entry.attempt.state),
            // Only where somebody else books orders as well.
            Closing::Wait => Settled::NotYet,
            Closing::Contradiction => Settled::Contradiction,
            Closing::Pay { .. } => {
                close(entry, AttemptState::Paid, settlement);
                self.paid(id, settlement)
            }
            Closing::Fail { .. } => {
                close(entry, AttemptState::Failed, settlement);
                self.failed(id, settlement)
            }
        })
    }

    fn paid(&mut self, id: AttemptId, settlement: &Settlement<'_>) -> Settled {
        let subscription = self.attempts.get(&id).map(|entry| entry.attempt.subscription);
        let Some(subscription) = subscription.and_then(|id| self.subscriptions.get_mut(&id)) else {
            return Settled::Paid { until: None, extended: false, reactivated: false };
        };
        let seen = subscription.seen(None);
        let standing = Standing {
            tenant_active: seen.tenant_active,
            active: seen.active,
            expires_at: seen.expires_at,
            next_billing_date: seen.next_billing_date,
        };
        let extension = extend(&standing, settlement.now);
        subscription.extend(&extension);
        Settled::Paid {
            until: Some(extension.next_billing_date),
            extended: true,
            reactivated: extension.lifts_suspension,
        }
    }

    fn failed(&mut self, id: AttemptId, settlement: &Settlement<'_>) -> Settled {
        let Some(attempt) = self.attempts.get(&id).map(|entry| entry.attempt.clone()) else {
            return Settled::Already(AttemptState::Failed);
        };
        if let Some(subscription) = self.subscriptions.get_mut(&attempt.subscription) {
            subscription.failed_payments += 1;
        }
        let past: Vec<PastAttempt> = self.attempts_on(attempt.subscription).map(Entry::past).collect();
        Settled::Failed(next_attempt(&past, attempt.period, &attempt.parent, settlement.time_zone))
    }
}

fn close(entry: &mut Entry, state: AttemptState, settlement: &Settlement<'_>) {
    entry.close(state, settlement.now);
    let attempt = &mut entry.attempt;
    attempt.refusal = settlement.refusal.cloned();
    attempt.bank_order = attempt.bank_order.take().or_else(|| settlement.bank_order.cloned());
    if matches!(settlement.source, Source::Person { .. }) {
        attempt.trouble = None;
    }
}

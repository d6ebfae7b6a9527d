//! How the ledger in memory settles: the rules, applied to its maps.

use echodesk_core::{AttemptId, StoreError};

use super::ledger::{Entry, State, no_attempt};
use crate::model::{AttemptState, PastAttempt};
use crate::ports::{Settled, Settlement, Source};
use crate::rules::period::{Standing, extend};
use crate::rules::retry::next_attempt;
use crate::rules::settle::{Closing, OrderStatus, closing};

impl Entry {
    /// Trouble stays until a person has looked.
    fn looked_at(&mut self, settlement: &Settlement<'_>) {
        if matches!(settlement.source, Source::Person { .. }) {
            self.attempt.trouble = None;
        }
    }
}

impl State {
    pub(super) fn settle(&mut self, id: AttemptId, settlement: &Settlement<'_>) -> Result<Settled, StoreError> {
        let entry = self.attempts.get_mut(&id).ok_or_else(|| no_attempt(id))?;
        if settlement.run.is_some() && entry.claim.map(|claim| claim.run) == settlement.run {
            entry.claim = None;
        }
        if let Some(order) = settlement.bank_order {
            entry.attempt.bank_order.get_or_insert_with(|| order.clone());
        }
        if settlement.is_overtaken(&entry.attempt, entry.sender) {
            return Ok(Settled::Already(entry.attempt.state));
        }
        match closing(entry.attempt.state, entry.order, settlement.refusal.is_none()) {
            Closing::Nothing => Ok(Settled::Already(entry.attempt.state)),
            Closing::Wait => Ok(Settled::NotYet),
            Closing::Contradiction => {
                entry.attempt.trouble = Some("EchoDesk says paid, the bank does not".to_owned());
                Ok(Settled::Contradiction)
            }
            Closing::Pay { extend: extends, late: _ } => {
                (entry.attempt.state, entry.attempt.refusal) = (AttemptState::Paid, None);
                entry.looked_at(settlement);
                (entry.order, entry.closed_at) = (OrderStatus::Paid, Some(settlement.now));
                let Some(account) = self.accounts.get_mut(&entry.attempt.subscription) else {
                    return Ok(Settled::Paid { until: None, extended: false, reactivated: false });
                };
                if !extends {
                    let until = account.seen.next_billing_date;
                    return Ok(Settled::Paid { until, extended: false, reactivated: false });
                }
                let seen = &mut account.seen;
                let extension = extend(
                    &Standing {
                        tenant_active: seen.tenant_active,
                        active: seen.active,
                        expires_at: seen.expires_at,
                        next_billing_date: seen.next_billing_date,
                    },
                    settlement.now,
                );
                (seen.expires_at, seen.next_billing_date) = (extension.expires_at, Some(extension.next_billing_date));
                (seen.tenant_active, seen.active) = (true, true);
                account.extended += 1;
                (account.failed_payments, account.echodesk_retry) = (0, None);
                Ok(Settled::Paid {
                    until: Some(extension.next_billing_date),
                    extended: true,
                    reactivated: extension.lifts_suspension,
                })
            }
            Closing::Fail { count } => {
                entry.attempt.state = AttemptState::Failed;
                entry.attempt.refusal = settlement.refusal.cloned();
                entry.looked_at(settlement);
                (entry.order, entry.closed_at) = (OrderStatus::Closed, Some(settlement.now));
                let attempt = entry.attempt.clone();
                if let Some(account) = self.accounts.get_mut(&attempt.subscription).filter(|_| count) {
                    account.failed_payments += 1;
                }
                let past: Vec<PastAttempt> = self
                    .attempts
                    .values()
                    .filter(|entry| entry.attempt.subscription == attempt.subscription)
                    .map(|entry| PastAttempt {
                        order: entry.attempt.order.clone(),
                        period: entry.attempt.period,
                        number: entry.attempt.number,
                        state: entry.attempt.state,
                        parent: entry.attempt.parent.clone(),
                        refusal: entry.attempt.refusal.clone(),
                        closed_at: entry.closed_at,
                    })
                    .collect();
                Ok(Settled::Failed(next_attempt(&past, attempt.period, &attempt.parent, settlement.time_zone)))
            }
        }
    }
}

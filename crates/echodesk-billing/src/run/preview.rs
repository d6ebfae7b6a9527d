//! The dry run: what a run would do, read only.

use echodesk_core::{StoreError, SubscriptionId};
use jiff::Timestamp;
use std::collections::HashSet;

use crate::model::{Attempt, AttemptState};
use crate::ports::BillingStore;
use crate::rules::due::{Decision, Policy, judge};
use crate::run::attend::key_too_old;
use crate::run::charge::skip_event;
use crate::run::world::PAGE;
use crate::run::{Outcome, Phase, RenewalEvent, RenewalObserver, RenewalOptions, RenewalReport};

/// Tells what a run at `now`, which may be any time, would do. Reads only, and talks to no bank.
///
/// # Errors
/// The database cannot be read.
pub fn preview(
    store: &dyn BillingStore,
    observer: &dyn RenewalObserver,
    options: &RenewalOptions,
    now: Timestamp,
) -> Result<RenewalReport, StoreError> {
    let mut report = RenewalReport::default();
    let mut tell = |event: RenewalEvent| {
        report.totals.count(&event);
        observer.event(&event);
    };
    let tenant = options.tenant.as_ref().map(|tenant| tenant.id);

    observer.begun(Phase::Settling);
    let mut told = HashSet::<SubscriptionId>::new();
    let mut after = None;
    loop {
        let page = store.left(tenant, after, PAGE)?;
        let Some(last) = page.last() else { break };
        after = Some(last.id);
        for attempt in &page {
            told.insert(attempt.subscription);
            tell(RenewalEvent::of(attempt, would_do(attempt, &options.policy, now)));
        }
    }

    observer.begun(Phase::Charging);
    let window = options.policy.window(now);
    let mut after = None;
    loop {
        let page = store.candidates(&window, tenant, after, PAGE, now)?;
        let Some(last) = page.last() else { break };
        after = Some(last.subscription);
        for candidate in &page {
            match judge(candidate, &options.policy, now) {
                Decision::Skip(_) if told.contains(&candidate.subscription) => {}
                Decision::Skip(skip) => tell(skip_event(candidate, skip)),
                Decision::Charge(charge) => tell(RenewalEvent {
                    tenant: charge.tenant.schema.clone(),
                    subscription: charge.subscription,
                    amount: Some(charge.amount),
                    period: Some(charge.period),
                    order: None,
                    outcome: Outcome::WouldCharge,
                }),
            }
        }
    }
    Ok(report)
}

fn would_do(attempt: &Attempt, policy: &Policy, now: Timestamp) -> Outcome {
    if let Some(trouble) = &attempt.trouble {
        return Outcome::NeedsPerson(trouble.clone());
    }
    match (attempt.state, &attempt.bank_order) {
        (AttemptState::Accepted, Some(order)) => {
            Outcome::WouldSettle(format!("ask the bank for the receipt of its order {order}"))
        }
        _ if policy.trusts_key(attempt.prepared_at, now) => {
            Outcome::WouldSettle("repeat the call with the same key".to_owned())
        }
        _ => Outcome::NeedsPerson(key_too_old(attempt)),
    }
}

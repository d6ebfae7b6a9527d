//! A dry run that goes about it as a run does, up to the call of the bank.

use echodesk_billing::model::OrderId;
use echodesk_billing::ports::{BillingStore as _, Claim, NewAttempt};
use echodesk_billing::rules::due::{Decision, judge};
use echodesk_billing::run::RenewalOptions;
use echodesk_core::RunId;
use jiff::Timestamp;

use crate::bugs::Bug;
use crate::world::World;

/// Writes down what would be charged, if that is the bug.
pub(crate) fn dry_prepare(world: &World, options: &RenewalOptions, now: Timestamp) {
    if world.plan.bug != Some(Bug::DryRunPrepares) {
        return;
    }
    let (store, window) = (&world.database.store, options.policy.window(now));
    let mut dice = world.chance.at(&format!("dry run at {}", world.time.now()));
    let claim = Claim { run: RunId(dice.uuid()), until: now, now };
    for candidate in store.candidates(&window, None, None, usize::MAX, now).unwrap_or_default() {
        if let Decision::Charge(charge) = judge(&candidate, &options.policy, now) {
            let (order, key) = (OrderId::renewal(dice.uuid()), dice.uuid());
            let _ = store.prepare(&NewAttempt { charge: &charge, order, key, claim });
        }
    }
}

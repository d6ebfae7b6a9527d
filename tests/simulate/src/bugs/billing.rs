//! Bugs of renewals and callbacks.

mod bank;
mod callbacks;
mod deciding;
mod dry;
mod ledger;
mod settling;
mod unwritten;

use std::sync::Arc;

use echodesk_billing::ports::BillingStore;
use echodesk_billing::rules::due::Policy;

use jiff::SignedDuration;

use crate::bugs::Bug;
use crate::ports::billing::BillingPort;
use crate::process::Process;
pub(crate) use bank::BankLayer;
pub(crate) use callbacks::{believes_everybody, callback_body};
pub(crate) use dry::dry_prepare;

/// The ledger as a process sees it.
pub(crate) fn billing_store(process: &Arc<Process>) -> Arc<dyn BillingStore> {
    match process.world.plan.bug {
        Some(bug) => Arc::new(ledger::Ledger::new(process, bug)),
        None => BillingPort::new(process),
    }
}

/// The bank as a process sees it.
pub(crate) fn bank(process: &Arc<Process>) -> Arc<BankLayer> {
    BankLayer::new(process)
}

/// What a run of renewals is told to do.
pub(crate) fn policy(bug: Option<Bug>, policy: Policy) -> Policy {
    match bug {
        Some(Bug::ChargedTooEarly) => Policy { days_before: 10, ..policy },
        Some(Bug::KeyNeverTrusted) => Policy { key_trusted_for: SignedDuration::from_hours(3), ..policy },
        _ => policy,
    }
}

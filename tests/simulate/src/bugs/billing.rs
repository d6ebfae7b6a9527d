//! Bugs of renewals and callbacks.

use std::sync::Arc;

use echodesk_billing::ports::BillingStore;

use crate::ports::bank::BankPort;
use crate::ports::billing::BillingPort;
use crate::process::Process;

/// The ledger as a process sees it.
pub(crate) fn billing_store(process: &Arc<Process>) -> Arc<dyn BillingStore> {
    BillingPort::new(process)
}

/// The bank as a process sees it.
pub(crate) fn bank(process: &Arc<Process>) -> Arc<BankPort> {
    BankPort::new(process)
}

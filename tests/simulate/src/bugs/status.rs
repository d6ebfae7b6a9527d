//! Bugs of reminders, warnings and suspensions.

use std::sync::Arc;

use echodesk_billing::ports::StatusStore;

use crate::ports::status::StatusPort;
use crate::process::Process;

/// The watch's store as a process sees it.
pub(crate) fn status_store(process: &Arc<Process>) -> Arc<dyn StatusStore> {
    StatusPort::new(process)
}

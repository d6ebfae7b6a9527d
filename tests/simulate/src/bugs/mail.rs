//! Bugs of mailboxes.

use std::sync::Arc;

use echodesk_mail::ports::{MailServer, MailStore};

use crate::ports::imap::{ImapPort, Shown};
use crate::ports::mail::{Kind, MailPort};
use crate::process::Process;
use crate::runs::MailClock;

/// The store of mail as a process sees it.
pub(crate) fn mail_store(process: &Arc<Process>, shown: &Arc<Shown>, kind: Kind) -> Arc<dyn MailStore> {
    MailPort::new(process, shown, kind)
}

/// The mail servers as a process sees them.
pub(crate) fn mail_server(process: &Arc<Process>, clock: &MailClock, shown: &Arc<Shown>) -> Arc<dyn MailServer> {
    Arc::new(ImapPort::new(process, clock, shown))
}

//! Bugs of mailboxes.

mod server;
mod store;

use std::sync::Arc;

use echodesk_mail::ports::{MailServer, MailStore};

use super::Bug;
use crate::ports::imap::{ImapPort, Shown};
use crate::ports::mail::{Kind, MailPort};
use crate::process::Process;
use crate::runs::MailClock;
use crate::world::World;

/// The store of mail as a process sees it.
pub(crate) fn mail_store(process: &Arc<Process>, shown: &Arc<Shown>, kind: Kind) -> Arc<dyn MailStore> {
    let port = MailPort::new(process, shown, kind);
    match process.world.plan.bug {
        Some(
            bug @ (Bug::CursorBeforeStoring
            | Bug::MessageIdOnly
            | Bug::LeaseWithoutExpiry
            | Bug::PlaceIsIdentity
            | Bug::OddMessageSkipped
            | Bug::PendingForgotten
            | Bug::RefusedFolderCountsAsRead
            | Bug::DeletionsIgnored
            | Bug::GoneForgotten
            | Bug::FlagsIgnored
            | Bug::LeaseUnchecked
            | Bug::RenewsALostLease
            | Bug::SwitchedOffAtOnce
            | Bug::GivenUpAtOnce),
        ) => Arc::new(store::BuggyStore::new(process, port, bug)),
        // Past everything that looks on.
        Some(Bug::DryRunStores) if kind == Kind::DryRun => Arc::new(process.world.database.store.clone()),
        Some(bug @ Bug::DryRunTakesLease) if kind == Kind::DryRun => {
            Arc::new(store::BuggyStore::new(process, port, bug))
        }
        _ => port,
    }
}

/// Whether a dry run is one only by name.
pub(crate) fn dry_run_stores(world: &World) -> bool {
    world.plan.bug == Some(Bug::DryRunStores)
}

/// The mail servers as a process sees them.
pub(crate) fn mail_server(process: &Arc<Process>, clock: &MailClock, shown: &Arc<Shown>) -> Arc<dyn MailServer> {
    let port = ImapPort::new(process, clock, shown);
    match process.world.plan.bug {
        Some(bug @ (Bug::UidValidityIgnored | Bug::CutCountsAsRead | Bug::NewByDate | Bug::UndeliveredIsGone)) => {
            Arc::new(server::BuggyServer::new(process, port, bug))
        }
        _ => Arc::new(port),
    }
}

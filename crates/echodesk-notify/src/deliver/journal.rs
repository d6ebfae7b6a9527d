//! What the log says: tenants, kinds, ids and reasons; no subject, and no address that can be read.

use super::run::Done;
use crate::ports::Fate;
use crate::rules::{masked, veiled};

/// What became of a notice.
pub(super) fn tell(done: &Done) {
    let notice = &done.claimed.notice;
    let (tenant, kind, id) = (&notice.tenant.schema, notice.code.as_str(), notice.id);
    match &done.fate {
        Fate::Sent { to } => tracing::info!(%tenant, kind, %id, to = masked(to), "notice sent"),
        Fate::Withdrawn { why } => tracing::info!(%tenant, kind, %id, why, "notice withdrawn"),
        Fate::Later { not_before, why } => {
            tracing::info!(%tenant, kind, %id, %not_before, why, "notice kept back");
        }
        Fate::TryAgain { not_before, why } => {
            let why = veiled(why);
            tracing::warn!(%tenant, kind, %id, %not_before, why, "notice not sent for now");
        }
        Fate::Parked { why } => {
            let why = veiled(why);
            tracing::warn!(%tenant, kind, %id, why, "notice parked");
        }
        Fate::Back => tracing::debug!(%tenant, kind, %id, "notice given back"),
    }
}

/// What could not be written down.
pub(super) fn unwritten(batch: &[Done]) {
    let sent = batch.iter().filter(|done| matches!(done.fate, Fate::Sent { .. })).count();
    if sent > 0 {
        tracing::warn!(sent, "mails were sent and could not be marked as sent: they will be sent again");
    }
}

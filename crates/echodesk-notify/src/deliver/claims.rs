//! Claiming pages of notices.

use std::sync::Arc;

use echodesk_core::StoreError;
use jiff::SignedDuration;

use super::run::{Claimed, Run};
use crate::ports::{Claim, Page};

/// So many notices are claimed at once.
pub(super) const PAGE: usize = 256;

/// What was claimed at once.
#[derive(Debug)]
pub(super) struct Claims {
    /// Oldest first; empty if nothing is due.
    pub(super) notices: Vec<Arc<Claimed>>,
    pub(super) parked: u64,
    pub(super) withdrawn: u64,
}

/// The next page.
pub(super) async fn claim<T>(run: &Run<T>) -> Result<Claims, StoreError> {
    let (now, since) = (run.now(), run.world.clock.elapsed());
    let claim_for = SignedDuration::try_from(run.options.claim_for).unwrap_or(SignedDuration::MAX);
    let until = now.checked_add(claim_for).unwrap_or(jiff::Timestamp::MAX);
    let (claim, tenant) = (Claim { run: run.world.run, until, now }, run.options.tenant);
    let Page { notices, parked, withdrawn } = run.ask(move |outbox| outbox.claim(&claim, tenant, PAGE)).await?;
    if parked + withdrawn > 0 {
        tracing::warn!(parked, withdrawn, "notices were closed that can go to nobody");
    }
    let notices = notices.into_iter().map(|notice| Arc::new(Claimed { notice, since })).collect();
    Ok(Claims { notices, parked, withdrawn })
}

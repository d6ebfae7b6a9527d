//! Claiming pages of notices.

use std::sync::Arc;

use echodesk_core::StoreError;
use jiff::SignedDuration;

use super::run::{Claimed, Run};
use crate::ports::Claim;

/// So many notices are claimed at once.
pub(super) const PAGE: usize = 256;

/// The next page, oldest first; empty if nothing is due.
pub(super) async fn claim<T>(run: &Run<T>) -> Result<Vec<Arc<Claimed>>, StoreError> {
    let (now, since) = (run.now(), run.world.clock.elapsed());
    let claim_for = SignedDuration::try_from(run.options.claim_for).unwrap_or(SignedDuration::MAX);
    let until = now.checked_add(claim_for).unwrap_or(jiff::Timestamp::MAX);
    let (claim, tenant) = (Claim { run: run.world.run, until, now }, run.options.tenant);
    let page = run.ask(move |outbox| outbox.claim(&claim, tenant, PAGE)).await?;
    Ok(page.into_iter().map(|notice| Arc::new(Claimed { notice, since })).collect())
}

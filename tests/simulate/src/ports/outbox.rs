//! What is queued.

use std::sync::Arc;

use echodesk_core::{Clock as _, NoticeId, RunId, StoreError, TenantId};
use echodesk_notify::ports::{Claim, Fate, Outbox, Page, Queued, Waiting};
use jiff::Timestamp;

use crate::process::{Effect, Process};
use crate::world::post_office::Held;

/// The real outbox, as one process reaches it.
#[derive(Debug)]
pub struct OutboxPort {
    process: Arc<Process>,
}

impl OutboxPort {
    /// That of a process.
    #[must_use]
    pub fn new(process: &Arc<Process>) -> Arc<Self> {
        Arc::new(Self { process: Arc::clone(process) })
    }

    fn store(&self) -> &dyn Outbox {
        &self.process.world.database.store
    }
}

impl Outbox for OutboxPort {
    fn claim(&self, claim: &Claim, tenant: Option<TenantId>, limit: usize) -> Result<Page, StoreError> {
        // By the host's clock as it is before anything happens to the call, and not by what a bug makes of it.
        let (began, lasts) = (self.process.clock.now(), claim.until.duration_since(claim.now));
        self.process.store_call("claim notices", None, Effect::Writes, || {
            let page = self.store().claim(claim, tenant, limit)?;
            for queued in &page.notices {
                let held = Held { from: began, until: began.checked_add(lasts).unwrap_or(Timestamp::MAX) };
                self.process.world.post_office.claim(self.process.run, queued.id, held);
            }
            self.process.world.notices_looked_at(&self.process, &page.notices);
            Ok(page)
        })
    }

    fn look_again(&self, run: RunId, notice: NoticeId, now: Timestamp) -> Result<Option<Queued>, StoreError> {
        let tenant = self.process.world.notices.get(notice).map(|notice| notice.tenant);
        self.process.store_call("look at a notice again", tenant, Effect::Reads, || {
            let found = self.store().look_again(run, notice, now)?;
            self.process.world.notices_looked_at(&self.process, found.as_slice());
            Ok(found)
        })
    }

    fn record(&self, run: RunId, fates: &[(NoticeId, Fate)], now: Timestamp) -> Result<(), StoreError> {
        let recorded = self.process.store_call("record notices", None, Effect::Writes, || {
            self.store().record(run, fates, now)?;
            self.process.world.fates_recorded(run, fates);
            Ok(())
        });
        if recorded.is_err() {
            self.process.world.post_office.silence(run);
        }
        recorded
    }

    fn release(&self, run: RunId) -> Result<(), StoreError> {
        self.process.store_call("release notices", None, Effect::Writes, || self.store().release(run))
    }

    fn waiting(&self, tenant: Option<TenantId>) -> Result<Waiting, StoreError> {
        self.process.store_call("count notices", None, Effect::Reads, || self.store().waiting(tenant))
    }
}

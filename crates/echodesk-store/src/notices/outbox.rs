//! The outbox: [`Outbox`] on both back ends.

use diesel::prelude::*;
use echodesk_core::{NoticeId, RunId, StoreError, TenantId};
use echodesk_notify::ports::{Claim, Fate, Outbox, Page, Queued, Waiting};
use jiff::Timestamp;

use super::{NoticeState, claim, mailboxes, record};
use crate::Store;
use crate::connection::{Place, on};
use crate::error::Outcome;
use crate::sql_types::{RowId, Stamp, UuidValue};
use crate::tables::notices;

impl Outbox for Store {
    fn claim(&self, claim: &Claim, tenant: Option<TenantId>, limit: usize) -> Result<Page, StoreError> {
        let mut page = self.write(Place::Public, "claiming notices", |c| claim::page(c, claim, tenant, limit))?;
        // Mailboxes are in the tenants' own schemas and files, any of which may be missing or closed to us:
        // they are looked at once the claim stands, so that none of them can undo it.
        mailboxes::look_at(self, &mut page.notices);
        Ok(page)
    }

    fn look_again(&self, run: RunId, notice: NoticeId, now: Timestamp) -> Result<Option<Queued>, StoreError> {
        let mut found = self
            .read(Place::Public, &format!("looking at notice {notice} again"), |c| claim::one(c, run, notice, now))?;
        mailboxes::look_at(self, found.as_mut_slice());
        Ok(found)
    }

    fn record(&self, run: RunId, fates: &[(NoticeId, Fate)], now: Timestamp) -> Result<(), StoreError> {
        if fates.is_empty() {
            return Ok(());
        }
        self.write(Place::Public, "writing down what became of notices", |c| record::record(c, run, fates, now))
    }

    fn release(&self, run: RunId) -> Result<(), StoreError> {
        self.write(Place::Public, "giving notices back", |c| {
            let held = notices::table.filter(notices::claimed_by.eq(UuidValue(run.0)));
            let free = (notices::claimed_by.eq(None::<UuidValue>), notices::claimed_until.eq(None::<Stamp>));
            on!(c, |c| diesel::update(held).set(free).execute(c))?;
            Ok(())
        })
    }

    fn waiting(&self, tenant: Option<TenantId>) -> Result<Waiting, StoreError> {
        self.read(Place::Public, "counting the notices that wait", |c| {
            let mut count = |state: NoticeState, only_tried: bool| -> Outcome<u64> {
                let count: i64 = on!(&mut *c, |c| {
                    let mut query = notices::table.filter(state.condition()).count().into_boxed();
                    if let Some(tenant) = tenant {
                        query = query.filter(notices::tenant_id.eq(RowId(tenant.0)));
                    }
                    if only_tried {
                        query = query.filter(notices::attempts.gt(0));
                    }
                    query.get_result(c)
                })?;
                Ok(u64::try_from(count).unwrap_or_default())
            };
            Ok(Waiting {
                queued: count(NoticeState::Queued, false)?,
                tried: count(NoticeState::Queued, true)?,
                parked: count(NoticeState::Parked, false)?,
            })
        })
    }
}

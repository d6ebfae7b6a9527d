//! What the ledgers hold of one tenant, as plain data: for people who ask what happened. Reads only.

mod billing;
mod history;
mod mail;
mod money;
mod notices;
mod runs;

use echodesk_core::{SchemaName, StoreError, StoreErrorKind, Tenant, TenantId};
use echodesk_mail::ports::{MailStore as _, Scope, TenantProblem};
use jiff::Timestamp;

use crate::connection::Place;
use crate::mailboxes::unreadable;
use crate::{RunEntry, Store};

pub use billing::{BillingStory, SubscriptionStory};
pub use history::{EventStory, RetryStory, SuspensionStory};
pub use mail::{FailedMessage, FolderStory, MailboxStory};
pub use money::{CardStory, InvoiceStory, OrderStory};
pub use notices::NoticeStory;

/// The newest rows of a list, oldest first.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Newest<T> {
    /// The rows.
    pub rows: Vec<T>,
    /// Whether there are older ones.
    pub cut: bool,
}

impl<T> Default for Newest<T> {
    fn default() -> Self {
        Self { rows: Vec::new(), cut: false }
    }
}

impl<T> Newest<T> {
    /// From rows that come newest first, of which one more than `limit` was asked for.
    fn of(mut rows: Vec<T>, limit: usize) -> Self {
        let cut = rows.len() > limit;
        rows.truncate(limit);
        rows.reverse();
        Self { rows, cut }
    }
}

/// One row more than is wanted, to see whether there are more.
fn one_more(limit: usize) -> i64 {
    i64::try_from(limit).unwrap_or(i64::MAX).saturating_add(1)
}

impl Store {
    /// What happened to a tenant's subscription and its payments: of each list at most the newest `limit`.
    ///
    /// # Errors
    /// The database is away, a table of billing is missing or may not be read, or a charge cannot be read.
    pub fn billing_story(&self, tenant: TenantId, limit: usize) -> Result<BillingStory, StoreError> {
        self.read(Place::Public, &format!("reading the payments of tenant {tenant}"), |c| {
            let with_retries = self.has_retries(c)?;
            billing::load(c, tenant, limit, with_retries)
        })
    }

    /// The newest notices to a tenant, at most `limit`.
    ///
    /// # Errors
    /// The database is away.
    pub fn notice_story(&self, tenant: TenantId, limit: usize) -> Result<Newest<NoticeStory>, StoreError> {
        self.read(Place::Public, &format!("reading the notices to tenant {tenant}"), |c| {
            notices::load(c, tenant, limit)
        })
    }

    /// A tenant's mailboxes, how far they are read and what could not be: of messages that failed at most the
    /// newest `limit` of each mailbox. Or what keeps them from being read.
    ///
    /// # Errors
    /// The database is away; there is no such tenant.
    pub fn mail_story(
        &self,
        tenant: &Tenant,
        limit: usize,
        now: Timestamp,
    ) -> Result<Result<Vec<MailboxStory>, TenantProblem>, StoreError> {
        let schema = &tenant.schema;
        let mut mailboxes = Vec::new();
        for listed in self.tenants(&Scope::One(schema.clone()))? {
            match listed.mailboxes {
                Ok((_, found)) => mailboxes.extend(found),
                Err(problem) => return Ok(Err(problem)),
            }
        }
        let read = self.read(Place::Tenant(schema), &format!("reading the mail of tenant {schema}"), |c| {
            mailboxes.iter().map(|mailbox| mail::load(c, mailbox, limit, now)).collect()
        });
        match read {
            Err(error) if error.kind != StoreErrorKind::Unavailable => Ok(Err(unreadable(schema, &error))),
            read => read.map(Ok),
        }
    }

    /// The newest runs that were for this tenant alone, at most `limit`. A run for all tenants does not say whom it
    /// has worked for.
    ///
    /// # Errors
    /// The database is away.
    pub fn runs_for(&self, schema: &SchemaName, limit: usize) -> Result<Newest<RunEntry>, StoreError> {
        self.read(Place::Public, &format!("reading the runs for tenant {schema}"), |c| runs::for_one(c, schema, limit))
    }

    /// The newest run of a job that was for all tenants or for this one.
    ///
    /// # Errors
    /// The database is away.
    pub fn last_run(&self, job: &str, schema: &SchemaName) -> Result<Option<RunEntry>, StoreError> {
        self.read(Place::Public, &format!("reading the last run of {job}"), |c| runs::last(c, job, schema))
    }
}

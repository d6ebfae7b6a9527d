//! `echodesk mailbox …`.

mod add;
mod enable;
mod list;
pub(crate) mod password;
mod reference;

use echodesk_core::{SchemaName, Tenant};
use echodesk_job::tenant;
use echodesk_mail::ports::{MailStore as _, Scope, TenantMailboxes};
use echodesk_store::Store;

use crate::error::CommandError;

pub(crate) use add::add;
pub(crate) use enable::enable;
pub(crate) use list::list;
pub(crate) use reference::MailboxRef;

/// The mailboxes of one tenant, or of all, active or not.
pub(crate) fn of_tenants(store: &Store, only: Option<&SchemaName>) -> Result<Vec<TenantMailboxes>, CommandError> {
    let tenants: Vec<Tenant> = match only {
        Some(schema) => vec![tenant::find(store, schema)?],
        None => store.tenants_list()?,
    };
    let mut all = Vec::new();
    for tenant in tenants {
        all.extend(store.tenants(&Scope::One(tenant.schema))?);
    }
    Ok(all)
}

//! `echodesk mailbox enable`.

use echodesk_job::{Needs, tenant};
use echodesk_mail::model::MailboxKey;
use echodesk_mail::ports::TenantMailboxes;
use echodesk_store::{Access, Store};

use super::of_tenants;
use crate::answer::Answer;
use crate::cli::MailboxEnableArgs;
use crate::command::World;
use crate::error::CommandError;

pub(crate) fn enable(world: &World, args: &MailboxEnableArgs) -> Result<Answer, CommandError> {
    let store = world.store(Access::ReadWrite, Needs::Mail)?;
    let keys = match &args.mailbox {
        Some(mailbox) => vec![mailbox.resolve(args.tenant.as_ref(), || existing(&store))?],
        None => switched_off(of_tenants(&store, args.tenant.as_ref())?)?,
    };
    let mut text = String::new();
    for key in keys {
        tenant::find(&store, &key.schema)?;
        if !store.enable_mailbox(&key, world.clock.now())? {
            return Err(CommandError::NoMailbox { schema: key.schema, id: key.connection.0 });
        }
        text.push_str(&format!("mailbox {key} is switched on; the next run of sync-emails fetches its mail\n"));
    }
    Ok(Answer::done(if text.is_empty() { "no mailbox is switched off\n".to_owned() } else { text }))
}

fn switched_off(tenants: Vec<TenantMailboxes>) -> Result<Vec<MailboxKey>, CommandError> {
    let mut keys = Vec::new();
    for TenantMailboxes { tenant, mailboxes } in tenants {
        let readable = mailboxes.map_err(|source| CommandError::Unreadable { schema: tenant.schema, source })?;
        keys.extend(readable.1.into_iter().filter(|mailbox| !mailbox.is_active).map(|mailbox| mailbox.key));
    }
    Ok(keys)
}

fn existing(store: &Store) -> Result<Vec<MailboxKey>, CommandError> {
    let tenants = of_tenants(store, None)?;
    let readable = tenants.into_iter().filter_map(|tenant| tenant.mailboxes.ok());
    Ok(readable.flat_map(|(_, mailboxes)| mailboxes).map(|mailbox| mailbox.key).collect())
}

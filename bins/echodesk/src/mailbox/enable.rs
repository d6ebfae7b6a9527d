//! `echodesk mailbox enable`.

use echodesk_job::tenant;
use echodesk_mail::model::MailboxKey;
use echodesk_store::{Access, Store};

use super::of_tenants;
use crate::answer::Answer;
use crate::cli::MailboxEnableArgs;
use crate::command::World;
use crate::error::CommandError;

pub(crate) fn enable(world: &World, args: &MailboxEnableArgs) -> Result<Answer, CommandError> {
    let store = world.store(Access::ReadWrite)?;
    let key = args.mailbox.resolve(args.tenant.as_ref(), || existing(&store))?;
    tenant::find(&store, &key.schema)?;
    if !store.enable_mailbox(&key, world.clock.now())? {
        return Err(CommandError::NoMailbox { schema: key.schema, id: key.connection.0 });
    }
    Ok(Answer::done(format!("mailbox {key} is switched on; the next run of sync-emails fetches its mail\n")))
}

fn existing(store: &Store) -> Result<Vec<MailboxKey>, CommandError> {
    let tenants = of_tenants(store, None)?;
    let readable = tenants.into_iter().filter_map(|tenant| tenant.mailboxes.ok());
    Ok(readable.flat_map(|(_, mailboxes)| mailboxes).map(|mailbox| mailbox.key).collect())
}

//! `echodesk tenant subscribe`.

use echodesk_billing::model::BankOrderId;
use echodesk_billing::monthly_price;
use echodesk_job::{Needs, tenant};
use echodesk_store::{Access, NewSubscription};

use crate::answer::Answer;
use crate::cli::TenantSubscribeArgs;
use crate::command::World;
use crate::error::CommandError;

pub(crate) fn subscribe(world: &World, args: TenantSubscribeArgs) -> Result<Answer, CommandError> {
    let month = monthly_price([args.price.amount()], args.agents)
        .map_err(|source| CommandError::Price { agents: args.agents, source })?;
    let store = world.store(Access::ReadWrite, Needs::Billing)?;
    let tenant = tenant::find(&store, &args.schema)?;
    let subscription = NewSubscription {
        tenant: tenant.id,
        expires_at: args.expires,
        agents: args.agents,
        price_per_agent: args.price,
        month,
        card: args.card.map(BankOrderId),
    };
    let id = store.add_subscription(&subscription, world.clock.now())?;
    let (schema, expires) = (&tenant.schema, args.expires);
    let card = match &subscription.card {
        Some(card) => format!("renewed by the card of the bank's order {card}"),
        None => "no card is saved: renewals will be skipped".to_owned(),
    };
    Ok(Answer::done(format!(
        "tenant {schema} has subscription {id}: {month} a month until {expires:.0}, {card}; next: recurring-payments \
         --dry-run\n"
    )))
}

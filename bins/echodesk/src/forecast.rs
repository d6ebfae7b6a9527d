//! `echodesk forecast`.

mod json;
mod read;
mod tally;
#[cfg(test)]
mod tests;
mod text;
mod words;

use echodesk_billing::forecast::Plan;
use echodesk_core::Environment;
use echodesk_job::{Needs, SettingsError, tenant};
use echodesk_store::Access;
use jiff::Timestamp;

use self::tally::Tally;
use crate::answer::Answer;
use crate::cli::ForecastArgs;
use crate::command::World;
use crate::error::CommandError;
use crate::refusals::{self, Refusal};

/// What no rule can know, for people.
const CANNOT_KNOW: [&str; 4] = [
    "who pays by hand, saves another card or orders something else",
    "which cards the bank declines: see --if",
    "what becomes of orders that are open, and what EchoDesk charges by itself",
    "which notices that wait already are still true when they are sent: `echodesk notices list`",
];

/// A forecast with what it was made for.
struct Forecast {
    plan: Plan,
    from: Timestamp,
    tally: Tally,
    /// Which of the jobs that are played would not start here, and why.
    refusals: Vec<Refusal>,
}

pub(crate) fn run(world: &World, args: &ForecastArgs) -> Result<Answer, CommandError> {
    let plan = plan(args, &world.settings.environment)?;
    let store = world.store(Access::ReadOnly, Needs::Billing)?;
    let tenant = args.tenant.as_ref().map(|schema| tenant::find(&store, schema)).transpose()?;
    tenant::refuse_unknown_exempt(&store, tenant::EXEMPT, &plan.renewals.exempt)?;
    let from = args.as_of.unwrap_or_else(|| world.clock.now());
    let tally = read::all(&store, tenant.map(|tenant| tenant.id), &plan, from)?;
    let mut refusals = refusals::all(&store, world)?;
    refusals.retain(|refusal| refusal.job != refusals::MAIL);
    let forecast = Forecast { plan, from, tally, refusals };
    Ok(Answer::done(if args.json { json::of(&forecast) } else { text::of(&forecast) }))
}

fn plan(args: &ForecastArgs, environment: &Environment) -> Result<Plan, SettingsError> {
    let (renewals, expiry) = args.schedule.policies(environment)?;
    Ok(Plan { renewals, expiry, schedule: args.schedule.schedule(), assumption: args.outcome.into(), days: args.days })
}

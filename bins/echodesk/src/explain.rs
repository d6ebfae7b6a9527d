//! `echodesk explain`: the story of one tenant from all ledgers, and what the next runs will do about it, and why.

mod entry;
mod facts;
mod history;
mod json;
mod next;
mod refused;
mod shown;
#[cfg(test)]
mod tests;
mod text;
mod who;
mod wrap;

use echodesk_store::{Access, Store};

use crate::answer::Answer;
use crate::cli::ExplainArgs;
use crate::command::World;
use crate::error::CommandError;
use entry::StoryEntry;
use facts::Facts;
use next::Next;

/// All that is told.
struct Story {
    facts: Facts,
    happened: Vec<StoryEntry>,
    next: Vec<Next>,
}

impl Story {
    fn of(facts: Facts) -> Self {
        Self { happened: history::of(&facts), next: next::of(&facts), facts }
    }
}

/// What cannot be read is told in its place, and makes the exit code 1.
pub(crate) fn run(world: &World, args: &ExplainArgs) -> Result<Answer, CommandError> {
    let store = Store::open(&world.settings.database, Access::ReadOnly)?;
    let story = Story::of(facts::gather(&store, world, args)?);
    let text = if args.json { format!("{:#}\n", json::of(&story)) } else { text::of(&story) };
    Ok(Answer::done(text).failed_if(!story.facts.is_whole()))
}

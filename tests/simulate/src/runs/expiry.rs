//! `subscription-status`.

use std::sync::Arc;

use echodesk_billing::status::{StatusEvent, StatusObserver, StatusOptions, watch};
use echodesk_core::StopToken;

use crate::bugs;
use crate::gate::Gate;
use crate::invariants::Guarded;
use crate::process::Process;
use crate::runs::can_deliver;
use crate::violation::Invariant;
use crate::world::World;

impl World {
    /// Another host's run of the watch, from its beginning to its end.
    pub(crate) fn run_meanwhile(self: &Arc<Self>, place: &str) {
        let name = format!("meanwhile {place}");
        let process = Process::begin(self, name, self.clocks[self.clocks.len() - 1].clone(), Arc::new(Gate::opened()));
        self.look_at_expiry(&process);
    }

    /// Says whether the database was there to its end.
    fn look_at_expiry(self: &Arc<Self>, process: &Arc<Process>) -> bool {
        let store = Guarded::new(self, bugs::status_store(process));
        let policy = bugs::expiry_policy(self);
        let options = StatusOptions { policy, ..StatusOptions::default() };
        let before = self.standings();
        let observer = Told { process };
        let done = watch(&store, &process.clock, &StopToken::new(), &observer, &options);
        let is_there = can_deliver(&done, |report| report.database_away);
        self.trace.note(None, format_args!("{} ends: {:?}", process.name, done.map(|report| report.totals)));
        if !process.was_disturbed() && process.clock.is_right() {
            self.check_nobody_forgotten(&before);
        }
        is_there
    }
}

/// A run of the watch. It waits for nothing but the database: so it has a thread of its own. Says whether the database
/// was there to its end.
pub(super) async fn expiry(process: &Arc<Process>) -> bool {
    let inside = Arc::clone(process);
    // To its end, even if the process dies: what is left of it has no effect.
    let looked = tokio::task::spawn_blocking(move || inside.world.look_at_expiry(&inside)).await;
    looked.unwrap_or_else(|error| {
        process.world.violated(Invariant::AllResolved, None, format!("{} has panicked: {error}", process.name));
        false
    })
}

struct Told<'a> {
    process: &'a Process,
}

impl StatusObserver for Told<'_> {
    fn event(&self, event: &StatusEvent) {
        let world = &self.process.world;
        let tenant = world.accounts.of_subscription(event.subscription);
        world.trace.note(tenant, format_args!("told: {:?}", event.outcome));
    }
}

//! `subscription-status`.

use std::sync::Arc;

use echodesk_billing::rules::expiry::ExpiryPolicy;
use echodesk_billing::status::{StatusEvent, StatusObserver, StatusOptions, watch};
use echodesk_core::StopToken;

use crate::bugs;
use crate::gate::Gate;
use crate::invariants::Guarded;
use crate::process::Process;
use crate::world::World;

impl World {
    /// Another host's run of the watch, from its beginning to its end.
    pub(crate) fn run_meanwhile(self: &Arc<Self>, beside: &Process) {
        let name = format!("meanwhile {}", beside.name);
        let process = Process::begin(self, name, self.clocks[self.clocks.len() - 1].clone(), Arc::new(Gate::opened()));
        self.look_at_expiry(&process);
    }

    pub(super) fn look_at_expiry(self: &Arc<Self>, process: &Arc<Process>) {
        let store = bugs::forgetful(process, bugs::status_store(process));
        let store = Guarded::new(self, store);
        let policy = ExpiryPolicy { time_zone: self.billing_zone.clone(), ..ExpiryPolicy::default() };
        let options = StatusOptions { policy, ..StatusOptions::default() };
        let observer = Told { process };
        let done = watch(&store, &process.clock, &StopToken::new(), &observer, &options);
        self.trace.note(None, format_args!("{} ends: {:?}", process.name, done.map(|report| report.totals)));
    }
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

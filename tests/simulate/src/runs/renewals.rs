//! `recurring-payments`.

use std::sync::{Arc, Mutex, PoisonError};

use echodesk_billing::ports::Random;
use echodesk_billing::rules::due::Policy;
use echodesk_billing::run::{Phase, RenewalEvent, RenewalObserver, RenewalOptions, RenewalWorld, renew};
use echodesk_core::StopToken;
use uuid::Uuid;

use crate::bugs;
use crate::chance::Dice;
use crate::process::Process;
use crate::runs::can_deliver;

/// A run of renewals. Says whether the database was there to its end.
pub(super) async fn renewals(process: &Arc<Process>) -> bool {
    let world = &process.world;
    let policy = Policy { time_zone: world.billing_zone.clone(), ..Policy::default() };
    let policy = bugs::policy(world.plan.bug, policy);
    let options = RenewalOptions { policy, ..RenewalOptions::default() };
    let done = renew(
        RenewalWorld {
            store: bugs::billing_store(process),
            bank: bugs::bank(process),
            clock: Arc::new(process.clock.clone()),
            random: Arc::new(Keys(Mutex::new(world.chance.at(&format!("keys of {}", process.name))))),
            stop: StopToken::new(),
            run: process.run,
            observer: Arc::new(Heard(Arc::clone(process))),
        },
        options,
    );
    let done = done.await;
    let is_there = can_deliver(&done, |report| report.database_away);
    world.trace.note(None, format_args!("{} ends: {:?}", process.name, done.map(|report| report.totals)));
    is_there
}

/// The keys of one run.
struct Keys(Mutex<Dice>);

impl Random for Keys {
    fn uuid(&self) -> Uuid {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).uuid()
    }
}

struct Heard(Arc<Process>);

impl RenewalObserver for Heard {
    fn begun(&self, _: Phase) {}

    fn event(&self, event: &RenewalEvent) {
        let world = &self.0.world;
        let tenant = world.accounts.of_subscription(event.subscription);
        world.trace.note(tenant, format_args!("told: {:?}", event.outcome));
    }
}

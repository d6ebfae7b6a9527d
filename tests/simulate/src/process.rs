//! One run of one program on one host, and all that may happen to it at a call: it dies, the database goes away,
//! somebody else is faster.

use std::collections::{BTreeSet, HashMap};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use echodesk_core::{RunId, StoreError, StoreErrorKind};
use jiff::SignedDuration;
use tokio::sync::Notify;

use crate::fault::FaultKind;
use crate::gate::Gate;
use crate::time::HostClock;
use crate::trace::TenantNumber;
use crate::world::World;
use crate::world::agenda::Event;
use crate::world::customers::Act;

/// A run of a program.
#[derive(Debug)]
pub struct Process {
    /// Where it lives.
    pub world: Arc<World>,
    /// When, where and what: part of the place of every fault.
    pub name: String,
    /// Its id, and that of its claims and leases.
    pub run: RunId,
    /// The clock of its host.
    pub clock: HostClock,
    gate: Arc<Gate>,
    died: Notify,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    dead: bool,
    /// What was disturbed, so that it is not expected to have done its work.
    disturbed: bool,
    /// What was in the way of seeing to charges.
    trouble: Trouble,
    /// How often each call was made for each tenant.
    calls: HashMap<(&'static str, Option<TenantNumber>), u32>,
}

/// What is in the way of runs of renewals.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Trouble {
    /// Something that concerns everybody.
    everybody: bool,
    /// Whose calls of the bank went wrong.
    tenants: BTreeSet<TenantNumber>,
    /// How many calls in a row were not answered. After some a run calls the bank for nobody any more.
    silent: u32,
}

/// So many calls in a row without an answer are too many.
const TOO_MANY_CALLS: u32 = 5;

impl Trouble {
    /// Whether anything was in the way of seeing to a tenant's charges.
    #[must_use]
    pub fn concerns(&self, tenant: TenantNumber) -> bool {
        self.everybody || self.tenants.contains(&tenant)
    }

    /// That of several runs at once: what one has begun the others leave alone.
    #[must_use]
    pub fn and(mut self, other: &Self) -> Self {
        self.everybody |= other.everybody;
        self.tenants.extend(&other.tenants);
        self
    }
}

/// What a call does to the world.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Effect {
    /// It looks.
    Reads,
    /// It changes something.
    Writes,
    /// It changes mail, and nothing of subscriptions.
    WritesMail,
}

impl Process {
    /// A process that begins now. Its name says when, where and what.
    #[must_use]
    pub fn begin(world: &Arc<World>, name: String, clock: HostClock, gate: Arc<Gate>) -> Arc<Self> {
        let run = RunId(world.chance.at(&format!("run {name}")).uuid());
        world.trace.note(None, format_args!("{name} begins"));
        Arc::new(Self {
            world: Arc::clone(world),
            name,
            run,
            clock,
            gate,
            died: Notify::new(),
            state: Mutex::default(),
        })
    }

    /// The place of a call in the simulation: this run's n-th call of the kind for the tenant.
    pub fn place(&self, call: &'static str, tenant: Option<TenantNumber>) -> String {
        let mut state = self.lock();
        let nth = state.calls.entry((call, tenant)).or_default();
        *nth += 1;
        match tenant {
            Some(tenant) => format!("{}, {call} #{nth} for {tenant}", self.name),
            None => format!("{}, {call} #{nth}", self.name),
        }
    }

    /// A call of the store, with all that may happen to it.
    ///
    /// # Errors
    /// The store's own; or the process has died, or the database is away.
    pub fn store_call<T>(
        &self,
        call: &'static str,
        tenant: Option<TenantNumber>,
        effect: Effect,
        act: impl FnOnce() -> Result<T, StoreError>,
    ) -> Result<T, StoreError> {
        if self.is_dead() {
            return Err(gone(call));
        }
        self.gate.pass();
        // It may have died while the call waited; whether that had begun to wait is chance.
        if self.is_dead() {
            return Err(gone(call));
        }
        let place = self.place(call, tenant);
        let (world, faults) = (&self.world, &self.world.faults);
        world.meanwhile(&place, tenant, effect);
        if faults.happens(FaultKind::ClockJumps, &place) {
            let by = world.chance.at(&format!("jump {place}")).between(0, 7_200).cast_signed() - 3_600;
            // Of a host, and so of everybody.
            world.trace.note(None, format_args!("the clock is wrong by {by} s from now on, at {place}"));
            self.clock.set_wrong_by(SignedDuration::from_secs(by));
            self.disturb();
        }
        if let ("suspend", Some(tenant)) = (call, tenant)
            && faults.happens(FaultKind::PaidAtLastMoment, &place)
        {
            world.happens(Some(tenant), Event::Customer(Act::Pay { saves_card: false }));
        }
        if faults.happens(FaultKind::DatabaseAway, &place) {
            let mut dice = world.chance.at(&format!("away {place}"));
            let seconds = dice.one_of(&[1, 2, 5, 30, 600, 3600]);
            world.trace.note(None, format_args!("the database goes away for {seconds} s at {place}"));
            world.set_database_away_for(Duration::from_secs(seconds));
        }
        if world.is_database_away() {
            self.disturb();
            return Err(unavailable(call));
        }
        if effect != Effect::Reads && faults.happens(FaultKind::DeathBeforeWrite, &place) {
            self.die(&format!("before {place}"), tenant);
            return Err(gone(call));
        }
        let result = act();
        if effect != Effect::Reads {
            world.trace.note(tenant, format_args!("{call}: {}", if result.is_ok() { "done" } else { "refused" }));
            if effect == Effect::Writes {
                world.check_after_write(tenant);
            }
            if faults.happens(FaultKind::DeathAfterWrite, &place) {
                self.die(&format!("after {place}"), tenant);
                return Err(gone(call));
            }
            if result.is_ok() && faults.happens(FaultKind::DatabaseLostAtCommit, &place) {
                world.trace.note(tenant, format_args!("done, but the database does not say so: {place}"));
                self.disturb();
                return Err(unavailable(call));
            }
        }
        result
    }

    /// The process ends at once: nothing that it does from now on has any effect.
    pub fn die(&self, at: &str, tenant: Option<TenantNumber>) {
        self.world.trace.note(tenant, format_args!("the process dies {at}"));
        let mut state = self.lock();
        (state.dead, state.disturbed, state.trouble.everybody) = (true, true, true);
        drop(state);
        self.died.notify_one();
    }

    /// Whether it has died.
    #[must_use]
    pub fn is_dead(&self) -> bool {
        self.lock().dead
    }

    /// Waits until it dies.
    pub async fn death(&self) {
        self.died.notified().await;
    }

    /// Something kept it from doing all of its work.
    pub fn disturb(&self) {
        let mut state = self.lock();
        (state.disturbed, state.trouble.everybody) = (true, true);
    }

    /// A call of the bank went wrong, about a tenant or about everybody.
    pub fn disturb_call(&self, tenant: Option<TenantNumber>) {
        let Some(tenant) = tenant else { return self.disturb() };
        let mut state = self.lock();
        state.disturbed = true;
        state.trouble.tenants.insert(tenant);
    }

    /// The bank has answered a call, or it has not.
    pub fn heard_of_bank(&self, answered: bool) {
        let trouble = &mut self.lock().trouble;
        trouble.silent = if answered { 0 } else { trouble.silent + 1 };
        trouble.everybody |= trouble.silent >= TOO_MANY_CALLS;
    }

    /// What was in the way of seeing to charges so far. Nothing is expected of a clock that is wrong.
    #[must_use]
    pub fn trouble(&self) -> Trouble {
        let trouble = self.lock().trouble.clone();
        Trouble { everybody: trouble.everybody || !self.clock.is_right(), ..trouble }
    }

    /// Whether something kept it from doing all of its work.
    #[must_use]
    pub fn was_disturbed(&self) -> bool {
        self.lock().disturbed
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn gone(call: &str) -> StoreError {
    StoreError { kind: StoreErrorKind::Unavailable, what: format!("{call}: the process is dead"), source: None }
}

fn unavailable(call: &str) -> StoreError {
    StoreError { kind: StoreErrorKind::Unavailable, what: format!("{call}: the database is away"), source: None }
}

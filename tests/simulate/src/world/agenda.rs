//! What is going to happen in the world, in the order of time.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use jiff::Timestamp;

use crate::trace::TenantNumber;

/// Something that will happen.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Event {
    /// The bank ends a payment.
    PaymentEnds {
        /// The bank's name of the order.
        order: String,
    },
    /// A callback arrives.
    Callback(CallbackEvent),
    /// A customer does something.
    Customer(crate::world::customers::Act),
    /// EchoDesk's own command charges for a row of its schedule of retries.
    EchoDeskRetry {
        /// The row.
        retry: i64,
    },
    /// Somebody looks at what needs a person.
    Operator,
    /// Somebody asks what the runs would do.
    DryRuns,
}

/// A callback on its way.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CallbackEvent {
    /// The bank's name of the order.
    pub order: String,
    /// What it says: `completed`, `rejected` or `processing`.
    pub status: &'static str,
    /// Whether the bank has signed it.
    pub signed: bool,
    /// Whether EchoDesk's own web hook gets it, and not ours.
    pub to_echodesk: bool,
    /// Whether it is about an order of somebody else's shop, under our name of this one.
    pub of_another: bool,
}

/// What is going to happen.
#[derive(Debug, Default)]
pub struct Agenda {
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    coming: BTreeMap<(Timestamp, u64), (Option<TenantNumber>, Event)>,
    count: u64,
}

impl Agenda {
    /// Adds something; what is added first happens first, where times are the same.
    pub fn add(&self, at: Timestamp, tenant: impl Into<Option<TenantNumber>>, event: Event) {
        let mut state = self.lock();
        state.count += 1;
        let count = state.count;
        state.coming.insert((at, count), (tenant.into(), event));
    }

    /// When the next thing happens.
    #[must_use]
    pub fn next_at(&self) -> Option<Timestamp> {
        self.lock().coming.first_key_value().map(|((at, _), _)| *at)
    }

    /// Takes the next thing that happens until then.
    pub fn take_until(&self, until: Timestamp) -> Option<(Timestamp, Option<TenantNumber>, Event)> {
        let mut state = self.lock();
        let entry = state.coming.first_entry().filter(|entry| entry.key().0 <= until)?;
        let ((at, _), (tenant, event)) = entry.remove_entry();
        Some((at, tenant, event))
    }

    /// Takes the next thing that happens to a tenant until then.
    pub fn take_of(&self, tenant: TenantNumber, until: Timestamp) -> Option<(Timestamp, Event)> {
        let mut state = self.lock();
        let theirs = |(_, (whom, _)): &(&(Timestamp, u64), &(Option<TenantNumber>, Event))| *whom == Some(tenant);
        let key = state.coming.range(..=(until, u64::MAX)).find(theirs).map(|(key, _)| *key)?;
        state.coming.remove(&key).map(|(_, event)| (key.0, event))
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

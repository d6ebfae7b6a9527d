//! What has befallen our charges, as only the world knows it: by that it is judged whether a person was needed.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Mutex, MutexGuard, PoisonError};

use jiff::Timestamp;

use crate::process::Trouble;
use crate::trace::TenantNumber;

/// What befalls a charge and makes what is known of it contradict itself, so that only a person can tell.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Mishap {
    /// The bank has given the charge the id of another order.
    AnsweredWithAnotherOrder,
    /// The bank has answered a question about it with another order, or another amount.
    ReceiptOfAnother,
    /// A callback that the bank has signed named another order, or another amount, as this charge.
    CallbackOfAnother,
}

/// What has befallen charges, and the runs that could have asked about them.
#[derive(Debug, Default)]
pub struct Mishaps {
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    /// By our names of orders.
    befallen: BTreeMap<String, BTreeSet<Mishap>>,
    /// Those of which a callback of the bank's has told us how they ended.
    told: BTreeSet<String>,
    /// Those that were left to a person at some time.
    left: BTreeSet<String>,
    /// When runs of renewals began, and what was in the way of them.
    runs: BTreeMap<Timestamp, Trouble>,
}

impl Mishaps {
    /// Something befalls an order of ours.
    pub fn befalls(&self, order: &str, mishap: Mishap) {
        self.lock().befallen.entry(order.to_owned()).or_default().insert(mishap);
    }

    /// Whether this has befallen an order of ours.
    #[must_use]
    pub fn has_befallen(&self, order: &str, mishap: Mishap) -> bool {
        self.lock().befallen.get(order).is_some_and(|mishaps| mishaps.contains(&mishap))
    }

    /// We were told by the bank how an order of ours has ended.
    pub fn is_told_of(&self, order: &str) {
        self.lock().told.insert(order.to_owned());
    }

    /// Whether we were.
    #[must_use]
    pub fn was_told_of(&self, order: &str) -> bool {
        self.lock().told.contains(order)
    }

    /// An order is left to a person; whether that is new.
    pub fn is_left(&self, order: &str) -> bool {
        self.lock().left.insert(order.to_owned())
    }

    /// All hosts that run renewals at a moment have ended; this was in their way.
    pub fn have_run(&self, at: Timestamp, trouble: Trouble) {
        self.lock().runs.insert(at, trouble);
    }

    /// A run that began between two moments and had nothing in its way for a tenant.
    #[must_use]
    pub fn undisturbed(&self, tenant: TenantNumber, from: Timestamp, until: Timestamp) -> Option<Timestamp> {
        let state = self.lock();
        let mut runs = state.runs.range(from..=until);
        runs.find(|(_, trouble)| !trouble.concerns(tenant)).map(|(at, _)| *at)
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

//! What is simulated.

use std::collections::BTreeSet;

use crate::bugs::Bug;
use crate::fault::FaultPlan;
use crate::trace::TenantNumber;

/// The database under the real store.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Backend {
    /// Files in memory.
    #[default]
    Sqlite,
    /// A server that is started for it.
    Postgres,
}

/// All that a simulation follows from: the same plan is the same simulation, to the last line of its trace.
#[derive(Clone, Debug, PartialEq)]
pub struct Plan {
    /// Where all chance comes from.
    pub seed: u64,
    /// How many tenants there are.
    pub tenants: u32,
    /// If given, only these of them.
    pub only: Option<BTreeSet<TenantNumber>>,
    /// How many days pass.
    pub days: u32,
    /// How many hosts run the crontab.
    pub hosts: u32,
    /// What goes wrong.
    pub faults: FaultPlan,
    /// A known bug that is put back in.
    pub bug: Option<Bug>,
    /// Where the data is.
    pub backend: Backend,
    /// Whether the lines of the trace are kept.
    pub traced: bool,
}

impl Plan {
    /// The tenants that there are.
    #[must_use]
    pub fn numbers(&self) -> Vec<TenantNumber> {
        let all = (1..=self.tenants).map(TenantNumber);
        all.filter(|number| self.only.as_ref().is_none_or(|only| only.contains(number))).collect()
    }
}

//! The plan with which each bug is looked for.

use crate::bugs::Bug;
use crate::fault::FaultPlan;
use crate::plan::{Backend, Plan};

impl Bug {
    /// What is simulated to find it. A small world with all that goes wrong shows most.
    #[must_use]
    pub fn plan(self) -> Plan {
        Plan {
            seed: 1,
            tenants: 20,
            only: None,
            days: 80,
            quiet_from: None,
            hosts: 2,
            faults: FaultPlan::all(),
            bug: Some(self),
            backend: Backend::Sqlite,
            traced: false,
        }
    }
}

//! The command that repeats a plan.

use crate::fault::{FaultKind, FaultPlan};
use crate::plan::{Backend, Plan};

/// The command that simulates this plan again, and nothing smaller.
#[must_use]
pub fn command(plan: &Plan) -> String {
    let mut words = vec![format!(
        "simulate --seed {} --tenants {} --days {} --hosts {}",
        plan.seed, plan.tenants, plan.days, plan.hosts
    )];
    if plan.backend == Backend::Postgres {
        words.push("--backend postgres".to_owned());
    }
    if plan.mailboxes != Plan::default().mailboxes {
        words.push(format!("--mailboxes {}", plan.mailboxes));
    }
    words.extend(plan.quiet_from.map(|day| format!("--quiet-from {day}")));
    words.extend(plan.only.iter().flatten().map(|tenant| format!("--only-tenant {}", tenant.0)));
    words.extend(plan.bug.map(|bug| format!("--bug {bug}")));
    words.extend(faults(&plan.faults));
    words.push("--no-shrink".to_owned());
    words.join(" ")
}

fn faults(plan: &FaultPlan) -> Vec<String> {
    let usual = |kind: FaultKind| f64::from(kind.usual()) / 1000.0;
    let is_all = FaultPlan { only: None, ..plan.clone() } == FaultPlan::all();
    let mut words = Vec::new();
    if plan.probabilities.is_empty() || plan.only.as_ref().is_some_and(|only| only.is_empty()) {
        return vec!["--no-faults".to_owned()];
    }
    if !is_all {
        #[expect(clippy::float_cmp, reason = "usual or not: it is the same number or another")]
        words.extend(plan.probabilities.iter().map(|(kind, probability)| {
            if *probability == usual(*kind) {
                format!("--fault {kind}")
            } else {
                format!("--fault {kind}={probability}")
            }
        }));
    }
    if let Some(only) = &plan.only {
        let ids: Vec<String> = only.iter().map(ToString::to_string).collect();
        words.push(format!("--only-faults {}", ids.join(",")));
    }
    words
}

#[cfg(test)]
mod tests {
    use clap::Parser as _;

    use super::*;
    use crate::cli::{Asked, Cli};
    use crate::trace::TenantNumber;

    /// What the command of a plan asks for.
    fn repeated(plan: &Plan) -> Plan {
        match Cli::parse_from(command(plan).split(' ')).asked() {
            Asked::Simulate { mut plans, how } if plans.len() == 1 && how.no_shrink => plans.remove(0),
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn the_command_of_a_plan_asks_for_that_plan() {
        let mut unusual = FaultPlan::of(&[FaultKind::BankDown, FaultKind::SmtpLater]);
        let _ = unusual.probabilities.insert(FaultKind::BankDown, 0.123_456_789);
        let id = "00c0ffee0012".parse().unwrap();
        let plans = [
            Plan::default(),
            Plan { seed: u64::MAX, tenants: 3, days: 7, hosts: 3, backend: Backend::Postgres, ..Plan::default() },
            Plan { mailboxes: 0, ..Plan::default() },
            Plan { only: Some([TenantNumber(4), TenantNumber(9)].into()), quiet_from: Some(76), ..Plan::default() },
            Plan { bug: Some(crate::bugs::Bug::NewKeyOnRetry), faults: FaultPlan::none(), ..Plan::default() },
            Plan { faults: FaultPlan { only: Some([id].into()), ..FaultPlan::all() }, ..Plan::default() },
            Plan { faults: FaultPlan { only: Some([id].into()), ..unusual.clone() }, ..Plan::default() },
            Plan { faults: unusual, ..Plan::default() },
        ];
        for plan in plans {
            assert_eq!(repeated(&plan), plan, "{}", command(&plan));
        }
    }
}

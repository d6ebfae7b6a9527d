//! The same plan is the same simulation.

use echodesk_simulate::in_order::in_order;
use echodesk_simulate::plan::{Backend, Plan};
use echodesk_simulate::simulation::{Outcome, simulate};
use echodesk_simulate::trace::TenantNumber;
use echodesk_test_servers::postgres::Postgres;

use crate::command_line::ran;

fn small() -> Plan {
    Plan { tenants: 10, days: 45, ..Plan::default() }
}

#[test]
fn the_same_plan_is_the_same_simulation_whatever_runs_beside_it_and_another_seed_is_another() {
    let plans = [small(), small(), small(), Plan { seed: 2, ..small() }];
    let mut outcomes: Vec<Outcome> = Vec::new();
    in_order(
        &plans,
        2,
        |plan, _| simulate(plan.clone(), |_| ()),
        |outcome| {
            outcomes.push(outcome);
            std::ops::ControlFlow::Continue(())
        },
    );
    assert_eq!(outcomes[0], outcomes[1]);
    assert_eq!(outcomes[0], outcomes[2]);
    assert_ne!(outcomes[0].fingerprint, outcomes[3].fingerprint);
    assert!(outcomes[0].faults.len() > 10 && outcomes[0].counts.captures > 5, "{:?}", outcomes[0]);
    // And in another process.
    let other = ran(&["--tenants", "10", "--days", "45"]);
    assert!(other.contains(&outcomes[0].fingerprint), "{} and not {other}", outcomes[0].fingerprint);
}

#[test]
fn postgresql_and_sqlite_are_the_same_to_the_runs() {
    if Postgres::shared().is_none() {
        return;
    }
    let simulated = |backend| simulate(Plan { backend, traced: true, ..small() }, |_| ());
    let (sqlite, postgres) = (simulated(Backend::Sqlite), simulated(Backend::Postgres));
    let other = sqlite.trace.iter().zip(&postgres.trace).find(|(one, other)| one != other);
    assert_eq!(other, None, "the first line that differs");
    assert_eq!(sqlite.fingerprint, postgres.fingerprint);
}

/// What chance decides for a tenant does not depend on who else there is.
#[test]
fn without_faults_a_tenant_alone_fares_as_among_others() {
    use echodesk_simulate::fault::FaultPlan;
    let number = TenantNumber(7);
    let plan = Plan { faults: FaultPlan::none(), traced: true, ..small() };
    let among = simulate(plan.clone(), |_| ());
    let alone = simulate(Plan { only: Some([number].into()), ..plan }, |_| ());
    // When exactly a call is made, and the random names of orders, depend on how many there are.
    let fate = |outcome: &Outcome| -> Vec<(String, String)> {
        let theirs = outcome.trace.iter().filter(|line| line.tenant == Some(number));
        let told = theirs.filter(|line| line.what.starts_with("told: ") || line.what.contains("paid until"));
        told.map(|line| (line.at.strftime("%F %H:%M").to_string(), kind(&line.what))).collect()
    };
    assert!(fate(&alone).len() > 3, "{:?}", fate(&alone));
    assert_eq!(fate(&alone), fate(&among));
}

/// A line without the name of the order that it begins with.
fn kind(what: &str) -> String {
    what.split_once(" is booked").map_or_else(|| what.to_owned(), |(_, rest)| rest.to_owned())
}

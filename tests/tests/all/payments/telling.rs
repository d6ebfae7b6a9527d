//! What a run tells, to whom, and what it keeps to itself.

use echodesk_tests::sandbox::bank::{Card, Endpoint, Fault, Wrong};
use serde_json::Value;

use super::run::SECRETS;
use super::world::{PaymentWorld, silent};
use crate::support::{Backend, on_both};

on_both!(
    a_dry_run_writes_nothing_and_calls_nobody,
    a_quiet_run_speaks_of_what_went_wrong_only,
    a_report_may_go_to_standard_output,
    no_output_holds_a_secret,
);

fn a_dry_run_writes_nothing_and_calls_nobody(backend: Backend) {
    let Some(world) = PaymentWorld::new(backend, silent()) else { return };
    world.subscribe("open", 2, Card::pays());
    world.bank.fail_when(|call| (call.endpoint == Endpoint::Subscribe).then_some(Fault::After(Wrong::Close)));
    let _ = world.run(&["--tenant", "open"]).with_code(1);
    world.bank.work_well();
    world.subscribe("acme", 2, Card::pays());
    world.subscribe("later", 20, Card::pays());
    world.subscribe("dear", 2, Card::pays());
    world.alter_subscription("dear", "agent_count = 3");

    let (before, requests) = (world.dump(), world.bank.requests().len());
    assert!(before.contains("REC-"), "the dump has what matters: {before}");
    let ran = world.run(&["--dry-run"]).with_code(1);
    assert_eq!((ran.outcome("acme"), ran.outcome("open")), ("would_charge", "would_settle"), "{ran:#?}");
    assert_eq!(ran.skipped("dear"), "price_changed");
    assert!(!ran.is_told_of("later"));
    assert!(ran.ended.stdout.contains("dry run, nothing was written"), "{ran:#?}");

    let then = (world.dates.borrow()["later"] - jiff::SignedDuration::from_hours(24)).to_string();
    let ran = world.run(&["--dry-run", "--as-of", &then]);
    assert_eq!(ran.outcome("later"), "would_charge", "{ran:#?}");
    assert_eq!(ran.report["as_of"], then.as_str());
    let ran = world.run(&["--dry-run", "--tenant", "acme"]).with_code(0);
    assert_eq!(ran.outcome("acme"), "would_charge");

    assert_eq!(world.dump(), before, "nothing is written");
    assert_eq!(world.bank.requests().len(), requests, "nobody is called");
    let _ = world.run(&["--as-of", &then]).with_code(2);
    assert_eq!(world.dump(), before, "another time is asked about only");
}

fn a_quiet_run_speaks_of_what_went_wrong_only(backend: Backend) {
    let Some(world) = PaymentWorld::new(backend, silent()) else { return };
    world.subscribe("acme", 2, Card::pays());
    let ran = world.run(&["-q"]).with_code(0);
    assert_eq!((ran.ended.stdout.as_str(), ran.ended.stderr.as_str()), ("", ""));
    assert_eq!(ran.outcome("acme"), "paid", "the report tells all the same");
    world.subscribe("bell", 2, Card::rejected("107"));
    world.subscribe("cola", 2, Card::pays());
    let ran = world.run(&["-q"]).with_code(1);
    assert!(ran.ended.stdout.contains("bell") && !ran.ended.stdout.contains("cola"), "{ran:#?}");
    world.assert_exact("cola", 1);
}

fn a_report_may_go_to_standard_output(backend: Backend) {
    let Some(world) = PaymentWorld::new(backend, silent()) else { return };
    world.subscribe("acme", 2, Card::pays());
    let mut command = world.command("recurring-payments", &["--report", "-"]);
    let ended = echodesk_tests::processes::Ended::of(command.spawn().unwrap()).well();
    let report: Value = serde_json::from_str(&ended.stdout).unwrap_or_else(|error| panic!("{error}: {ended:#?}"));
    assert_eq!(report["subscriptions"][0]["outcome"], "paid", "{report:#}");
    assert!(ended.stderr.contains("1 subscription: 1 paid"), "people are told elsewhere: {ended:#?}");
    world.assert_exact("acme", 1);
}

/// Each run of these tests is searched for secrets; here they say all they can say.
fn no_output_holds_a_secret(backend: Backend) {
    let Some(world) = PaymentWorld::new(backend, silent()) else { return };
    let mut outcomes = Vec::new();
    for (number, tenant) in ["a", "b", "c"].into_iter().enumerate() {
        world.subscribe(tenant, 2, Card::pays());
        // A bank, or what is in front of it, may send back what it was sent.
        let echo = format!(
            "{{\"message\":\"{} {}\",\"error_description\":\"{}\"}}",
            world.bank.client_id(),
            world.bank.client_secret(),
            world.bank.client_secret()
        );
        let endpoint = if number == 0 { Endpoint::Token } else { Endpoint::Subscribe };
        let fault = Fault::Before(Wrong::Body(if number == 1 { 403 } else { 502 }, echo));
        world.bank.fail_when(move |call| (call.endpoint == endpoint).then(|| fault.clone()));
        for format in ["text", "json"] {
            let ran = world.run(&["-vv", "--log-format", format, "--tenant", tenant]);
            assert!(ran.ended.stderr.len() > 100, "it does log: {ran:#?}");
            let outcome = if ran.is_told_of(tenant) { ran.outcome(tenant) } else { "nothing" };
            outcomes.push(outcome.to_owned());
        }
    }
    // The second run over a refused card only says when it is tried again.
    assert_eq!(outcomes, ["postponed", "postponed", "refused", "skipped", "unknown", "unknown"]);
    let listed = world.echodesk(&["orders", "list", "--all", "--json"]).well();
    assert!(listed.stdout.contains("REC-"), "{listed:#?}");
    let dump = world.dump();
    assert!(SECRETS.iter().all(|secret| !dump.contains(secret)), "not in the database either: {dump}");
}

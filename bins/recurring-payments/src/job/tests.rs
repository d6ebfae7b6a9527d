use std::time::Duration;

use echodesk_billing::run::Totals;
use echodesk_billing::testing::{Account, FakeBank, Fate, MemoryLedger};
use echodesk_billing::{Currency, Money};
use echodesk_core::ManualClock;
use serde_json::Value;

use super::*;

const NOW: &str = "2026-11-22T10:00:00Z";

fn money() -> Money {
    Money::new("50".parse().unwrap(), Currency::Gel).unwrap()
}

/// Three subscriptions that are due: one card pays, one has not enough money, one order stays open.
fn world() -> (Arc<MemoryLedger>, Arc<FakeBank>) {
    let (ledger, bank) = (Arc::new(MemoryLedger::default()), Arc::new(FakeBank::default()));
    let fates = [("acme", Fate::Pays), ("bell", Fate::Rejected("107".to_owned())), ("cola", Fate::Hangs)];
    for (number, (schema, fate)) in (1..).zip(fates) {
        ledger.add(Account::due(number, schema, money(), "2026-11-24T08:00:00Z".parse().unwrap()));
        bank.card(&format!("card-{schema}"), money(), [fate]);
    }
    (ledger, bank)
}

fn renewal(ledger: &Arc<MemoryLedger>, bank: Option<&Arc<FakeBank>>) -> Renewal<FakeBank> {
    Renewal {
        store: Arc::clone(ledger) as Arc<dyn BillingStore>,
        bank: bank.cloned(),
        options: RenewalOptions { settle_for: Duration::ZERO, ..RenewalOptions::default() },
        as_of: None,
        clock: Arc::new(ManualClock::at(NOW.parse().unwrap())),
        run: RunId::random(),
        stop: StopToken::new(),
        progress: Progress::hidden(),
        spool: Arc::new(Spool::new().unwrap()),
    }
}

/// The items of a report: as machines and as people read them.
fn items(done: &JobReport) -> (Vec<Value>, Vec<String>) {
    let spool = &done.items.as_ref().unwrap().spool;
    let mut text = Vec::new();
    spool
        .lines(false, |piece| {
            text.extend_from_slice(piece);
            Ok(())
        })
        .unwrap();
    let values = serde_json::from_value(serde_json::to_value(spool.as_ref()).unwrap()).unwrap();
    (values, String::from_utf8(text).unwrap().lines().map(str::to_owned).collect())
}

fn of<'a>(values: &'a [Value], tenant: &str) -> &'a Value {
    values.iter().find(|value| value["tenant"] == tenant).unwrap()
}

#[tokio::test(start_paused = true)]
async fn a_run_tells_each_subscription_to_machines_and_people() {
    let (ledger, bank) = world();
    let done = renewal(&ledger, Some(&bank)).work().await.unwrap();
    let (values, lines) = items(&done);
    assert_eq!((values.len(), lines.len()), (3, 3), "{values:#?} {lines:#?}");

    let paid = of(&values, "acme");
    assert_eq!((paid["outcome"].as_str(), paid["paid_until"].as_str()), (Some("paid"), Some("2026-12-24T08:00:00Z")));
    let refused = of(&values, "bell");
    assert_eq!((refused["outcome"].as_str(), refused["next_on"].as_str()), (Some("refused"), Some("2026-11-23")));
    let pending = of(&values, "cola");
    assert_eq!((pending["outcome"].as_str(), pending["failure"].as_bool()), (Some("pending"), Some(false)));
    assert!(
        lines.iter().any(|line| line.starts_with("acme ") && line.ends_with("paid until 2026-12-24")),
        "{lines:#?}"
    );

    assert_eq!(done.report["totals"]["amount_paid"], "50.00");
    assert_eq!(done.record["refused"], 1);
    assert!(done.failed && !done.stopped && !done.try_again);
    assert!(done.summary.contains("3 subscriptions: 1 paid, 1 pending, 1 refused"), "{}", done.summary);
}

#[tokio::test(start_paused = true)]
async fn a_dry_run_charges_nothing_and_is_no_failure() {
    let (ledger, bank) = world();
    let done = renewal(&ledger, None).work().await.unwrap();
    let (values, _) = items(&done);
    assert!(values.len() == 3 && values.iter().all(|value| value["outcome"] == "would_charge"), "{values:#?}");
    assert!(!done.failed);
    assert_eq!((bank.calls(), ledger.all_attempts().len()), (0, 0));
    assert_eq!(done.report["dry_run"], true);
}

#[tokio::test(start_paused = true)]
async fn a_dry_run_may_ask_about_another_time() {
    let (ledger, _) = world();
    let later = Renewal { as_of: Some("2026-12-24T00:00:00Z".parse().unwrap()), ..renewal(&ledger, None) };
    let done = later.work().await.unwrap();
    assert!(items(&done).0.iter().all(|value| value["outcome"] != "would_charge"), "a month later none is due");
    assert_eq!(done.report["as_of"], "2026-12-24T00:00:00Z");
    assert_eq!(done.report["started_at"], NOW);
}

#[tokio::test(start_paused = true)]
async fn a_bank_that_cannot_be_talked_to_is_a_failure_that_is_told() {
    let (ledger, bank) = world();
    bank.set_down(true);
    let done = renewal(&ledger, Some(&bank)).work().await.unwrap();
    let (values, _) = items(&done);
    assert!(values.iter().all(|value| value["outcome"] == "postponed"), "{values:#?}");
    assert!(done.failed && done.report["bank_away"].is_string());
    assert!(done.summary.starts_with("the bank could not be talked to"), "{}", done.summary);
}

#[test]
fn the_exit_code_follows_from_failures_and_from_what_went_away() {
    let conclude = |report: RenewalReport| {
        let started_at = NOW.parse().unwrap();
        let summary = Summary { started_at, took: Duration::ZERO, dry_run: false, as_of: None, report };
        let done = conclude(&summary, Arc::new(Spool::new().unwrap()));
        (done.failed, done.stopped, done.try_again)
    };
    let report = RenewalReport::default;
    let failures = Totals { paid: 7, refused: 1, failures: 1, ..Totals::default() };
    let fine = Totals { paid: 7, skipped: 3, pending: 1, ..Totals::default() };
    assert_eq!(conclude(RenewalReport { totals: fine, ..report() }), (false, false, false));
    assert_eq!(conclude(RenewalReport { totals: failures, ..report() }), (true, false, false));
    let bank_away = Some("no answer".to_owned());
    assert_eq!(conclude(RenewalReport { bank_away, ..report() }), (true, false, false));
    assert_eq!(conclude(RenewalReport { stopped: true, ..report() }), (false, true, false));
    assert_eq!(conclude(RenewalReport { database_away: true, ..report() }), (false, false, true));
}

fn plan(words: &[&str], environment: &[(&str, &str)]) -> Result<Plan, String> {
    use clap::Parser as _;
    let job = RecurringPayments::try_parse_from(std::iter::once("recurring-payments").chain(words.iter().copied()))
        .map_err(|error| error.to_string())?;
    let settings = Settings::new(&job.common.global, environment.iter().copied().collect()).unwrap();
    let clock: Arc<dyn Clock> = Arc::new(ManualClock::at(NOW.parse().unwrap()));
    job.plan(&settings, &clock, &StopToken::new()).map_err(|error| echodesk_job::one_line(&error))
}

#[test]
fn a_run_needs_the_bank_and_a_dry_run_does_not() {
    let account = [("BOG_CLIENT_ID", "shop"), ("BOG_CLIENT_SECRET", "hunter2")];
    let refused = plan(&[], &[]).err().unwrap();
    assert!(refused.starts_with("BOG_CLIENT_ID and BOG_CLIENT_SECRET are not set"), "{refused}");
    assert!(plan(&[], &account).unwrap().bank.is_some());
    assert!(plan(&["--dry-run"], &[]).unwrap().bank.is_none());
}

#[test]
fn exempt_tenants_reach_the_run() {
    let plan = plan(&["--dry-run"], &[("ECHODESK_EXEMPT_TENANTS", "bell,acme")]).unwrap();
    let exempt: Vec<String> = plan.options.policy.exempt.iter().map(ToString::to_string).collect();
    assert_eq!(exempt, ["acme", "bell"]);
}

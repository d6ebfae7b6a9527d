use std::sync::Mutex;

use clap::Parser as _;
use echodesk_billing::model::{Account, Candidate, Seen, Suspension};
use echodesk_billing::ports::{Lifted, Suspended};
use echodesk_billing::rules::expiry::Withheld;
use echodesk_core::notice::NewNotice;
use echodesk_core::{Language, ManualClock, StoreError, StoreErrorKind, SubscriptionId, Tenant, TenantId};
use serde_json::Value;

use super::*;

const NOW: &str = "2026-11-22T10:00:00Z";

/// Accounts in memory; what is queued and suspended is written down beside them.
#[derive(Default)]
struct Memory {
    accounts: Vec<Account>,
    queued: Mutex<Vec<NewNotice>>,
    suspended: Mutex<Vec<SubscriptionId>>,
    /// What suspending comes to, where it is not done.
    instead: Option<Withheld>,
    away: bool,
}

impl StatusStore for Memory {
    fn accounts(
        &self,
        until: Timestamp,
        _: Option<TenantId>,
        after: Option<SubscriptionId>,
        limit: usize,
        _: Timestamp,
    ) -> Result<Vec<Account>, StoreError> {
        if self.away {
            return Err(StoreError { kind: StoreErrorKind::Unavailable, what: "reading".to_owned(), source: None });
        }
        let due = self.accounts.iter().filter(|account| {
            account.candidate.seen.expires_at <= Some(until) && Some(account.candidate.subscription) > after
        });
        Ok(due.take(limit).cloned().collect())
    }

    fn queue_notices(&self, notices: &[(TenantId, NewNotice)]) -> Result<Vec<bool>, StoreError> {
        self.queued.lock().unwrap().extend(notices.iter().map(|(_, notice)| notice.clone()));
        Ok(vec![true; notices.len()])
    }

    fn suspend(&self, subscription: SubscriptionId, _: &ExpiryPolicy, _: Timestamp) -> Result<Suspended, StoreError> {
        if let Some(why) = &self.instead {
            return Ok(Suspended::Withheld(why.clone()));
        }
        self.suspended.lock().unwrap().push(subscription);
        Ok(Suspended::Done)
    }

    fn suspensions(
        &self,
        _: Option<TenantId>,
        _: Option<SubscriptionId>,
        _: usize,
    ) -> Result<Vec<Suspension>, StoreError> {
        Ok(Vec::new())
    }

    fn lift(&self, _: SubscriptionId, _: Timestamp) -> Result<Lifted, StoreError> {
        Ok(Lifted::Stands)
    }
}

fn account(number: i64, schema: &str, provider: &str, expires_at: &str) -> Account {
    let expires_at = Some(expires_at.parse().unwrap());
    let tenant = Tenant {
        id: TenantId(number),
        schema: schema.parse().unwrap(),
        name: schema.to_owned(),
        admin_email: format!("admin@{schema}.example"),
        admin_name: String::new(),
        language: Language::En,
        is_active: true,
    };
    let seen = Seen {
        tenant_active: true,
        provider: provider.to_owned(),
        active: true,
        expires_at,
        next_billing_date: None,
        agent_count: 1,
        parent: None,
        last_attempt: None,
    };
    let candidate = Candidate {
        subscription: SubscriptionId(number),
        tenant,
        seen,
        feature_prices: vec!["50".parse().unwrap()],
        own_card_order: None,
        newest_card_order: None,
        attempts: Vec::new(),
        echodesk_retry: None,
        foreign_order: None,
    };
    Account { candidate, saved_cards: Vec::new(), told: Vec::new(), orders: Vec::new() }
}

/// One of each: six days left, two days left, in grace, over, over and billed by somebody else.
fn world() -> Memory {
    let accounts = vec![
        account(1, "acme", "bog", "2026-11-28T08:00:00Z"),
        account(2, "bell", "bog", "2026-11-24T08:00:00Z"),
        account(3, "cola", "bog", "2026-11-20T08:00:00Z"),
        account(4, "dell", "bog", "2026-11-10T08:00:00Z"),
        account(5, "elan", "paddle", "2026-11-10T08:00:00Z"),
    ];
    Memory { accounts, ..Memory::default() }
}

fn look(store: &Memory, dry_run: Option<&str>) -> JobReport {
    let (clock, stop) = (ManualClock::at(NOW.parse().unwrap()), StopToken::new());
    let as_of: Option<Timestamp> = dry_run.map(|time| time.parse().unwrap());
    let options = StatusOptions { dry_run: as_of, ..StatusOptions::default() };
    let status = Status { store, clock: &clock, stop: &stop, options, as_of };
    status.look(Progress::hidden(), Arc::new(Spool::new().unwrap())).unwrap()
}

/// The items of a report: as machines and as people read them.
fn items(done: &JobReport) -> (Vec<Value>, String) {
    let spool = &done.items.as_ref().unwrap().spool;
    let mut text = Vec::new();
    spool
        .lines(false, |piece| {
            text.extend_from_slice(piece);
            Ok(())
        })
        .unwrap();
    let values = serde_json::from_value(serde_json::to_value(spool.as_ref()).unwrap()).unwrap();
    (values, String::from_utf8(text).unwrap())
}

#[test]
fn a_run_tells_each_subscription_to_machines_and_people() {
    let store = world();
    let done = look(&store, None);
    let (values, lines) = items(&done);
    let told = |tenant: &str| {
        let value = values.iter().find(|value| value["tenant"] == tenant).unwrap();
        value["outcome"].as_str().unwrap().to_owned()
    };
    assert_eq!(
        ["acme", "bell", "cola", "dell", "elan"].map(told),
        ["reminded", "urgently_reminded", "warned", "suspended", "withheld"]
    );
    assert!(lines.contains("warned: suspension on 2026-11-27, in 5 days"), "{lines}");
    assert!(lines.contains("suspension withheld: billed by paddle"), "{lines}");
    assert_eq!(store.queued.lock().unwrap().len(), 3);
    assert_eq!(*store.suspended.lock().unwrap(), [SubscriptionId(4)]);
    let expected =
        "1 reminded, 1 urgently reminded, 1 in grace, 1 suspended, 1 withheld (1 billed by another provider); ";
    assert!(done.summary.starts_with(expected), "{}", done.summary);
    assert_eq!((&done.report["withheld"]["provider"], &done.record["suspended"]), (&1.into(), &1.into()));
    assert!(!done.failed && !done.stopped && !done.try_again);
}

#[test]
fn a_dry_run_writes_nothing_and_may_ask_about_another_time() {
    let store = world();
    let done = look(&store, Some("2026-11-27T09:00:00Z"));
    let (values, lines) = items(&done);
    let outcomes: Vec<&str> = values.iter().map(|value| value["outcome"].as_str().unwrap()).collect();
    // `withheld` comes before what is written down at the end of a page.
    assert_eq!(outcomes, ["withheld", "urgently_reminded", "warned", "suspended", "suspended"]);
    assert!(lines.contains("would remind urgently: expires in 1 day"), "{lines}");
    assert!(store.queued.lock().unwrap().is_empty() && store.suspended.lock().unwrap().is_empty());
    assert_eq!((&done.report["as_of"], &done.report["started_at"]), (&"2026-11-27T09:00:00Z".into(), &NOW.into()));
    assert!(done.summary.starts_with("dry run, nothing was written: "), "{}", done.summary);
}

#[test]
fn a_suspension_that_is_withheld_because_nobody_knows_is_a_failure() {
    let paying = Withheld::PayingNow("PAY-1".to_owned());
    let done = look(&Memory { instead: Some(paying), ..world() }, None);
    assert!(done.failed);
    assert!(done.summary.contains("2 withheld (1 paying now, 1 billed by another provider)"), "{}", done.summary);
}

#[test]
fn a_database_that_goes_away_is_a_reason_to_try_again() {
    let done = look(&Memory { away: true, ..world() }, None);
    assert!(done.try_again && !done.failed, "{done:?}");
    assert_eq!(done.report["database_away"], true);
}

#[test]
fn exempt_tenants_of_flags_and_settings_reach_the_run_with_their_origin() {
    let line = ["subscription-status", "--exempt", "bell", "--exempt", "acme"];
    let job = SubscriptionStatus::try_parse_from(line).unwrap();
    let environment = [(tenant::EXEMPT, "cola"), ("ECHODESK_TIME_ZONE", "Asia/Tbilisi")].into_iter().collect();
    let settings = Settings::new(&job.common.global, environment).unwrap();
    let clock: Arc<dyn Clock> = Arc::new(ManualClock::at(NOW.parse().unwrap()));
    let plan = job.plan(&settings, &clock, &StopToken::new()).unwrap();
    let names = |exempt: &BTreeSet<SchemaName>| exempt.iter().map(ToString::to_string).collect::<Vec<_>>();
    assert_eq!(names(&plan.policy.exempt), ["acme", "bell", "cola"]);
    assert_eq!((plan.exempt[0].0, names(&plan.exempt[0].1)), ("--exempt", vec!["acme".to_owned(), "bell".to_owned()]));
    assert_eq!((plan.exempt[1].0, names(&plan.exempt[1].1)), (tenant::EXEMPT, vec!["cola".to_owned()]));
    assert_eq!(plan.policy.time_zone.iana_name(), Some("Asia/Tbilisi"));
}

use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};

use echodesk_core::ManualClock;
use jiff::SignedDuration;
use proptest::prelude::*;

use super::*;
use crate::model::{AttemptState, OrderId, PastAttempt};
use crate::rules::expiry::tests::{EXPIRES, account, at};
use crate::testing::MemoryStatus;

#[derive(Default)]
struct Seen(Mutex<Vec<StatusEvent>>);

impl StatusObserver for Seen {
    fn event(&self, event: &StatusEvent) {
        self.0.lock().unwrap().push(event.clone());
    }
}

impl Seen {
    fn codes(&self) -> Vec<&'static str> {
        self.0.lock().unwrap().iter().map(|event| event.outcome.code()).collect()
    }
}

fn run_at(store: &dyn StatusStore, now: Timestamp, options: &StatusOptions) -> (StatusReport, Vec<&'static str>) {
    let seen = Seen::default();
    let report = watch(store, &ManualClock::at(now), &StopToken::new(), &seen, options).unwrap();
    (report, seen.codes())
}

fn run(store: &dyn StatusStore, now: &str) -> (StatusReport, Vec<&'static str>) {
    run_at(store, at(now), &StatusOptions::default())
}

fn open_attempt() -> PastAttempt {
    PastAttempt {
        order: OrderId("REC-1".to_owned()),
        period: at(EXPIRES),
        number: 1,
        state: AttemptState::Unknown,
        parent: crate::model::BankOrderId("card".to_owned()),
        refusal: None,
        closed_at: None,
    }
}

#[test]
fn each_is_told_once_and_counted() {
    let store = MemoryStatus::default();
    for number in 1..=600 {
        store.add(account(number));
    }
    let (report, _) = run(&store, "2026-11-20T03:00:00Z");
    assert_eq!((report.totals.reminders, store.notices().len()), (600, 600));
    let (again, events) = run(&store, "2026-11-20T09:00:00Z");
    assert_eq!((again, events.len(), store.notices().len()), (StatusReport::default(), 0, 600));

    let (grace, _) = run(&store, "2026-11-27T03:00:00Z");
    assert_eq!((grace.totals.in_grace, grace.totals.warned), (600, 600));
    let (grace, events) = run(&store, "2026-11-27T13:00:00Z");
    assert_eq!((grace.totals.in_grace, grace.totals.warned), (600, 0));
    assert!(events.iter().all(|code| *code == "in_grace"));

    let (end, _) = run(&store, "2026-12-03T03:00:00Z");
    assert_eq!((end.totals.suspended, end.totals.failures), (600, 0));
    assert_eq!(run(&store, "2026-12-04T03:00:00Z").0, StatusReport::default());
}

#[test]
fn a_suspension_that_was_paid_is_lifted_before_anything_else() {
    let store = MemoryStatus::default();
    store.add(account(1));
    run(&store, "2026-12-03T03:00:00Z");
    assert!(!store.account(SubscriptionId(1)).unwrap().candidate.seen.tenant_active);
    store.change(SubscriptionId(1), |account| {
        account.candidate.seen.expires_at = Some(at("2026-12-09T08:30:00Z"));
    });
    let (report, events) = run(&store, "2026-12-06T03:00:00Z");
    // Active again, and three days from expiring: told of both.
    assert_eq!((report.totals.reactivated, events), (1, vec!["reactivated", "urgently_reminded"]));
    assert!(store.account(SubscriptionId(1)).unwrap().candidate.seen.tenant_active);
    assert_eq!(run(&store, "2026-12-06T04:00:00Z").0, StatusReport::default());
}

#[test]
fn an_unknown_charge_withholds_the_suspension_and_is_a_failure() {
    let store = MemoryStatus::default();
    let mut unknown = account(1);
    unknown.candidate.attempts.push(open_attempt());
    store.add(unknown);
    let (report, events) = run(&store, "2026-11-27T03:00:00Z");
    assert_eq!((report.totals.withheld, report.totals.failures, events), (1, 0, vec!["withheld"]));
    let (report, _) = run(&store, "2026-12-03T03:00:00Z");
    assert_eq!((report.totals.withheld, report.totals.failures), (1, 1));
    assert!(store.notices().is_empty());
}

#[test]
fn what_was_paid_into_the_past_is_somebodys_business() {
    let store = MemoryStatus::default();
    store.add(account(1));
    run(&store, "2026-12-03T03:00:00Z");
    store.change(SubscriptionId(1), |account| {
        account.candidate.seen.expires_at = Some(at("2026-12-25T08:30:00Z"));
    });
    let (report, events) = run(&store, "2027-01-03T03:00:00Z");
    assert_eq!((report.totals.still_suspended, report.totals.failures, events), (1, 1, vec!["still_suspended"]));
    assert!(!store.account(SubscriptionId(1)).unwrap().candidate.seen.active);
}

#[test]
fn locked_rows_cost_nobody_else_anything() {
    for (locked, suspended) in [(1, 5), (3, 3), (5, 1)] {
        let store = MemoryStatus::default();
        (1..=6).for_each(|number| store.add(account(number)));
        // So many rows, from the first.
        let lock = |_: &MemoryStatus, id: SubscriptionId| {
            let what = "canceling statement due to lock timeout".to_owned();
            let error = StoreError { kind: StoreErrorKind::Unavailable, what, source: None };
            if (1..=locked).contains(&id.0) { Err(error) } else { Ok(()) }
        };
        let (report, _) = run(&Meanwhile(store, lock), "2026-12-03T03:00:00Z");
        assert_eq!((report.totals.suspended, report.database_away), (suspended, false), "{locked}");
        assert_eq!(report.totals.failures, u64::try_from(locked).unwrap());
    }
}

#[test]
fn a_database_that_goes_away_ends_the_run() {
    let store = MemoryStatus::default();
    (1..=6).for_each(|number| store.add(account(number)));
    let away = AtomicBool::new(false);
    let store = Meanwhile(store, |_: &MemoryStatus, id: SubscriptionId| {
        // It goes with the first suspension; reading, which asks about nobody, still works before.
        if id.0 > 0 {
            away.store(true, Ordering::Release);
        }
        let gone = StoreError { kind: StoreErrorKind::Unavailable, what: "gone".to_owned(), source: None };
        if away.load(Ordering::Acquire) { Err(gone) } else { Ok(()) }
    });
    let (report, _) = run(&store, "2026-12-03T03:00:00Z");
    assert!(report.database_away);
    assert_eq!((report.totals.suspended, report.totals.failures), (0, 2));
}

/// A store in which something happens between judging and suspending; when it is read, subscription 0 is named.
struct Meanwhile<F>(MemoryStatus, F);

impl<F: Fn(&MemoryStatus, SubscriptionId) -> Result<(), StoreError> + Send + Sync> StatusStore for Meanwhile<F> {
    fn accounts(
        &self,
        until: Timestamp,
        tenant: Option<TenantId>,
        after: Option<SubscriptionId>,
        limit: usize,
        now: Timestamp,
    ) -> Result<Vec<Account>, StoreError> {
        (self.1)(&self.0, SubscriptionId(0))?;
        self.0.accounts(until, tenant, after, limit, now)
    }

    fn queue_notices(&self, notices: &[(TenantId, NewNotice)]) -> Result<Vec<bool>, StoreError> {
        self.0.queue_notices(notices)
    }

    fn suspend(&self, id: SubscriptionId, policy: &ExpiryPolicy, now: Timestamp) -> Result<Suspended, StoreError> {
        (self.1)(&self.0, id)?;
        self.0.suspend(id, policy, now)
    }

    fn suspensions(
        &self,
        tenant: Option<TenantId>,
        after: Option<SubscriptionId>,
        limit: usize,
    ) -> Result<Vec<Suspension>, StoreError> {
        self.0.suspensions(tenant, after, limit)
    }

    fn lift(&self, id: SubscriptionId, now: Timestamp) -> Result<Lifted, StoreError> {
        self.0.lift(id, now)
    }
}

fn meanwhile(happens: impl Fn(&MemoryStatus) + Send + Sync) -> (Vec<&'static str>, u64, Vec<NewNotice>) {
    let store = MemoryStatus::default();
    store.add(account(1));
    let store = Meanwhile(store, |store: &MemoryStatus, id: SubscriptionId| {
        if id.0 > 0 {
            happens(store);
        }
        Ok(())
    });
    let (report, events) = run(&store, "2026-12-03T03:00:00Z");
    (events, report.totals.failures, store.0.notices())
}

#[test]
fn a_payment_between_judging_and_suspending_wins() {
    let paid = meanwhile(|store| {
        store.change(SubscriptionId(1), |account| {
            account.candidate.seen.expires_at = Some(at("2026-12-25T08:30:00Z"));
        });
    });
    assert_eq!(paid, (vec!["changed"], 0, Vec::new()));
    let charged = meanwhile(|store| {
        store.change(SubscriptionId(1), |account| account.candidate.attempts.push(open_attempt()));
    });
    assert_eq!(charged, (vec!["withheld"], 1, Vec::new()));
}

#[test]
fn a_dry_run_tells_the_same_and_writes_nothing() {
    let store = MemoryStatus::default();
    for (number, expires) in [(1, EXPIRES), (2, "2026-12-01T00:00:00Z"), (3, "2026-12-07T00:00:00Z")] {
        let mut account = account(number);
        account.candidate.seen.expires_at = Some(at(expires));
        store.add(account);
    }
    let now = at("2026-12-03T03:00:00Z");
    let dry = StatusOptions { dry_run: Some(now), ..StatusOptions::default() };
    // The clock says otherwise: a dry run is asked about its own time.
    let (report, events) = run_at(&store, at("2026-01-01T00:00:00Z"), &dry);
    assert_eq!(run_at(&store, now, &dry).0, report, "the first has changed something");
    assert!(store.notices().is_empty());
    let seen = Seen::default();
    let real = watch(&store, &ManualClock::at(now), &StopToken::new(), &seen, &StatusOptions::default());
    assert_eq!((report, events), (real.unwrap(), seen.codes()));
}

#[test]
fn one_tenant_alone_is_looked_at_if_it_is_named() {
    let store = MemoryStatus::default();
    store.add(account(1));
    store.add(account(2));
    let tenant = Some(account(2).candidate.tenant);
    let (report, _) = run_at(&store, at("2026-11-20T03:00:00Z"), &StatusOptions { tenant, ..StatusOptions::default() });
    assert_eq!(report.totals.reminders, 1);
    assert_eq!(store.notices()[0].subject_key, "subscription:2");
}

#[test]
fn a_stopped_run_says_so_and_the_next_does_the_rest() {
    let store = MemoryStatus::default();
    store.add(account(1));
    let stop = StopToken::new();
    stop.stop();
    let clock = ManualClock::at(at("2026-11-20T03:00:00Z"));
    let report = watch(&store, &clock, &stop, &Seen::default(), &StatusOptions::default()).unwrap();
    assert!(report.stopped && store.notices().is_empty());
    assert_eq!(run(&store, "2026-11-20T03:00:00Z").0.totals.reminders, 1);
}

/// What may happen to an account in a month.
#[derive(Clone, Debug)]
enum Happening {
    Run,
    Paid,
    ChargeOpened,
    ChargeClosed,
}

fn happenings() -> impl Strategy<Value = Vec<(u8, Happening)>> {
    let one = prop_oneof![
        6 => Just(Happening::Run),
        1 => Just(Happening::Paid),
        1 => Just(Happening::ChargeOpened),
        2 => Just(Happening::ChargeClosed),
    ];
    prop::collection::vec((0_u8..60, one), 1..120)
}

proptest! {
    /// Whatever happens and whenever somebody runs it: nobody is suspended who has paid or whose charge is
    /// open, nobody before grace is over, and no notice is queued twice.
    #[test]
    fn nobody_is_suspended_who_should_not_be(happenings in happenings()) {
        let store = MemoryStatus::default();
        store.add(account(1));
        let id = SubscriptionId(1);
        let mut now = at("2026-11-15T00:00:00Z");
        for (hours, happening) in happenings {
            now = now.checked_add(SignedDuration::from_hours(i64::from(hours))).unwrap();
            let before = store.account(id).unwrap();
            match happening {
                Happening::Run => {
                    let (report, _) = run_at(&store, now, &StatusOptions::default());
                    if report.totals.suspended > 0 {
                        let expired = before.candidate.seen.expires_at.unwrap();
                        prop_assert!(now.duration_since(expired) >= SignedDuration::from_hours(7 * 24));
                        prop_assert!(before.candidate.attempts.is_empty());
                        prop_assert!(store.notices().iter().any(|notice| notice.kind.code() == "suspended"));
                    }
                }
                Happening::Paid => store.change(id, |account| {
                    account.candidate.attempts.clear();
                    let seen = &mut account.candidate.seen;
                    let old = seen.expires_at.unwrap();
                    seen.expires_at = Some(old.max(now).checked_add(SignedDuration::from_hours(720)).unwrap());
                }),
                Happening::ChargeOpened => store.change(id, |account| account.candidate.attempts = vec![open_attempt()]),
                Happening::ChargeClosed => store.change(id, |account| account.candidate.attempts.clear()),
            }
            let seen = store.account(id).unwrap().candidate.seen;
            prop_assert_eq!(seen.active, seen.tenant_active, "half suspended");
        }
        let mut keys: Vec<_> = store.notices().into_iter().map(|n| (n.kind.code(), n.period)).collect();
        let all = keys.len();
        keys.sort();
        keys.dedup();
        prop_assert_eq!(keys.len(), all);
    }
}

/// Everything that a run leaves behind, in no order.
fn left_behind(store: &MemoryStatus, count: i64) -> (Vec<(String, String, String)>, Vec<bool>) {
    let key = |notice: NewNotice| (notice.kind.code().to_owned(), notice.subject_key, notice.period);
    let mut notices: Vec<_> = store.notices().into_iter().map(key).collect();
    notices.sort();
    let active = (1..=count).map(|number| store.account(SubscriptionId(number)).unwrap().candidate.seen.active);
    (notices, active.collect())
}

proptest! {
    /// One run over all, or one for each tenant in any order and any of them twice: what is left is the same.
    #[test]
    fn the_order_of_runs_does_not_matter(
        hours in prop::collection::vec(-500_i64..300, 1..12),
        order in prop::collection::vec(any::<prop::sample::Index>(), 0..20),
    ) {
        let now = at("2026-11-20T03:00:00Z");
        let (together, one_by_one) = (MemoryStatus::default(), MemoryStatus::default());
        let count = i64::try_from(hours.len()).unwrap();
        for (number, hours) in (1..).zip(&hours) {
            let mut account = account(number);
            account.candidate.seen.expires_at = Some(now.checked_add(SignedDuration::from_hours(*hours)).unwrap());
            together.add(account.clone());
            one_by_one.add(account);
        }
        run_at(&together, now, &StatusOptions::default());
        // Some in any order, some of them twice; then those that were left out.
        let some = order.iter().map(|index| i64::try_from(index.index(hours.len())).unwrap() + 1);
        for number in some.chain((1..=count).rev()) {
            let tenant = Some(account(number).candidate.tenant);
            run_at(&one_by_one, now, &StatusOptions { tenant, ..StatusOptions::default() });
        }
        prop_assert_eq!(left_behind(&together, count), left_behind(&one_by_one, count));
    }
}

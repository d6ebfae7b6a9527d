//! A forecast against the runs themselves, day by day, in memory.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex};

use echodesk_core::notice::NewNotice;
use echodesk_core::{ManualClock, RunId, StopToken, SubscriptionId};
use jiff::civil::Time;
use jiff::tz::TimeZone;
use proptest::prelude::*;

use super::*;
use crate::ports::{BillingStore as _, StatusStore as _};
use crate::rules::due::Skip;
use crate::rules::period::Window;
use crate::run::{Outcome, Phase, RenewalEvent, RenewalObserver, RenewalOptions, RenewalWorld, renew};
use crate::status::{StatusEvent, StatusObserver, StatusOptions, StatusOutcome, watch};
use crate::testing::{Account as Ledgered, FakeBank, Fate, MemoryLedger, MemoryStatus, SequenceRandom};

const SUBSCRIPTION: SubscriptionId = SubscriptionId(1);

struct Seen<T>(Mutex<Vec<T>>);

impl<T> Seen<T> {
    fn nothing() -> Self {
        Self(Mutex::new(Vec::new()))
    }
}

impl RenewalObserver for Seen<RenewalEvent> {
    fn begun(&self, _phase: Phase) {}

    fn event(&self, event: &RenewalEvent) {
        self.0.lock().unwrap().push(event.clone());
    }
}

impl StatusObserver for Seen<StatusEvent> {
    fn event(&self, event: &StatusEvent) {
        self.0.lock().unwrap().push(event.clone());
    }
}

/// A subscription in a ledger and before the watch, which are one database outside of tests.
struct World {
    ledger: Arc<MemoryLedger>,
    status: MemoryStatus,
    bank: Arc<FakeBank>,
    random: Arc<SequenceRandom>,
    plan: Plan,
    /// Reasons that were told since the last payment.
    told: BTreeSet<String>,
    lines: Vec<String>,
}

impl World {
    fn new(ledgered: Ledgered, plan: &Plan) -> Self {
        let bank = FakeBank::default();
        let fate = match plan.assumption {
            Assumption::Paid => Fate::Pays,
            Assumption::Declined => Fate::Rejected("107".to_owned()),
        };
        bank.card("card-acme", ledgered.card_amount.unwrap_or(ledgered.price), [fate]);
        let (ledger, status) = (MemoryLedger::default(), MemoryStatus::default());
        ledger.add(ledgered);
        status.add(account(1));
        let mut world = Self {
            ledger: Arc::new(ledger),
            status,
            bank: Arc::new(bank),
            random: Arc::default(),
            plan: plan.clone(),
            told: BTreeSet::new(),
            lines: Vec::new(),
        };
        world.copy_to_status();
        world
    }

    fn account(&self) -> Account {
        self.status.account(SUBSCRIPTION).unwrap()
    }

    fn copy_to_status(&mut self) {
        let all = Window { after: Timestamp::MIN, until: Timestamp::MAX };
        let candidate = self.ledger.candidates(&all, None, None, 1, Timestamp::MIN).unwrap().remove(0);
        self.status.change(SUBSCRIPTION, |account| account.candidate = candidate);
    }

    fn copy_to_ledger(&self) {
        let seen = self.account().candidate.seen;
        self.ledger.change(1, |account| {
            (account.seen.tenant_active, account.seen.active) = (seen.tenant_active, seen.active);
            account.tenant.is_active = seen.tenant_active;
        });
    }

    /// As the database tells it.
    fn account_with_notices(&self) -> Account {
        let active = self.status.accounts(Timestamp::MAX, None, None, 1, Timestamp::MAX).unwrap().pop();
        let mut account = active.unwrap_or_else(|| self.account());
        let told = |notice: NewNotice| Told { kind: notice.kind.code().to_owned(), period: notice.period };
        account.told.extend(self.ledger.notices().into_iter().map(told));
        account
    }

    async fn play(&mut self, from: Timestamp, until: Timestamp) {
        for (now, job) in self.plan.schedule.runs(from, until) {
            match job {
                Job::RecurringPayments => self.renew(now).await,
                Job::SubscriptionStatus => self.watch(now),
            }
        }
    }

    async fn renew(&mut self, now: Timestamp) {
        let (observer, notices) = (Arc::new(Seen::<RenewalEvent>::nothing()), self.ledger.notices().len());
        let world = RenewalWorld {
            store: self.ledger.clone(),
            bank: self.bank.clone(),
            clock: Arc::new(ManualClock::at(now)),
            random: self.random.clone(),
            stop: StopToken::new(),
            run: RunId::random(),
            observer: observer.clone(),
        };
        let options = RenewalOptions { policy: self.plan.renewals.clone(), ..RenewalOptions::default() };
        let _ = renew(world, options).await.unwrap();
        for notice in &self.ledger.notices()[notices..] {
            self.line(now, &format!("mail {} {}", notice.kind.code(), notice.period));
        }
        let events = observer.0.lock().unwrap().clone();
        for event in events {
            self.renewed(&event, now);
        }
        self.copy_to_status();
    }

    fn renewed(&mut self, event: &RenewalEvent, now: Timestamp) {
        let number = self.ledger.all_attempts().last().map_or(0, |attempt| attempt.number);
        let amount = event.amount.map(|amount| amount.to_string()).unwrap_or_default();
        match &event.outcome {
            Outcome::Paid { until, reactivated: false } => {
                let until = until.unwrap();
                self.line(now, &format!("charge {amount} #{number}, paid until {until}"));
                self.line(now, &format!("mail renewal_paid {until}"));
                self.told.clear();
            }
            Outcome::Refused { next, .. } => {
                self.line(now, &format!("charge {amount} #{number}, declined, then {:?}", next.unwrap()));
                self.line(now, &format!("mail payment_failed {}", event.period.unwrap()));
            }
            Outcome::Skipped(Skip::NotDue | Skip::RetryOn(_) | Skip::TenantInactive | Skip::SubscriptionInactive) => {}
            Outcome::Skipped(skip) => self.once(now, format!("not charged: {}", skip.code())),
            other => panic!("{other:?}"),
        }
    }

    fn watch(&mut self, now: Timestamp) {
        let observer = Seen::<StatusEvent>::nothing();
        let options = StatusOptions { policy: self.plan.expiry.clone(), ..StatusOptions::default() };
        let _ = watch(&self.status, &ManualClock::at(now), &StopToken::new(), &observer, &options).unwrap();
        let events = observer.0.into_inner().unwrap();
        for event in events {
            let expires_at = event.expires_at.unwrap();
            match event.outcome {
                StatusOutcome::Reminded(_) => self.line(now, &format!("mail reminder {expires_at}")),
                StatusOutcome::UrgentlyReminded(_) => self.line(now, &format!("mail urgent_reminder {expires_at}")),
                StatusOutcome::Warned { suspension_at } => {
                    self.line(now, &format!("mail grace_warning {suspension_at}"));
                }
                StatusOutcome::InGrace { .. } => {}
                StatusOutcome::Suspended => {
                    self.line(now, &format!("suspend {expires_at}"));
                    self.line(now, &format!("mail suspended {expires_at}"));
                }
                StatusOutcome::Withheld { step, why } => {
                    self.once(now, format!("withheld {}: {}", step.code(), why.code()));
                }
                other => panic!("{other:?}"),
            }
        }
        self.copy_to_ledger();
    }

    fn line(&mut self, now: Timestamp, what: &str) {
        self.lines.push(format!("{} {what}", now.strftime("%m-%d %H:%M")));
    }

    fn once(&mut self, now: Timestamp, what: String) {
        if self.told.insert(what.clone()) {
            self.line(now, &what);
        }
    }
}

/// The account at `from`, after so many days of runs, and what really happens from then on.
fn played(ledgered: Ledgered, plan: &Plan, days_before: u32, from: Timestamp) -> (Account, Vec<String>) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build().unwrap();
    runtime.block_on(async {
        let mut world = World::new(ledgered, plan);
        let begin = from - SignedDuration::from_hours(i64::from(days_before) * 24);
        world.play(begin, from).await;
        let before = world.account_with_notices();
        (world.lines, world.told) = Default::default();
        world.play(from, plan.end(from)).await;
        (before, world.lines)
    })
}

fn plans() -> impl Strategy<Value = Plan> {
    let windows = (0_u32..=20).prop_flat_map(|before| (Just(before), 0..=(29 - before).min(9)));
    let zones = prop_oneof![Just("UTC"), Just("Asia/Tbilisi"), Just("America/New_York")];
    let assumptions = prop_oneof![Just(Assumption::Paid), Just(Assumption::Declined)];
    let times = prop_oneof![Just(vec![2]), Just(vec![2, 8, 14, 20]), Just(vec![4]), Just(Vec::new())];
    let watches = prop_oneof![Just(vec![3]), Just(vec![3, 15])];
    (windows, 0_u32..=12, zones, assumptions, (times, watches), 1_u32..=50, 0_u32..8).prop_map(
        |((days_before, grace_days), suspend_after, zone, assumption, (renewals, status), days, exempt)| {
            let mut plan = Plan { assumption, days, ..Plan::default() };
            (plan.renewals.days_before, plan.renewals.grace_days) = (days_before, grace_days);
            plan.expiry.grace_days = suspend_after;
            let zone = TimeZone::get(zone).unwrap();
            (plan.renewals.time_zone, plan.expiry.time_zone) = (zone.clone(), zone);
            let times = |hours: Vec<i8>| hours.into_iter().map(|hour| Time::constant(hour, 0, 0, 0)).collect();
            plan.schedule = Schedule { renewals: times(renewals), status: times(status) };
            if exempt == 0 {
                let acme: BTreeSet<_> = ["acme".parse().unwrap()].into();
                (plan.renewals.exempt, plan.expiry.exempt) = (acme.clone(), acme);
            }
            plan
        },
    )
}

/// What kind of card there is: none, one of the price, of another, of which our table does not say.
fn subscriptions() -> impl Strategy<Value = Ledgered> {
    let cards = prop_oneof![2 => Just("price"), 1 => Just("other"), 1 => Just("silent"), 1 => Just("none")];
    let prices = prop_oneof![6 => Just("50"), 1 => Just("0")];
    let providers = prop_oneof![8 => Just("bog"), 1 => Just("paddle")];
    let retries = prop_oneof![4 => Just(None), 1 => (-50_i64..500).prop_map(Some)];
    (-14_i64 * 1440..45 * 1440, cards, prices, providers, retries).prop_map(
        |(minutes, card, price, provider, retry)| {
            let after = |time| at(FROM).checked_add(time).unwrap();
            let price = gel(price);
            let mut account = Ledgered::due(1, "acme", price, after(SignedDuration::from_mins(minutes)));
            account.seen.provider = provider.to_owned();
            account.echodesk_retry = retry.map(|hours| after(SignedDuration::from_hours(hours)));
            account.card_amount = match card {
                "other" => Some(gel("12")),
                "silent" => None,
                _ => Some(price),
            };
            if card == "none" {
                (account.seen.parent, account.card_amount) = (None, None);
            }
            account
        },
    )
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(192))]

    #[test]
    fn a_forecast_is_what_the_runs_then_do(
        plan in plans(),
        subscription in subscriptions(),
        days_before in prop_oneof![Just(0), 1_u32..20],
    ) {
        let from = at(FROM);
        let (before, happened) = played(subscription, &plan, days_before, from);
        let told: Vec<String> = forecast(&before, None, &plan, from).iter().map(line).collect();
        prop_assert_eq!(told, happened);
    }
}

#[test]
fn the_agreement_is_about_something() {
    let mut kinds = BTreeSet::new();
    for (assumption, card) in [(Assumption::Paid, "50"), (Assumption::Declined, "50"), (Assumption::Paid, "12")] {
        let plan = Plan { assumption, days: 40, ..Plan::default() };
        let mut subscription = Ledgered::due(1, "acme", gel("50"), at(EXPIRES));
        subscription.card_amount = Some(gel(card));
        let (_, happened) = played(subscription, &plan, 0, at(FROM));
        kinds.extend(happened.iter().filter_map(|line| Some(line.split(' ').take(4).nth(2)?.to_owned())));
    }
    let expected = ["charge", "mail", "not", "suspend"].map(str::to_owned);
    assert_eq!(kinds, expected.into());
}

//! Runs against doubles, on a clock that stands still until it is moved.

mod deaths;
mod faults;
mod renewals;

use std::sync::{Arc, Mutex};
use std::time::Duration;

use echodesk_core::{ManualClock, RunId, StopToken};
use jiff::Timestamp;

use super::*;
use crate::ports::BillingStore;
use crate::testing::{Account, FakeBank, Fate, MemoryLedger, SequenceRandom};
use crate::{Currency, Money};

fn at(text: &str) -> Timestamp {
    text.parse().unwrap()
}

fn gel(text: &str) -> Money {
    Money::new(text.parse().unwrap(), Currency::Gel).unwrap()
}

/// Everything that outlives a run.
struct World {
    ledger: Arc<MemoryLedger>,
    bank: Arc<FakeBank>,
    clock: Arc<ManualClock>,
    random: Arc<SequenceRandom>,
    stop: StopToken,
    options: RenewalOptions,
}

#[derive(Default)]
struct Events(Mutex<Vec<RenewalEvent>>);

impl RenewalObserver for Events {
    fn begun(&self, _phase: Phase) {}

    fn event(&self, event: &RenewalEvent) {
        self.0.lock().unwrap().push(event.clone());
    }
}

impl World {
    /// As many accounts as there are fates, due in two days.
    fn new(fates: impl IntoIterator<Item = Vec<Fate>>) -> Self {
        let (ledger, bank) = (MemoryLedger::default(), FakeBank::default());
        for (number, fates) in (1..).zip(fates) {
            let schema = format!("tenant{number}");
            ledger.add(Account::due(number, &schema, gel("50"), at("2026-11-24T00:00:00Z")));
            bank.card(&format!("card-{schema}"), gel("50"), fates);
        }
        Self {
            ledger: Arc::new(ledger),
            bank: Arc::new(bank),
            clock: Arc::new(ManualClock::at(at("2026-11-22T02:00:00Z"))),
            random: Arc::default(),
            stop: StopToken::new(),
            options: RenewalOptions::default(),
        }
    }

    fn paying() -> Self {
        Self::new([vec![Fate::Pays]])
    }

    async fn run(&self) -> (RenewalReport, Vec<RenewalEvent>) {
        self.run_with(self.ledger.clone(), self.bank.clone()).await
    }

    async fn run_with<B: Bank>(
        &self,
        store: Arc<dyn BillingStore>,
        bank: Arc<B>,
    ) -> (RenewalReport, Vec<RenewalEvent>) {
        let events = Arc::new(Events::default());
        let world = RenewalWorld {
            store,
            bank,
            clock: self.clock.clone(),
            random: self.random.clone(),
            stop: self.stop.clone(),
            run: RunId::random(),
            observer: events.clone(),
        };
        let report = renew(world, self.options.clone()).await.unwrap();
        let events = events.0.lock().unwrap().clone();
        assert_eq!(report.totals.failures, events.iter().filter(|event| event.outcome.is_failure()).count() as u64);
        (report, events)
    }

    fn days_later(&self, days: u64) {
        self.clock.advance(Duration::from_secs(days * 86_400));
    }

    /// What must be true of an account of which nothing is open any more.
    fn assert_exact(&self, number: i64) {
        let account = self.ledger.account(number).unwrap();
        let attempts: Vec<_> =
            self.ledger.all_attempts().into_iter().filter(|attempt| attempt.subscription.0 == number).collect();
        let captures = self.bank.captures();
        let captured = attempts.iter().filter(|attempt| captures.contains(&attempt.order)).count();
        assert!(captured <= 1, "{attempts:#?}");
        assert_eq!(account.extended as usize, captured, "{attempts:#?}");
    }
}

fn codes(events: &[RenewalEvent]) -> Vec<&'static str> {
    events.iter().map(|event| event.outcome.code()).collect()
}

//! A run that dies before and after every call to its ports, and what the next one makes of it.

use std::sync::atomic::{AtomicU64, Ordering};

use echodesk_core::notice::NewNotice;
use echodesk_core::{AttemptId, StoreError, StoreErrorKind, SubscriptionId, Tenant, TenantId};

use super::*;
use crate::model::{Attempt, BankOrderId, Candidate, OrderId, Receipt};
use crate::ports::{
    BankDown, ChargeAnswer, ChargeRequest, Claim, Claims, NewAttempt, Prepared, ReceiptError, Settled, Settlement,
};
use crate::rules::period::Window;

/// When a run dies: nothing that it does after this has any effect.
struct Death {
    step: AtomicU64,
    /// Half steps: an even one is before a step, an odd one after it.
    at: u64,
}

enum Step {
    Lives,
    DiesAfter,
    Dead,
}

impl Death {
    fn step(&self) -> Step {
        let step = self.step.fetch_add(1, Ordering::SeqCst) * 2;
        match step {
            step if step + 1 == self.at => Step::DiesAfter,
            step if step >= self.at => Step::Dead,
            _ => Step::Lives,
        }
    }

    fn write<T>(&self, work: impl FnOnce() -> Result<T, StoreError>) -> Result<T, StoreError> {
        let dead =
            || Err(StoreError { kind: StoreErrorKind::Unavailable, what: "the run is dead".to_owned(), source: None });
        match self.step() {
            Step::Lives => work(),
            Step::DiesAfter => work().and_then(|_| dead()),
            Step::Dead => dead(),
        }
    }
}

struct MortalStore(Arc<MemoryLedger>, Arc<Death>);
struct MortalBank(Arc<FakeBank>, Arc<Death>);

impl Bank for MortalBank {
    async fn ready(&self) -> Result<(), BankDown> {
        self.0.ready().await
    }

    async fn charge(&self, request: &ChargeRequest) -> ChargeAnswer {
        let dead = ChargeAnswer::Unknown("the run is dead".to_owned());
        match self.1.step() {
            Step::Lives => self.0.charge(request).await,
            Step::DiesAfter => {
                let _ = self.0.charge(request).await;
                dead
            }
            Step::Dead => dead,
        }
    }

    async fn receipt(&self, order: &BankOrderId) -> Result<Receipt, ReceiptError> {
        match self.1.step() {
            Step::Lives => self.0.receipt(order).await,
            _ => Err(ReceiptError::Unavailable { order: order.clone(), why: "the run is dead".to_owned() }),
        }
    }
}

impl BillingStore for MortalStore {
    fn candidates(
        &self,
        window: &Window,
        tenant: Option<TenantId>,
        after: Option<SubscriptionId>,
        limit: usize,
        now: Timestamp,
    ) -> Result<Vec<Candidate>, StoreError> {
        self.1.write(|| self.0.candidates(window, tenant, after, limit, now))
    }

    fn prepare(&self, new: &NewAttempt<'_>) -> Result<Prepared, StoreError> {
        self.1.write(|| self.0.prepare(new))
    }

    fn claim(
        &self,
        claim: &Claim,
        which: Claims,
        tenant: Option<TenantId>,
        after: Option<AttemptId>,
        limit: usize,
    ) -> Result<Vec<Attempt>, StoreError> {
        self.1.write(|| self.0.claim(claim, which, tenant, after, limit))
    }

    fn cancel_overtaken_retries(&self, now: Timestamp) -> Result<usize, StoreError> {
        self.1.write(|| self.0.cancel_overtaken_retries(now))
    }

    fn release(&self, run: RunId, attempts: Option<&[AttemptId]>) -> Result<(), StoreError> {
        self.1.write(|| self.0.release(run, attempts))
    }

    fn accepted(&self, attempt: AttemptId, order: &BankOrderId, now: Timestamp) -> Result<Attempt, StoreError> {
        self.1.write(|| self.0.accepted(attempt, order, now))
    }

    fn unanswered(&self, attempt: AttemptId, why: &str, now: Timestamp) -> Result<Attempt, StoreError> {
        self.1.write(|| self.0.unanswered(attempt, why, now))
    }

    fn not_sent(&self, attempt: AttemptId, run: RunId, why: &str, now: Timestamp) -> Result<bool, StoreError> {
        self.1.write(|| self.0.not_sent(attempt, run, why, now))
    }

    fn set_trouble(&self, attempt: AttemptId, trouble: Option<&str>, now: Timestamp) -> Result<(), StoreError> {
        self.1.write(|| self.0.set_trouble(attempt, trouble, now))
    }

    fn settle(&self, attempt: AttemptId, settlement: &Settlement<'_>) -> Result<Settled, StoreError> {
        self.1.write(|| self.0.settle(attempt, settlement))
    }

    fn attempt_of_order(&self, order: &OrderId) -> Result<Option<Attempt>, StoreError> {
        self.0.attempt_of_order(order)
    }

    fn attempt_of_bank_order(&self, order: &BankOrderId) -> Result<Option<Attempt>, StoreError> {
        self.0.attempt_of_bank_order(order)
    }

    fn left(
        &self,
        tenant: Option<TenantId>,
        after: Option<AttemptId>,
        limit: usize,
    ) -> Result<Vec<Attempt>, StoreError> {
        self.0.left(tenant, after, limit)
    }

    fn queue_notice(&self, tenant: &Tenant, notice: &NewNotice) -> Result<(), StoreError> {
        self.1.write(|| self.0.queue_notice(tenant, notice))
    }
}

/// How many steps the run took before it ended or died.
async fn run_and_die(world: &World, at: u64) -> u64 {
    let death = Arc::new(Death { step: AtomicU64::new(0), at });
    let store = Arc::new(MortalStore(world.ledger.clone(), death.clone()));
    let _ = world.run_with(store, Arc::new(MortalBank(world.bank.clone(), death.clone()))).await;
    death.step.load(Ordering::SeqCst)
}

#[tokio::test(start_paused = true)]
async fn a_run_that_dies_anywhere_is_made_good_by_the_next() {
    let fates = || [vec![Fate::Pays], vec![Fate::Rejected("107".to_owned()), Fate::Pays], vec![Fate::Refused(404)]];
    let steps = run_and_die(&World::new(fates()), u64::MAX).await;
    assert!(steps > 15, "{steps}");
    for at in 0..steps * 2 {
        let world = World::new(fates());
        let _ = run_and_die(&world, at).await;
        world.ledger.end_claims();
        for _day in 0..3 {
            let _ = world.run().await;
            world.days_later(1);
        }
        assert!(world.ledger.all_attempts().iter().all(|attempt| !attempt.state.is_open()), "died at {at}");
        assert_eq!(world.bank.captures().len(), 2, "died at {at}: the third is refused for good");
        (1..=3).for_each(|number| world.assert_exact(number));
    }
}

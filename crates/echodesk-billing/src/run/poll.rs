//! Settling: what earlier runs have left, and then what this run has charged.

use std::collections::HashSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use echodesk_core::{AttemptId, StoreError, StoreErrorKind, SubscriptionId};
use tokio::time::Instant;

use crate::model::Attempt;
use crate::ports::{Bank, Claims};
use crate::run::attend::{Stand, closed};
use crate::run::charge::{Tasks, in_words};
use crate::run::world::{PAGE, Run};
use crate::run::{Outcome, RenewalEvent};

/// Pauses between rounds of asking, the last one again and again.
const PAUSES: [Duration; 5] = [
    Duration::from_millis(500),
    Duration::from_secs(2),
    Duration::from_secs(4),
    Duration::from_secs(8),
    Duration::from_secs(15),
];

/// How often a pause is interrupted to look whether the run is to stop.
const GLANCE: Duration = Duration::from_millis(200);

impl<B: Bank> Run<B> {
    /// Sees once to each attempt that earlier runs have left. Returns the subscriptions that they are of.
    pub(super) async fn settle_left(self: &Arc<Self>) -> Result<HashSet<SubscriptionId>, StoreError> {
        let now = self.now();
        let cancelled = self.need(move |store| store.cancel_overtaken_retries(now)).await?;
        if cancelled > 0 {
            tracing::warn!(cancelled, "EchoDesk was about to charge periods that are paid; its retries are cancelled");
        }
        let mut attended = HashSet::new();
        self.see_to(Claims::Left, None, |attempt| {
            attended.insert(attempt.subscription);
        })
        .await?;
        Ok(attended)
    }

    /// Asks about what is open in rounds, until nothing is, or the time is up. Then tells where the rest
    /// stands and gives all claims back.
    pub(super) async fn poll(self: &Arc<Self>) -> Result<(), StoreError> {
        let deadline = Instant::now() + self.options.settle_for;
        for round in 0_usize.. {
            if self.is_ending() || !self.see_to(Claims::Mine, Some(deadline), |_| ()).await? {
                break;
            }
            let pause = PAUSES.get(round).or(PAUSES.last()).copied().unwrap_or(GLANCE);
            if Instant::now() + pause > deadline {
                break;
            }
            let until = Instant::now() + pause;
            while Instant::now() < until && !self.is_ending() {
                tokio::time::sleep(GLANCE.min(until.saturating_duration_since(Instant::now()))).await;
            }
            self.breaker.close();
        }
        self.tell_the_rest().await
    }

    /// Sees once to each attempt of a kind, telling of each before; says whether any is still open.
    async fn see_to(
        self: &Arc<Self>,
        which: Claims,
        deadline: Option<Instant>,
        mut seen: impl FnMut(&Attempt) + Send,
    ) -> Result<bool, StoreError> {
        let mut round = Round::new(self);
        let mut after = None;
        while !self.is_ending() {
            let page = match self.claimed(which, after).await {
                Ok(page) => page,
                // Those that are being seen to come to their end before an error is told.
                Err(error) => {
                    round.finish().await;
                    return Err(error);
                }
            };
            let Some(last) = page.last() else { break };
            after = Some(last.id);
            page.iter().for_each(&mut seen);
            round.attend(page, deadline).await;
        }
        Ok(round.finish().await)
    }

    async fn attend_one(&self, attempt: &Attempt) -> bool {
        let outcome = match self.attend(attempt).await {
            Ok(Stand::Open) => return true,
            Ok(Stand::Settled(outcome)) => outcome,
            Ok(Stand::Done(outcome)) => {
                self.give_back(attempt.id).await;
                outcome
            }
            // Told at the end, or by the next run.
            Err(error) if error.kind == StoreErrorKind::Unavailable => return true,
            Err(error) => {
                self.give_back(attempt.id).await;
                Outcome::Failed(in_words(&error))
            }
        };
        self.emit(&RenewalEvent::of(attempt, outcome));
        false
    }

    async fn tell_the_rest(self: &Arc<Self>) -> Result<(), StoreError> {
        let mut after = None;
        loop {
            let page = self.claimed(Claims::Mine, after).await?;
            let Some(last) = page.last() else { break };
            after = Some(last.id);
            for attempt in &page {
                let outcome = match (attempt.state.is_open(), self.unheard(attempt.id)) {
                    (true, Some(why)) => Outcome::Unknown(why),
                    _ => closed(attempt),
                };
                self.emit(&RenewalEvent::of(attempt, outcome));
            }
        }
        let run = self.world.run;
        self.store(move |store| store.release(run, None)).await
    }

    async fn claimed(&self, which: Claims, after: Option<AttemptId>) -> Result<Vec<Attempt>, StoreError> {
        let (claim, tenant) = (self.claim(), self.tenant());
        self.need(move |store| store.claim(&claim, which, tenant, after, PAGE)).await
    }

    /// Gives a claim back. If that fails, it runs out by itself.
    pub(super) async fn give_back(&self, attempt: AttemptId) {
        let run = self.world.run;
        if let Err(error) = self.store(move |store| store.release(run, Some(&[attempt]))).await {
            tracing::warn!(%attempt, error = in_words(&error), "a claim was not given back");
        }
    }
}

/// Attempts that are being seen to, page after page: the next page is read while the last one's are
/// still under way.
struct Round<'a, B: Bank> {
    run: &'a Arc<Run<B>>,
    tasks: Tasks,
    still_open: Arc<AtomicBool>,
}

impl<'a, B: Bank> Round<'a, B> {
    fn new(run: &'a Arc<Run<B>>) -> Self {
        // Twice as many as calls are allowed: while some wait for the bank, others are settled.
        let tasks = Tasks::new(run.options.width.get().saturating_mul(2));
        Self { run, tasks, still_open: Arc::new(AtomicBool::new(false)) }
    }

    /// Sees to a page of attempts and tells of those that come to an end.
    async fn attend(&mut self, page: Vec<Attempt>, deadline: Option<Instant>) {
        for attempt in page {
            self.tasks.room().await;
            if self.run.is_ending() || deadline.is_some_and(|deadline| Instant::now() > deadline) {
                return;
            }
            let (run, still_open) = (Arc::clone(self.run), Arc::clone(&self.still_open));
            self.tasks.set.spawn(async move {
                if run.attend_one(&attempt).await {
                    still_open.store(true, Ordering::Release);
                }
            });
        }
    }

    /// Waits for all; says whether any is still open.
    async fn finish(mut self) -> bool {
        self.tasks.finish().await;
        self.still_open.load(Ordering::Acquire)
    }
}

//! Claims, hands out, and looks after the couriers.

use std::collections::HashMap;
use std::sync::{Arc, PoisonError};

use echodesk_core::{StoreError, StoreErrorKind};
use tokio::sync::mpsc;
use tokio::task::{Id, JoinError, JoinSet};

use super::DeliveryReport;
use super::claims::{Claims, PAGE, claim};
use super::courier::{Courier, End, Hand, Work};
use super::ledger;
use super::run::{Claimed, Done, Run};
use crate::ports::{Fate, Transport};
use crate::rules::{again, again_in_doubt, veiled};

/// Delivers what is due, and gives everything back that it has claimed and not finished.
pub(super) async fn work<T: Transport>(run: Arc<Run<T>>) -> Result<DeliveryReport, StoreError> {
    let (fates, finished) = mpsc::channel(ledger::BACKLOG);
    let writer = tokio::spawn(ledger::write(Arc::clone(&run), finished));
    let mut crew = Crew::new(Arc::clone(&run), fates);
    let fed = crew.feed().await;
    let closed = crew.closed;
    crew.finish().await;
    let (mut report, unwritten) =
        writer.await.unwrap_or_else(|error| (DeliveryReport::default(), Some(panicked(error))));
    report.parked += closed.parked;
    report.withdrawn += closed.withdrawn;
    report.stopped = run.was_stopped();
    report.out_of_time = run.ran_out_of_time();
    report.trouble = run.health().trouble.take();
    let released = run.ask({
        let id = run.world.run;
        move |outbox| outbox.release(id)
    });
    let outcomes = [fed, unwritten.map_or(Ok(()), Err), released.await];
    for outcome in outcomes {
        match outcome {
            Err(error) if error.kind == StoreErrorKind::Unavailable => {
                tracing::warn!(%error, "the database is away");
                report.database_away = true;
            }
            outcome => outcome?,
        }
    }
    let tenant = run.options.tenant;
    match run.ask(move |outbox| outbox.waiting(tenant)).await {
        Ok(waiting) => report.waiting = waiting,
        Err(error) if error.kind == StoreErrorKind::Unavailable => report.database_away = true,
        Err(error) => return Err(error),
    }
    Ok(report)
}

fn panicked(error: JoinError) -> StoreError {
    let what = "what became of notices could not be written down".to_owned();
    StoreError { kind: StoreErrorKind::Other, what, source: Some(Box::new(error)) }
}

struct Crew<T: Transport> {
    run: Arc<Run<T>>,
    couriers: JoinSet<End>,
    hands: HashMap<Id, Hand>,
    /// How many connections there may be; fewer once one more could not be opened.
    places: usize,
    queue: Option<mpsc::Sender<Arc<Claimed>>>,
    work: Work,
    fates: mpsc::Sender<Done>,
    closed: Closed,
}

/// What claiming closed on the way.
#[derive(Clone, Copy, Debug, Default)]
struct Closed {
    parked: u64,
    withdrawn: u64,
}

impl<T: Transport> Crew<T> {
    fn new(run: Arc<Run<T>>, fates: mpsc::Sender<Done>) -> Self {
        let (queue, work) = mpsc::channel(PAGE);
        Self {
            places: run.options.connections.get(),
            run,
            couriers: JoinSet::new(),
            hands: HashMap::new(),
            queue: Some(queue),
            work: Arc::new(tokio::sync::Mutex::new(work)),
            fates,
            closed: Closed::default(),
        }
    }

    /// Claims page after page until nothing is due. While couriers work on one page, the next waits.
    async fn feed(&mut self) -> Result<(), StoreError> {
        let Some(queue) = self.queue.take() else { return Ok(()) };
        let mut pages = 0_usize;
        loop {
            let Claims { notices: page, parked, withdrawn } = claim(&self.run).await?;
            self.closed.parked += parked;
            self.closed.withdrawn += withdrawn;
            // Being asked to stop counts only if there was something to do.
            if page.is_empty() || self.run.leaves_off() {
                return Ok(());
            }
            pages += 1;
            let a_full_page_waits = pages > 1 && page.len() == PAGE;
            if self.couriers.is_empty() || (a_full_page_waits && self.couriers.len() < self.places) {
                self.hire();
            }
            for claimed in page {
                let Some(place) = self.place(&queue).await else { return Ok(()) };
                place.send(claimed);
            }
        }
    }

    /// Room in the queue, once there is some; none if nothing new is begun.
    async fn place<'q>(&mut self, queue: &'q mpsc::Sender<Arc<Claimed>>) -> Option<mpsc::Permit<'q, Arc<Claimed>>> {
        loop {
            tokio::select! {
                // In this order, so that a run can be repeated exactly. A courier ends once, so room in the queue is
                // never waited for in vain; the other way round, an end would be heard of only once it is full.
                biased;
                Some(ended) = self.couriers.join_next_with_id() => self.ended(ended).await,
                place = queue.reserve() => return place.ok(),
            }
            if self.run.leaves_off() {
                return None;
            }
            if self.couriers.is_empty() {
                self.hire();
            }
        }
    }

    fn hire(&mut self) {
        let hand = Hand::default();
        let courier = Courier {
            run: Arc::clone(&self.run),
            work: Arc::clone(&self.work),
            fates: self.fates.clone(),
            hand: Arc::clone(&hand),
            helps: !self.couriers.is_empty(),
        };
        let id = self.couriers.spawn(courier.work()).id();
        self.hands.insert(id, hand);
    }

    async fn ended(&mut self, ended: Result<(Id, End), JoinError>) {
        match ended {
            Ok((id, end)) => {
                self.hands.remove(&id);
                if let End::NoConnection(why) = end {
                    // Servers allow so many connections at once: those that there are will do.
                    if self.couriers.is_empty() {
                        self.run.trouble(&why);
                    } else {
                        tracing::debug!(why = veiled(&why), "no further connection");
                        self.places = self.couriers.len();
                    }
                }
            }
            Err(error) => {
                let hand = self.hands.remove(&error.id());
                let claimed = hand.and_then(|hand| hand.lock().unwrap_or_else(PoisonError::into_inner).take());
                if !self.run.health().may_reconnect() {
                    self.run.trouble("sending mails ends in errors of ours");
                }
                if let Some(claimed) = claimed {
                    let notice = &claimed.notice;
                    let why = "sending it ended in an error of ours".to_owned();
                    let fate = again_in_doubt(notice.decided_at, notice.attempts, why, self.run.now());
                    let _ = self.fates.send(Done { claimed, fate }).await;
                }
            }
        }
    }

    /// Waits for everybody. What was refused and never explained by a mail that was taken is parked, unless it may
    /// be that nobody's mail would be taken.
    async fn finish(mut self) {
        while let Some(ended) = self.couriers.join_next_with_id().await {
            self.ended(ended).await;
            // A courier that ended early may have left work behind.
            if self.couriers.is_empty() && !self.work.lock().await.is_empty() && !self.run.leaves_off() {
                self.hire();
            }
        }
        let policy = self.run.health().policy();
        let is_us = policy.is_some();
        if let Some(why) = policy {
            self.run.trouble(&format!("no mail was taken, so it may be us and not them: {why}"));
        }
        let (suspects, now) = (self.run.health().suspects(), self.run.now());
        for (claimed, why) in suspects {
            let notice = &claimed.notice;
            let fate = if is_us { again(notice.decided_at, notice.attempts, why, now) } else { Fate::Parked { why } };
            let _ = self.fates.send(Done { claimed, fate }).await;
        }
    }
}

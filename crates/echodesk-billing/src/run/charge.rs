//! Charging what is due.

use std::collections::HashSet;
use std::sync::Arc;

use echodesk_core::notice::{NewNotice, NoticeKind};
use echodesk_core::{StoreError, StoreErrorKind, SubscriptionId, Tenant};
use jiff::Timestamp;
use tokio::task::JoinSet;

use crate::Money;
use crate::model::{Candidate, Charge, OrderId, Receipt};
use crate::ports::{Bank, NewAttempt, Prepared, ReceiptError};
use crate::rules::due::{Decision, Skip, judge, price};
use crate::rules::period::renewal_date;
use crate::run::attend::{Stand, Writer};
use crate::run::world::{PAGE, Run};
use crate::run::{Outcome, RenewalEvent};

impl<B: Bank> Run<B> {
    /// Charges all that is due. Those in `attended` were told of already, unless they are charged.
    pub(super) async fn charge_due(self: &Arc<Self>, attended: &HashSet<SubscriptionId>) -> Result<(), StoreError> {
        let now = self.now();
        let (window, tenant) = (self.options.policy.window(now), self.tenant());
        // Twice as many as calls are allowed: while some wait for the bank, others are written down.
        let mut tasks = Tasks::new(self.options.width.get().saturating_mul(2));
        let (mut after, mut asked) = (None, false);
        let mut outcome = Ok(());
        'pages: while !self.is_ending() {
            let page = match self.need(move |store| store.candidates(&window, tenant, after, PAGE, now)).await {
                Ok(page) if page.is_empty() => break,
                Ok(page) => page,
                Err(error) => {
                    outcome = Err(error);
                    break;
                }
            };
            for candidate in page {
                after = Some(candidate.subscription);
                match judge(&candidate, &self.options.policy, now) {
                    Decision::Skip(skip) => self.skipped(&candidate, skip, attended, now).await,
                    Decision::Charge(charge) => {
                        if !std::mem::replace(&mut asked, true)
                            && let Err(down) = self.world.bank.ready().await
                        {
                            self.breaker.give_up(&down.to_string());
                        }
                        tasks.room().await;
                        if self.is_ending() {
                            break 'pages;
                        }
                        let run = Arc::clone(self);
                        tasks.set.spawn(async move { run.charge(*charge).await });
                    }
                }
            }
        }
        tasks.finish().await;
        outcome
    }

    async fn skipped(&self, candidate: &Candidate, skip: Skip, attended: &HashSet<SubscriptionId>, now: Timestamp) {
        if let Skip::PriceChanged { card_amount, price } = &skip {
            let renewal = renewal_date(&candidate.seen).unwrap_or(now);
            self.tell_of_new_price(&candidate.tenant, candidate.subscription, (*card_amount, *price), renewal).await;
        }
        if !attended.contains(&candidate.subscription) {
            self.emit(&skip_event(candidate, skip));
        }
    }

    /// One renewal, from the decision to the bank's answer.
    async fn charge(&self, charge: Charge) {
        let event = |order: Option<OrderId>, outcome| RenewalEvent {
            tenant: charge.tenant.schema.clone(),
            subscription: charge.subscription,
            amount: Some(charge.amount),
            period: Some(charge.period),
            order,
            outcome,
        };
        if let Some(why) = self.breaker.open() {
            return self.emit(&event(None, Outcome::Postponed(why)));
        }
        if let Some(outcome) = self.check_card_amount(&charge).await {
            return self.emit(&event(None, outcome));
        }
        let (order, key) = (OrderId::renewal(self.world.random.uuid()), self.world.random.uuid());
        let (claim, owned) = (self.claim(), charge.clone());
        let prepared = self.store(move |store| store.prepare(&NewAttempt { charge: &owned, order, key, claim })).await;
        match prepared {
            Ok(Prepared::Changed) => self.emit(&event(None, Outcome::Skipped(Skip::Changed))),
            Ok(Prepared::Written(attempt)) => {
                let stand = self.call(&attempt, Writer::ThisRun).await;
                let order = Some(attempt.order.clone());
                match stand {
                    Ok(Stand::Settled(outcome)) => self.emit(&event(order, outcome)),
                    Ok(Stand::Done(outcome)) => {
                        self.give_back(attempt.id).await;
                        self.emit(&event(order, outcome));
                    }
                    // The polling tells of it.
                    Ok(Stand::Open) => {}
                    // The polling cannot tell of it if the database is away for good.
                    Err(error) if error.kind == StoreErrorKind::Unavailable => {
                        self.emit(&event(order, Outcome::Unknown(in_words(&error))));
                    }
                    Err(error) => self.emit(&event(order, Outcome::Failed(in_words(&error)))),
                }
            }
            Err(error) => self.emit(&event(None, Outcome::Failed(in_words(&error)))),
        }
    }

    /// Where our own table does not say what the card's order cost, the bank does: a saved card is
    /// charged that, whatever the subscription costs by now.
    async fn check_card_amount(&self, charge: &Charge) -> Option<Outcome> {
        if charge.card_amount_known {
            return None;
        }
        let receipt = {
            let _permit = self.permit().await;
            self.world.bank.receipt(&charge.parent).await
        };
        match receipt {
            Ok(receipt) => {
                self.breaker.answered();
                let card_amount = match cost(&receipt) {
                    Ok(card_amount) if card_amount == charge.amount => return None,
                    Ok(card_amount) => card_amount,
                    Err(why) => return Some(Outcome::Skipped(Skip::CardAmountUnusable(why))),
                };
                let amounts = (card_amount, charge.amount);
                self.tell_of_new_price(&charge.tenant, charge.subscription, amounts, charge.period).await;
                Some(Outcome::Skipped(Skip::PriceChanged { card_amount, price: charge.amount }))
            }
            // The bank will refuse the card in its own words.
            Err(ReceiptError::UnknownOrder { .. }) => None,
            Err(error @ ReceiptError::Unavailable { .. }) => {
                self.breaker.failed(&error.to_string());
                Some(Outcome::Postponed(error.to_string()))
            }
        }
    }

    async fn tell_of_new_price(
        &self,
        tenant: &Tenant,
        subscription: SubscriptionId,
        amounts: (Money, Money),
        renewal: Timestamp,
    ) {
        let notice = price_changed(subscription, amounts, renewal, self.now());
        let tenant = tenant.clone();
        if let Err(error) = self.store(move |store| store.queue_notice(&tenant, &notice)).await {
            tracing::warn!(%subscription, error = in_words(&error), "a notice was not queued");
        }
    }
}

/// Tells that the saved card can only be charged the first of the two amounts, and the price is the second.
pub(crate) fn price_changed(
    subscription: SubscriptionId,
    (card_amount, price): (Money, Money),
    renewal: Timestamp,
    now: Timestamp,
) -> NewNotice {
    NewNotice {
        kind: NoticeKind::PriceChanged { card_amount: card_amount.to_string(), price: price.to_string(), renewal },
        subject_key: format!("subscription:{subscription}"),
        period: renewal.to_string(),
        decided_at: now,
    }
}

/// What an order cost, and so what its card can be charged.
fn cost(receipt: &Receipt) -> Result<Money, String> {
    let silent = |what: &str| format!("the bank does not say {what} its order {} cost", receipt.order);
    let currency = receipt.currency.as_deref().ok_or_else(|| silent("in what currency"))?;
    let amount = receipt.requested.ok_or_else(|| silent("how much"))?;
    let money = currency.parse().and_then(|currency| Money::new(amount, currency));
    money.map_err(|error| format!("the bank's order {}: {error}", receipt.order))
}

pub(super) fn skip_event(candidate: &Candidate, skip: Skip) -> RenewalEvent {
    RenewalEvent {
        tenant: candidate.tenant.schema.clone(),
        subscription: candidate.subscription,
        amount: price(candidate).ok(),
        period: renewal_date(&candidate.seen),
        order: None,
        outcome: Outcome::Skipped(skip),
    }
}

/// An error of the store with its causes, on one line.
pub(crate) fn in_words(error: &StoreError) -> String {
    let mut words = error.to_string();
    let mut source = std::error::Error::source(error);
    while let Some(cause) = source {
        words.push_str(": ");
        words.push_str(&cause.to_string());
        source = cause.source();
    }
    words
}

/// Tasks in flight, of which there is a limit. One that panics ends alone: its attempt is in the ledger.
pub(super) struct Tasks {
    pub(super) set: JoinSet<()>,
    limit: usize,
}

impl Tasks {
    pub(super) fn new(limit: usize) -> Self {
        Self { set: JoinSet::new(), limit }
    }

    /// Waits until one more may be started.
    pub(super) async fn room(&mut self) {
        while self.set.len() >= self.limit {
            self.one().await;
        }
    }

    /// Waits for all of them.
    pub(super) async fn finish(&mut self) {
        while !self.set.is_empty() {
            self.one().await;
        }
    }

    async fn one(&mut self) {
        if let Some(Err(error)) = self.set.join_next().await {
            tracing::error!(%error, "a renewal ended in a panic");
        }
    }
}

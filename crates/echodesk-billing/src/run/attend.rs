//! Seeing to one open attempt: call the bank for it, or ask what became of it.

use echodesk_core::StoreError;
use jiff::SignedDuration;

use crate::model::{Attempt, AttemptState, BankOrderId, Refusal};
use crate::ports::{Bank, ChargeAnswer, ChargeRequest, ReceiptError, Settled, Settlement, Source};
use crate::rules::refusal::{Meaning, meaning};
use crate::rules::retry::Next;
use crate::rules::settle::{Verdict, judge};
use crate::run::Outcome;
use crate::run::world::Run;

/// A bank may need a moment until it knows its own new order. An order that it denies after so long is
/// a matter for a person.
const UNKNOWN_ORDER_AFTER: SignedDuration = SignedDuration::from_hours(1);

/// Where an attempt stands after it was seen to.
pub(super) enum Stand {
    /// This run is done with it, and its claim is to be given back.
    Done(Outcome),
    /// It was settled, and the claim was given back with that.
    Settled(Outcome),
    /// It may still come to an end within this run.
    Open,
}

/// Who has written an attempt down.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Writer {
    /// This run, just now; nobody else can have called the bank for it.
    ThisRun,
    /// Another, which may have called the bank, or may be about to.
    Another,
}

impl<B: Bank> Run<B> {
    /// Does what can be done about an attempt that is claimed.
    pub(super) async fn attend(&self, attempt: &Attempt) -> Result<Stand, StoreError> {
        match (&attempt.bank_order, attempt.state) {
            (Some(order), AttemptState::Accepted) => self.ask(attempt, order).await,
            (_, AttemptState::Prepared | AttemptState::Unknown | AttemptState::Accepted) => {
                self.call(attempt, Writer::Another).await
            }
            _ => Ok(Stand::Done(closed(attempt))),
        }
    }

    /// Calls the bank for an attempt, with its own key, as long as that is safe to repeat.
    pub(super) async fn call(&self, attempt: &Attempt, writer: Writer) -> Result<Stand, StoreError> {
        if !self.options.policy.trusts_key(attempt.prepared_at, self.now()) {
            // Kept, so that whoever lists the orders sees why.
            let (id, now, why) = (attempt.id, self.now(), key_too_old(attempt));
            let told = why.clone();
            let attempt = self.write(move |store| store.unanswered(id, &told, now)).await?;
            // A callback may have told meanwhile.
            let outcome = if attempt.state.is_open() { Outcome::NeedsPerson(why) } else { closed(&attempt) };
            return Ok(Stand::Done(outcome));
        }
        if let Some(why) = self.breaker.open() {
            return self.not_sent(attempt, writer, why).await;
        }
        let request = ChargeRequest { parent: attempt.parent.clone(), order: attempt.order.clone(), key: attempt.key };
        let answer = {
            let _permit = self.permit().await;
            self.world.bank.charge(&request).await
        };
        let (id, now) = (attempt.id, self.now());
        match answer {
            ChargeAnswer::Accepted(order) => {
                self.breaker.answered();
                let attempt = self.write(move |store| store.accepted(id, &order, now)).await?;
                Ok(standing(&attempt))
            }
            ChargeAnswer::Refused(refusal) if is_final(attempt, writer, &refusal) => {
                match meaning(&refusal) {
                    // Five in a row are no accident, and the next will not fare better.
                    Meaning { problem: None, words, .. } => self.breaker.failed(&words),
                    Meaning { .. } => self.breaker.answered(),
                }
                let of_payment = meaning(&refusal).problem.is_some();
                let source = if of_payment { Source::Answer } else { Source::FirstAnswer };
                self.settle(attempt, Some(refusal), None, source).await
            }
            ChargeAnswer::Refused(refusal) => {
                let why = format!("an earlier call may have charged, and now: {}", meaning(&refusal).words);
                let attempt = self.write(move |store| store.unanswered(id, &why, now)).await?;
                Ok(standing(&attempt))
            }
            ChargeAnswer::Unknown(why) => {
                self.breaker.failed(&why);
                let attempt = self.write(move |store| store.unanswered(id, &why, now)).await?;
                Ok(standing(&attempt))
            }
            ChargeAnswer::NotSent(why) => {
                self.breaker.failed(&why);
                self.not_sent(attempt, writer, why).await
            }
        }
    }

    /// The bank was not called. That closes an attempt only if nobody else can be about to call it.
    async fn not_sent(&self, attempt: &Attempt, writer: Writer, why: String) -> Result<Stand, StoreError> {
        let (id, run, now, reason) = (attempt.id, self.world.run, self.now(), why.clone());
        let is_ours = writer == Writer::ThisRun;
        if is_ours && self.write(move |store| store.not_sent(id, run, &reason, now)).await? {
            return Ok(Stand::Done(Outcome::Postponed(why)));
        }
        Ok(Stand::Open)
    }

    /// Asks what became of an order.
    async fn ask(&self, attempt: &Attempt, order: &BankOrderId) -> Result<Stand, StoreError> {
        if let Some(why) = self.breaker.open() {
            self.heard(attempt.id, Some(why));
            return Ok(Stand::Open);
        }
        let receipt = {
            let _permit = self.permit().await;
            self.world.bank.receipt(order).await
        };
        self.heard(attempt.id, receipt.as_ref().err().map(ToString::to_string));
        match receipt {
            Ok(receipt) => {
                self.breaker.answered();
                match judge(attempt, &receipt) {
                    Verdict::Paid => self.settle(attempt, None, Some(order), Source::Receipt).await,
                    Verdict::Failed(refusal) => self.settle(attempt, Some(refusal), Some(order), Source::Receipt).await,
                    Verdict::Open(_) | Verdict::Unproven(_) => Ok(Stand::Open),
                    Verdict::Trouble(trouble) => self.trouble(attempt, trouble).await.map(Stand::Done),
                }
            }
            Err(ReceiptError::UnknownOrder { order, message }) => {
                self.breaker.answered();
                if self.now().duration_since(attempt.prepared_at) < UNKNOWN_ORDER_AFTER {
                    return Ok(Stand::Open);
                }
                let trouble = format!("the bank does not know its order {order}: {message}");
                self.trouble(attempt, trouble).await.map(Stand::Done)
            }
            Err(error @ ReceiptError::Unavailable { .. }) => {
                self.breaker.failed(&error.to_string());
                Ok(Stand::Open)
            }
        }
    }

    async fn trouble(&self, attempt: &Attempt, trouble: String) -> Result<Outcome, StoreError> {
        let (id, now, text) = (attempt.id, self.now(), trouble.clone());
        self.write(move |store| store.set_trouble(id, Some(&text), now)).await?;
        Ok(Outcome::NeedsPerson(trouble))
    }

    async fn settle(
        &self,
        attempt: &Attempt,
        refusal: Option<Refusal>,
        order: Option<&BankOrderId>,
        source: Source<'static>,
    ) -> Result<Stand, StoreError> {
        let words = refusal.as_ref().map(|refusal| meaning(refusal).words).unwrap_or_default();
        let (id, run, now) = (attempt.id, self.world.run, self.now());
        let (order, zone) = (order.cloned(), self.options.policy.time_zone.clone());
        let settled = self
            .write(move |store| {
                let settlement = Settlement {
                    refusal: refusal.as_ref(),
                    bank_order: order.as_ref(),
                    source,
                    now,
                    run: Some(run),
                    time_zone: &zone,
                };
                store.settle(id, &settlement)
            })
            .await?;
        Ok(match settled {
            Settled::Paid { until, reactivated, .. } => Stand::Settled(Outcome::Paid { until, reactivated }),
            Settled::Failed(next) => Stand::Settled(Outcome::Refused { words, next: Some(next) }),
            Settled::Already(AttemptState::Paid) => Stand::Done(Outcome::Paid { until: None, reactivated: false }),
            Settled::Already(state) if state.is_open() => Stand::Open,
            Settled::Already(_) => Stand::Done(Outcome::Refused { words, next: None }),
            Settled::NotYet => Stand::Open,
            Settled::Contradiction => Stand::Done(Outcome::NeedsPerson(format!(
                "EchoDesk has booked order {} as paid, and the bank says: {words}",
                attempt.order
            ))),
        })
    }
}

/// Whether a refused call closes an attempt. The bank answers a repeated key as it answered the first call;
/// but something before it (a gateway, a check of rights) may refuse a repeat of a call that has charged. So
/// where an earlier call may have arrived, only a response code of the payment itself counts.
fn is_final(attempt: &Attempt, writer: Writer, refusal: &Refusal) -> bool {
    let is_first = writer == Writer::ThisRun && attempt.state == AttemptState::Prepared;
    is_first || meaning(refusal).problem.is_some()
}

/// Where an attempt stands that was just written: a callback may have been faster.
fn standing(attempt: &Attempt) -> Stand {
    if attempt.state.is_open() && attempt.trouble.is_none() { Stand::Open } else { Stand::Done(closed(attempt)) }
}

/// What to tell of an attempt that somebody else has closed, or that a person must look at.
pub(super) fn closed(attempt: &Attempt) -> Outcome {
    if let Some(trouble) = &attempt.trouble {
        return Outcome::NeedsPerson(trouble.clone());
    }
    match attempt.state {
        AttemptState::Paid => Outcome::Paid { until: None, reactivated: false },
        AttemptState::Failed => {
            let words = attempt.refusal.as_ref().map(|refusal| meaning(refusal).words).unwrap_or_default();
            Outcome::Refused { words, next: None::<Next> }
        }
        AttemptState::NotSent => Outcome::Postponed("it was not sent to the bank".to_owned()),
        AttemptState::Accepted => {
            Outcome::Pending(attempt.last_error.clone().unwrap_or_else(|| "processing".to_owned()))
        }
        AttemptState::Prepared | AttemptState::Unknown => {
            let why = attempt.last_error.as_deref().unwrap_or("the run that called the bank has died");
            Outcome::Unknown(why.to_owned())
        }
    }
}

/// What to tell of an attempt that nothing but a callback or a person can resolve.
pub(super) fn key_too_old(attempt: &Attempt) -> String {
    format!(
        "whether the bank has charged order {} is not known, and asking again with a key from {} might charge twice: \
         look it up at the bank",
        attempt.order, attempt.prepared_at
    )
}

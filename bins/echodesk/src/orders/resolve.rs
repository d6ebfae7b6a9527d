//! `echodesk orders resolve`.

use std::time::Duration;

use echodesk_billing::model::{OrderId, Refusal};
use echodesk_billing::ports::{BillingStore as _, Claim, Settled, Settlement, Source};
use echodesk_billing::rules::retry::Next;
use echodesk_core::{RunId, SchemaName};
use echodesk_job::{Needs, time_zone};
use echodesk_store::{Access, LedgerEntry, Store};
use jiff::Timestamp;
use jiff::tz::TimeZone;

use super::resolution::{End, Resolution, Unresolvable, in_words, judge};
use crate::answer::Answer;
use crate::cli::OrdersResolveArgs;
use crate::command::World;
use crate::error::CommandError;

/// For how long no run may work on the order, should this process die meanwhile.
const CLAIM: Duration = Duration::from_secs(60);

pub(crate) fn resolve(world: &World, args: &OrdersResolveArgs) -> Result<Answer, CommandError> {
    let time_zone = time_zone::billing(&world.settings.environment)?;
    let store = world.store(Access::ReadWrite, Needs::Billing)?;
    let order = OrderId(args.order.clone());
    let end = if args.paid { End::Paid } else { End::Failed };
    let known = find(&store, &order)?;
    // Said before anything is claimed, so that an order that is settled is not even touched.
    judge(&known, end)?;

    let now = world.clock.now();
    let person = Person { store: &store, run: RunId::random(), because: &args.because, now, time_zone: &time_zone };
    let claim =
        Claim { run: person.run, until: person.now.saturating_add(CLAIM).unwrap_or(person.now), now: person.now };
    if !store.claim_attempt(known.attempt.id, &claim)? {
        let until = find(&store, &order)?.claimed_until.unwrap_or(person.now);
        return Err(Unresolvable::WorkedOn { order, until }.into());
    }
    let done = find(&store, &order).and_then(|entry| person.decide(&entry, end));
    let released = store.release(person.run, None);
    let text = done?;
    // What was decided stands; the claim ends by itself.
    if let Err(error) = released {
        tracing::warn!(%order, "the order could not be given back: {error}");
    }
    Ok(Answer::done(text))
}

fn find(store: &Store, order: &OrderId) -> Result<LedgerEntry, CommandError> {
    store.ledger_entry(order)?.ok_or_else(|| Unresolvable::Unknown { order: order.clone() }.into())
}

/// Who decides, and how they know.
struct Person<'a> {
    store: &'a Store,
    run: RunId,
    because: &'a str,
    now: Timestamp,
    time_zone: &'a TimeZone,
}

impl Person<'_> {
    /// Does what follows from what a person says; the order is claimed, so no run is in between. A
    /// callback may be, and the store sees to that.
    fn decide(&self, entry: &LedgerEntry, end: End) -> Result<String, CommandError> {
        match judge(entry, end)? {
            Resolution::Settle => self.settle(entry, end),
            Resolution::ClearTrouble => self.clear(entry),
        }
    }

    fn settle(&self, entry: &LedgerEntry, end: End) -> Result<String, CommandError> {
        let attempt = &entry.attempt;
        let refusal = (end == End::Failed).then(|| Refusal::Person { because: self.because.to_owned() });
        let settlement = Settlement {
            refusal: refusal.as_ref(),
            bank_order: None,
            source: Source::Person { because: self.because },
            now: self.now,
            run: None,
            time_zone: self.time_zone,
        };
        let settled = self.store.settle(attempt.id, &settlement)?;
        if settled == Settled::Contradiction {
            return Err(Unresolvable::Contradicted { order: attempt.order.clone() }.into());
        }
        let mut text = told(&attempt.order, &attempt.schema, &settled);
        // Settling is done with the trouble that was; what it has brought up is another matter.
        if let Some(trouble) = find(self.store, &attempt.order)?.attempt.trouble {
            let order = &attempt.order;
            text.push_str(&format!(
                "it is in trouble: {trouble}\nonce that is dealt with: echodesk orders resolve {order} --paid --because …\n"
            ));
        }
        Ok(text)
    }

    fn clear(&self, entry: &LedgerEntry) -> Result<String, CommandError> {
        let attempt = &entry.attempt;
        self.store.clear_trouble(attempt.id, self.because, self.now)?;
        let trouble = attempt.trouble.as_deref().unwrap_or_default();
        let (order, state) = (&attempt.order, in_words(attempt.state));
        Ok(format!("order {order} stays as it is ({state}); its trouble is done with: {trouble}\n"))
    }
}

fn told(order: &OrderId, schema: &SchemaName, settled: &Settled) -> String {
    match settled {
        Settled::Paid { until, extended, reactivated } => {
            let mut text = format!("order {order} is paid");
            match (until, extended) {
                (Some(until), true) => text.push_str(&format!("; the subscription of {schema} runs until {until:.0}")),
                (_, false) => text.push_str("; EchoDesk had extended the subscription already"),
                (None, true) => {}
            }
            if *reactivated {
                text.push_str(&format!("; {schema} is no longer suspended"));
            }
            text + "\n"
        }
        Settled::Failed(next) => format!("order {order} has failed; {}\n", next_in_words(next)),
        Settled::Already(state) => {
            format!("order {order} was settled meanwhile: {}; nothing has changed\n", in_words(*state))
        }
        Settled::NotYet => format!("EchoDesk is booking order {order} right now; nothing has changed\n"),
        Settled::Contradiction => String::new(),
    }
}

fn next_in_words(next: &Next) -> String {
    match next {
        Next::Now => "the next run charges the card again".to_owned(),
        Next::On(day) => format!("the card is charged again from {day} on"),
        Next::WhenCardChanges => "the next charge waits for another card".to_owned(),
        Next::Exhausted => "no further attempt is made in this period: the customer has to pay in person".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use echodesk_billing::model::AttemptState;

    use super::*;

    #[test]
    fn what_changed_is_told() {
        let order = OrderId("REC-1".to_owned());
        let schema: SchemaName = "acme".parse().unwrap();
        let until = Some("2026-12-25T00:00:00Z".parse().unwrap());
        let paid = |extended, reactivated| Settled::Paid { until, extended, reactivated };
        let table = [
            (paid(true, false), "order REC-1 is paid; the subscription of acme runs until 2026-12-25T00:00:00Z\n"),
            (
                paid(true, true),
                "order REC-1 is paid; the subscription of acme runs until 2026-12-25T00:00:00Z; acme is no longer \
                 suspended\n",
            ),
            (paid(false, false), "order REC-1 is paid; EchoDesk had extended the subscription already\n"),
            (
                Settled::Failed(Next::On("2026-11-23".parse().unwrap())),
                "order REC-1 has failed; the card is charged again from 2026-11-23 on\n",
            ),
            (Settled::Already(AttemptState::Paid), "order REC-1 was settled meanwhile: paid; nothing has changed\n"),
        ];
        for (settled, text) in table {
            assert_eq!(told(&order, &schema, &settled), text);
        }
    }
}

//! The bank's books: orders, cards and the ledger.

use std::collections::HashMap;
use std::time::Duration;

use jiff::Timestamp;
use rust_decimal::Decimal;
use uuid::Uuid;

use super::card::{Card, Outcome};
use super::order::{Capture, Order, Status};

/// Orders and captures.
#[derive(Debug, Default)]
pub(crate) struct Books {
    orders: HashMap<String, Order>,
    ledger: Vec<Capture>,
    /// All that were ever made.
    made: usize,
}

/// What a new order is to be.
#[derive(Debug)]
pub(crate) struct NewOrder {
    pub(crate) id: Option<String>,
    pub(crate) external_id: Option<String>,
    pub(crate) callback_url: Option<String>,
    pub(crate) amount: Decimal,
    pub(crate) currency: String,
    pub(crate) key: Option<String>,
}

/// How a charge to a saved card began.
#[derive(Debug)]
pub(crate) enum Charged {
    /// An order with this id.
    Order(String),
    /// The bank does not know the parent.
    NoParent,
    /// Refused at once.
    Refused { status: u16, body: String },
}

/// What the caller asks for beside the card.
#[derive(Debug, Default)]
pub(crate) struct ChargeRequest {
    pub(crate) external_id: Option<String>,
    pub(crate) callback_url: Option<String>,
    pub(crate) key: Option<String>,
}

/// The time of day, and the time elapsed.
pub(crate) type Now = (Timestamp, Duration);

impl Books {
    /// Makes an order that waits for its customer.
    pub(crate) fn create(&mut self, new: NewOrder, now: Now) -> String {
        let id = new.id.clone().unwrap_or_else(|| Uuid::new_v4().to_string());
        self.made += 1;
        let order = Order {
            id: id.clone(),
            number: self.made,
            external_id: new.external_id,
            callback_url: new.callback_url,
            amount: new.amount,
            currency: new.currency,
            created: now.0,
            made_at: now.1,
            parent: None,
            saves_card: None,
            card: None,
            key: new.key,
            outcome: Outcome::Stuck,
            status: Status::Created,
        };
        self.orders.insert(id.clone(), order);
        id
    }

    /// The order's card is to be saved once it is paid. Whether there is such an order, still unpaid.
    pub(crate) fn save_card(&mut self, id: &str, kind: &'static str) -> Option<bool> {
        let order = self.orders.get_mut(id)?;
        let open = !order.status.is_final();
        if open {
            order.saves_card = Some(kind);
        }
        Some(open)
    }

    /// The customer has given this card for an order.
    pub(crate) fn give_card(&mut self, id: &str, card: Card) {
        if let Some(order) = self.orders.get_mut(id) {
            order.outcome = card.outcome(0);
            order.card = Some((card, 0));
        }
    }

    /// An order that was paid with a card that was saved, from before this bank was started.
    pub(crate) fn saved(&mut self, new: NewOrder, card: Card, now: Now) {
        let amount = new.amount;
        let id = self.create(new, now);
        if let Some(order) = self.orders.get_mut(&id) {
            order.saves_card = Some("subscription");
            order.card = Some((card, 0));
            order.status = Status::Completed { amount };
        }
    }

    /// Starts a charge to the card that was saved with `parent`.
    pub(crate) fn charge(&mut self, parent: &str, request: ChargeRequest, now: Now) -> Charged {
        let Some(first) = self.orders.get_mut(parent) else { return Charged::NoParent };
        let paid = matches!(first.status, Status::Completed { .. });
        let (outcome, currency) = match &mut first.card {
            Some((card, charges)) if paid && first.saves_card.is_some() => {
                *charges += 1;
                (card.outcome(*charges - 1), card.currency.clone())
            }
            _ => (Outcome::rejected("102"), first.currency.clone()),
        };
        if let Outcome::Refused { status, body } = outcome {
            return Charged::Refused { status, body };
        }
        let new = NewOrder {
            id: None,
            // What is left out is taken from the parent.
            external_id: request.external_id.or_else(|| first.external_id.clone()),
            callback_url: request.callback_url.or_else(|| first.callback_url.clone()),
            amount: first.amount,
            currency,
            key: request.key,
        };
        let id = self.create(new, now);
        if let Some(order) = self.orders.get_mut(&id) {
            order.parent = Some(parent.to_owned());
            order.outcome = outcome;
        }
        Charged::Order(id)
    }

    /// Settles an order; the ledger gets what was captured. Whether something changed: a settled order
    /// stays as it is.
    pub(crate) fn settle(&mut self, id: &str, otherwise: Option<Outcome>, now: Timestamp) -> bool {
        let Some(order) = self.orders.get_mut(id).filter(|order| !order.status.is_final()) else { return false };
        let amount = match otherwise.unwrap_or_else(|| order.outcome.clone()) {
            Outcome::Pays => order.amount,
            Outcome::PaysOther(amount) => decimal(&amount),
            Outcome::Rejected { code, reason } => {
                order.status = Status::Rejected { code, reason };
                return true;
            }
            Outcome::Refused { .. } | Outcome::Stuck => return false,
        };
        order.status = Status::Completed { amount };
        self.ledger.push(Capture {
            external_id: order.external_id.clone(),
            order_id: order.id.clone(),
            parent_order_id: order.parent.clone(),
            amount,
            currency: order.currency.clone(),
            at: now,
            key: order.key.clone(),
        });
        true
    }

    /// Forgets a saved card. Whether there was one.
    pub(crate) fn delete_card(&mut self, id: &str) -> bool {
        self.orders.get_mut(id).is_some_and(|order| order.card.take().is_some())
    }

    pub(crate) fn replace_card(&mut self, id: &str, card: Card) -> bool {
        self.orders.get_mut(id).is_some_and(|order| order.card.replace((card, 0)).is_some())
    }

    pub(crate) fn order(&self, id: &str) -> Option<&Order> {
        self.orders.get(id)
    }

    /// The orders that are not settled, oldest first.
    pub(crate) fn open(&self) -> Vec<String> {
        let mut open: Vec<&Order> = self.orders.values().filter(|order| !order.status.is_final()).collect();
        open.sort_by_key(|order| order.number);
        open.into_iter().map(|order| order.id.clone()).collect()
    }

    /// The newest order with this external id.
    pub(crate) fn by_external_id(&self, external_id: &str) -> Option<&Order> {
        let orders = self.orders.values().filter(|order| order.external_id.as_deref() == Some(external_id));
        orders.max_by_key(|order| order.number)
    }

    pub(crate) fn captures(&self) -> &[Capture] {
        &self.ledger
    }
}

/// Reads an amount that a test has written.
pub(crate) fn decimal(amount: &str) -> Decimal {
    amount.parse().expect("an amount is a decimal number such as 25.5")
}

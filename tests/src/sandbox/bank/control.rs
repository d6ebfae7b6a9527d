//! Changing what the bank does while it runs.

use std::sync::atomic::Ordering;
use std::sync::{Arc, PoisonError};

use tokio::time::Instant;

use super::SandboxBank;
use super::behaviour::Behaviour;
use super::books::{NewOrder, decimal};
use super::card::{Card, Outcome};
use super::endpoint::Endpoint;
use super::fault::{Call, Fault};

impl SandboxBank {
    /// Changes how it behaves from the next call on.
    pub fn change(&self, change: impl FnOnce(&mut Behaviour)) {
        let mut behaviour = self.bank.behaviour.write().unwrap_or_else(PoisonError::into_inner);
        change(Arc::make_mut(&mut behaviour));
    }

    /// A fault for the next so many calls of an endpoint, after those that are already set for it.
    pub fn fail_next(&self, endpoint: Endpoint, calls: usize, fault: &Fault) {
        self.bank.faults.push(endpoint, calls, fault);
    }

    /// A rule that decides for each call; it takes the place of an earlier one. Faults of
    /// [`SandboxBank::fail_next`] go before it.
    pub fn fail_when(&self, rule: impl Fn(&Call) -> Option<Fault> + Send + Sync + 'static) {
        self.bank.faults.set_rule(Arc::new(rule));
    }

    /// No more faults.
    pub fn work_well(&self) {
        self.bank.faults.clear();
    }

    /// Goes away, or comes back: while it is away it closes every connection unread.
    pub fn set_away(&self, away: bool) {
        self.bank.away.store(away, Ordering::Relaxed);
    }

    /// Makes all access tokens worthless.
    pub fn revoke_tokens(&self) {
        self.bank.tokens.revoke();
    }

    /// Forgets all Idempotency-Keys, as time would.
    pub fn forget_keys(&self) {
        self.bank.keys.forget();
    }

    /// A paid order whose card was saved, and how charges to that card go. `amount` is a decimal in
    /// major units: it is what each charge will be.
    ///
    /// # Panics
    /// The amount is not a decimal.
    pub fn add_card(&self, parent_order_id: &str, amount: &str, card: Card) {
        let new = NewOrder {
            id: Some(parent_order_id.to_owned()),
            external_id: None,
            callback_url: None,
            amount: decimal(amount),
            currency: card.currency.clone(),
            key: None,
        };
        self.bank.books().saved(new, card, self.bank.now());
    }

    /// Replaces what becomes of the further charges to a saved card. Whether there is one.
    pub fn change_card(&self, parent_order_id: &str, card: Card) -> bool {
        self.bank.books().replace_card(parent_order_id, card)
    }

    /// The customer pays an order at the bank's page; its card is saved if that was asked for.
    pub fn customer_pays(&self, order_id: &str, card: Card) {
        self.bank.books().give_card(order_id, card);
        self.settle(order_id);
    }

    /// Settles an open order now, with its callbacks.
    pub fn settle(&self, order_id: &str) {
        self.settle_order(order_id, None);
    }

    /// Settles an open order now, like this.
    pub fn settle_as(&self, order_id: &str, outcome: Outcome) {
        self.settle_order(order_id, Some(outcome));
    }

    /// Settles all open charges to saved cards, oldest first.
    pub fn settle_all(&self) {
        let open = self.bank.books().open();
        open.iter().for_each(|order| self.settle(order));
    }

    fn settle_order(&self, order_id: &str, outcome: Option<Outcome>) {
        self.bank.settle(order_id, outcome, Instant::now());
    }
}

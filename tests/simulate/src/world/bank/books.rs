//! The bank's books: cards, orders, and the keys of calls.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::{Mutex, MutexGuard, PoisonError};

use echodesk_billing::ports::ChargeAnswer;
use jiff::Timestamp;
use rust_decimal::Decimal;
use uuid::Uuid;

use crate::trace::TenantNumber;
use crate::world::accounts::Decided;

/// A card that was saved with an order.
#[derive(Clone, Copy, Debug)]
pub struct CardOnFile {
    /// Whose it is.
    pub tenant: TenantNumber,
    /// What its order cost, and so what it is charged.
    pub amount: Decimal,
    /// Whether it is over with it.
    pub expired: bool,
}

/// An order of the bank.
#[derive(Clone, Debug)]
pub struct Order {
    /// Our name of it.
    pub external: String,
    /// The order whose card is charged.
    pub parent: String,
    /// Whose it is.
    pub tenant: TenantNumber,
    /// How much.
    pub amount: Decimal,
    /// How the subscription stood when it was decided.
    pub decided: Decided,
    /// Until then it was paid when that was decided: what is paid for begins then.
    pub period: Timestamp,
    /// Where it stands.
    pub state: OrderState,
}

/// Where an order stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum OrderState {
    /// It is not decided yet.
    Processing,
    /// The money has moved.
    Completed,
    /// It has not, with the response code.
    Rejected(&'static str),
}

/// The bank's books.
#[derive(Debug, Default)]
pub struct BankWorld {
    state: Mutex<Books>,
}

#[derive(Debug, Default)]
pub(super) struct Books {
    pub(super) cards: BTreeMap<String, CardOnFile>,
    pub(super) orders: BTreeMap<String, Order>,
    /// Those that are not decided.
    undecided: BTreeMap<TenantNumber, BTreeSet<String>>,
    /// Those that were made under a name of ours.
    by_external: HashMap<String, BTreeSet<String>>,
    /// Orders of each tenant.
    pub(super) counts: BTreeMap<TenantNumber, u32>,
    pub(super) keys: HashMap<Uuid, (ChargeAnswer, Timestamp)>,
}

impl Books {
    pub(super) fn add(&mut self, id: String, order: Order) {
        self.undecided.entry(order.tenant).or_default().insert(id.clone());
        self.by_external.entry(order.external.clone()).or_default().insert(id.clone());
        self.orders.insert(id, order);
    }

    pub(super) fn decide(&mut self, id: &str, state: OrderState) {
        let Some(order) = self.orders.get_mut(id) else { return };
        order.state = state;
        if let Some(undecided) = self.undecided.get_mut(&order.tenant) {
            undecided.remove(id);
        }
    }
}

impl BankWorld {
    /// A card is saved.
    pub fn add_card(&self, order: &str, card: CardOnFile) {
        self.lock().cards.insert(order.to_owned(), card);
    }

    /// A card is deleted.
    pub fn remove_card(&self, order: &str) {
        self.lock().cards.remove(order);
    }

    /// A card is over.
    pub fn expire_card(&self, order: &str) {
        if let Some(card) = self.lock().cards.get_mut(order) {
            card.expired = true;
        }
    }

    /// Whether a card was saved with an order and not deleted.
    #[must_use]
    pub fn has_card(&self, order: &str) -> bool {
        self.lock().cards.contains_key(order)
    }

    /// An order.
    #[must_use]
    pub fn order(&self, order: &str) -> Option<Order> {
        self.lock().orders.get(order).cloned()
    }

    /// The orders of a tenant that are not decided.
    #[must_use]
    pub fn undecided(&self, tenant: TenantNumber) -> Vec<String> {
        self.lock().undecided.get(&tenant).into_iter().flatten().cloned().collect()
    }

    /// Whose card was saved with an order.
    #[must_use]
    pub fn tenant_of_card(&self, order: &str) -> Option<TenantNumber> {
        self.lock().cards.get(order).map(|card| card.tenant)
    }

    /// Whose order it is.
    #[must_use]
    pub fn tenant_of_order(&self, order: &str) -> Option<TenantNumber> {
        self.lock().orders.get(order).map(|order| order.tenant)
    }

    /// The orders that were made under a name of ours.
    #[must_use]
    pub fn of_external(&self, external: &str) -> Vec<Order> {
        let books = self.lock();
        let ids = books.by_external.get(external).into_iter().flatten();
        ids.filter_map(|id| books.orders.get(id).cloned()).collect()
    }

    pub(super) fn lock(&self) -> MutexGuard<'_, Books> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl OrderState {
    /// The response code of a refusal.
    #[must_use]
    pub fn code(&self) -> Option<&'static str> {
        if let Self::Rejected(code) = self { Some(code) } else { None }
    }
}

//! A bank in memory.

use std::collections::{HashMap, VecDeque};
use std::sync::{Mutex, MutexGuard, PoisonError};

use uuid::Uuid;

use crate::Money;
use crate::model::{BankOrderId, OrderId, Receipt, ReceiptStatus, Refusal};
use crate::ports::{Bank, BankDown, ChargeAnswer, ChargeRequest, ReceiptError};

/// How an order ends at the bank.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fate {
    /// Captured.
    Pays,
    /// Rejected with this response code.
    Rejected(String),
    /// The call itself is refused with this HTTP status.
    Refused(u16),
    /// It stays in `processing`.
    Hangs,
}

/// What goes wrong with the next call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// Nothing.
    None,
    /// The request never arrives, and the caller knows.
    NotSent,
    /// The request never arrives, and the caller cannot know.
    LostRequest,
    /// The bank does its work, and the answer gets lost.
    LostAnswer,
}

/// A bank that does as it is told. Same key, same answer.
#[derive(Debug, Default)]
pub struct FakeBank {
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    cards: HashMap<BankOrderId, (Money, VecDeque<Fate>)>,
    orders: HashMap<BankOrderId, Order>,
    answers: HashMap<Uuid, ChargeAnswer>,
    captures: Vec<OrderId>,
    faults: VecDeque<Fault>,
    down: bool,
    calls: u64,
}

#[derive(Debug)]
struct Order {
    external: OrderId,
    parent: BankOrderId,
    amount: Money,
    fate: Fate,
}

impl FakeBank {
    /// Saves a card: its order, what it can be charged, and how its charges end, one after another, the
    /// last one again and again.
    pub fn card(&self, parent: &str, amount: Money, fates: impl IntoIterator<Item = Fate>) {
        self.lock().cards.insert(BankOrderId(parent.to_owned()), (amount, fates.into_iter().collect()));
    }

    /// What goes wrong with the next calls, one each.
    pub fn faults(&self, faults: impl IntoIterator<Item = Fault>) {
        self.lock().faults.extend(faults);
    }

    /// Lets everything go right from now on.
    pub fn no_more_faults(&self) {
        self.lock().faults.clear();
    }

    /// Whether it gives out tokens.
    pub fn set_down(&self, down: bool) {
        self.lock().down = down;
    }

    /// What it has captured, by our names of the orders, in order.
    #[must_use]
    pub fn captures(&self) -> Vec<OrderId> {
        self.lock().captures.clone()
    }

    /// How many charges and receipts were asked for.
    #[must_use]
    pub fn calls(&self) -> u64 {
        self.lock().calls
    }

    /// Lets an order that hangs end.
    pub fn finish(&self, external: &OrderId, fate: Fate) {
        let mut state = self.lock();
        let paid = fate == Fate::Pays;
        for order in state.orders.values_mut().filter(|order| order.external == *external) {
            order.fate = fate.clone();
        }
        if paid {
            state.captures.push(external.clone());
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn charge(&mut self, request: &ChargeRequest) -> ChargeAnswer {
        if let Some(answer) = self.answers.get(&request.key) {
            return answer.clone();
        }
        let Some((amount, fates)) = self.cards.get_mut(&request.parent) else {
            return ChargeAnswer::Refused(Refusal::Http {
                status: 404,
                code: None,
                message: "no such order".to_owned(),
            });
        };
        let fate = if fates.len() > 1 { fates.pop_front() } else { fates.front().cloned() }.unwrap_or(Fate::Pays);
        let answer = if let Fate::Refused(status) = fate {
            // A card that is not known is the payment's own answer, with its response code.
            let code = (status == 404).then(|| "102".to_owned());
            ChargeAnswer::Refused(Refusal::Http { status, code, message: "refused".to_owned() })
        } else {
            let id = BankOrderId(format!("bank-{}", request.order));
            if fate == Fate::Pays {
                self.captures.push(request.order.clone());
            }
            let order =
                Order { external: request.order.clone(), parent: request.parent.clone(), amount: *amount, fate };
            self.orders.insert(id.clone(), order);
            ChargeAnswer::Accepted(id)
        };
        self.answers.insert(request.key, answer.clone());
        answer
    }

    fn receipt(&self, order: &BankOrderId) -> Result<Receipt, ReceiptError> {
        let (external, parent, amount, status, code) = match (self.orders.get(order), self.cards.get(order)) {
            (Some(found), _) => {
                let (status, code) = match &found.fate {
                    Fate::Pays => (ReceiptStatus::Completed, Some("100".to_owned())),
                    Fate::Rejected(code) => (ReceiptStatus::Rejected, Some(code.clone())),
                    Fate::Refused(_) | Fate::Hangs => (ReceiptStatus::Processing, None),
                };
                (Some(found.external.0.clone()), Some(found.parent.clone()), found.amount, status, code)
            }
            (None, Some((amount, _))) => (None, None, *amount, ReceiptStatus::Completed, Some("100".to_owned())),
            (None, None) => {
                return Err(ReceiptError::UnknownOrder {
                    order: order.clone(),
                    message: "Invalid order_id".to_owned(),
                });
            }
        };
        Ok(Receipt {
            order: order.clone(),
            external,
            requested: Some(amount.amount()),
            transferred: (status == ReceiptStatus::Completed).then(|| amount.amount()),
            currency: Some(amount.currency().to_string()),
            status,
            parent,
            code,
            reject_reason: None,
        })
    }
}

impl Bank for FakeBank {
    async fn ready(&self) -> Result<(), BankDown> {
        if self.lock().down { Err(BankDown("no token".to_owned())) } else { Ok(()) }
    }

    async fn charge(&self, request: &ChargeRequest) -> ChargeAnswer {
        let mut state = self.lock();
        state.calls += 1;
        if state.down {
            return ChargeAnswer::NotSent("no token".to_owned());
        }
        match state.faults.pop_front().unwrap_or(Fault::None) {
            Fault::None => state.charge(request),
            Fault::NotSent => ChargeAnswer::NotSent("connection refused".to_owned()),
            Fault::LostRequest => ChargeAnswer::Unknown("time-out".to_owned()),
            Fault::LostAnswer => {
                let _ = state.charge(request);
                ChargeAnswer::Unknown("connection lost".to_owned())
            }
        }
    }

    async fn receipt(&self, order: &BankOrderId) -> Result<Receipt, ReceiptError> {
        let mut state = self.lock();
        state.calls += 1;
        let unavailable = || ReceiptError::Unavailable { order: order.clone(), why: "time-out".to_owned() };
        if state.down || state.faults.pop_front().unwrap_or(Fault::None) != Fault::None {
            return Err(unavailable());
        }
        state.receipt(order)
    }
}

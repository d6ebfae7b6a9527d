//! Bugs in calling the bank.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use echodesk_billing::model::{BankOrderId, OrderId, Receipt};
use echodesk_billing::ports::{Bank, BankDown, ChargeAnswer, ChargeRequest, ReceiptError};

use crate::bugs::Bug;
use crate::chance::Dice;
use crate::ports::bank::BankPort;
use crate::process::Process;

/// The bank as a process reaches it, with or without a bug.
pub(crate) struct BankLayer {
    process: Arc<Process>,
    real: Arc<BankPort>,
    /// How often each order was charged.
    charged: Mutex<HashMap<OrderId, u32>>,
}

impl BankLayer {
    pub(super) fn new(process: &Arc<Process>) -> Arc<Self> {
        Arc::new(Self { process: Arc::clone(process), real: BankPort::new(process), charged: Mutex::default() })
    }

    /// Dice for one more charge of an order.
    fn dice(&self, request: &ChargeRequest) -> Dice {
        let mut charged = self.charged.lock().unwrap_or_else(PoisonError::into_inner);
        let nth = charged.entry(request.order.clone()).or_default();
        *nth += 1;
        self.process.world.chance.at(&format!("bug at {} {} {nth}", self.process.name, request.order))
    }
}

#[expect(clippy::panic, reason = "that is the bug")]
fn panics() -> ChargeAnswer {
    panic!("an answer of the bank that nobody has thought of")
}

impl Bank for BankLayer {
    async fn ready(&self) -> Result<(), BankDown> {
        self.real.ready().await
    }

    async fn charge(&self, request: &ChargeRequest) -> ChargeAnswer {
        match self.process.world.plan.bug {
            Some(Bug::NewKeyOnRetry) => {
                let key = self.dice(request).uuid();
                self.real.charge(&ChargeRequest { key, ..request.clone() }).await
            }
            Some(Bug::NewOrderOnRetry) => match self.real.charge(request).await {
                ChargeAnswer::Unknown(_) => {
                    let mut dice = self.dice(request);
                    let (order, key) = (OrderId::renewal(dice.uuid()), dice.uuid());
                    self.real.charge(&ChargeRequest { order, key, ..request.clone() }).await
                }
                answer => answer,
            },
            Some(Bug::TimeOutIsNotSent) => match self.real.charge(request).await {
                ChargeAnswer::Unknown(why) => ChargeAnswer::NotSent(why),
                answer => answer,
            },
            Some(Bug::PanicsInATask) if self.dice(request).per_mille(200) => panics(),
            _ => self.real.charge(request).await,
        }
    }

    async fn receipt(&self, order: &BankOrderId) -> Result<Receipt, ReceiptError> {
        let receipt = self.real.receipt(order).await;
        match self.process.world.plan.bug {
            // Only callbacks tell how a payment has ended.
            Some(Bug::ReceiptsNotAsked) => {
                Err(ReceiptError::Unavailable { order: order.clone(), why: "nobody asks".to_owned() })
            }
            // Whatever order and amount an answer is about.
            Some(Bug::ReceiptUnchecked) => receipt.map(|receipt| {
                let ours = self.process.world.bank.order(&order.0);
                Receipt {
                    order: order.clone(),
                    external: ours.as_ref().map(|ours| ours.external.clone()),
                    requested: ours.as_ref().map(|ours| ours.amount),
                    transferred: receipt.transferred.and(ours.map(|ours| ours.amount)),
                    ..receipt
                }
            }),
            _ => receipt,
        }
    }
}

//! The bank, and the way to it.

use std::sync::Arc;
use std::time::Duration;

use echodesk_billing::model::{BankOrderId, Receipt, ReceiptStatus, Refusal};
use echodesk_billing::ports::{Bank, BankDown, ChargeAnswer, ChargeRequest, ReceiptError};

use rust_decimal::Decimal;

use crate::fault::FaultKind;
use crate::process::Process;
use crate::trace::TenantNumber;
use crate::world::mishaps::Mishap;

/// The world's bank, as one process reaches it.
#[derive(Debug)]
pub struct BankPort {
    process: Arc<Process>,
}

/// After so long the client gives up.
const TIME_OUT: Duration = Duration::from_secs(30);

impl BankPort {
    /// That of a process.
    #[must_use]
    pub fn new(process: &Arc<Process>) -> Arc<Self> {
        Arc::new(Self { process: Arc::clone(process) })
    }

    fn happens(&self, kind: FaultKind, place: &str, tenant: Option<TenantNumber>) -> bool {
        let happens = self.process.world.faults.happens(kind, place);
        if happens {
            self.process.disturb_call(tenant);
            self.process.world.trace.note(tenant, format_args!("{kind} at {place}"));
        }
        happens
    }

    async fn travel(&self, place: &str) {
        let millis = self.process.world.chance.at(&format!("way {place}")).between(40, 900);
        tokio::time::sleep(Duration::from_millis(millis)).await;
    }

    /// A process that is dead waits for nothing any more.
    async fn unless_dead(&self) {
        if self.process.is_dead() {
            std::future::pending::<()>().await;
        }
    }

    async fn dies(&self, kind: FaultKind, place: &str, tenant: Option<TenantNumber>) {
        if self.process.world.faults.happens(kind, place) {
            self.process.die(&format!("{kind} {place}"), tenant);
            std::future::pending::<()>().await;
        }
    }

    /// What the caller hears of a charge.
    async fn answer(&self, request: &ChargeRequest) -> ChargeAnswer {
        self.unless_dead().await;
        let world = &self.process.world;
        let tenant = world.bank.tenant_of_card(&request.parent.0);
        let place = self.process.place("charge", tenant);
        let happens = |kind| self.happens(kind, &place, tenant);
        self.dies(FaultKind::DeathBeforeCall, &place, tenant).await;
        self.travel(&place).await;
        if happens(FaultKind::BankDown) {
            return ChargeAnswer::NotSent("connection refused".to_owned());
        }
        if happens(FaultKind::BankTimesOutBefore) {
            tokio::time::sleep(TIME_OUT).await;
            return ChargeAnswer::Unknown("no answer within 30 s".to_owned());
        }
        if happens(FaultKind::BankRateLimit) {
            return ChargeAnswer::Unknown("HTTP 429".to_owned());
        }
        if happens(FaultKind::BankClientError) {
            return ChargeAnswer::Refused(Refusal::Http { status: 400, code: None, message: "bad request".to_owned() });
        }
        if happens(FaultKind::BankServerError) {
            if world.chance.at(&format!("5xx {place}")).per_mille(500) {
                let _ = world.bank_charges(request);
            }
            return ChargeAnswer::Unknown("HTTP 502".to_owned());
        }
        let answer = world.bank_charges(request);
        world.trace.note(
            tenant,
            format_args!("the bank is asked to charge {} with key {}: {answer:?}", request.order, request.key),
        );
        self.dies(FaultKind::DeathAfterCall, &place, tenant).await;
        if happens(FaultKind::BankTimesOutAfter) {
            tokio::time::sleep(TIME_OUT).await;
            return ChargeAnswer::Unknown("no answer within 30 s".to_owned());
        }
        if happens(FaultKind::BankNonsense) {
            return ChargeAnswer::Unknown("the answer is a page of HTML".to_owned());
        }
        if happens(FaultKind::BankOtherOrder)
            && let (ChargeAnswer::Accepted(order), Some(_)) = (&answer, tenant)
        {
            world.mishaps.befalls(request.order.as_str(), Mishap::AnsweredWithAnotherOrder);
            return ChargeAnswer::Accepted(BankOrderId(format!("not-{order}")));
        }
        // The bank does answer.
        if world.faults.happens(FaultKind::CallbackEarly, &place) {
            world.trace.note(tenant, format_args!("{} at {place}", FaultKind::CallbackEarly));
            // Long enough for the payment to end and its callback to arrive.
            tokio::time::sleep(TIME_OUT - Duration::from_secs(2)).await;
        }
        self.travel(&place).await;
        answer
    }
}

impl Bank for BankPort {
    async fn ready(&self) -> Result<(), BankDown> {
        self.unless_dead().await;
        let place = self.process.place("token", None);
        self.dies(FaultKind::DeathBeforeCall, &place, None).await;
        self.travel(&place).await;
        self.dies(FaultKind::DeathAfterCall, &place, None).await;
        let down = self.happens(FaultKind::BankDown, &place, None);
        if down { Err(BankDown("no token".to_owned())) } else { Ok(()) }
    }

    async fn charge(&self, request: &ChargeRequest) -> ChargeAnswer {
        let answer = self.answer(request).await;
        // What is refused before the bank has looked at it says nothing of this charge: an earlier call may have
        // arrived; and it may be the fault of all calls.
        let is_answer = match &answer {
            ChargeAnswer::Refused(Refusal::Http { code, .. }) => code.is_some(),
            ChargeAnswer::Accepted(_) | ChargeAnswer::Refused(_) => true,
            ChargeAnswer::Unknown(_) | ChargeAnswer::NotSent(_) => false,
        };
        self.process.heard_of_bank(is_answer);
        let world = &self.process.world;
        let order = request.order.to_string();
        // Its card may have been deleted meanwhile.
        let who_waits =
            |number: &TenantNumber| world.accounts.read(*number, |account| account.unknown.contains(&order));
        let tenant = world.bank.tenant_of_card(&request.parent.0);
        if let Some(tenant) = tenant.or_else(|| world.accounts.numbers().into_iter().find(who_waits)) {
            world.accounts.change(tenant, |account| match answer {
                ChargeAnswer::Unknown(_) => account.unknown.insert(order),
                _ => is_answer && account.unknown.remove(&order),
            });
        }
        answer
    }

    async fn receipt(&self, order: &BankOrderId) -> Result<Receipt, ReceiptError> {
        let receipt = self.receipt_of(order).await;
        match &receipt {
            Ok(_) => self.process.heard_of_bank(true),
            Err(ReceiptError::Unavailable { .. }) => self.process.heard_of_bank(false),
            // That a card is not known any more says nothing of calls.
            Err(ReceiptError::UnknownOrder { order, .. }) if !order.0.starts_with("not-") => {}
            Err(ReceiptError::UnknownOrder { .. }) => self.process.heard_of_bank(true),
        }
        receipt
    }
}

impl BankPort {
    /// What the caller hears of an order.
    async fn receipt_of(&self, order: &BankOrderId) -> Result<Receipt, ReceiptError> {
        self.unless_dead().await;
        let world = &self.process.world;
        let tenant = world.bank.tenant_of_order(&order.0);
        let place = self.process.place("receipt", tenant);
        self.dies(FaultKind::DeathBeforeCall, &place, tenant).await;
        self.travel(&place).await;
        let silent = |why: &str| ReceiptError::Unavailable { order: order.clone(), why: why.to_owned() };
        if self.happens(FaultKind::BankSilent, &place, tenant) {
            return Err(silent("no answer"));
        }
        if self.happens(FaultKind::BankRateLimit, &place, tenant) {
            return Err(silent("HTTP 429"));
        }
        let mut receipt = world.bank_receipt(order);
        self.dies(FaultKind::DeathAfterCall, &place, tenant).await;
        if tenant.is_some()
            && let Some(receipt) = receipt.as_mut()
            && self.happens(FaultKind::BankWrongReceipt, &place, tenant)
        {
            if let Some(ours) = world.bank.order(&order.0) {
                world.mishaps.befalls(&ours.external, Mishap::ReceiptOfAnother);
            }
            // Another order was paid, whatever has become of this one.
            match world.chance.at(&format!("wrong {place}")).between(0, 3) {
                0 => receipt.order = BankOrderId(format!("not-{order}")),
                1 => receipt.external = Some("REC-000000000000".to_owned()),
                _ => receipt.requested = receipt.requested.map(|amount| amount + Decimal::ONE),
            }
            receipt.status = ReceiptStatus::Completed;
            receipt.transferred = receipt.requested;
        }
        receipt.ok_or_else(|| ReceiptError::UnknownOrder { order: order.clone(), message: "no such order".to_owned() })
    }
}

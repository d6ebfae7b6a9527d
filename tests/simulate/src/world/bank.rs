//! The bank: how it charges, and what it says of that.

mod books;

use echodesk_billing::model::{BankOrderId, Receipt, ReceiptStatus, Refusal};
use echodesk_billing::ports::{ChargeAnswer, ChargeRequest};
use jiff::{SignedDuration, Timestamp};

use crate::fault::FaultKind;
use crate::world::World;
use crate::world::accounts::{Capture, Decided, Payer};
use crate::world::agenda::{CallbackEvent, Event};

pub use books::{BankWorld, CardOnFile, Order, OrderState};

/// For so long the bank knows a key: exactly as long as the runs are told by default.
const KEYS_LIVE_FOR: SignedDuration = SignedDuration::from_hours(24);

/// Codes of refusals, the usual one more often.
const REFUSALS: [&str; 12] = ["107", "107", "107", "106", "112", "199", "101", "105", "104", "109", "111", "122"];

impl World {
    /// The bank takes a charge.
    pub(crate) fn bank_charges(&self, request: &ChargeRequest) -> ChargeAnswer {
        let now = self.time.now();
        let known = self.bank.lock().keys.get(&request.key).cloned();
        if let Some((answer, at)) = known
            && now.duration_since(at) < KEYS_LIVE_FOR
        {
            return answer;
        }
        let card = self.bank.lock().cards.get(&request.parent.0).copied();
        let answer = match card {
            None => ChargeAnswer::Refused(Refusal::Http {
                status: 404,
                code: Some("102".to_owned()),
                message: "no such card".to_owned(),
            }),
            Some(card) => {
                // What was never written down is decided now.
                let decided = self.accounts.read(card.tenant, |account| {
                    account.decided.get(request.order.as_str()).copied().unwrap_or_else(|| account.standing(now))
                });
                ChargeAnswer::Accepted(self.bank_makes_order(&request.order.0, &request.parent.0, card, decided))
            }
        };
        self.bank.lock().keys.insert(request.key, (answer.clone(), now));
        answer
    }

    /// The bank takes a charge of EchoDesk's own, which has no key; its name of the order, unless it has no such card.
    pub(crate) fn bank_takes(&self, external: &str, parent: &str, decided: Decided) -> Option<BankOrderId> {
        let card = self.bank.lock().cards.get(parent).copied()?;
        Some(self.bank_makes_order(external, parent, card, decided))
    }

    fn bank_makes_order(&self, external: &str, parent: &str, card: CardOnFile, decided: Decided) -> BankOrderId {
        let now = self.time.now();
        // By its number alone, so that what chance decides does not depend on how others fare.
        let number = {
            let mut books = self.bank.lock();
            let count = books.counts.entry(card.tenant).or_default();
            *count += 1;
            *count
        };
        let id = format!("bank-{}-{number}", card.tenant);
        let order = Order {
            external: external.to_owned(),
            parent: parent.to_owned(),
            tenant: card.tenant,
            amount: card.amount,
            decided,
            period: decided.expires_at,
            state: OrderState::Processing,
        };
        self.bank.lock().add(id.clone(), order);
        let mut dice = self.chance.at(&format!("bank takes {id}"));
        let takes = if self.faults.happens(FaultKind::BankSlow, &id) {
            SignedDuration::from_mins(dice.between(30, 3 * 24 * 60).cast_signed())
        } else {
            SignedDuration::from_millis(dice.between(300, 20_000).cast_signed())
        };
        self.trace.note(card.tenant, format_args!("the bank makes order {id}; it ends in {takes:#}"));
        self.agenda.add(now + takes, card.tenant, Event::PaymentEnds { order: id.clone() });
        if self.faults.happens(FaultKind::CallbackForged, &id) {
            let at = now + SignedDuration::from_millis(dice.between(1, 60_000).cast_signed());
            let forged = CallbackEvent {
                order: id.clone(),
                status: "completed",
                signed: false,
                to_echodesk: false,
                of_another: false,
            };
            self.agenda.add(at, card.tenant, Event::Callback(forged));
        }
        if self.faults.happens(FaultKind::CallbackOfAnother, &id) {
            let at = now + SignedDuration::from_millis(dice.between(1, 60_000).cast_signed());
            let signed = CallbackEvent {
                order: id.clone(),
                status: "completed",
                signed: true,
                to_echodesk: false,
                of_another: true,
            };
            self.agenda.add(at, card.tenant, Event::Callback(signed));
        }
        BankOrderId(id)
    }

    /// A payment ends: money moves or not, and callbacks are on their way.
    pub(crate) fn payment_ends(&self, id: &str) {
        let Some(order) = self.bank.order(id).filter(|order| order.state == OrderState::Processing) else { return };
        let (profile, now) = (self.accounts.read(order.tenant, |account| account.profile), self.time.now());
        let mut dice = self.chance.at(&format!("bank decides {id}"));
        let card = self.bank.lock().cards.get(&order.parent).copied();
        let state = match card {
            None => OrderState::Rejected("103"),
            Some(card) if card.expired => OrderState::Rejected("105"),
            Some(_) if dice.per_mille(profile.refused) => OrderState::Rejected(dice.one_of(&REFUSALS)),
            Some(_) => OrderState::Completed,
        };
        self.bank.lock().decide(id, state.clone());
        match &state {
            OrderState::Completed => self.captured(&order, now),
            state => self.trace.note(order.tenant, format_args!("the bank refuses {id}: {state:?}")),
        }
        self.send_callbacks(id, &order, &state, now);
    }

    fn captured(&self, order: &Order, now: Timestamp) {
        let payer = Payer::of(&order.external);
        self.trace.note(order.tenant, format_args!("captured: {} {} GEL", order.external, order.amount));
        self.count(|counts| counts.captures += 1);
        let capture =
            Capture { order: order.external.clone(), amount: order.amount, payer, period: order.period, at: now };
        self.check_capture(order, &capture);
        self.accounts.change(order.tenant, |account| account.captures.push(capture));
    }

    fn send_callbacks(&self, id: &str, order: &Order, state: &OrderState, now: Timestamp) {
        let mut dice = self.chance.at(&format!("callbacks of {id}"));
        let status = if *state == OrderState::Completed { "completed" } else { "rejected" };
        let happens = |kind| self.faults.happens(kind, id);
        let callback = |status, to_echodesk| {
            let order = id.to_owned();
            Event::Callback(CallbackEvent { order, status, signed: true, to_echodesk, of_another: false })
        };
        let mut at = now + SignedDuration::from_millis(dice.between(100, 5_000).cast_signed());
        if happens(FaultKind::CallbackLate) {
            at += SignedDuration::from_mins(dice.between(60, 4 * 24 * 60).cast_signed());
        }
        if Payer::of(&order.external) == Payer::EchoDesk {
            return self.agenda.add(at, order.tenant, callback(status, true));
        }
        if happens(FaultKind::EchoDeskHook) {
            let before = SignedDuration::from_millis(dice.between(0, 200).cast_signed() - 100);
            self.agenda.add((at + before).max(now), order.tenant, callback(status, true));
        }
        if happens(FaultKind::CallbackLost) {
            return;
        }
        self.agenda.add(at, order.tenant, callback(status, false));
        if happens(FaultKind::CallbackTwice) {
            let later = SignedDuration::from_secs(dice.between(0, 7_200).cast_signed());
            self.agenda.add(at + later, order.tenant, callback(status, false));
        }
        if happens(FaultKind::CallbackReordered) {
            let later = SignedDuration::from_secs(dice.between(1, 600).cast_signed());
            self.agenda.add(at + later, order.tenant, callback("processing", false));
        }
    }

    /// What the bank says of an order.
    pub(crate) fn bank_receipt(&self, id: &BankOrderId) -> Option<Receipt> {
        let books = self.bank.lock();
        if let Some(order) = books.orders.get(&id.0) {
            return Some(receipt(id, order));
        }
        let card = books.cards.get(&id.0)?;
        Some(Receipt {
            order: id.clone(),
            external: None,
            status: ReceiptStatus::Completed,
            requested: Some(card.amount),
            transferred: Some(card.amount),
            currency: Some("GEL".to_owned()),
            parent: None,
            code: Some("100".to_owned()),
            reject_reason: None,
        })
    }
}

fn receipt(id: &BankOrderId, order: &Order) -> Receipt {
    let (status, code) = match &order.state {
        OrderState::Processing => (ReceiptStatus::Processing, None),
        OrderState::Completed => (ReceiptStatus::Completed, Some("100")),
        OrderState::Rejected(code) => (ReceiptStatus::Rejected, Some(*code)),
    };
    Receipt {
        order: id.clone(),
        external: Some(order.external.clone()),
        transferred: (status == ReceiptStatus::Completed).then_some(order.amount),
        status,
        requested: Some(order.amount),
        currency: Some("GEL".to_owned()),
        parent: Some(BankOrderId(order.parent.clone())),
        code: code.map(str::to_owned),
        reject_reason: None,
    }
}

//! What the bank does when it is asked: an answer for each endpoint, and the settling of charges.

use std::sync::Arc;

use rust_decimal::Decimal;
use serde_json::Value;
use tokio::time::Instant;

use super::Bank;
use super::answer::Answer;
use super::books::{ChargeRequest, Charged, NewOrder};
use super::card::Outcome;
use super::endpoint::Endpoint;
use super::fault::Call;
use super::order::{Order, Status};
use super::receipt::Receipt;
use super::service::{Arrived, field};
use super::tokens;

impl Bank {
    /// Does what was asked for.
    pub(crate) async fn act(self: &Arc<Self>, call: &Call, arrived: &Arrived) -> Answer {
        let order = call.order_id.as_deref().unwrap_or_default();
        match call.endpoint {
            Endpoint::Token => self.token(arrived),
            Endpoint::CreateOrder => self.create_order(call, arrived),
            Endpoint::SaveCard => self.save_card(order, arrived),
            Endpoint::Subscribe => self.subscribe(order, call, arrived).await,
            Endpoint::Receipt => self.receipt_answer(order),
            Endpoint::DeleteCard if self.books().delete_card(order) => Answer::empty(202),
            Endpoint::DeleteCard => Answer::error(404, "Saved card not found"),
        }
    }

    fn token(&self, arrived: &Arrived) -> Answer {
        let refusal = tokens::refusal(arrived.authorization.as_deref(), &arrived.body);
        let behaviour = self.behaviour();
        refusal.unwrap_or_else(|| self.tokens.issue(self.now(), behaviour.token_lifetime, behaviour.expires_in))
    }

    fn create_order(&self, call: &Call, arrived: &Arrived) -> Answer {
        let Ok(body) = serde_json::from_slice::<Value>(&arrived.body) else {
            return Answer::error(400, "The body is not JSON");
        };
        let Some(callback_url) = field(&arrived.body, "callback_url") else {
            return Answer::error(400, "callback_url is required");
        };
        let units = &body["purchase_units"];
        if units["basket"].as_array().is_none_or(Vec::is_empty) {
            return Answer::error(400, "purchase_units.basket is required");
        }
        // Through the shortest text of the number, which is the one that was sent.
        let amount = units["total_amount"].as_number().and_then(|number| number.to_string().parse::<Decimal>().ok());
        let Some(amount) = amount.filter(|amount| *amount > Decimal::ZERO) else {
            return Answer::error(400, "purchase_units.total_amount is not an amount");
        };
        let new = NewOrder {
            id: None,
            external_id: call.external_id.clone(),
            callback_url: Some(callback_url),
            amount,
            currency: units["currency"].as_str().unwrap_or("GEL").to_owned(),
            key: call.key.clone(),
        };
        let id = self.books().create(new, self.now());
        let redirect = format!(",\"redirect\":{{\"href\":\"https://payment.bog.ge/?order_id={id}\"}}");
        self.made(&id, &redirect)
    }

    fn save_card(&self, order: &str, arrived: &Arrived) -> Answer {
        let kind = if arrived.uri.path().ends_with("/cards") { "recurrent" } else { "subscription" };
        match self.books().save_card(order, kind) {
            Some(true) => Answer::empty(202),
            Some(false) => Answer::error(400, "The order is not open"),
            None => Answer::error(404, "Order not found"),
        }
    }

    async fn subscribe(self: &Arc<Self>, parent: &str, call: &Call, arrived: &Arrived) -> Answer {
        if !arrived.body.is_empty() && serde_json::from_slice::<Value>(&arrived.body).is_err() {
            return Answer::error(400, "The body is not JSON");
        }
        let request = ChargeRequest {
            external_id: call.external_id.clone(),
            callback_url: field(&arrived.body, "callback_url"),
            key: call.key.clone(),
        };
        let charged = self.books().charge(parent, request, self.now());
        match charged {
            Charged::NoParent => Answer::error(404, "Order not found"),
            Charged::Refused { status, body } => Answer::json(status, body),
            Charged::Order(id) => {
                self.settle_in_time(&id, arrived.at).await;
                self.made(&id, "")
            }
        }
    }

    /// Settles a new charge now or later, as this bank does.
    async fn settle_in_time(self: &Arc<Self>, id: &str, arrived: Instant) {
        let behaviour = self.behaviour();
        let answered = arrived + behaviour.latency;
        if behaviour.callbacks.before_answer {
            if self.books().settle(id, None, self.now().0) {
                Arc::clone(self).send_callbacks(id.to_owned(), answered).await;
            }
            return;
        }
        match behaviour.settle_after {
            None => {}
            Some(delay) if delay.is_zero() => self.settle(id, None, answered),
            Some(delay) => {
                let (bank, id) = (Arc::clone(self), id.to_owned());
                tokio::spawn(async move {
                    tokio::time::sleep(delay).await;
                    bank.settle(&id, None, answered);
                });
            }
        }
    }

    /// Settles an order and sends its callbacks, not before `answered`.
    pub(crate) fn settle(self: &Arc<Self>, id: &str, otherwise: Option<Outcome>, answered: Instant) {
        if self.books().settle(id, otherwise, self.now().0) && !self.behaviour().callbacks.say.is_empty() {
            self.handle.spawn(Arc::clone(self).send_callbacks(id.to_owned(), answered));
        }
    }

    fn made(&self, id: &str, more_links: &str) -> Answer {
        let details = format!("{}/receipt/{id}", self.api_url());
        let body = format!("{{\"id\":\"{id}\",\"_links\":{{\"details\":{{\"href\":\"{details}\"}}{more_links}}}}}");
        Answer::json(self.behaviour().made_status, body)
    }

    fn receipt_answer(&self, order: &str) -> Answer {
        let receipt = self.receipt(order);
        match receipt.and_then(|receipt| serde_json::to_vec(&receipt).ok()) {
            Some(body) => Answer::json(200, body),
            None => Answer::error(400, "Invalid order_id"),
        }
    }

    /// The receipt of an order as it stands.
    pub(crate) fn receipt(&self, order: &str) -> Option<Receipt> {
        let books = self.books();
        let order = books.order(order)?;
        Some(Receipt::of(order, &self.shown(order)))
    }

    /// How an order looks from outside: a charge is `processing` some time after it was made.
    fn shown(&self, order: &Order) -> Status {
        let since = self.now().1.saturating_sub(order.made_at);
        if order.status == Status::Created && order.parent.is_some() && since >= self.behaviour().processing_after {
            return Status::Processing;
        }
        order.status.clone()
    }
}

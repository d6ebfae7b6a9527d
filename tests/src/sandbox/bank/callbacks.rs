//! Callbacks: what they say, how they are signed, and sending them.

use std::sync::{Arc, LazyLock};
use std::time::Duration;

use tokio::time::Instant;

use super::Bank;
use super::behaviour::{Callbacks, Says, Signature};
use super::order::{Order, Status};
use super::receipt::{Callback, Receipt, local, zoned};
use super::signer;

/// A callback that was sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Delivery {
    /// The bank's id of the order.
    pub order_id: String,
    /// What it said.
    pub says: Says,
    /// The HTTP status that it was answered with; none if there was no answer.
    pub status: Option<u16>,
}

/// One for all banks of a process: making one reads the certificates of the machine.
static CLIENT: LazyLock<reqwest::Client> = LazyLock::new(|| {
    let client = reqwest::Client::builder().no_proxy().pool_max_idle_per_host(0).timeout(Duration::from_secs(10));
    client.build().expect("a client with no settings to get wrong")
});

/// The body of a callback with this receipt.
pub(crate) fn body(receipt: &Receipt, now: jiff::Timestamp) -> Vec<u8> {
    let callback =
        Callback { event: "order_payment", request_time: local(now), zoned_request_time: zoned(now), body: receipt };
    serde_json::to_vec(&callback).expect("text and numbers can be written as JSON")
}

impl Says {
    fn status(self, order: &Order) -> Status {
        match self {
            Self::Truth => order.status.clone(),
            Self::Created => Status::Created,
            Self::Processing => Status::Processing,
            Self::Rejected => {
                Status::Rejected { code: Some("107".to_owned()), reason: Some("Insufficient funds".to_owned()) }
            }
            Self::Completed => Status::Completed { amount: order.amount },
        }
    }
}

impl Signature {
    fn of(self, body: &[u8]) -> Option<String> {
        match self {
            Self::Good => Some(signer::sign(body)),
            Self::OtherKey => Some(signer::sign_with_other_key(body)),
            Self::Garbage => Some("bm90IGEgc2lnbmF0dXJl".to_owned()),
            Self::Missing => None,
        }
    }
}

impl Bank {
    /// Sends the callbacks of a settled order, one after another, if they go anywhere.
    pub(crate) async fn send_callbacks(self: Arc<Self>, order_id: String, answered: Instant) {
        let behaviour = self.behaviour();
        let callbacks = &behaviour.callbacks;
        let order = self.books().order(&order_id).cloned();
        let Some(order) = order else { return };
        let Some(url) = callbacks.url.as_ref().or(order.callback_url.as_ref()) else { return };
        if !callbacks.before_answer {
            tokio::time::sleep_until(answered + callbacks.delay).await;
        }
        for says in callbacks.say.iter().copied() {
            let body = body(&Receipt::of(&order, &says.status(&order)), self.now().0);
            let status = send(url, body, callbacks).await;
            self.deliveries().push(Delivery { order_id: order.id.clone(), says, status });
        }
    }
}

async fn send(url: &str, mut body: Vec<u8>, callbacks: &Callbacks) -> Option<u16> {
    let signature = callbacks.signature.of(&body);
    if callbacks.tampered {
        body = tampered(&body);
    }
    let mut request = CLIENT.post(url).header("Content-Type", "application/json").body(body);
    if let Some(signature) = signature {
        request = request.header("Callback-Signature", signature);
    }
    request.send().await.ok().map(|response| response.status().as_u16())
}

/// The same callback over another amount.
pub(crate) fn tampered(body: &[u8]) -> Vec<u8> {
    let text = String::from_utf8_lossy(body);
    text.replace("_amount\":\"", "_amount\":\"9").into_bytes()
}

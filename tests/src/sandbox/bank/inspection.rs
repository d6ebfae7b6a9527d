//! What the bank saw and did, and callbacks made without sending them.

use super::callbacks::{self, Delivery};
use super::endpoint::Endpoint;
use super::order::Capture;
use super::receipt::Receipt;
use super::requests::SeenRequest;
use super::{SandboxBank, signer};

impl SandboxBank {
    /// The ledger: what it captured, in order.
    #[must_use]
    pub fn captures(&self) -> Vec<Capture> {
        self.captures_since(0)
    }

    /// The ledger but for the first so many captures.
    #[must_use]
    pub fn captures_since(&self, seen: usize) -> Vec<Capture> {
        self.bank.books().captures().get(seen..).unwrap_or_default().to_vec()
    }

    /// All requests, in the order of their arrival.
    #[must_use]
    pub fn requests(&self) -> Vec<SeenRequest> {
        self.requests_since(0)
    }

    /// The requests but for the first so many.
    #[must_use]
    pub fn requests_since(&self, seen: usize) -> Vec<SeenRequest> {
        self.bank.requests.since(seen)
    }

    /// How many requests an endpoint has seen.
    #[must_use]
    pub fn count(&self, endpoint: Endpoint) -> usize {
        self.bank.requests.count(endpoint)
    }

    /// How many access tokens were issued.
    #[must_use]
    pub fn tokens_issued(&self) -> usize {
        self.bank.tokens.issued()
    }

    /// The callbacks that were sent, in the order in which they were answered.
    #[must_use]
    pub fn deliveries(&self) -> Vec<Delivery> {
        self.bank.deliveries().clone()
    }

    /// The orders that are not settled, oldest first.
    #[must_use]
    pub fn open_orders(&self) -> Vec<String> {
        self.bank.books().open()
    }

    /// The bank's id of the newest order with this external id.
    #[must_use]
    pub fn order_of(&self, external_id: &str) -> Option<String> {
        self.bank.books().by_external_id(external_id).map(|order| order.id.clone())
    }

    /// The receipt of an order as it stands; its fields can be changed for [`SandboxBank::callback_with`].
    #[must_use]
    pub fn receipt(&self, order_id: &str) -> Option<Receipt> {
        self.bank.receipt(order_id)
    }
}

/// Making callbacks without sending them.
impl SandboxBank {
    /// The callback of an order as it stands: body and `Callback-Signature`.
    ///
    /// # Panics
    /// There is no such order.
    #[must_use]
    pub fn callback_for(&self, order_id: &str) -> (Vec<u8>, String) {
        self.callback_with(&self.receipt(order_id).expect("an order of this bank"))
    }

    /// A well signed callback with any receipt.
    #[must_use]
    pub fn callback_with(&self, receipt: &Receipt) -> (Vec<u8>, String) {
        let body = callbacks::body(receipt, self.bank.now().0);
        let signature = signer::sign(&body);
        (body, signature)
    }

    /// The bank's signature of a body, as `Callback-Signature` has it.
    #[must_use]
    pub fn sign(&self, body: &[u8]) -> String {
        signer::sign(body)
    }

    /// A signature with a key that is not the bank's.
    #[must_use]
    pub fn forge(&self, body: &[u8]) -> String {
        signer::sign_with_other_key(body)
    }
}

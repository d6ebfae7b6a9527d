//! Callbacks: written and signed as the bank does, and given to what the server of callbacks calls.

use std::sync::{Arc, LazyLock};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use echodesk_billing::callback::{CallbackError, CallbackKeys, Effect, apply};
use echodesk_billing::ports::Settled;
use echodesk_core::Clock as _;
use jiff::SignedDuration;
use openssl::hash::MessageDigest;
use openssl::pkey::{PKey, Private};
use openssl::rsa::Rsa;
use openssl::sign::Signer;
use serde_json::json;

use crate::bugs;
use crate::gate::Gate;
use crate::process::Process;
use crate::violation::Invariant;
use crate::world::World;
use crate::world::agenda::{CallbackEvent, Event};
use crate::world::bank::{Order, OrderState};
use crate::world::echodesk;
use crate::world::mishaps::Mishap;

/// The bank's key, and one of somebody else.
#[derive(Clone)]
pub struct Signatures {
    bank: PKey<Private>,
    other: PKey<Private>,
    keys: CallbackKeys,
}

/// Made once: that takes a moment. What they are has no influence on what happens.
#[expect(clippy::expect_used, reason = "OpenSSL can make a key, or nothing here works")]
static SHARED: LazyLock<Signatures> = LazyLock::new(|| {
    let key = || Rsa::generate(2048).and_then(PKey::from_rsa).expect("a key");
    let (bank, other) = (key(), key());
    let pem = String::from_utf8(bank.public_key_to_pem().expect("PEM")).expect("ASCII");
    let url = "https://bank.example".parse().expect("an address");
    let keys = CallbackKeys::for_api(&url, Some(&pem)).expect("a key that can be used");
    Signatures { bank, other, keys }
});

impl Signatures {
    /// Those of all simulations of this process.
    #[must_use]
    pub fn shared() -> Self {
        SHARED.clone()
    }

    #[expect(clippy::expect_used, reason = "an RSA key can sign")]
    fn sign(&self, body: &[u8], is_bank: bool) -> String {
        let key = if is_bank { &self.bank } else { &self.other };
        let mut signer = Signer::new(MessageDigest::sha256(), key).expect("it can sign");
        STANDARD.encode(signer.sign_oneshot_to_vec(body).expect("a signature"))
    }
}

/// What the bank writes of an order, or somebody else would like it to have written.
fn body(id: &str, order: &Order, status: &str) -> Vec<u8> {
    let amount = order.amount.to_string();
    let (code, transferred) = match status {
        "completed" => (Some("100"), Some(&amount)),
        "rejected" => (Some(order.state.code().unwrap_or("107")), None),
        _ => (None, None),
    };
    let parent = Some(&order.parent).filter(|parent| !parent.is_empty());
    let callback = json!({
        "event": "order_payment",
        "body": {
            "order_id": id,
            "external_order_id": order.external,
            "order_status": { "key": status, "value": status },
            "payment_detail": { "parent_order_id": parent, "code": code },
            "purchase_units": { "request_amount": amount, "transfer_amount": transferred, "currency_code": "GEL" },
        },
    });
    callback.to_string().into_bytes()
}

impl World {
    /// An order of a shop of somebody else's, under our name of an order: the bank signs that as well.
    fn of_another(&self, id: &str, order: &Order) -> Vec<u8> {
        let says_card = self.chance.at(&format!("callback of another {id}")).per_mille(500);
        let parent = if says_card { "card-of-another" } else { "" };
        let amount = rust_decimal::Decimal::ONE;
        let another = Order { parent: parent.to_owned(), amount, state: OrderState::Completed, ..order.clone() };
        body(&format!("of-another-{id}"), &another, "completed")
    }

    /// A callback arrives, at ours or at EchoDesk's.
    pub(crate) fn callback_arrives(self: &Arc<Self>, callback: &CallbackEvent) {
        let Some(order) = self.bank.order(&callback.order) else { return };
        if callback.to_echodesk {
            echodesk::web_hook(self, order.tenant, &order, callback.status == "completed");
            return self.check_account(order.tenant);
        }
        let name = format!("{} callback {} {}", self.time.now(), callback.order, callback.status);
        let process = Process::begin(self, name, self.clocks[0].clone(), Arc::new(Gate::opened()));
        let store = bugs::billing_store(&process);
        let body = if callback.of_another {
            self.of_another(&callback.order, &order)
        } else {
            body(&callback.order, &order, callback.status)
        };
        let body = bugs::callback_body(self.plan.bug, body, (&callback.order, &order));
        let signature = self.signatures.sign(&body, callback.signed || bugs::believes_everybody(self.plan.bug));
        let now = process.clock.now();
        let applied = apply(store.as_ref(), &self.signatures.keys, &body, Some(&signature), now, &self.billing_zone);
        // It may have been written down, though the store does not say so.
        if callback.of_another && matches!(applied, Ok(_) | Err(CallbackError::Store(_))) {
            self.mishaps.befalls(&order.external, Mishap::CallbackOfAnother);
        }
        match &applied {
            Ok(applied) => self.trace.note(order.tenant, format_args!("{applied}")),
            Err(error) => self.trace.note(order.tenant, format_args!("the callback is answered: {error}")),
        }
        if !callback.signed {
            if !matches!(applied, Err(CallbackError::BadSignature)) {
                let what = format!("a forged callback about {} was believed", callback.order);
                self.violated(Invariant::OneExtension, order.tenant, what);
            }
            return;
        }
        // The server answers 500 or 503, and the bank sends it again.
        let is_to_be_repeated = match &applied {
            Err(CallbackError::Store(_)) => true,
            Ok(applied) => applied.effect == Effect::Settled(Settled::NotYet),
            Err(_) => false,
        };
        if applied.is_ok() && !is_to_be_repeated && !callback.of_another && callback.status != "processing" {
            self.mishaps.is_told_of(&order.external);
        }
        if is_to_be_repeated {
            let again = self.time.now() + SignedDuration::from_mins(15);
            self.agenda.add(again, order.tenant, Event::Callback(callback.clone()));
        }
    }
}

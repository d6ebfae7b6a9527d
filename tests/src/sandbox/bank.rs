//! A small Bank of Georgia in memory: the online payment API, version 1, over plain HTTP.
//!
//! What it captured is in its ledger ([`SandboxBank::captures`]), which knows nothing of what clients were told.

mod acts;
mod answer;
mod behaviour;
mod books;
mod callbacks;
mod card;
mod connection;
mod endpoint;
mod fault;
mod keys;
mod order;
mod receipt;
mod requests;
mod service;
mod signer;
mod tokens;

use std::collections::HashMap;
use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock};

use axum::Router;
pub use behaviour::{Behaviour, Callbacks, ExpiresIn, InProgress, Says, Signature};
use books::{Books, NewOrder, Now, decimal};
pub use callbacks::Delivery;
pub use card::{Card, Outcome, description};
use connection::{Cut, Door};
use echodesk_core::{Clock as _, SystemClock};
pub use endpoint::Endpoint;
use fault::Faults;
pub use fault::{Alteration, Call, Fault, Wrong};
pub use order::Capture;
pub use receipt::{Client, Item, Named, PaymentDetail, PurchaseUnits, Receipt, RedirectLinks};
pub use requests::SeenRequest;
use tokio::runtime::{Handle, Runtime};
use tokio::time::Instant;

/// A running bank; it ends when dropped, with all its connections.
#[derive(Debug)]
pub struct SandboxBank {
    bank: Arc<Bank>,
    /// Taken when dropped.
    runtime: Option<Runtime>,
}

/// What all calls share.
#[derive(Debug)]
pub(crate) struct Bank {
    address: SocketAddr,
    handle: Handle,
    clock: SystemClock,
    behaviour: RwLock<Arc<Behaviour>>,
    books: Mutex<Books>,
    keys: keys::Keys,
    tokens: tokens::Tokens,
    faults: Faults,
    requests: requests::Requests,
    calls: Mutex<HashMap<Endpoint, usize>>,
    deliveries: Mutex<Vec<Delivery>>,
    away: Arc<AtomicBool>,
}

impl Bank {
    fn api_url(&self) -> String {
        format!("http://{}{}", self.address, endpoint::API_PATH)
    }

    fn now(&self) -> Now {
        (self.clock.now(), self.clock.elapsed())
    }

    fn behaviour(&self) -> Arc<Behaviour> {
        Arc::clone(&self.behaviour.read().unwrap_or_else(PoisonError::into_inner))
    }

    fn books(&self) -> MutexGuard<'_, Books> {
        self.books.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn deliveries(&self) -> MutexGuard<'_, Vec<Delivery>> {
        self.deliveries.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The how manieth call of an endpoint this is.
    fn number(&self, endpoint: Endpoint) -> usize {
        let mut calls = self.calls.lock().unwrap_or_else(PoisonError::into_inner);
        let number = calls.entry(endpoint).or_default();
        *number += 1;
        *number
    }
}

/// Starting, stopping, and where it is.
impl SandboxBank {
    /// Starts a bank on a free port.
    ///
    /// # Panics
    /// No port can be listened on.
    #[must_use]
    pub fn start(behaviour: Behaviour) -> Self {
        Self::start_on(0, behaviour).expect("a free port")
    }

    /// Starts a bank on a port of this machine; 0 is any free one.
    ///
    /// # Errors
    /// The port cannot be listened on.
    pub fn start_on(port: u16, behaviour: Behaviour) -> io::Result<Self> {
        let listener = std::net::TcpListener::bind((Ipv4Addr::LOCALHOST, port))?;
        listener.set_nonblocking(true)?;
        // Threads of its own: a test that blocks its runtime does not block the bank.
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build()?;
        let away = Arc::default();
        let bank = Arc::new(Bank {
            address: listener.local_addr()?,
            handle: runtime.handle().clone(),
            clock: SystemClock::new(),
            behaviour: RwLock::new(Arc::new(behaviour)),
            books: Mutex::default(),
            keys: keys::Keys::default(),
            tokens: tokens::Tokens::default(),
            faults: Faults::default(),
            requests: requests::Requests::default(),
            calls: Mutex::default(),
            deliveries: Mutex::default(),
            away: Arc::clone(&away),
        });
        let service = Router::new().fallback(service::serve).with_state(Arc::clone(&bank));
        runtime.spawn(async move {
            let listener = tokio::net::TcpListener::from_std(listener)?;
            let door = Door { listener, away };
            axum::serve(door, service.into_make_service_with_connect_info::<Cut>()).await
        });
        Ok(Self { bank, runtime: Some(runtime) })
    }

    /// `BOG_AUTH_URL`.
    #[must_use]
    pub fn token_url(&self) -> String {
        format!("http://{}{}", self.bank.address, endpoint::TOKEN_PATH)
    }

    /// `BOG_API_BASE_URL`.
    #[must_use]
    pub fn api_url(&self) -> String {
        self.bank.api_url()
    }

    /// `BOG_CLIENT_ID`.
    #[must_use]
    pub fn client_id(&self) -> &'static str {
        tokens::CLIENT_ID
    }

    /// `BOG_CLIENT_SECRET`.
    #[must_use]
    pub fn client_secret(&self) -> &'static str {
        tokens::CLIENT_SECRET
    }

    /// The key that callbacks are checked with, PEM (SPKI). It is the same for all banks of a process.
    #[must_use]
    pub fn public_key_pem(&self) -> String {
        signer::public_key_pem()
    }

    /// The public half of the key of [`Signature::OtherKey`].
    #[must_use]
    pub fn other_public_key_pem(&self) -> String {
        signer::other_public_key_pem()
    }
}

/// Changing what it does.
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

/// Looking at what it saw and did.
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

impl Drop for SandboxBank {
    fn drop(&mut self) {
        // Does not wait, so that it may be dropped inside another runtime.
        if let Some(runtime) = self.runtime.take() {
            runtime.shutdown_background();
        }
    }
}

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
mod control;
mod endpoint;
mod fault;
mod inspection;
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
use std::sync::atomic::AtomicBool;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock};

use axum::Router;
pub use behaviour::{Behaviour, Callbacks, ExpiresIn, InProgress, Says, Signature};
use books::{Books, Now};
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
pub use tokens::CLIENT_ID;
use tokio::runtime::{Handle, Runtime};

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

impl Drop for SandboxBank {
    fn drop(&mut self) {
        // Does not wait, so that it may be dropped inside another runtime.
        if let Some(runtime) = self.runtime.take() {
            runtime.shutdown_background();
        }
    }
}

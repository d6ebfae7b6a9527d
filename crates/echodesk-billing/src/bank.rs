//! The Bank of Georgia's payment API, as far as renewals use it: a token, a charge of a saved card, a
//! receipt.
//!
//! [`BogBank`] is the [`Bank`] of a real service. It concludes no more from an answer than is certain:
//! only the bank's own words, in JSON, refuse a charge; only where no try can have reached the bank is it
//! [`NotSent`](ChargeAnswer::NotSent); all else is [`Unknown`](ChargeAnswer::Unknown). A call may be
//! dropped at any time; whether it was made is then not known.

mod address;
mod call;
mod charge;
mod exchange;
mod limits;
mod log_in;
mod receipt;
pub(crate) mod receipt_body;
mod settings;
mod token;
mod token_answer;
mod web_hook;
mod words;

use std::fmt;
use std::sync::Arc;

use echodesk_core::Clock;
use reqwest::{Client, header};

pub use self::limits::BankLimits;
pub use self::log_in::LogInError;
pub use self::receipt_body::ReceiptBodyError;
pub use self::settings::{BankSettings, BankSettingsError, PRODUCTION_API_BASE_URL, PRODUCTION_AUTH_URL, api_base_url};
use self::token::Tokens;
pub use self::web_hook::{WebHookError, call_web_hook};
use crate::model::{BankOrderId, Receipt};
use crate::ports::{Bank, BankDown, ChargeAnswer, ChargeRequest, Random, ReceiptError};

/// The bank over HTTPS. One of it serves any number of calls at once; it keeps connections and the
/// token. Needs a tokio runtime with time and IO.
pub struct BogBank {
    settings: BankSettings,
    limits: BankLimits,
    clock: Arc<dyn Clock>,
    random: Arc<dyn Random>,
    client: Client,
    tokens: Tokens,
}

/// The client cannot be made.
#[derive(Debug, thiserror::Error)]
#[error("no HTTPS client for the bank")]
pub struct BankClientError {
    /// What the TLS library said.
    source: reqwest::Error,
}

impl BogBank {
    /// Prepares a client. Nothing is sent.
    ///
    /// # Errors
    /// TLS cannot be set up.
    pub fn new(
        settings: BankSettings,
        limits: BankLimits,
        clock: Arc<dyn Clock>,
        random: Arc<dyn Random>,
    ) -> Result<Self, BankClientError> {
        let client = exchange::client(&settings, &limits).map_err(|source| BankClientError { source })?;
        Ok(Self { settings, limits, clock, random, client, tokens: Tokens::default() })
    }
}

impl Bank for BogBank {
    async fn ready(&self) -> Result<(), BankDown> {
        self.token().await.map(drop).map_err(|no| BankDown(no.to_string()))
    }

    async fn charge(&self, charge: &ChargeRequest) -> ChargeAnswer {
        let segments = ["ecommerce", "orders", charge.parent.as_str(), "subscribe"];
        let Some(url) = address::under(&self.settings.api_base_url, &segments) else {
            return ChargeAnswer::NotSent("the parent order's name cannot be one of the bank's".to_owned());
        };
        let mut body = serde_json::Map::new();
        body.insert("external_order_id".to_owned(), charge.order.as_str().into());
        if let Some(callback) = &self.settings.callback_url {
            body.insert("callback_url".to_owned(), callback.as_str().into());
        }
        let body = serde_json::Value::Object(body).to_string();
        let request = |client: &Client| {
            client
                .post(url.clone())
                .header("idempotency-key", charge.key.to_string())
                .header(header::CONTENT_TYPE, "application/json")
                .body(body.clone())
        };
        charge::read(self.call("subscribe", request).await, &self.settings.client_secret)
    }

    async fn receipt(&self, order: &BankOrderId) -> Result<Receipt, ReceiptError> {
        let Some(url) = address::under(&self.settings.api_base_url, &["receipt", order.as_str()]) else {
            let why = "its name cannot be one of the bank's".to_owned();
            return Err(ReceiptError::Unavailable { order: order.clone(), why });
        };
        let result = self.call("receipt", |client| client.get(url.clone())).await;
        receipt::read(result, order, &self.settings.client_secret)
    }
}

/// Without secrets.
impl fmt::Debug for BogBank {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("BogBank")
            .field("settings", &self.settings)
            .field("limits", &self.limits)
            .finish_non_exhaustive()
    }
}

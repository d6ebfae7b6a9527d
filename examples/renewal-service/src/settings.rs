//! The settings, all from the environment or `.env`, as the jobs have them.

use std::error::Error;
use std::fs;
use std::net::SocketAddr;
use std::time::Duration;

use echodesk_billing::bank::BankSettings;
use echodesk_billing::callback::CallbackKeys;
use echodesk_core::Environment;
use jiff::tz::TimeZone;

use crate::store::{MemoryStore, Subscription};

/// What the service is told.
pub(crate) struct Settings {
    pub(crate) listen: SocketAddr,
    pub(crate) subscriptions: MemoryStore,
    pub(crate) bank: BankSettings,
    pub(crate) keys: CallbackKeys,
    pub(crate) time_zone: TimeZone,
    pub(crate) settle_for: Duration,
}

/// A setting that cannot be used, and why.
#[derive(Debug, thiserror::Error)]
#[error("{name} cannot be used")]
pub(crate) struct SettingsError {
    name: &'static str,
    source: Box<dyn Error + Send + Sync>,
}

impl Settings {
    /// Reads `BOG_…`, `ECHODESK_TIME_ZONE`, `RENEWAL_LISTEN`, `RENEWAL_SETTLE_SECONDS`
    /// and `RENEWAL_SUBSCRIPTIONS`.
    pub(crate) fn from_environment(environment: &Environment) -> Result<Self, SettingsError> {
        let listen = environment.get("RENEWAL_LISTEN").unwrap_or("127.0.0.1:8080");
        let bank = BankSettings::from_environment(environment).map_err(because("BOG_…"))?;
        let settle_for = environment.get("RENEWAL_SETTLE_SECONDS").unwrap_or("10");
        Ok(Self {
            settle_for: settle_for.parse().map(Duration::from_secs).map_err(because("RENEWAL_SETTLE_SECONDS"))?,
            listen: listen.parse().map_err(because("RENEWAL_LISTEN"))?,
            subscriptions: subscriptions(environment).map_err(because_of("RENEWAL_SUBSCRIPTIONS"))?,
            keys: keys(environment, &bank).map_err(because_of("BOG_PUBLIC_KEY_FILE"))?,
            bank,
            time_zone: TimeZone::get(environment.get("ECHODESK_TIME_ZONE").unwrap_or("UTC"))
                .map_err(because("ECHODESK_TIME_ZONE"))?,
        })
    }
}

fn because<E: Error + Send + Sync + 'static>(name: &'static str) -> impl FnOnce(E) -> SettingsError {
    move |error| SettingsError { name, source: Box::new(error) }
}

fn because_of(name: &'static str) -> impl FnOnce(Box<dyn Error + Send + Sync>) -> SettingsError {
    move |source| SettingsError { name, source }
}

/// The subscriptions of a JSON file.
fn subscriptions(environment: &Environment) -> Result<MemoryStore, Box<dyn Error + Send + Sync>> {
    let path = environment.get("RENEWAL_SUBSCRIPTIONS").ok_or("it must name a JSON file, as the README shows")?;
    let text = fs::read(path).map_err(|error| format!("{path}: {error}"))?;
    let all: Vec<Subscription> = serde_json::from_slice(&text).map_err(|error| format!("{path}: {error}"))?;
    Ok(MemoryStore::with(all))
}

/// Whose callbacks are believed: the bank's, or those of the keys in a file.
fn keys(environment: &Environment, bank: &BankSettings) -> Result<CallbackKeys, Box<dyn Error + Send + Sync>> {
    let pem = match environment.get("BOG_PUBLIC_KEY_FILE") {
        Some(path) => Some(fs::read_to_string(path).map_err(|error| format!("{path}: {error}"))?),
        None => None,
    };
    Ok(CallbackKeys::for_api(bank.api_base_url(), pem.as_deref())?)
}

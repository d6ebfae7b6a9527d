//! What it takes to talk to the bank, read in the same way by every binary that does. Account and
//! secret come from the environment or `.env` only: others on the machine can see the flags of a
//! process.

use std::sync::Arc;

use echodesk_billing::bank::{BankLimits, BankSettings, BankSettingsError, BogBank};
use echodesk_billing::ports::Random;
use echodesk_core::{Clock, Environment};

use crate::settings::SettingsError;

/// The account, without which there is no talking to the bank.
const ACCOUNT: [&str; 2] = ["BOG_CLIENT_ID", "BOG_CLIENT_SECRET"];

const REMEDY: &str = "the bank gives out both with a merchant account (a dry run needs neither)";

/// The settings of the bank.
///
/// # Errors
/// The account is not set, and everything that is missing is named; a setting cannot be used.
pub fn settings(environment: &Environment) -> Result<BankSettings, SettingsError> {
    let missing: Vec<&str> = ACCOUNT.into_iter().filter(|name| environment.get(name).is_none()).collect();
    if !missing.is_empty() {
        return Err(SettingsError::all_missing(missing, REMEDY));
    }
    BankSettings::from_environment(environment).map_err(|error| match error {
        BankSettingsError::Missing { name } => SettingsError::missing(name, REMEDY),
        BankSettingsError::Wrong { name, problem } => SettingsError::wrong(name, problem),
    })
}

/// The bank. Nothing is sent yet.
///
/// # Errors
/// As [`settings`]; TLS cannot be set up.
pub fn client(
    environment: &Environment,
    clock: Arc<dyn Clock>,
    random: Arc<dyn Random>,
) -> Result<BogBank, SettingsError> {
    BogBank::new(settings(environment)?, BankLimits::default(), clock, random)
        .map_err(|error| SettingsError::wrong("TLS", error))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::one_line;

    fn refused(pairs: &[(&str, &str)]) -> String {
        one_line(&settings(&pairs.iter().copied().collect()).unwrap_err())
    }

    #[test]
    fn everything_that_is_missing_is_named_at_once() {
        assert!(refused(&[]).starts_with("BOG_CLIENT_ID and BOG_CLIENT_SECRET are not set: "), "{}", refused(&[]));
        let id = [("BOG_CLIENT_ID", "shop")];
        assert!(refused(&id).starts_with("BOG_CLIENT_SECRET is not set: "), "{}", refused(&id));
        let blank = [("BOG_CLIENT_ID", "shop"), ("BOG_CLIENT_SECRET", " ")];
        assert!(refused(&blank).starts_with("BOG_CLIENT_SECRET is not set: "), "{}", refused(&blank));
    }

    #[test]
    fn an_address_that_cannot_be_used_is_named_and_not_shown() {
        let account = [("BOG_CLIENT_ID", "shop"), ("BOG_CLIENT_SECRET", "hunter2")];
        for name in ["BOG_AUTH_URL", "BOG_API_BASE_URL", "BOG_CALLBACK_URL"] {
            let line = refused(&[account[0], account[1], (name, "http://bank.example/hunter3")]);
            assert!(line.starts_with(&format!("{name} cannot be used: ")), "{line}");
            assert!(!line.contains("hunter"), "{line}");
        }
        let clock = Arc::new(echodesk_core::SystemClock::new());
        let random = Arc::new(echodesk_billing::ports::SystemRandom);
        assert!(client(&account.into_iter().collect(), clock, random).is_ok());
    }
}

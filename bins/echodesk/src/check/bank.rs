//! Does the bank know us, and whose signature would be believed? A token is fetched, and nothing else.

use std::sync::Arc;

use echodesk_billing::bank::{
    BankLimits, BankSettings, BogBank, LogInError, PRODUCTION_API_BASE_URL, PRODUCTION_AUTH_URL,
};
use echodesk_billing::ports::SystemRandom;
use echodesk_core::{DatabaseUrl, Environment};
use echodesk_job::{bank, one_line};

use super::far::{Reach, STEP};
use super::finding::Finding;
use super::remedy;
use crate::callbacks::{KeysProblem, callback_keys};

const NOT_SET: &str = "set BOG_CLIENT_ID and BOG_CLIENT_SECRET as EchoDesk has them, or leave recurring-payments out of \
                       the crontab";

pub(super) fn check(environment: &Environment, reach: &Reach) -> Vec<Finding> {
    if ["BOG_CLIENT_ID", "BOG_CLIENT_SECRET"].iter().all(|name| environment.get(name).is_none()) {
        return vec![not_set_up(environment)];
    }
    let settings = match bank::settings(environment) {
        Ok(settings) => settings,
        Err(error) => return vec![Finding::failed("bank", "", one_line(&error), remedy::bank_settings(&error))],
    };
    let mut findings = vec![log_in(&settings, reach)];
    findings.extend(two_banks(&settings));
    findings.push(key(environment));
    findings
}

/// On a database of EchoDesk's somebody may take it for granted that cards are charged.
fn not_set_up(environment: &Environment) -> Finding {
    const DETAIL: &str = "not set up: recurring-payments cannot run, except as a dry run";
    match DatabaseUrl::from_environment(environment) {
        Ok(DatabaseUrl::Postgres { .. }) => Finding::failed("bank", "", DETAIL, NOT_SET).warning(),
        Ok(DatabaseUrl::Sqlite(_)) | Err(_) => Finding::ok("bank", "", DETAIL),
    }
}

fn log_in(settings: &BankSettings, reach: &Reach) -> Finding {
    let subject = settings.auth_url().origin().ascii_serialization();
    if reach.offline {
        return Finding::ok("bank", subject, "set; not called");
    }
    let limits = BankLimits { connect_timeout: STEP, request_timeout: STEP, tries: 1, ..BankLimits::default() };
    let clock = Arc::clone(&reach.clock);
    let bank = match BogBank::new(settings.clone(), limits, clock, Arc::new(SystemRandom)) {
        Ok(bank) => bank,
        Err(error) => return Finding::failed("bank", subject, one_line(&error), remedy::OWN_TLS),
    };
    match reach.wait_for(bank.log_in()) {
        Ok((Ok(()), took)) => {
            let api = settings.api_base_url().origin().ascii_serialization();
            let real = if is_production(settings.api_base_url()) { "; charges there are real" } else { "" };
            Finding::ok("bank", subject, format!("gives us a token ({took:.1} s), for the API at {api}{real}"))
        }
        Ok((Err(error), _)) => {
            Finding::failed("bank", subject, format!("gives us no token: {error}"), advice(&error, settings))
        }
        Err(late) => Finding::failed("bank", subject, format!("gives us no token: {late}"), remedy::WAY_OUT),
    }
}

fn advice(error: &LogInError, settings: &BankSettings) -> String {
    let host = settings.auth_url().host_str().unwrap_or_default();
    match error {
        LogInError::Refused { .. } if is_production(settings.auth_url()) => {
            "check BOG_CLIENT_ID and BOG_CLIENT_SECRET; those of the sandbox need its BOG_AUTH_URL".to_owned()
        }
        LogInError::Refused { .. } => {
            "check BOG_CLIENT_ID and BOG_CLIENT_SECRET, and whether they belong to BOG_AUTH_URL".to_owned()
        }
        LogInError::Resolve(_) => remedy::name_of(host, "BOG_AUTH_URL"),
        LogInError::Connect(_) | LogInError::TimedOut(_) | LogInError::Lost(_) => remedy::WAY_OUT.to_owned(),
        LogInError::Tls(_) => remedy::TLS_BETWEEN.to_owned(),
        LogInError::Unavailable { status: 300..=399 } | LogInError::NotTheBank(_) => {
            "is BOG_AUTH_URL the bank's token address? Leave it out for production".to_owned()
        }
        _ => "try again later: the bank, or a proxy before it, cannot answer now".to_owned(),
    }
}

/// The token of one of the bank's environments is worth nothing in another.
fn two_banks(settings: &BankSettings) -> Option<Finding> {
    let (auth, api) = (is_production(settings.auth_url()), is_production(settings.api_base_url()));
    let (real, other) = match (auth, api) {
        (true, false) => ("BOG_AUTH_URL", "BOG_API_BASE_URL"),
        (false, true) => ("BOG_API_BASE_URL", "BOG_AUTH_URL"),
        _ => return None,
    };
    let detail = format!("{real} is the bank's production and {other} is not");
    Some(Finding::failed("bank", "addresses", detail, "set both to production, or both to the sandbox"))
}

fn is_production(url: &url::Url) -> bool {
    [PRODUCTION_AUTH_URL, PRODUCTION_API_BASE_URL]
        .iter()
        .any(|known| url::Url::parse(known).is_ok_and(|known| known.origin() == url.origin()))
}

/// Whose signature of a callback would be believed.
fn key(environment: &Environment) -> Finding {
    const REMEDY: &str = "give BOG_PUBLIC_KEY_FILE a readable file with the bank's public key (PEM), or leave it out";
    const UNKNOWN: &str = "needed by `echodesk callbacks serve` only: put the key into a file (PEM) and name it in \
                           BOG_PUBLIC_KEY_FILE";
    match callback_keys(environment) {
        Ok(_) => {
            let whose = environment
                .get("BOG_PUBLIC_KEY_FILE")
                .map_or("the bank's own, built in".to_owned(), |path| format!("from {path}"));
            Finding::ok("bank", "callback key", whose)
        }
        Err(KeysProblem::Settings(error)) => Finding::failed("bank", "callback key", one_line(&error), REMEDY),
        Err(KeysProblem::Unknown(error)) => {
            Finding::failed("bank", "callback key", one_line(&error), UNKNOWN).warning()
        }
    }
}

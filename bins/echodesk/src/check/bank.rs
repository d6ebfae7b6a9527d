//! Does the bank know us, and whose signature would be believed? A token is fetched, and nothing else.

use std::sync::Arc;

use echodesk_billing::bank::{
    BankLimits, BankSettings, BogBank, LogInError, PRODUCTION_API_BASE_URL, PRODUCTION_AUTH_URL,
};
use echodesk_billing::ports::SystemRandom;
use echodesk_core::{DatabaseUrl, Environment};
use echodesk_job::{Settings, SettingsError, bank, one_line};

use super::far::{Reach, STEP};
use super::finding::Finding;
use super::remedy;
use crate::callbacks::{KeysProblem, callback_keys};

const NOT_SET: &str = "set BOG_CLIENT_ID and BOG_CLIENT_SECRET as EchoDesk has them, or leave recurring-payments out of \
                       the crontab";

pub(super) fn check(settings: &Settings, reach: &Reach) -> Vec<Finding> {
    let environment = &settings.environment;
    if ["BOG_CLIENT_ID", "BOG_CLIENT_SECRET"].iter().all(|name| environment.get(name).is_none()) {
        // Who only takes callbacks has no account.
        let is_meant = ["BOG_PUBLIC_KEY_FILE", "BOG_API_BASE_URL"].iter().any(|name| environment.get(name).is_some());
        let key = is_meant.then(|| key(environment));
        return std::iter::once(not_set_up(&settings.database)).chain(key).collect();
    }
    // The address that the bank calls back is looked at by itself, and no token hangs on it.
    let mut findings = match bank::settings(&settings.environment_with("BOG_CALLBACK_URL", Some(""))) {
        Ok(settings) => std::iter::once(log_in(&settings, reach)).chain(two_banks(&settings)).collect(),
        Err(error) => {
            let detail = format!("{}; so no token was asked for", one_line(&error));
            vec![Finding::failed("bank", "", detail, remedy::bank_settings(&error))]
        }
    };
    findings.push(key(environment));
    findings
}

/// On a database of EchoDesk's somebody may take it for granted that cards are charged.
fn not_set_up(database: &DatabaseUrl) -> Finding {
    const DETAIL: &str = "not set up: recurring-payments cannot run, except as a dry run";
    match database {
        DatabaseUrl::Postgres { .. } => Finding::failed("bank", "", DETAIL, NOT_SET).warning(),
        DatabaseUrl::Sqlite(_) => Finding::ok("bank", "", DETAIL),
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
        Err(KeysProblem::Settings(SettingsError::Wrong { name: "BOG_API_BASE_URL", .. })) => {
            Finding::not_looked_at("bank", "callback key", "BOG_API_BASE_URL cannot be used")
        }
        Err(KeysProblem::Settings(error)) => Finding::failed("bank", "callback key", one_line(&error), REMEDY),
        Err(KeysProblem::Unknown(error)) => {
            Finding::failed("bank", "callback key", one_line(&error), UNKNOWN).warning()
        }
    }
}

#[cfg(test)]
mod tests {
    use echodesk_core::SystemClock;
    use echodesk_job::GlobalArgs;

    use super::*;
    use crate::check::finding::Verdict;

    /// Settings, and what is told of them.
    type Case<'a> = (&'a [(&'a str, &'a str)], Verdict, &'a str);

    fn found(pairs: &[(&str, &str)]) -> Vec<Finding> {
        let settings = Settings::new(&GlobalArgs::default(), pairs.iter().copied().collect()).unwrap();
        check(&settings, &Reach { offline: true, clock: Arc::new(SystemClock::new()) })
    }

    #[test]
    fn what_is_missing_or_wrong_is_told_without_calling_anybody() {
        const POSTGRES: (&str, &str) = ("DATABASE_URL", "postgres://db/echodesk");
        const ID: (&str, &str) = ("BOG_CLIENT_ID", "shop");
        const SECRET: (&str, &str) = ("BOG_CLIENT_SECRET", "hunter2");
        const CALLBACK: (&str, &str) = ("BOG_CALLBACK_URL", "http://jobs.example.com/hunter2");
        const API: (&str, &str) = ("BOG_API_BASE_URL", "http://bank.example/hunter2");
        const SANDBOX: (&str, &str) = ("BOG_API_BASE_URL", "https://api-sandbox.bog.ge/payments/v1");
        let table: [Case<'_>; 12] = [
            (&[], Verdict::Ok, "not set up"),
            (&[POSTGRES], Verdict::Warning, "leave recurring-payments out"),
            (&[ID], Verdict::Failed, "BOG_CLIENT_SECRET is not set"),
            (&[ID, SECRET, CALLBACK], Verdict::Ok, "https://oauth2.bog.ge: set; not called"),
            (&[ID, SECRET, CALLBACK], Verdict::Ok, "callback key: the bank's own"),
            (&[ID], Verdict::Ok, "callback key: the bank's own"),
            (&[ID, SECRET, API], Verdict::Failed, "BOG_API_BASE_URL cannot be used"),
            (&[ID, SECRET, API], Verdict::Warning, "callback key: not looked at, because BOG_API_BASE_URL"),
            (&[ID, SECRET], Verdict::Ok, "https://oauth2.bog.ge: set; not called"),
            (&[ID, SECRET], Verdict::Ok, "callback key: the bank's own"),
            (
                &[ID, SECRET, SANDBOX],
                Verdict::Failed,
                "BOG_AUTH_URL is the bank's production and BOG_API_BASE_URL is not",
            ),
            (&[ID, SECRET, ("BOG_API_BASE_URL", "https://bank.example/")], Verdict::Warning, "no key is known"),
        ];
        for (pairs, verdict, part) in table {
            let found = found(pairs);
            let line = |f: &Finding| {
                format!("{} {}: {} {}", f.check, f.subject, f.detail, f.remedy.clone().unwrap_or_default())
            };
            let told = found.iter().find(|finding| line(finding).contains(part));
            assert!(told.is_some_and(|told| told.verdict == verdict), "{pairs:?}, {part}: {found:?}");
            assert!(!format!("{found:?}").contains("hunter2"), "{found:?}");
        }
    }

    #[test]
    fn each_reason_why_there_is_no_token_has_its_own_advice() {
        let account = [("BOG_CLIENT_ID", "shop"), ("BOG_CLIENT_SECRET", "hunter2")];
        let settings = bank::settings(&account.into_iter().collect()).unwrap();
        let table = [
            (LogInError::Refused { status: 401, code: None }, "those of the sandbox"),
            (LogInError::Resolve(String::new()), "is oauth2.bog.ge spelled right in BOG_AUTH_URL"),
            (LogInError::Connect(String::new()), "firewall"),
            (LogInError::Tls(String::new()), "ca-certificates"),
            (LogInError::TimedOut(STEP), "firewall"),
            (LogInError::Unavailable { status: 503 }, "try again later"),
            (LogInError::Unavailable { status: 302 }, "the bank's token address?"),
            (LogInError::NotTheBank(String::new()), "the bank's token address?"),
        ];
        for (error, part) in table {
            let advice = advice(&error, &settings);
            assert!(advice.contains(part), "{error:?}: {advice}");
        }
    }
}

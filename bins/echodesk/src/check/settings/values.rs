//! Can the values be used that no other part of the check looks at?

use std::error::Error;
use std::path::Path;

use echodesk_core::{Environment, RunId};
use echodesk_job::monitoring::metrics::METRICS_FOLDER;
use echodesk_job::monitoring::overdue::{Limits, OVERDUE_AFTER};
use echodesk_job::monitoring::ping::{Address, PING_URL};
use echodesk_job::{JobError, one_line, tenant, time_zone};
use echodesk_notify::transport::Folder;
use echodesk_store::Store;

use super::super::finding::Finding;
use super::super::remedy;

const ZONE: &str = "ECHODESK_TIME_ZONE";

pub(super) fn check(environment: &Environment) -> Vec<Finding> {
    let mut findings = vec![match time_zone::billing(environment) {
        Ok(_) => {
            let days = environment.get(ZONE).unwrap_or("UTC");
            Finding::ok("settings", ZONE, format!("days are those of {days}"))
        }
        Err(error) => wrong(ZONE, &error, "use a name of the IANA list, for example Asia/Tbilisi, or leave it out"),
    }];
    if environment.get(PING_URL).is_some() {
        findings.push(ping(environment));
    }
    findings.extend(overdue(environment));
    findings.extend(metrics(environment));
    findings
}

/// Whether the tenants that pay nothing can be read and are there. Nothing if none are named.
pub(crate) fn exempt(store: &Store, environment: &Environment) -> Option<Finding> {
    const REMEDY: &str = "name schemas as `echodesk tenant list` shows them, separated by commas";
    environment.get(tenant::EXEMPT)?;
    let exempt = match tenant::exempt(environment) {
        Ok(exempt) => exempt,
        Err(error) => return Some(wrong(tenant::EXEMPT, &error, REMEDY)),
    };
    Some(match tenant::refuse_unknown_exempt(store, tenant::EXEMPT, &exempt) {
        Ok(()) => {
            let names: Vec<String> = exempt.iter().map(ToString::to_string).collect();
            Finding::ok("settings", tenant::EXEMPT, format!("pay nothing: {}", names.join(", ")))
        }
        Err(error @ JobError::UnknownExempt { .. }) => wrong(tenant::EXEMPT, &error, REMEDY),
        Err(error) => wrong(tenant::EXEMPT, &error, remedy::TENANTS),
    })
}

/// The name is in the subject already.
fn wrong(name: &'static str, error: &(dyn Error + 'static), advice: &str) -> Finding {
    let line = one_line(error);
    let detail = line.strip_prefix(name).map_or(line.as_str(), |rest| rest.trim_start_matches([':', ' ']));
    Finding::failed("settings", name, detail, advice)
}

/// An address may hold a key, and is not shown.
fn ping(environment: &Environment) -> Finding {
    const REMEDY: &str = "expected https://HOST/PATH; {job} in it stands for the job's name";
    match Address::read(environment, "job", RunId::random()) {
        Ok(_) => Finding::ok("settings", PING_URL, "an address; this check does not call it"),
        Err(error) => wrong(PING_URL, &error, REMEDY),
    }
}

/// How long jobs may go without success. Nothing if that is not set.
fn overdue(environment: &Environment) -> Option<Finding> {
    environment.get(OVERDUE_AFTER)?;
    Some(match Limits::read(environment) {
        Ok(_) => Finding::ok("settings", OVERDUE_AFTER, "can be used"),
        Err(error) => wrong(OVERDUE_AFTER, &error, "expected JOB=DURATION,…, for example sync-emails=2h"),
    })
}

/// Where metrics are left. Nothing if that is not set.
fn metrics(environment: &Environment) -> Option<Finding> {
    const REMEDY: &str = "make the folder, and give this user the right to write there; runs only warn of it";
    let folder = environment.get(METRICS_FOLDER)?;
    let path = Path::new(folder);
    let problem = match Folder::new(path).probe() {
        _ if !path.is_dir() => format!("there is no folder {folder}"),
        Ok(()) => return Some(Finding::ok("settings", METRICS_FOLDER, format!("{folder} can be written to"))),
        Err(error) => error.to_string(),
    };
    Some(Finding::failed("settings", METRICS_FOLDER, problem, REMEDY))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::check::finding::Verdict;
    use crate::testing::Bench;

    fn of(findings: Vec<Finding>, name: &str) -> (Verdict, String) {
        let found = findings.into_iter().find(|finding| finding.subject == name).unwrap();
        assert_eq!(found.verdict == Verdict::Ok, found.remedy.is_none(), "{found:?}");
        assert!(!format!("{found:?}").contains("hunter2"), "{found:?}");
        (found.verdict, found.detail)
    }

    #[test]
    fn values_that_cannot_be_used_are_failures_by_name() {
        let table = [
            (ZONE, "Asia/Tbilisi", Verdict::Ok, "days are those of Asia/Tbilisi"),
            (ZONE, "Asia/Tiflis", Verdict::Failed, "cannot be used: there is no time zone"),
            (PING_URL, "https://hc.example/hunter2/{job}", Verdict::Ok, "does not call"),
            (PING_URL, "http://{job}.hc.example/", Verdict::Ok, "does not call"),
            (PING_URL, "hc.example/hunter2", Verdict::Failed, "cannot be used: expected an address"),
            (PING_URL, "ftp://hc.example/hunter2", Verdict::Failed, "begins with https://"),
            (METRICS_FOLDER, "/nowhere/metrics", Verdict::Failed, "there is no folder /nowhere/metrics"),
            (METRICS_FOLDER, "/tmp", Verdict::Ok, "/tmp can be written to"),
            (OVERDUE_AFTER, "sync-emails=2h", Verdict::Ok, "can be used"),
            (OVERDUE_AFTER, "sync-email=2h", Verdict::Failed, "there is no job"),
        ];
        for (name, value, verdict, part) in table {
            let told = of(check(&[(name, value)].into_iter().collect()), name);
            assert!(told.0 == verdict && told.1.contains(part), "{value}: {told:?}");
        }
        assert_eq!(of(check(&Environment::default()), ZONE).1, "days are those of UTC");
    }

    #[test]
    fn exempt_tenants_that_are_nobody_are_a_failure() {
        let bench = Bench::new();
        let told = |value: &str| {
            let found = exempt(&bench.store, &[(tenant::EXEMPT, value)].into_iter().collect());
            found.map(|found| of(vec![found], tenant::EXEMPT))
        };
        assert_eq!(told(""), None);
        assert_eq!(told("acme"), Some((Verdict::Ok, "pay nothing: acme".to_owned())));
        let (verdict, detail) = told("acme,acne").unwrap();
        assert!(verdict == Verdict::Failed && detail.contains("did you mean acme?"), "{detail}");
        let (verdict, detail) = told("ac/me").unwrap();
        assert!(verdict == Verdict::Failed && detail.starts_with("cannot be used"), "{detail}");
    }
}

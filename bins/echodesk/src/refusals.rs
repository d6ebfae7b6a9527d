//! Which jobs would not start here, and why: what explain and forecast tell is what jobs do where they are let.

use std::sync::Arc;

use echodesk_billing::ports::SystemRandom;
use echodesk_core::StoreErrorKind;
use echodesk_job::identity::{self, Acts};
use echodesk_job::{JobError, Needs, NoticeSettings, SettingsError, bank, one_line, readiness, tenant};
use echodesk_store::Store;
use serde_json::{Value, json};

use crate::command::World;
use crate::error::CommandError;

pub(crate) const PAYMENTS: &str = "recurring-payments";
pub(crate) const STATUS: &str = "subscription-status";
pub(crate) const MAIL: &str = "sync-emails";

/// What each job does that a copy of the database must not do, in the order in which jobs are told of.
const JOBS: [(&str, Acts); 3] = [
    (PAYMENTS, Acts { charges: true, must_mail: false }),
    (STATUS, Acts { charges: false, must_mail: true }),
    (MAIL, Acts { charges: false, must_mail: false }),
];

/// A reason why a job ends with exit code 2 before it has done anything.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Refusal {
    /// The job.
    pub(crate) job: &'static str,
    /// What is wrong, and what to do about it.
    pub(crate) why: String,
}

/// All reasons, by job, as far as they do not hang on flags of the crontab: where attachments go, sync-emails may
/// be told by one.
///
/// # Errors
/// The database is away, or nothing at all works with it.
pub(crate) fn all(store: &Store, world: &World) -> Result<Vec<Refusal>, CommandError> {
    let notices = notices(world);
    let tables = tables_of_billing(store)?;
    let mut refusals = Vec::new();
    for (job, acts) in JOBS {
        let mut why: Vec<String> = Vec::new();
        if acts.charges {
            let client = bank::client(&world.settings.environment, Arc::clone(&world.clock), Arc::new(SystemRandom));
            why.extend(client.err().map(|error| one_line(&error)));
        }
        match &notices {
            Err(error) => why.push(one_line(error)),
            Ok(notices) => {
                let email = if acts.must_mail { notices.email().err() } else { None };
                why.extend(email.map(|error| one_line(&error)));
                why.extend(not_ours(store, world, notices, acts)?);
            }
        }
        if job != MAIL {
            why.extend(tables.iter().cloned());
            why.extend(unknown_exempt(store, world)?);
        }
        refusals.extend(why.into_iter().map(|why| Refusal { job, why }));
    }
    Ok(refusals)
}

/// The jobs among them, each once.
pub(crate) fn jobs(refusals: &[Refusal]) -> Vec<&'static str> {
    let mut jobs: Vec<&'static str> = refusals.iter().map(|refusal| refusal.job).collect();
    jobs.dedup();
    jobs
}

/// For machines.
pub(crate) fn json(refusals: &[Refusal]) -> Value {
    refusals.iter().map(|Refusal { job, why }| json!({ "job": job, "why": why })).collect()
}

/// What carries them opens the file of certificate authorities.
fn notices(world: &World) -> Result<NoticeSettings, SettingsError> {
    let notices = NoticeSettings::read(&world.settings)?;
    notices.carrier(&world.terminal)?;
    Ok(notices)
}

/// What keeps payments from being made, where everything else works.
fn tables_of_billing(store: &Store) -> Result<Vec<String>, CommandError> {
    match readiness::check(store, Needs::Billing) {
        Ok(()) => Ok(Vec::new()),
        Err(JobError::NotReady { problems }) => {
            // What keeps everything from working is an error.
            readiness::check(store, Needs::Mail)?;
            Ok(problems)
        }
        Err(error) => Err(error.into()),
    }
}

/// Why a run with these settings would leave this database alone, if it would.
fn not_ours(
    store: &Store,
    world: &World,
    notices: &NoticeSettings,
    acts: Acts,
) -> Result<Option<String>, CommandError> {
    match identity::guard(store, &world.settings.environment, notices, acts) {
        Ok(_) => Ok(None),
        Err(error @ (JobError::NotBound { .. } | JobError::NotOurs { .. })) => {
            let line = one_line(&error);
            Ok(Some(line.strip_prefix("nothing was done: ").unwrap_or(&line).to_owned()))
        }
        // That its table is missing is told already.
        Err(JobError::Store(error)) if error.kind != StoreErrorKind::Unavailable => Ok(None),
        Err(error) => Err(error.into()),
    }
}

/// Whether somebody is exempt whom there is not.
fn unknown_exempt(store: &Store, world: &World) -> Result<Option<String>, CommandError> {
    let exempt = match tenant::exempt(&world.settings.environment) {
        Ok(exempt) => exempt,
        Err(error) => return Ok(Some(one_line(&error))),
    };
    match tenant::refuse_unknown_exempt(store, tenant::EXEMPT, &exempt) {
        Ok(()) => Ok(None),
        Err(error @ JobError::UnknownExempt { .. }) => Ok(Some(one_line(&error))),
        Err(error) => Err(error.into()),
    }
}

#[cfg(test)]
mod tests {
    use echodesk_core::Identity;
    use echodesk_store::Binding;

    use super::*;
    use crate::testing::{Bench, now};

    const BANK: [(&str, &str); 2] = [("BOG_CLIENT_ID", "shop"), ("BOG_CLIENT_SECRET", "hunter2")];
    const SMTP: [(&str, &str); 2] = [("EMAIL_HOST", "mx.example"), ("DEFAULT_FROM_EMAIL", "a@b.example")];

    fn told(bench: &mut Bench, pairs: &[(&str, &str)]) -> Vec<Refusal> {
        bench.world.settings.environment = pairs.iter().copied().collect();
        let found = all(&bench.store, &bench.world).unwrap();
        assert!(!format!("{found:?}").contains("hunter2"), "{found:?}");
        found
    }

    #[test]
    fn each_job_is_refused_for_what_it_does() {
        let mut bench = Bench::new();
        let unset = told(&mut bench, &[]);
        assert_eq!(jobs(&unset), [PAYMENTS], "{unset:?}");
        assert!(unset[0].why.starts_with("BOG_CLIENT_ID and BOG_CLIENT_SECRET are not set"), "{unset:?}");

        let set = told(&mut bench, &[BANK, SMTP].concat());
        assert_eq!(jobs(&set), [PAYMENTS, STATUS], "nobody has said whose it is: {set:?}");
        assert!(
            set[0].why.starts_with("before cards are charged") && set[1].why.starts_with("before notices are sent")
        );

        let wrong = told(&mut bench, &[&BANK[..], &[("EMAIL_PORT", "x")]].concat());
        assert_eq!(jobs(&wrong), [PAYMENTS, STATUS, MAIL], "each job delivers notices: {wrong:?}");
    }

    #[test]
    fn a_database_of_another_installation_is_refused_by_all() {
        let mut bench = Bench::new();
        let trial = Identity { environment: "trial".to_owned(), bank_client: Some("shop".to_owned()), mail_host: None };
        bench.store.bind(&trial, Binding::Own, "host", now()).unwrap();
        let named = |name| [&BANK[..], &[("ECHODESK_ENVIRONMENT", name)]].concat();
        assert_eq!(told(&mut bench, &named("trial")), []);
        let refused = told(&mut bench, &named("staging"));
        assert_eq!(jobs(&refused), [PAYMENTS, STATUS, MAIL]);
        assert!(refused.iter().all(|one| one.why.contains("belongs to \"trial\"")), "{refused:?}");
        assert_eq!(json(&refused)[2]["job"], MAIL);
    }

    #[test]
    fn somebody_exempt_who_is_nobody_stops_the_jobs_of_billing() {
        let mut bench = Bench::new();
        let refused = told(&mut bench, &[("ECHODESK_EXEMPT_TENANTS", "acne")]);
        let exempt = |job| refused.iter().any(|one| one.job == job && one.why.contains("did you mean acme?"));
        assert!(exempt(PAYMENTS) && exempt(STATUS) && !exempt(MAIL), "{refused:?}");
    }
}

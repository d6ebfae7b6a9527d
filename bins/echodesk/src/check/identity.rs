//! Is the database this installation's?

use echodesk_core::{Difference, Environment, StoreErrorKind};
use echodesk_job::{identity, one_line};
use echodesk_notify::EmailSettings;
use echodesk_store::{BoundIdentity, DatabaseMatch, Store};

use super::finding::Finding;
use super::remedy;

const BIND: &str = "run `echodesk identity bind`";
const NAME_AND_BIND: &str = "set ECHODESK_ENVIRONMENT, for example to production, and run `echodesk identity bind`";
const COMPARE: &str = "so that copies are recognised: on PostgreSQL grant EXECUTE on pg_catalog.pg_control_system(), \
                       then run `echodesk identity bind`";
const ADD: &str = "if this is right, run `echodesk identity bind`";
const REBIND: &str = "a copy of another installation's: `echodesk identity bind --copy`; moved or changed: `echodesk \
                      identity bind --moved`";

/// Compares what can be read. `are_tables_wrong` says whether that of the identity may be missing, which is told
/// already.
pub(super) fn check(store: &Store, environment: &Environment, are_tables_wrong: bool) -> Finding {
    let email = EmailSettings::from_environment(environment);
    let is_whole = email.is_ok();
    // A mail server that cannot be understood is set all the same.
    let here = identity::surroundings_by(environment, email.ok().flatten().as_ref());
    let acts = here.bank_client.is_some() || here.mail_host.is_some() || !is_whole;
    let found = match store.identity() {
        Ok(None) => return unbound(acts, environment.get("ECHODESK_ENVIRONMENT").is_some()),
        Ok(Some(bound)) => judge(&bound, &identity::compare_with(&bound, environment, &here)),
        Err(error) if are_tables_wrong && error.kind != StoreErrorKind::Unavailable => {
            return Finding::not_looked_at("identity", "", remedy::TABLES);
        }
        Err(error) => return Finding::failed("identity", "", one_line(&error), remedy::TENANTS),
    };
    if is_whole { found } else { but_for_mail(found) }
}

/// The same, without the mail server.
fn but_for_mail(found: Finding) -> Finding {
    const WHY: &str = "; the mail server was not looked at, because the e-mail settings cannot be used";
    let detail = found.detail + WHY;
    match found.remedy {
        Some(remedy) => Finding::failed("identity", "", detail, remedy),
        None => Finding::failed("identity", "", detail, "correct them (see email), then check again").warning(),
    }
}

fn unbound(acts: bool, has_name: bool) -> Finding {
    if acts {
        let detail = "nobody has said whose this database is, so no card is charged and no mail is sent";
        return Finding::failed("identity", "", detail, if has_name { BIND } else { NAME_AND_BIND });
    }
    Finding::ok("identity", "", "not bound; needed only to charge cards and to send mails by a server")
}

fn judge(bound: &BoundIdentity, differences: &[Difference]) -> Finding {
    let name = &bound.identity.environment;
    if differences.is_empty() {
        let ours = format!("the database belongs to this installation, {name:?}");
        if bound.database != DatabaseMatch::Unknown {
            return Finding::ok("identity", "", ours);
        }
        let detail = format!("{ours}; whether it is the very one that was bound cannot be told");
        return Finding::failed("identity", "", detail, COMPARE).warning();
    }
    let told: Vec<String> = differences.iter().map(ToString::to_string).collect();
    let detail = format!("the database belongs to {name:?}, and jobs do not run on it from here: {}", told.join("; "));
    let remedy = if differences.iter().all(Difference::is_addition) { ADD } else { REBIND };
    Finding::failed("identity", "", detail, remedy)
}

#[cfg(test)]
mod tests {
    use echodesk_core::Identity;
    use echodesk_store::Binding;

    use super::*;
    use crate::check::finding::Verdict;
    use crate::testing::{Bench, now};

    #[test]
    fn what_can_be_read_is_compared_also_where_the_mail_settings_cannot_be_used() {
        let bench = Bench::new();
        let wrong = [("EMAIL_HOST", "mx.example"), ("EMAIL_PORT", "x"), ("DEFAULT_FROM_EMAIL", "a@b.example")];
        let found = |name: &'static str| {
            let environment = wrong.iter().copied().chain([("ECHODESK_ENVIRONMENT", name)]).collect();
            check(&bench.store, &environment, false)
        };
        assert!(found("trial").detail.starts_with("nobody has said"), "it is meant to send mails");
        let trial = Identity { environment: "trial".to_owned(), bank_client: None, mail_host: None };
        bench.store.bind(&trial, Binding::Own, "host", now()).unwrap();
        for (name, verdict, part) in
            [("trial", Verdict::Warning, "belongs to this installation"), ("other", Verdict::Failed, "from here")]
        {
            let found = found(name);
            assert!(found.verdict == verdict && found.detail.contains(part), "{found:?}");
            assert!(found.detail.contains("the mail server was not looked at"), "{found:?}");
        }
    }

    #[test]
    fn a_database_of_somebody_else_fails_with_the_way_to_go_on() {
        let identity = Identity { environment: "production".to_owned(), bank_client: None, mail_host: None };
        let bound = BoundIdentity {
            identity,
            copied_bank_client: None,
            database: DatabaseMatch::Same,
            bound_at: now(),
            bound_by: "h".to_owned(),
        };
        let addition = Difference::BankClient { here: "10".to_owned(), bound: None };
        let table: [(&[Difference], Verdict, &str); 3] = [
            (&[], Verdict::Ok, ""),
            (std::slice::from_ref(&addition), Verdict::Failed, "if this is right"),
            (&[addition.clone(), Difference::Database], Verdict::Failed, "--copy"),
        ];
        for (differences, verdict, remedy) in table {
            let found = judge(&bound, differences);
            assert_eq!(found.verdict, verdict, "{found:?}");
            assert!(found.remedy.unwrap_or_default().contains(remedy), "{differences:?}");
        }
        assert_eq!((unbound(true, true).verdict, unbound(false, true).verdict), (Verdict::Failed, Verdict::Ok));
        for has_name in [true, false] {
            let remedy = unbound(true, has_name).remedy.unwrap_or_default();
            assert!(remedy.contains("identity bind"), "{remedy}");
            assert_eq!(remedy.contains("set ECHODESK_ENVIRONMENT"), !has_name, "{remedy}");
        }
    }
}

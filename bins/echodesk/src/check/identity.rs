//! Is the database this installation's?

use echodesk_core::Difference;
use echodesk_job::{NoticeSettings, Settings, identity, one_line};
use echodesk_store::{BoundIdentity, Store};

use super::finding::Finding;
use super::remedy;

const BIND: &str = "run `echodesk identity bind`";
const NAME_AND_BIND: &str = "set ECHODESK_ENVIRONMENT, for example to production, and run `echodesk identity bind`";
const ADD: &str = "if this is right, run `echodesk identity bind`";
const REBIND: &str = "a copy of another installation's: `echodesk identity bind --copy`; moved or changed: `echodesk \
                      identity bind --moved`";

/// Nothing where the e-mail settings cannot be used, which is told already.
pub(super) fn check(store: &Store, settings: &Settings) -> Option<Finding> {
    let notices = NoticeSettings::read(settings).ok()?;
    let environment = &settings.environment;
    let acts = environment.get("BOG_CLIENT_ID").is_some() || notices.sends_to_a_server();
    Some(match store.identity() {
        Ok(None) => unbound(acts, environment.get("ECHODESK_ENVIRONMENT").is_some()),
        Ok(Some(bound)) => {
            let differences = identity::compare(&bound, environment, &notices);
            judge(&bound, &differences)
        }
        Err(error) => Finding::failed("identity", "", one_line(&error), remedy::TENANTS),
    })
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
        return Finding::ok("identity", "", format!("the database belongs to this installation, {name:?}"));
    }
    let told: Vec<String> = differences.iter().map(ToString::to_string).collect();
    let detail = format!("the database belongs to {name:?}, and jobs do not run on it from here: {}", told.join("; "));
    let remedy = if differences.iter().all(Difference::is_addition) { ADD } else { REBIND };
    Finding::failed("identity", "", detail, remedy)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::check::finding::Verdict;
    use crate::testing::now;

    #[test]
    fn a_database_of_somebody_else_fails_with_the_way_to_go_on() {
        let identity =
            echodesk_core::Identity { environment: "production".to_owned(), bank_client: None, mail_host: None };
        let bound = BoundIdentity { identity, same_database: true, bound_at: now(), bound_by: "h".to_owned() };
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

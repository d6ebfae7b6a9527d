//! Is the database there, and are its tables as this version needs them?

use echodesk_core::{DatabaseUrl, SchemaName};
use echodesk_job::one_line;
use echodesk_store::{Access, SchemaFinding, Severity, Store};

use super::finding::Finding;
use super::remedy;

/// Opens the database for reading, which changes nothing in it.
pub(super) fn open(url: &DatabaseUrl, findings: &mut Vec<Finding>) -> Option<Store> {
    match Store::open(url, Access::ReadOnly) {
        Ok(store) => {
            findings.push(Finding::ok("database", url.to_string(), "reachable"));
            Some(store)
        }
        Err(error) => {
            let advice = remedy::database(&error, url);
            findings.push(Finding::failed("database", url.to_string(), one_line(&error), advice));
            None
        }
    }
}

/// What a check is about.
#[derive(Clone, Copy)]
pub(super) struct Scope<'a> {
    /// The only tenant of interest, if it is one.
    pub(super) tenant: Option<&'a SchemaName>,
    /// Whether payments are set up, so that what keeps them from working is a failure.
    pub(super) is_billed: bool,
}

/// Compares the tables with what this version needs: the shared ones, and those of every active tenant
/// or of one.
pub(super) fn tables(store: &Store, url: &DatabaseUrl, scope: Scope<'_>) -> Vec<Finding> {
    match store.inspect_for_jobs() {
        Ok(findings) => from_schemas(findings, scope),
        Err(error) => vec![Finding::failed("tables", "", one_line(&error), remedy::tables(&error, url))],
    }
}

fn from_schemas(mut findings: Vec<SchemaFinding>, scope: Scope<'_>) -> Vec<Finding> {
    findings.retain(|finding| {
        let of_all = matches!(finding.severity, Severity::Fatal | Severity::Billing);
        of_all || scope.tenant.is_none_or(|only| only.as_str() == finding.schema)
    });
    if findings.is_empty() {
        return vec![Finding::ok("tables", "", "all there, with every column that is needed")];
    }
    findings.into_iter().map(|finding| from_schema(finding, scope.is_billed)).collect()
}

fn from_schema(finding: SchemaFinding, is_billed: bool) -> Finding {
    let problem = match finding.severity {
        Severity::Billing => format!("no payments: {}", finding.problem),
        Severity::Warning | Severity::Tenant | Severity::Fatal => finding.problem,
    };
    let failed = Finding::failed("tables", finding.schema, problem, finding.remedy);
    match finding.severity {
        Severity::Fatal | Severity::Tenant => failed,
        Severity::Billing if is_billed => failed,
        Severity::Billing | Severity::Warning => failed.warning(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::check::finding::Verdict;

    const ALL: Scope<'_> = Scope { tenant: None, is_billed: true };

    fn finding(severity: Severity, schema: &str) -> SchemaFinding {
        let (problem, remedy) = ("table t is missing".to_owned(), "make it".to_owned());
        SchemaFinding { severity, schema: schema.to_owned(), problem, remedy }
    }

    #[test]
    fn what_the_store_finds_keeps_its_severity_and_remedy() {
        let table = [
            (Severity::Fatal, Verdict::Failed),
            (Severity::Tenant, Verdict::Failed),
            (Severity::Warning, Verdict::Warning),
        ];
        for (severity, verdict) in table {
            let found = from_schemas(vec![finding(severity, "acme")], ALL);
            assert_eq!((found[0].verdict, found[0].subject.as_str()), (verdict, "acme"));
            assert_eq!(found[0].remedy.as_deref(), Some("make it"));
        }
    }

    #[test]
    fn what_keeps_payments_from_working_is_a_failure_where_they_are_set_up() {
        for (is_billed, verdict) in [(true, Verdict::Failed), (false, Verdict::Warning)] {
            let found = from_schemas(vec![finding(Severity::Billing, "public")], Scope { is_billed, ..ALL });
            assert_eq!(found[0].verdict, verdict);
            assert_eq!(found[0].detail, "no payments: table t is missing");
        }
    }

    #[test]
    fn who_asks_about_one_tenant_is_not_told_of_others() {
        let only: SchemaName = "acme".parse().unwrap();
        let findings = || vec![finding(Severity::Fatal, "public"), finding(Severity::Tenant, "globex")];
        let subjects = |found: Vec<Finding>| found.into_iter().map(|f| f.subject).collect::<Vec<_>>();
        assert_eq!(subjects(from_schemas(findings(), Scope { tenant: Some(&only), ..ALL })), ["public"]);
        assert_eq!(subjects(from_schemas(findings(), ALL)), ["public", "globex"]);
        assert_eq!(from_schemas(vec![], ALL)[0].verdict, Verdict::Ok);
    }
}

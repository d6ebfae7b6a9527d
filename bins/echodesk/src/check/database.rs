//! Is the database there, and are its tables as this version needs them?

use echodesk_core::DatabaseUrl;
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
            let advice = remedy::database(&error);
            findings.push(Finding::failed("database", url.to_string(), one_line(&error), advice));
            None
        }
    }
}

/// Compares the tables with what this version needs.
pub(super) fn tables(store: &Store) -> Vec<Finding> {
    match store.inspect() {
        Ok(findings) if findings.is_empty() => {
            vec![Finding::ok("tables", "", "all there, with every column that is needed")]
        }
        Ok(findings) => findings.into_iter().map(from_schema).collect(),
        Err(error) => vec![Finding::failed("tables", "", one_line(&error), remedy::TENANTS)],
    }
}

fn from_schema(finding: SchemaFinding) -> Finding {
    let failed = Finding::failed("tables", finding.schema, finding.problem, finding.remedy);
    match finding.severity {
        Severity::Fatal | Severity::Tenant => failed,
        Severity::Warning => failed.warning(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::check::finding::Verdict;

    #[test]
    fn what_the_store_finds_keeps_its_severity_and_remedy() {
        for (severity, verdict) in [
            (Severity::Fatal, Verdict::Failed),
            (Severity::Tenant, Verdict::Failed),
            (Severity::Warning, Verdict::Warning),
        ] {
            let text = |text: &str| text.to_owned();
            let (schema, problem, remedy) = (text("acme"), text("NOT NULL"), text("give it a default"));
            let finding = from_schema(SchemaFinding { severity, schema, problem, remedy });
            assert_eq!((finding.verdict, finding.subject.as_str()), (verdict, "acme"));
            assert_eq!(finding.remedy.as_deref(), Some("give it a default"));
        }
    }
}

//! Whether the database can be worked on at all. Found out before anything is started.

use echodesk_store::{SchemaFinding, Severity, Store};

use crate::error::JobError;

/// Refuses a database whose shared tables this version cannot work with. What is wrong with one
/// tenant's tables is that tenant's failure, which the run itself reports.
///
/// # Errors
/// [`JobError::NotReady`] with one line per problem; the database is away.
pub fn check(store: &Store) -> Result<(), JobError> {
    let problems = blocking(&store.inspect()?);
    if problems.is_empty() { Ok(()) } else { Err(JobError::NotReady { problems }) }
}

fn blocking(findings: &[SchemaFinding]) -> Vec<String> {
    let blocks = |finding: &&SchemaFinding| finding.severity == Severity::Error && is_shared(&finding.place);
    findings.iter().filter(blocks).map(described).collect()
}

/// Place, problem, remedy: one line.
fn described(finding: &SchemaFinding) -> String {
    format!("{}: {} ({})", finding.place, finding.problem, finding.remedy)
}

/// Whether a place such as `public.tenants_tenant.plan` belongs to everybody.
fn is_shared(place: &str) -> bool {
    place.split('.').next() == Some("public")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn finding(severity: Severity, place: &str) -> SchemaFinding {
        let (problem, remedy) = ("is missing".to_owned(), "run `echodesk migrate`".to_owned());
        SchemaFinding { severity, place: place.to_owned(), problem, remedy }
    }

    #[test]
    fn only_errors_of_the_shared_tables_stop_everything() {
        let findings = [
            finding(Severity::Error, "public.echodesk_lease"),
            finding(Severity::Warning, "public.tenants_tenant.plan"),
            finding(Severity::Error, "acme.echodesk_mail_item"),
            finding(Severity::Error, "publicity.echodesk_mail_item"),
        ];
        assert_eq!(blocking(&findings), ["public.echodesk_lease: is missing (run `echodesk migrate`)"]);
    }
}

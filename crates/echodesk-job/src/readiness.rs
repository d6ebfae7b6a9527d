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
    findings.iter().filter(|finding| finding.severity == Severity::Fatal).map(described).collect()
}

/// Place, problem, remedy: one line.
fn described(finding: &SchemaFinding) -> String {
    format!("{}: {} ({})", finding.schema, finding.problem, finding.remedy)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn finding(severity: Severity, schema: &str) -> SchemaFinding {
        let (problem, remedy) = ("table t is missing".to_owned(), "run `echodesk migrate`".to_owned());
        SchemaFinding { severity, schema: schema.to_owned(), problem, remedy }
    }

    #[test]
    fn only_what_concerns_everybody_stops_everything() {
        let findings = [
            finding(Severity::Fatal, "public"),
            finding(Severity::Warning, "public"),
            finding(Severity::Tenant, "acme"),
        ];
        assert_eq!(blocking(&findings), ["public: table t is missing (run `echodesk migrate`)"]);
    }
}

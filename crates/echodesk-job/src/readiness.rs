//! Whether the database can be worked on at all. Found out before anything is started.

use echodesk_store::{SchemaFinding, Severity, Store};

use crate::error::JobError;

/// What a job does, and so which tables it cannot do without.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Needs {
    /// Mail, and looking after tenants: works on also where the tables of billing are odd.
    Mail,
    /// Subscriptions, orders and payments.
    Billing,
}

/// Refuses a database whose shared tables this version cannot work with. What is wrong with one
/// tenant's tables is that tenant's failure, which the run itself reports.
///
/// # Errors
/// [`JobError::NotReady`] with one line per problem; the database is away.
pub fn check(store: &Store, needs: Needs) -> Result<(), JobError> {
    let findings = match needs {
        Needs::Mail => store.inspect()?,
        // Nothing of a tenant's own tables is used, and there may be very many tenants.
        Needs::Billing => store.inspect_public()?,
    };
    let problems = blocking(&findings, needs);
    if problems.is_empty() { Ok(()) } else { Err(JobError::NotReady { problems }) }
}

fn blocking(findings: &[SchemaFinding], needs: Needs) -> Vec<String> {
    let blocks = |finding: &&SchemaFinding| match finding.severity {
        Severity::Warning | Severity::Tenant => false,
        Severity::Billing => needs == Needs::Billing,
        Severity::Fatal => true,
    };
    findings.iter().filter(blocks).map(described).collect()
}

/// Place, problem, remedy: one line.
fn described(finding: &SchemaFinding) -> String {
    format!("{}: {} ({})", finding.schema, finding.problem, finding.remedy)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn finding(severity: Severity, schema: &str, problem: &str) -> SchemaFinding {
        let (problem, remedy) = (problem.to_owned(), "run `echodesk migrate`".to_owned());
        SchemaFinding { severity, schema: schema.to_owned(), problem, remedy }
    }

    #[test]
    fn only_what_concerns_everybody_stops_everything() {
        let findings = [
            finding(Severity::Fatal, "public", "table t is missing"),
            finding(Severity::Billing, "public", "table b is missing"),
            finding(Severity::Warning, "public", "table w is odd"),
            finding(Severity::Tenant, "acme", "table a is missing"),
        ];
        let (t, b) = (
            "public: table t is missing (run `echodesk migrate`)",
            "public: table b is missing (run `echodesk migrate`)",
        );
        assert_eq!(blocking(&findings, Needs::Mail), [t]);
        assert_eq!(blocking(&findings, Needs::Billing), [t, b]);
    }
}

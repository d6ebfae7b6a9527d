//! The tables in `public` that billing needs, and what keeps it from using them.

use super::{MIGRATE, SchemaFinding, Severity, UNKNOWN_REMEDY, public_finding, unknown};
use crate::catalog::{self, Shape};
use crate::connection::Connection;
use crate::error::Outcome;

/// All that is wrong with them. The tables of tenants and ours that every job needs are there.
pub(super) fn findings(connection: &mut Connection, public: &Shape, writes: bool) -> Outcome<Vec<SchemaFinding>> {
    let mut findings: Vec<SchemaFinding> = shape_findings(public);
    if let Connection::Postgres(connection) = connection {
        let lacking =
            catalog::lacking_rights(connection, &["public"], &catalog::needed(&catalog::BILLING_RIGHTS, writes))?;
        findings.extend(lacking.into_values().map(|lacks| {
            public_finding(Severity::Billing, lacks.problem(), &format!("{}; only payments need it", lacks.remedy()))
        }));
    }
    Ok(findings)
}

fn shape_findings(public: &Shape) -> Vec<SchemaFinding> {
    let echodesk_migrates = if public.has(catalog::DJANGO) { "let EchoDesk migrate its database" } else { MIGRATE };
    let mut findings = Vec::new();
    for table in catalog::ECHODESK_BILLING_TABLES {
        findings.extend(of_table(public, table, echodesk_migrates));
    }
    findings.extend(of_table(public, catalog::SAVED_CARDS, echodesk_migrates));
    if public.has(catalog::RETRIES) {
        findings.extend(missing_columns(public, catalog::RETRIES, echodesk_migrates));
    }
    for table in catalog::OWN_BILLING_TABLES {
        findings.extend(of_table(public, table, MIGRATE));
    }
    for table in catalog::ECHODESK_BILLING_TABLES {
        let severity =
            if catalog::INSERTED_BY_BILLING.contains(&table) { Severity::Billing } else { Severity::Warning };
        findings.extend(
            catalog::unknown_required(public, table)
                .map(|column| public_finding(severity, unknown("public", table, column), UNKNOWN_REMEDY)),
        );
    }
    findings
}

fn of_table(public: &Shape, table: &'static str, remedy: &str) -> Vec<SchemaFinding> {
    if public.has(table) {
        return missing_columns(public, table, remedy);
    }
    vec![public_finding(Severity::Billing, format!("table {table} is missing"), remedy)]
}

fn missing_columns(public: &Shape, table: &'static str, remedy: &str) -> Vec<SchemaFinding> {
    catalog::missing_columns(public, table)
        .map(|column| public_finding(Severity::Billing, format!("{table} has no column {column}"), remedy))
        .collect()
}

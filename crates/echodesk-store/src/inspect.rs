//! What a job must know about the tables before it does anything.

use std::collections::HashMap;

use diesel::prelude::*;
use diesel::sql_types::Text;
use echodesk_core::SchemaName;
use echodesk_mail::ports::{StoreError, TenantProblem};

use crate::Store;
use crate::catalog::{self, Shape};
use crate::connection::{Connection, Place, on};
use crate::error::Outcome;
use crate::migrations::{self, BOOK};
use crate::store::BackEnd;
use crate::tenants::{self, TenantRow, Which};

/// Something about the tables that is not as a job needs it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SchemaFinding {
    /// How bad it is.
    pub severity: Severity,
    /// The schema it is about: a tenant's, or `public`.
    pub schema: String,
    /// What was found, in one line.
    pub problem: String,
    /// What to do about it, in one line.
    pub remedy: String,
}

/// How bad a [`SchemaFinding`] is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Severity {
    /// Nothing in this run depends on it.
    Warning,
    /// This tenant cannot be worked for; others can.
    Tenant,
    /// No job can start.
    Fatal,
}

const MIGRATE: &str = "run `echodesk migrate`";

impl Store {
    /// Everything about the tables that is not as the jobs need it: of `public`, and of every active
    /// tenant. Takes a few queries, however many tenants there are.
    ///
    /// # Errors
    /// The database is away.
    pub fn inspect(&self) -> Result<Vec<SchemaFinding>, StoreError> {
        let what = "inspecting the tables of schema public";
        let (mut findings, rows) = self.read(Place::Public, what, |c| {
            let survey = catalog::survey(c, &["public"])?;
            let public = survey.get("public").cloned().unwrap_or_default();
            let findings = public_findings(c, &public)?;
            let rows = if public.has(catalog::TENANTS) { tenants::load(c, &Which::Active)? } else { Vec::new() };
            Ok((findings, rows))
        })?;
        for row in &rows {
            findings.extend(row.bad_name.as_ref().map(|why| {
                let problem = TenantProblem::BadName(why.clone());
                tenant_finding(row.tenant.schema.as_str(), &problem)
            }));
        }
        findings.extend(match self.back_end() {
            BackEnd::Postgres(_) => self.inspect_schemas(&rows)?,
            BackEnd::Sqlite(_) => self.inspect_files(&rows)?,
        });
        Ok(findings)
    }

    fn inspect_schemas(&self, rows: &[TenantRow]) -> Result<Vec<SchemaFinding>, StoreError> {
        let schemas: Vec<&SchemaName> =
            rows.iter().filter(|row| row.bad_name.is_none()).map(|row| &row.tenant.schema).collect();
        self.read(Place::Public, "inspecting the tables of the tenants", |c| {
            let names: Vec<&str> = schemas.iter().map(|schema| schema.as_str()).collect();
            let shapes = catalog::survey(c, &names)?;
            let pending = pending(c, &schemas, &shapes)?;
            Ok(schemas
                .iter()
                .flat_map(|schema| {
                    let name = schema.as_str();
                    schema_findings(name, shapes.get(name), pending.get(name).is_some_and(|pending| *pending))
                })
                .collect())
        })
    }

    fn inspect_files(&self, rows: &[TenantRow]) -> Result<Vec<SchemaFinding>, StoreError> {
        let mut findings = Vec::new();
        for schema in rows.iter().filter(|row| row.bad_name.is_none()).map(|row| &row.tenant.schema) {
            if let BackEnd::Sqlite(folder) = self.back_end()
                && folder.lacks(schema)
            {
                findings.extend(schema_findings(schema.as_str(), None, false));
                continue;
            }
            findings.extend(self.read(Place::Tenant(schema), &format!("inspecting the tables of {schema}"), |c| {
                let survey = catalog::survey(c, &[schema.as_str()])?;
                let pending = !migrations::pending(c, Place::Tenant(schema))?.is_empty();
                Ok(schema_findings(schema.as_str(), survey.get(schema.as_str()), pending))
            })?);
        }
        Ok(findings)
    }
}

fn public_findings(connection: &mut Connection, public: &Shape) -> Outcome<Vec<SchemaFinding>> {
    let finding = |severity, problem: String, remedy: &str| SchemaFinding {
        severity,
        schema: "public".to_owned(),
        problem,
        remedy: remedy.to_owned(),
    };
    let mut findings = Vec::new();
    if !public.has(catalog::TENANTS) {
        let remedy = if public.has(catalog::DJANGO) { "let EchoDesk migrate its database first" } else { MIGRATE };
        findings.push(finding(Severity::Fatal, format!("table {} is missing", catalog::TENANTS), remedy));
        return Ok(findings);
    }
    for column in catalog::missing_columns(public, catalog::TENANTS) {
        let problem = format!("{} has no column {column}", catalog::TENANTS);
        findings.push(finding(Severity::Fatal, problem, "let EchoDesk migrate its database"));
    }
    for column in catalog::unknown_required(public, catalog::TENANTS) {
        findings.push(finding(Severity::Warning, unknown("public", catalog::TENANTS, column), UNKNOWN_REMEDY));
    }
    let missing: Vec<&str> = catalog::OWN_PUBLIC_TABLES.into_iter().filter(|table| !public.has(table)).collect();
    if !missing.is_empty() {
        findings.push(finding(Severity::Fatal, format!("tables of ours are missing: {}", missing.join(", ")), MIGRATE));
    } else if !migrations::pending(connection, Place::Public)?.is_empty() {
        findings.push(finding(Severity::Fatal, "tables of ours are old".to_owned(), MIGRATE));
    }
    Ok(findings)
}

fn schema_findings(schema: &str, shape: Option<&Shape>, pending: bool) -> Vec<SchemaFinding> {
    let mut findings = Vec::new();
    match catalog::judge(schema, shape) {
        Err(problem) => findings.push(tenant_finding(schema, &problem)),
        Ok(_) if pending => findings.push(SchemaFinding {
            severity: Severity::Tenant,
            schema: schema.to_owned(),
            problem: "tables of ours are old".to_owned(),
            remedy: MIGRATE.to_owned(),
        }),
        Ok(_) => {}
    }
    // A sync only updates these rows; adding a mailbox would fail.
    if let Some(shape) = shape {
        findings.extend(catalog::unknown_required(shape, catalog::CONNECTIONS).map(|column| SchemaFinding {
            severity: Severity::Warning,
            schema: schema.to_owned(),
            problem: unknown(schema, catalog::CONNECTIONS, column),
            remedy: UNKNOWN_REMEDY.to_owned(),
        }));
    }
    findings
}

fn unknown(schema: &str, table: &str, column: &str) -> String {
    format!("{schema}.{table}.{column} is NOT NULL without a default, and this version does not know how to fill it")
}

const UNKNOWN_REMEDY: &str = "give the column a default, or use a version of these jobs that knows it";

fn tenant_finding(schema: &str, problem: &TenantProblem) -> SchemaFinding {
    let remedy = match problem {
        TenantProblem::SchemaMissing { .. } => "create the schema in EchoDesk, or deactivate the tenant",
        TenantProblem::NotMigrated { .. } | TenantProblem::ColumnMissing { .. } => {
            "let EchoDesk migrate the tenant (`migrate_schemas`)"
        }
        TenantProblem::OwnTablesMissing { .. } => MIGRATE,
        TenantProblem::UnknownRequiredColumn { .. } => UNKNOWN_REMEDY,
        TenantProblem::Unreadable { .. } => "give the database user the right to use the schema",
        TenantProblem::BadName(_) => "correct tenants_tenant.schema_name",
    };
    SchemaFinding {
        severity: Severity::Tenant,
        schema: schema.to_owned(),
        problem: problem.to_string(),
        remedy: remedy.to_owned(),
    }
}

/// Which of the schemas that we have migrated lack a migration of this version.
fn pending(
    connection: &mut Connection,
    schemas: &[&SchemaName],
    shapes: &HashMap<String, Shape>,
) -> Outcome<HashMap<String, bool>> {
    #[derive(QueryableByName)]
    struct Row {
        #[diesel(sql_type = Text)]
        schema: String,
        #[diesel(sql_type = Text)]
        version: String,
    }

    let mut pending = HashMap::new();
    let booked: Vec<&&SchemaName> =
        schemas.iter().filter(|schema| shapes.get(schema.as_str()).is_some_and(|shape| shape.has(BOOK))).collect();
    for chunk in booked.chunks(100) {
        let parts: Vec<String> = chunk
            .iter()
            .map(|schema| format!("SELECT '{schema}' AS schema, version::text AS version FROM \"{schema}\".{BOOK}"))
            .collect();
        let rows: Vec<Row> = on!(&mut *connection, |c| diesel::sql_query(parts.join(" UNION ALL ")).load(c))?;
        for schema in chunk {
            let has = |version: &str| rows.iter().any(|row| row.schema == schema.as_str() && row.version == version);
            let lacks = migrations::expected(Place::Tenant(schema))?.iter().any(|wanted| !has(&wanted.version));
            pending.insert(schema.to_string(), lacks);
        }
    }
    Ok(pending)
}

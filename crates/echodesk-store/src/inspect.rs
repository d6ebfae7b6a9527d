//! What a job must know about the tables before it does anything.

mod billing;

use std::collections::HashMap;

use diesel::prelude::*;
use diesel::sql_types::Text;
use echodesk_core::SchemaName;
use echodesk_mail::ports::{StoreError, StoreErrorKind, TenantProblem};

use crate::Store;
use crate::catalog::{self, Lacking, Shape};
use crate::connection::{Connection, Place, on};
use crate::error::{Failure, Outcome};
use crate::mailboxes::unreadable;
use crate::migrations::{self, BOOK};
use crate::sqlite::SqliteFolder;
use crate::store::BackEnd;
use crate::tenants::{self, Tenants, Unusable, Which};

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
    /// Nothing about payments can be done; everything else can.
    Billing,
    /// No job can start.
    Fatal,
}

const MIGRATE: &str = "run `echodesk migrate`";

impl Store {
    /// Everything about the tables that is not as the jobs need it: of `public`, of every active
    /// tenant, and every tenant whose schema name cannot be used. Takes a few queries, however many
    /// tenants there are. A tenant that cannot be inspected is a finding and costs the others nothing.
    ///
    /// # Errors
    /// The database is away.
    pub fn inspect(&self) -> Result<Vec<SchemaFinding>, StoreError> {
        self.inspect_with(None, self.may_write())
    }

    /// As [`Store::inspect`], with the rights that jobs need to write, although this store may only read.
    ///
    /// # Errors
    /// The database is away.
    pub fn inspect_for_jobs(&self) -> Result<Vec<SchemaFinding>, StoreError> {
        self.inspect_with(None, true)
    }

    /// As [`Store::inspect`]; with a tenant, of `public` and of that one alone, active or not.
    ///
    /// # Errors
    /// The database is away; nothing keeps jobs from starting, but there is no such tenant.
    pub fn inspect_for(&self, tenant: Option<&SchemaName>) -> Result<Vec<SchemaFinding>, StoreError> {
        self.inspect_with(tenant, self.may_write())
    }

    fn inspect_with(&self, tenant: Option<&SchemaName>, writes: bool) -> Result<Vec<SchemaFinding>, StoreError> {
        let what = "inspecting the tables of schema public";
        let which = tenant.map_or(Which::All, Which::One);
        let (mut findings, tenants) = self.read(Place::Public, what, |c| {
            let survey = catalog::survey(c, &["public"])?;
            let public = survey.get("public").cloned().unwrap_or_default();
            let lacking = common_rights(c, writes)?;
            let can_list = lacking.is_none()
                && public.has(catalog::TENANTS)
                && catalog::missing_columns(&public, catalog::TENANTS).next().is_none();
            let tenants = if can_list { tenants::load(c, &which)? } else { Tenants::default() };
            Ok((public_findings(c, &public, lacking, writes)?, tenants))
        })?;
        if let Some(schema) = tenant
            && tenants.usable.is_empty()
            && !findings.iter().any(|finding| finding.severity == Severity::Fatal)
        {
            return Err(Failure::UnknownTenant(schema.clone()).during(what));
        }
        findings.extend(tenants.unusable.iter().map(bad_name));
        let schemas: Vec<&SchemaName> = tenants
            .usable
            .iter()
            .filter(|found| found.is_active || tenant.is_some())
            .map(|found| &found.schema)
            .collect();
        findings.extend(match self.back_end() {
            BackEnd::Postgres(_) => self.inspect_schemas(&schemas, writes)?,
            BackEnd::Sqlite(folder) => self.inspect_files(folder, &schemas)?,
        });
        Ok(findings)
    }

    /// As [`Store::inspect`], of `public` alone: what keeps a job from starting, at a cost that does not
    /// grow with the tenants.
    ///
    /// # Errors
    /// The database is away.
    pub fn inspect_public(&self) -> Result<Vec<SchemaFinding>, StoreError> {
        self.read(Place::Public, "inspecting the tables of schema public", |c| {
            let survey = catalog::survey(c, &["public"])?;
            let writes = self.may_write();
            let lacking = common_rights(c, writes)?;
            public_findings(c, &survey.get("public").cloned().unwrap_or_default(), lacking, writes)
        })
    }

    fn inspect_schemas(&self, schemas: &[&SchemaName], writes: bool) -> Result<Vec<SchemaFinding>, StoreError> {
        let names: Vec<&str> = schemas.iter().map(|schema| schema.as_str()).collect();
        // The catalog is open to every user, whatever he may do with the tables.
        let (shapes, lacking) = self.read(Place::Public, "inspecting the tables of the tenants", |c| {
            let lacking = match c {
                Connection::Postgres(c) => {
                    catalog::lacking_rights(c, &names, &catalog::needed(&catalog::mail_rights(), writes))?
                }
                Connection::Sqlite(_) => HashMap::new(),
            };
            Ok((catalog::survey(c, &names)?, lacking))
        })?;
        let booked: Vec<&SchemaName> =
            schemas.iter().copied().filter(|s| shapes.get(s.as_str()).is_some_and(|shape| shape.has(BOOK))).collect();
        let pending = self.pending(&booked)?;
        let findings_of = |schema: &&SchemaName| {
            let name = schema.as_str();
            let shape = shapes.get(name);
            let mut findings = match pending.get(*schema) {
                // The rights that are missing say it better.
                Some(Err(_)) if lacking.contains_key(name) => Vec::new(),
                Some(Err(problem)) => vec![tenant_finding(name, problem, UNREADABLE_SCHEMA)],
                Some(Ok(pending)) => schema_findings(name, shape, *pending),
                None => schema_findings(name, shape, false),
            };
            findings.extend(lacking.get(name).map(|lacks| SchemaFinding {
                severity: Severity::Tenant,
                schema: name.to_owned(),
                problem: lacks.problem(),
                remedy: lacks.remedy(),
            }));
            findings
        };
        Ok(schemas.iter().flat_map(findings_of).collect())
    }

    /// Which of the schemas that we have migrated lack a migration of this version, and which of
    /// them cannot be read.
    fn pending<'a>(&self, schemas: &[&'a SchemaName]) -> Result<Pending<'a>, StoreError> {
        let what = "inspecting the migrations of the tenants";
        let mut pending = Pending::new();
        for chunk in schemas.chunks(100) {
            if let Ok(found) = self.read(Place::Public, what, |c| lacking(c, chunk)) {
                pending.extend(found.into_iter().map(|(schema, lacks)| (schema, Ok(lacks))));
                continue;
            }
            // One schema that may not be read fails the statement for all: one by one, then.
            for schema in chunk {
                match self.read(Place::Tenant(schema), what, |c| lacking(c, &[*schema])) {
                    Ok(found) => pending.extend(found.into_iter().map(|(schema, lacks)| (schema, Ok(lacks)))),
                    Err(error) => drop(pending.insert(*schema, Err(self.trouble_of(schema, error)?))),
                }
            }
        }
        Ok(pending)
    }

    fn inspect_files(&self, folder: &SqliteFolder, schemas: &[&SchemaName]) -> Result<Vec<SchemaFinding>, StoreError> {
        let mut findings = Vec::new();
        for schema in schemas {
            let name = schema.as_str();
            if folder.lacks(schema) {
                findings.extend(schema_findings(name, None, false));
                continue;
            }
            let inspected = self.read(Place::Tenant(schema), &format!("inspecting the tables of {schema}"), |c| {
                let survey = catalog::survey(c, &[name])?;
                let pending = !migrations::pending(c, Place::Tenant(schema))?.is_empty();
                Ok(schema_findings(name, survey.get(name), pending))
            });
            match inspected {
                Ok(found) => findings.extend(found),
                Err(error) => {
                    let problem = self.trouble_of(schema, error)?;
                    findings.push(tenant_finding(name, &problem, UNREADABLE_FILE));
                }
            }
        }
        Ok(findings)
    }

    /// An error as one tenant's problem, or the error itself if the database is away for everybody.
    fn trouble_of(&self, schema: &SchemaName, error: StoreError) -> Result<TenantProblem, StoreError> {
        // A lock on one tenant's tables looks like a database that is away until it is asked.
        if error.kind == StoreErrorKind::Unavailable && self.ping().is_err() {
            return Err(error);
        }
        Ok(unreadable(schema, &error))
    }
}

/// Whether a migration is pending in each schema, or why that cannot be told.
type Pending<'a> = HashMap<&'a SchemaName, Result<bool, TenantProblem>>;

fn bad_name(tenant: &Unusable) -> SchemaFinding {
    let finding = tenant_finding(tenant.schema_name(), &TenantProblem::BadName(tenant.why.clone()), "");
    // Nobody would work for a suspended tenant, but whoever wakes it should know.
    let severity = if tenant.is_active() { Severity::Tenant } else { Severity::Warning };
    SchemaFinding { severity, ..finding }
}

/// What the database user lacks in `public` of the rights that every job needs. The catalog is open to every user,
/// so that this can be asked before any of the tables is read.
fn common_rights(connection: &mut Connection, writes: bool) -> Outcome<Option<Lacking>> {
    match connection {
        Connection::Postgres(c) => {
            Ok(catalog::lacking_rights(c, &["public"], &catalog::needed(&catalog::COMMON_RIGHTS, writes))?
                .remove("public"))
        }
        Connection::Sqlite(_) => Ok(None),
    }
}

fn public_findings(
    connection: &mut Connection,
    public: &Shape,
    lacking: Option<Lacking>,
    writes: bool,
) -> Outcome<Vec<SchemaFinding>> {
    let finding = public_finding;
    let mut findings: Vec<SchemaFinding> =
        lacking.iter().map(|lacks| finding(Severity::Fatal, lacks.problem(), &lacks.remedy())).collect();
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
    } else if lacking.is_some() {
        // What has to be read to look further may not be.
        findings.extend(billing::findings(connection, public, writes)?);
    } else if !migrations::pending(connection, Place::Public)?.is_empty() {
        // What is wrong with the tables of billing may be for the same command to mend.
        findings.push(finding(Severity::Fatal, "tables of ours are old".to_owned(), MIGRATE));
    } else {
        findings.extend(newer(&migrations::unknown(connection, Place::Public)?));
        findings.extend(billing::findings(connection, public, writes)?);
    }
    Ok(findings)
}

/// What a newer version has done to our tables is for it to know; it may be that this one still works.
fn newer(unknown: &[String]) -> Option<SchemaFinding> {
    let newest = unknown.last()?;
    let problem = format!("tables of ours are newer than this program: it does not know migration {newest}");
    Some(public_finding(Severity::Warning, problem, "install the newest version on every host"))
}

fn public_finding(severity: Severity, problem: String, remedy: &str) -> SchemaFinding {
    SchemaFinding { severity, schema: "public".to_owned(), problem, remedy: remedy.to_owned() }
}

fn schema_findings(schema: &str, shape: Option<&Shape>, pending: bool) -> Vec<SchemaFinding> {
    let mut findings = Vec::new();
    match catalog::judge(schema, shape) {
        Err(problem) => findings.push(tenant_finding(schema, &problem, UNREADABLE_SCHEMA)),
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

const UNREADABLE_SCHEMA: &str = "give the database user the right to use the schema and its tables";
const UNREADABLE_FILE: &str = "see that the tenant's file can be read, or put one from a backup in its place";

/// A tenant's problem as a finding; `unreadable` is the remedy if its tables cannot be read.
fn tenant_finding(schema: &str, problem: &TenantProblem, unreadable: &str) -> SchemaFinding {
    let remedy = match problem {
        TenantProblem::SchemaMissing { .. } => "create the schema in EchoDesk, or deactivate the tenant",
        TenantProblem::NotMigrated { .. } | TenantProblem::ColumnMissing { .. } => {
            "let EchoDesk migrate the tenant (`migrate_schemas`)"
        }
        TenantProblem::OwnTablesMissing { .. } => MIGRATE,
        TenantProblem::UnknownRequiredColumn { .. } => UNKNOWN_REMEDY,
        TenantProblem::Unreadable { .. } => unreadable,
        TenantProblem::BadName(_) => "correct tenants_tenant.schema_name",
    };
    SchemaFinding {
        severity: Severity::Tenant,
        schema: schema.to_owned(),
        problem: problem.to_string(),
        remedy: remedy.to_owned(),
    }
}

/// Whether each of these schemas, which all have a book of migrations, lacks one of this version.
fn lacking<'a>(connection: &mut Connection, schemas: &[&'a SchemaName]) -> Outcome<Vec<(&'a SchemaName, bool)>> {
    #[derive(QueryableByName)]
    struct Row {
        #[diesel(sql_type = Text)]
        schema: String,
        #[diesel(sql_type = Text)]
        version: String,
    }

    // Schema names hold letters, digits, _ and - only, so quoting is all they need.
    let parts: Vec<String> = schemas
        .iter()
        .map(|schema| format!("SELECT '{schema}' AS schema, version::text AS version FROM \"{schema}\".{BOOK}"))
        .collect();
    let rows: Vec<Row> = on!(connection, |c| diesel::sql_query(parts.join(" UNION ALL ")).load(c))?;
    let lacks = |schema: &'a SchemaName| -> Outcome<(&'a SchemaName, bool)> {
        let has = |version: &str| rows.iter().any(|row| row.schema == schema.as_str() && row.version == version);
        let wanted = migrations::expected(Place::Tenant(schema))?;
        Ok((schema, wanted.iter().any(|wanted| !has(&wanted.version))))
    };
    schemas.iter().copied().map(lacks).collect()
}

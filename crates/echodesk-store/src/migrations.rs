//! Bringing tables up to date, and saying what was done.

mod run;

use echodesk_core::SchemaName;
use echodesk_mail::ports::{StoreError, TenantProblem};

use crate::Store;
use crate::catalog::{self, Shape};
use crate::connection::{Connection, Place, Purpose, on};
use crate::error::{Failure, Outcome};
use crate::store::BackEnd;
use crate::tenants;

pub(crate) use run::{BOOK, apply, bring_up_to_date, expected, pending, unknown};

/// What [`Store::migrate`] did.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MigrationReport {
    /// The tables that all tenants share.
    pub public: MigrationOutcome,
    /// Each tenant's own.
    pub tenants: Vec<TenantMigration>,
}

/// What became of one tenant's tables.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TenantMigration {
    /// `tenants_tenant.schema_name`, as it stands there.
    pub schema: String,
    /// What became of them.
    pub outcome: MigrationOutcome,
}

/// What became of the tables in one place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum MigrationOutcome {
    /// Migrations were applied.
    Migrated {
        /// Their names, in order.
        applied: Vec<String>,
    },
    /// There was nothing to do.
    UpToDate,
    /// This is not for us to migrate.
    Skipped(TenantProblem),
    /// The database refused; the text says what it said.
    Failed(String),
}

impl MigrationOutcome {
    fn from_applied(applied: Vec<String>) -> Self {
        if applied.is_empty() { Self::UpToDate } else { Self::Migrated { applied } }
    }
}

impl Store {
    /// Brings the public tables up to date and then every tenant's, or one's. One tenant's trouble
    /// stops no other. Needs the right to create tables only where there is something to create.
    ///
    /// On an EchoDesk installation a tenant whose schema is missing, or that EchoDesk itself has not
    /// migrated, is skipped: making EchoDesk's tables there would get in its way.
    ///
    /// # Errors
    /// The public tables cannot be migrated; `tenant` is unknown; the database is away.
    pub fn migrate(&self, tenant: Option<&SchemaName>) -> Result<MigrationReport, StoreError> {
        self.refuse_if_read_only().map_err(|failure| failure.during("migrating"))?;
        let public = self
            .migrate_place(Place::Public)
            .map_err(|failure| failure.during("migrating the tables of schema public"))?;
        let schemas = self.read(Place::Public, "reading the list of tenants", tenants::schema_names)?;
        if let Some(wanted) = tenant.filter(|wanted| !schemas.iter().any(|name| name == wanted.as_str())) {
            return Err(Failure::UnknownTenant(wanted.clone()).during("migrating"));
        }
        let mut report = MigrationReport { public: MigrationOutcome::from_applied(public), tenants: Vec::new() };
        for name in schemas.into_iter().filter(|name| tenant.is_none_or(|wanted| wanted.as_str() == name)) {
            // EchoDesk lists its shared schema as if it were a tenant.
            if name == "public" {
                continue;
            }
            let outcome = match name.parse::<SchemaName>() {
                Err(error) => MigrationOutcome::Skipped(TenantProblem::BadName(error.to_string())),
                Ok(schema) => self.migrate_tenant(&schema)?,
            };
            report.tenants.push(TenantMigration { schema: name, outcome });
        }
        Ok(report)
    }

    fn migrate_tenant(&self, schema: &SchemaName) -> Result<MigrationOutcome, StoreError> {
        let what = format!("migrating the tables of schema {schema}");
        if let BackEnd::Postgres(_) = self.back_end()
            && let Some(problem) = self.read(Place::Tenant(schema), &what, |c| not_ours(c, schema))?
        {
            return Ok(MigrationOutcome::Skipped(problem));
        }
        match self.migrate_place(Place::Tenant(schema)) {
            Ok(applied) => Ok(MigrationOutcome::from_applied(applied)),
            Err(failure) => {
                let error = failure.during(&what);
                if error.kind == echodesk_mail::ports::StoreErrorKind::Unavailable {
                    return Err(error);
                }
                Ok(MigrationOutcome::Failed(error.source.map_or(error.what, |source| source.to_string())))
            }
        }
    }

    fn migrate_place(&self, place: Place<'_>) -> Outcome<Vec<String>> {
        // The embedded database migrates itself as it is opened.
        if let BackEnd::Sqlite(folder) = self.back_end() {
            return match place {
                Place::Public => Ok(Vec::new()),
                Place::Tenant(schema) => folder.migrate(schema),
            };
        }
        if self.run(place, Purpose::Read, |c| pending(c, place))?.is_empty() {
            return Ok(Vec::new());
        }
        self.run(place, Purpose::Migrate, |c| {
            if let Place::Public = place {
                refuse_a_foreign_django(c)?;
            }
            apply(c, place)
        })
    }
}

/// Why a tenant's schema on PostgreSQL is not for us to migrate, if it is not.
fn not_ours(connection: &mut Connection, schema: &SchemaName) -> Outcome<Option<TenantProblem>> {
    let name = schema.as_str();
    let survey = catalog::survey(connection, &[name, "public"])?;
    let public = survey.get("public").cloned().unwrap_or_default();
    let Some(shape) = survey.get(name) else {
        return Ok(Some(TenantProblem::SchemaMissing { schema: name.to_owned() }));
    };
    let missing = catalog::ECHODESK_MAIL_TABLES.iter().find(|table| !shape.has(table));
    // A schema that we have migrated before is one that we made.
    match missing {
        Some(table) if is_django(&public) && !shape.has(BOOK) => {
            Ok(Some(TenantProblem::NotMigrated { schema: name.to_owned(), table: (*table).to_owned() }))
        }
        _ => Ok(None),
    }
}

/// A Django database without EchoDesk's tenants is not an empty database: it is the wrong one, or
/// EchoDesk has yet to migrate it.
fn refuse_a_foreign_django(connection: &mut Connection) -> Outcome<()> {
    let survey = catalog::survey(connection, &["public"])?;
    let public = survey.get("public").cloned().unwrap_or_default();
    if is_django(&public) && !public.has(catalog::TENANTS) {
        return Err(Failure::Refused(
            "this is a Django database without a table tenants_tenant: let EchoDesk migrate it first, or name another"
                .to_owned(),
        ));
    }
    Ok(())
}

fn is_django(public: &Shape) -> bool {
    public.has(catalog::DJANGO)
}

/// Waits for whoever else is migrating; over with the transaction.
fn wait_for_other_migrations(connection: &mut Connection) -> Outcome<()> {
    use diesel::connection::SimpleConnection;

    // Any number will do that nobody else uses: the letters "echodesk".
    const KEY: i64 = 0x6563_686f_6465_736b;
    if connection.is_postgres() {
        on!(connection, |c| c.batch_execute(&format!("SELECT pg_advisory_xact_lock({KEY})")))?;
    }
    Ok(())
}

//! Tenants: listing them and adding one.

use diesel::connection::SimpleConnection;
use diesel::prelude::*;
use echodesk_core::{Language, SchemaName, Tenant, TenantId};
use echodesk_mail::ports::{StoreError, TenantProblem};
use jiff::Timestamp;

use crate::Store;
use crate::catalog;
use crate::connection::{Connection, Place, Purpose, on};
use crate::error::{Failure, Outcome};
use crate::migrations;
use crate::sql_types::{RowId, Stamp};
use crate::store::BackEnd;
use crate::tables::tenants;

/// A tenant to be added.
#[derive(Clone, Debug)]
pub struct NewTenant {
    /// `schema_name`: no other tenant may have it.
    pub schema: SchemaName,
    /// `name`, as the customer writes it.
    pub name: String,
    /// `admin_email`, where notices go.
    pub admin_email: String,
    /// `admin_name`.
    pub admin_name: String,
    /// `preferred_language`.
    pub language: Language,
    /// `domain_url`: no other tenant may have it.
    pub domain: String,
}

/// The rows of `tenants_tenant`.
#[derive(Default)]
pub(crate) struct Tenants {
    /// Those that can be worked for, by schema name.
    pub(crate) usable: Vec<Tenant>,
    /// Those whose schema name cannot be a schema's.
    pub(crate) unusable: Vec<Unusable>,
}

/// A tenant whose schema name cannot be used.
pub(crate) struct Unusable {
    row: Row,
    /// Why not, with the name in it.
    pub(crate) why: String,
}

impl Unusable {
    /// The name as it stands in the table.
    pub(crate) fn schema_name(&self) -> &str {
        &self.row.schema_name
    }

    pub(crate) fn is_active(&self) -> bool {
        self.row.is_active
    }

    pub(crate) fn id(&self) -> TenantId {
        TenantId(self.row.id.0)
    }

    /// The tenant under a name that is not its own.
    pub(crate) fn under(self, schema: SchemaName) -> (Tenant, String) {
        (self.row.into_tenant(schema), self.why)
    }
}

impl Store {
    /// All tenants that can be worked for, active or not, by schema name. One whose schema name
    /// cannot be used is not among them: [`Store::inspect`] tells of it.
    ///
    /// # Errors
    /// The database is away or not migrated.
    pub fn tenants_list(&self) -> Result<Vec<Tenant>, StoreError> {
        Ok(self.read(Place::Public, "reading the list of tenants", |c| load(c, &Which::All))?.usable)
    }

    /// Adds a tenant with its schema (on SQLite its file) and tables. What EchoDesk fills by itself
    /// is filled with EchoDesk's own defaults.
    ///
    /// # Errors
    /// [`Conflict`](echodesk_mail::ports::StoreErrorKind::Conflict) if the schema or the domain is taken; a column must be filled that this version does not know;
    /// the database is away.
    pub fn add_tenant(&self, tenant: &NewTenant, now: Timestamp) -> Result<TenantId, StoreError> {
        let what = format!("adding tenant {}", tenant.schema);
        // Creating the tables takes the lock that migrations take, so this counts as one.
        let id = self.run(Place::Public, Purpose::Migrate, |c| add(c, tenant, now)).map_err(|f| f.during(&what))?;
        if let BackEnd::Sqlite(folder) = self.back_end() {
            folder.migrate(&tenant.schema).map_err(|failure| failure.during(&what))?;
        }
        Ok(id)
    }
}

fn add(connection: &mut Connection, tenant: &NewTenant, now: Timestamp) -> Outcome<TenantId> {
    refuse_unknown_columns(connection, "public", catalog::TENANTS)?;
    refuse_duplicates(connection, tenant)?;
    let row = (
        tenants::domain_url.eq(&tenant.domain),
        tenants::schema_name.eq(tenant.schema.as_str()),
        tenants::name.eq(&tenant.name),
        tenants::description.eq(""),
        tenants::created_on.eq(Stamp::from(now)),
        tenants::is_active.eq(true),
        tenants::admin_email.eq(&tenant.admin_email),
        tenants::admin_name.eq(&tenant.admin_name),
        tenants::plan.eq("basic"),
        tenants::max_users.eq(10),
        tenants::max_storage.eq(1_073_741_824_i64),
        tenants::preferred_language.eq(tenant.language.code()),
        tenants::deployment_status.eq("pending"),
        tenants::min_users_per_ticket.eq(0),
        tenants::only_superadmin_can_delete_tickets.eq(false),
        tenants::ip_whitelist_enabled.eq(false),
        tenants::superadmin_bypass_whitelist.eq(true),
        tenants::payment_provider.eq("bog"),
    );
    let id: RowId = on!(&mut *connection, |c| diesel::insert_into(tenants::table)
        .values(row)
        .returning(tenants::id)
        .get_result(c))?;
    if connection.is_postgres() {
        let place = Place::Tenant(&tenant.schema);
        let create = format!("CREATE SCHEMA \"{0}\"; SET LOCAL search_path TO \"{0}\"", tenant.schema);
        on!(&mut *connection, |c| c.batch_execute(&create))?;
        migrations::apply(connection, place)?;
    }
    Ok(TenantId(id.0))
}

fn refuse_duplicates(connection: &mut Connection, tenant: &NewTenant) -> Outcome<()> {
    let schema: i64 = on!(&mut *connection, |c| tenants::table
        .filter(tenants::schema_name.eq(tenant.schema.as_str()))
        .count()
        .get_result(c))?;
    if schema > 0 {
        return Err(Failure::Conflict(format!("there is a tenant with schema {} already", tenant.schema)));
    }
    let domain: i64 =
        on!(&mut *connection, |c| tenants::table.filter(tenants::domain_url.eq(&tenant.domain)).count().get_result(c))?;
    if domain > 0 {
        return Err(Failure::Conflict(format!("another tenant has the domain {} already", tenant.domain)));
    }
    if connection.is_postgres() && catalog::survey(connection, &[tenant.schema.as_str()])?.len() == 1 {
        return Err(Failure::Conflict(format!("there is a schema {} already, of no tenant", tenant.schema)));
    }
    Ok(())
}

/// Fails in the words of [`TenantProblem`] if EchoDesk's mail tables are not there as we know them.
/// That ours are missing does not matter to whoever writes only into EchoDesk's.
pub(crate) fn require_mail_tables(connection: &mut Connection, schema: &SchemaName) -> Outcome<()> {
    let survey = catalog::survey(connection, &[schema.as_str()])?;
    match catalog::judge(schema.as_str(), survey.get(schema.as_str())) {
        Err(
            problem @ (TenantProblem::SchemaMissing { .. }
            | TenantProblem::NotMigrated { .. }
            | TenantProblem::ColumnMissing { .. }),
        ) => Err(Failure::Refused(problem.to_string())),
        _ => Ok(()),
    }
}

/// Says which column of a table we would have to fill and do not know, before anything is written.
pub(crate) fn refuse_unknown_columns(connection: &mut Connection, schema: &str, table: &'static str) -> Outcome<()> {
    let survey = catalog::survey(connection, &[schema])?;
    let shape = survey.get(schema).cloned().unwrap_or_default();
    match catalog::unknown_required(&shape, table).next() {
        Some(column) => Err(Failure::Refused(format!(
            "{schema}.{table}.{column} is NOT NULL without a default, and this version does not know how to fill it"
        ))),
        None => Ok(()),
    }
}

/// Which tenants to load.
pub(crate) enum Which<'a> {
    All,
    Active,
    One(&'a SchemaName),
}

/// Tenants by schema name. EchoDesk lists its shared schema as if it were a tenant: left out.
pub(crate) fn load(connection: &mut Connection, which: &Which<'_>) -> Outcome<Tenants> {
    let rows: Vec<Row> = on!(connection, |c| {
        let mut query = tenants::table.filter(tenants::schema_name.ne("public")).select(Row::as_select()).into_boxed();
        match which {
            Which::All => {}
            Which::Active => query = query.filter(tenants::is_active.eq(true)),
            Which::One(schema) => query = query.filter(tenants::schema_name.eq(schema.as_str())),
        }
        query.load(c)
    })?;
    let mut tenants = Tenants::default();
    for row in rows {
        match row.schema_name.parse::<SchemaName>() {
            Ok(schema) => tenants.usable.push(row.into_tenant(schema)),
            Err(error) => tenants.unusable.push(Unusable { row, why: error.to_string() }),
        }
    }
    // Sorted here and not by the database, whose collation may be any.
    tenants.usable.sort_by(|a, b| a.schema.cmp(&b.schema));
    tenants.unusable.sort_by(|a, b| a.row.schema_name.cmp(&b.row.schema_name));
    Ok(tenants)
}

#[derive(Clone, Queryable, Selectable)]
#[diesel(table_name = tenants)]
pub(crate) struct Row {
    id: RowId,
    schema_name: String,
    name: String,
    admin_email: String,
    admin_name: String,
    preferred_language: String,
    is_active: bool,
}

impl Row {
    pub(crate) fn id(&self) -> RowId {
        self.id
    }

    pub(crate) fn is_active(&self) -> bool {
        self.is_active
    }

    pub(crate) fn schema_name(&self) -> &str {
        &self.schema_name
    }

    pub(crate) fn into_tenant(self, schema: SchemaName) -> Tenant {
        Tenant {
            id: TenantId(self.id.0),
            schema,
            name: self.name,
            admin_email: self.admin_email,
            admin_name: self.admin_name,
            language: Language::from_code(&self.preferred_language),
            is_active: self.is_active,
        }
    }
}

/// The schema names of all tenants, as they stand in the table.
pub(crate) fn schema_names(connection: &mut Connection) -> Outcome<Vec<String>> {
    Ok(on!(connection, |c| tenants::table.select(tenants::schema_name).order(tenants::schema_name).load(c))?)
}

/// Fails if there is no tenant of that name.
pub(crate) fn require(connection: &mut Connection, schema: &SchemaName) -> Outcome<TenantId> {
    let found: Option<RowId> = on!(connection, |c| tenants::table
        .filter(tenants::schema_name.eq(schema.as_str()))
        .select(tenants::id)
        .first(c)
        .optional())?;
    found.map(|id| TenantId(id.0)).ok_or_else(|| Failure::UnknownTenant(schema.clone()))
}

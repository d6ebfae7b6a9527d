//! Reading the mailboxes of all tenants in few round trips.

use std::collections::HashMap;

use diesel::prelude::*;
use diesel::sql_types::{BigInt, Bool, Integer, Nullable, Text};
use echodesk_core::{ConnectionId, SchemaName, Secret, Tenant};
use echodesk_mail::model::{ColumnLimits, Endpoint, Mailbox, MailboxKey, Security};
use echodesk_mail::ports::{Scope, StoreError, StoreErrorKind, TenantMailboxes, TenantProblem};

use crate::Store;
use crate::catalog::{self, Shape};
use crate::connection::{Connection, Place, on};
use crate::error::{Failure, Outcome};
use crate::sql_types::{Moment, Stamp};
use crate::store::BackEnd;
use crate::tenants::{self, Tenants, Unusable, Which};

/// Schemas read by one statement. Parsing grows with it, round trips shrink.
const CHUNK: usize = 100;

type Found = HashMap<SchemaName, Result<(ColumnLimits, Vec<Mailbox>), TenantProblem>>;

impl Store {
    /// See `MailStore::tenants`.
    pub(crate) fn mailboxes(&self, scope: &Scope) -> Result<Vec<TenantMailboxes>, StoreError> {
        let what = "reading the list of tenants";
        let which = match scope {
            Scope::AllActive => Which::Active,
            Scope::One(schema) => Which::One(schema),
        };
        let (Tenants { usable, unusable }, taken) = self.read(Place::Public, what, |c| {
            let tenants = tenants::load(c, &which)?;
            // Only to keep the stand-ins for names that cannot be used apart from names that are.
            let taken = if tenants.unusable.is_empty() { Vec::new() } else { tenants::schema_names(c)? };
            Ok((tenants, taken))
        })?;
        if let Scope::One(schema) = scope
            && usable.is_empty()
        {
            return Err(Failure::UnknownTenant(schema.clone()).during(what));
        }
        let schemas: Vec<SchemaName> = usable.iter().map(|tenant| tenant.schema.clone()).collect();
        let mut found = match self.back_end() {
            BackEnd::Postgres(_) => self.find_on_postgres(&schemas)?,
            BackEnd::Sqlite(_) => self.find_in_files(&schemas)?,
        };
        let mut listed: Vec<_> = usable.into_iter().map(|tenant| with_mailboxes(tenant, &mut found)).collect();
        listed.extend(unusable.into_iter().filter_map(|tenant| with_bad_name(tenant, &taken)));
        Ok(listed)
    }

    fn find_on_postgres(&self, schemas: &[SchemaName]) -> Result<Found, StoreError> {
        let names: Vec<&str> = schemas.iter().map(SchemaName::as_str).collect();
        let shapes =
            self.read(Place::Public, "reading the columns of the tenants' tables", |c| catalog::survey(c, &names))?;
        let mut found = Found::new();
        let mut good: Vec<(SchemaName, ColumnLimits)> = Vec::new();
        for schema in schemas {
            match self.judged(schema, shapes.get(schema.as_str())) {
                Ok(limits) => good.push((schema.clone(), limits)),
                Err(problem) => drop(found.insert(schema.clone(), Err(problem))),
            }
        }
        for chunk in good.chunks(CHUNK) {
            let chunk_schemas: Vec<_> = chunk.iter().map(|(schema, _)| schema.clone()).collect();
            match self.read(Place::Public, "reading the mailboxes of tenants", |c| select(c, &chunk_schemas)) {
                Ok(mut mailboxes) => {
                    for (schema, limits) in chunk {
                        let own = mailboxes.remove(schema).unwrap_or_default();
                        found.insert(schema.clone(), Ok((limits.clone(), own)));
                    }
                }
                Err(error) if error.kind == StoreErrorKind::Unavailable => return Err(error),
                // One schema that may not be read fails the statement for all: one by one, then.
                Err(_) => {
                    for (schema, limits) in chunk {
                        found.insert(schema.clone(), self.find_alone(schema, limits)?);
                    }
                }
            }
        }
        Ok(found)
    }

    fn find_alone(
        &self,
        schema: &SchemaName,
        limits: &ColumnLimits,
    ) -> Result<Result<(ColumnLimits, Vec<Mailbox>), TenantProblem>, StoreError> {
        let schemas = std::slice::from_ref(schema);
        match self.read(Place::Tenant(schema), &format!("reading the mailboxes of {schema}"), |c| select(c, schemas)) {
            Ok(mut mailboxes) => Ok(Ok((limits.clone(), mailboxes.remove(schema).unwrap_or_default()))),
            Err(error) if error.kind == StoreErrorKind::Unavailable => Err(error),
            Err(error) => Ok(Err(unreadable(schema, &error))),
        }
    }

    fn find_in_files(&self, schemas: &[SchemaName]) -> Result<Found, StoreError> {
        let mut found = Found::new();
        for schema in schemas {
            found.insert(schema.clone(), self.find_in_file(schema)?);
        }
        Ok(found)
    }

    fn find_in_file(
        &self,
        schema: &SchemaName,
    ) -> Result<Result<(ColumnLimits, Vec<Mailbox>), TenantProblem>, StoreError> {
        if let BackEnd::Sqlite(folder) = self.back_end()
            && folder.lacks(schema)
        {
            return Ok(Err(TenantProblem::SchemaMissing { schema: schema.to_string() }));
        }
        let read = self.read(Place::Tenant(schema), &format!("reading the mailboxes of {schema}"), |c| {
            let survey = catalog::survey(c, &[schema.as_str()])?;
            match self.judged(schema, survey.get(schema.as_str())) {
                Ok(limits) => {
                    let own = select(c, std::slice::from_ref(schema))?.remove(schema).unwrap_or_default();
                    Ok(Ok((limits, own)))
                }
                Err(problem) => Ok(Err(problem)),
            }
        });
        match read {
            Err(error) if error.kind != StoreErrorKind::Unavailable => Ok(Err(unreadable(schema, &error))),
            result => result,
        }
    }

    /// What is to be made of a tenant's tables; lengths are remembered for storing.
    fn judged(&self, schema: &SchemaName, shape: Option<&Shape>) -> Result<ColumnLimits, TenantProblem> {
        let limits = catalog::judge(schema.as_str(), shape)?;
        self.remember_limits(schema, &limits);
        Ok(limits)
    }

    /// The column lengths of a tenant, looked up if they are not known yet.
    pub(crate) fn limits(&self, connection: &mut Connection, schema: &SchemaName) -> Outcome<ColumnLimits> {
        if let Some(limits) = self.known_limits(schema) {
            return Ok(limits);
        }
        let survey = catalog::survey(connection, &[schema.as_str()])?;
        self.judged(schema, survey.get(schema.as_str())).map_err(|problem| Failure::Refused(problem.to_string()))
    }
}

/// What the database said of one tenant's tables, as that tenant's problem.
pub(crate) fn unreadable(schema: &SchemaName, error: &StoreError) -> TenantProblem {
    let reason = error.source.as_ref().map_or_else(|| error.what.clone(), ToString::to_string);
    TenantProblem::Unreadable { schema: schema.to_string(), reason }
}

fn with_mailboxes(tenant: Tenant, found: &mut Found) -> TenantMailboxes {
    let missing = || Err(TenantProblem::SchemaMissing { schema: tenant.schema.to_string() });
    let mailboxes = found.remove(&tenant.schema).unwrap_or_else(missing);
    TenantMailboxes { tenant, mailboxes }
}

/// A tenant that is listed only to say what is wrong with its name. It has to go by some name that
/// can be used, and that must be nobody's: with a real tenant's name it would be taken for that one.
fn with_bad_name(unusable: Unusable, taken: &[String]) -> Option<TenantMailboxes> {
    let mut name = format!("unusable-name-of-tenant-{}", unusable.id());
    while taken.contains(&name) {
        name.push('-');
    }
    let (tenant, why) = unusable.under(name.parse().ok()?);
    Some(TenantMailboxes { tenant, mailboxes: Err(TenantProblem::BadName(why)) })
}

#[derive(QueryableByName)]
struct Row {
    #[diesel(sql_type = Integer)]
    tenant: i32,
    #[diesel(sql_type = BigInt)]
    id: i64,
    #[diesel(sql_type = Text)]
    email_address: String,
    #[diesel(sql_type = Text)]
    imap_server: String,
    #[diesel(sql_type = Integer)]
    imap_port: i32,
    #[diesel(sql_type = Bool)]
    imap_use_ssl: bool,
    #[diesel(sql_type = Text)]
    username: String,
    #[diesel(sql_type = Text)]
    encrypted_password: String,
    #[diesel(sql_type = Bool)]
    is_active: bool,
    #[diesel(sql_type = Nullable<Moment>)]
    last_sync_at: Option<Stamp>,
    #[diesel(sql_type = Text)]
    last_sync_error: String,
    #[diesel(sql_type = Text)]
    sync_folder: String,
    #[diesel(sql_type = Integer)]
    sync_days_back: i32,
    #[diesel(sql_type = Integer)]
    sync_failure_count: i32,
}

/// The mailboxes of several tenants by one statement; on SQLite, of the one whose file is open.
fn select(connection: &mut Connection, schemas: &[SchemaName]) -> Outcome<HashMap<SchemaName, Vec<Mailbox>>> {
    let is_postgres = connection.is_postgres();
    let parts: Vec<String> = schemas
        .iter()
        .enumerate()
        .map(|(index, schema)| {
            // Schema names hold letters, digits, _ and - only, so quoting is all they need.
            let schema = if is_postgres { format!("\"{schema}\".") } else { String::new() };
            format!("{} FROM {schema}{}", columns(index), catalog::CONNECTIONS)
        })
        .collect();
    if parts.is_empty() {
        return Ok(HashMap::new());
    }
    let all = format!("{} ORDER BY 1, 2", parts.join(" UNION ALL "));
    let rows: Vec<Row> = on!(connection, |c| diesel::sql_query(all).load(c))?;
    let mut mailboxes: HashMap<SchemaName, Vec<Mailbox>> = HashMap::new();
    for row in rows {
        let Some(schema) = usize::try_from(row.tenant).ok().and_then(|index| schemas.get(index)) else { continue };
        mailboxes.entry(schema.clone()).or_default().push(mailbox(schema, row));
    }
    Ok(mailboxes)
}

/// A mailbox of the tenant whose place the transaction is in, if it is there and switched on.
pub(crate) fn active(connection: &mut Connection, key: &MailboxKey) -> Outcome<Option<Mailbox>> {
    let one = format!("{} FROM {} WHERE id = {}", columns(0), catalog::CONNECTIONS, key.connection.0);
    let row: Option<Row> = on!(connection, |c| diesel::sql_query(one).get_result(c).optional())?;
    Ok(row.filter(|row| row.is_active).map(|row| mailbox(&key.schema, row)))
}

/// The beginning of a statement that selects [`Row`]s of the tenant with this index.
fn columns(index: usize) -> String {
    format!(
        "SELECT CAST({index} AS integer) AS tenant, CAST(id AS bigint) AS id, email_address, imap_server, \
         CAST(imap_port AS integer) AS imap_port, imap_use_ssl, username, encrypted_password, is_active, \
         last_sync_at, last_sync_error, sync_folder, CAST(sync_days_back AS integer) AS sync_days_back, \
         CAST(sync_failure_count AS integer) AS sync_failure_count"
    )
}

/// A row with nonsense in a number is still a mailbox: one that cannot be reached and says so.
fn mailbox(schema: &SchemaName, row: Row) -> Mailbox {
    Mailbox {
        key: MailboxKey { schema: schema.clone(), connection: ConnectionId(row.id) },
        address: row.email_address,
        endpoint: Endpoint {
            host: row.imap_server,
            port: u16::try_from(row.imap_port).unwrap_or(0),
            security: if row.imap_use_ssl { Security::Tls } else { Security::StartTls },
        },
        username: row.username,
        stored_password: Secret::new(row.encrypted_password),
        sync_folder: row.sync_folder,
        days_back: u32::try_from(row.sync_days_back).unwrap_or(0),
        is_active: row.is_active,
        last_sync_at: row.last_sync_at.map(Into::into),
        last_error: row.last_sync_error,
        failure_count: u32::try_from(row.sync_failure_count).unwrap_or(0),
    }
}

//! `echodesk tenant …`.

mod subscribe;

use echodesk_core::Tenant;
use echodesk_job::Needs;
use echodesk_job::table::Table;
use echodesk_store::{Access, NewTenant};
use serde_json::{Value, json};

use crate::answer::Answer;
use crate::cli::{ListArgs, TenantAddArgs};
use crate::command::World;
use crate::error::CommandError;

pub(crate) use subscribe::subscribe;

pub(crate) fn add(world: &World, args: TenantAddArgs) -> Result<Answer, CommandError> {
    let tenant = new_tenant(args);
    let id = world.store(Access::ReadWrite, Needs::Mail)?.add_tenant(&tenant, world.clock.now())?;
    let schema = &tenant.schema;
    Ok(Answer::done(format!("tenant {schema} added with id {id}; next: echodesk mailbox add --tenant {schema} …\n")))
}

fn new_tenant(args: TenantAddArgs) -> NewTenant {
    NewTenant {
        // The domain ".localhost" resolves to the machine itself and to nothing else (RFC 6761, 6.3).
        domain: args.domain.unwrap_or_else(|| format!("{}.localhost", args.schema.as_str().to_ascii_lowercase())),
        admin_name: args.admin_name.unwrap_or_else(|| args.name.clone()),
        schema: args.schema,
        name: args.name,
        admin_email: args.admin_email,
        language: args.language.into(),
    }
}

pub(crate) fn list(world: &World, args: &ListArgs) -> Result<Answer, CommandError> {
    let tenants = world.store(Access::ReadOnly, Needs::Mail)?.tenants_list()?;
    let rows: Vec<Value> = tenants.iter().map(as_row).collect();
    Ok(Answer::list(args.json, &rows, || as_table(&tenants)))
}

fn as_row(tenant: &Tenant) -> Value {
    json!({
        "id": tenant.id,
        "schema": tenant.schema,
        "name": tenant.name,
        "active": tenant.is_active,
        "language": tenant.language,
        "admin_email": tenant.admin_email,
        "admin_name": tenant.admin_name,
    })
}

fn as_table(tenants: &[Tenant]) -> String {
    if tenants.is_empty() {
        return "no tenants; `echodesk tenant add` adds one\n".to_owned();
    }
    let mut table = Table::new(&[">ID", "SCHEMA", "NAME", "ACTIVE", "LANGUAGE", "ADMIN"]);
    for tenant in tenants {
        table.row([
            tenant.id.to_string(),
            tenant.schema.to_string(),
            tenant.name.clone(),
            if tenant.is_active { "yes" } else { "no" }.to_owned(),
            tenant.language.code().to_owned(),
            tenant.admin_email.clone(),
        ]);
    }
    table.to_string()
}

#[cfg(test)]
mod tests {
    use echodesk_core::{Language, TenantId};

    use super::*;
    use crate::cli::LanguageCode;

    #[test]
    fn what_is_not_said_has_a_default() {
        let tenant = new_tenant(TenantAddArgs {
            schema: "Acme".parse().unwrap(),
            name: "Acme LLC".to_owned(),
            admin_email: "a@b.c".to_owned(),
            admin_name: None,
            language: LanguageCode::Ka,
            domain: None,
        });
        assert_eq!((tenant.admin_name.as_str(), tenant.domain.as_str()), ("Acme LLC", "acme.localhost"));
        assert_eq!(tenant.language, Language::Ka);
    }

    #[test]
    fn tenants_are_listed_for_people_and_for_machines() {
        let tenant = Tenant {
            id: TenantId(3),
            schema: "acme".parse().unwrap(),
            name: "Acme LLC".to_owned(),
            admin_email: "a@b.c".to_owned(),
            admin_name: "Ann".to_owned(),
            language: Language::En,
            is_active: false,
        };
        let row = as_row(&tenant);
        assert_eq!((&row["schema"], &row["active"], &row["language"]), (&json!("acme"), &json!(false), &json!("en")));
        assert_eq!(
            as_table(&[tenant]),
            "ID  SCHEMA  NAME      ACTIVE  LANGUAGE  ADMIN\n 3  acme    Acme LLC  no      en        a@b.c\n"
        );
        assert!(as_table(&[]).starts_with("no tenants"));
    }
}

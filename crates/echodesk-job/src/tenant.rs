//! Tenants that flags and settings name.

use std::collections::BTreeSet;

use echodesk_core::{Environment, SchemaName, SchemaNameError, Tenant};
use echodesk_store::Store;

use crate::error::JobError;
use crate::settings::SettingsError;

/// The setting that names tenants which pay nothing.
pub const EXEMPT: &str = "ECHODESK_EXEMPT_TENANTS";

/// The tenant of that name, active or not.
///
/// # Errors
/// Nobody is called that, and the error says who is called nearly so; the database is away.
pub fn find(store: &Store, schema: &SchemaName) -> Result<Tenant, JobError> {
    pick(store.tenants_list()?, schema)
}

fn pick(tenants: Vec<Tenant>, schema: &SchemaName) -> Result<Tenant, JobError> {
    let names: Vec<String> = tenants.iter().map(|tenant| tenant.schema.to_string()).collect();
    tenants.into_iter().find(|tenant| tenant.schema == *schema).ok_or_else(|| JobError::UnknownTenant {
        schema: schema.clone(),
        close: close_matches(schema.as_str(), &names),
    })
}

/// The tenants of `ECHODESK_EXEMPT_TENANTS`, which pay nothing: schemas separated by commas.
///
/// # Errors
/// One of them can be nobody's schema. A tenant must not be charged because of a slip of the pen.
pub fn exempt(environment: &Environment) -> Result<BTreeSet<SchemaName>, SettingsError> {
    let names = environment.get(EXEMPT).unwrap_or_default().split(',').map(str::trim).filter(|name| !name.is_empty());
    names.map(str::parse).collect::<Result<_, SchemaNameError>>().map_err(|error| SettingsError::wrong(EXEMPT, error))
}

/// Refuses exempt tenants that are nobody's: whoever was meant would be charged, or suspended. `origin`
/// is the setting or the flag that names them.
///
/// # Errors
/// There is no such tenant; the database is away.
pub fn refuse_unknown_exempt(
    store: &Store,
    origin: &'static str,
    exempt: &BTreeSet<SchemaName>,
) -> Result<(), JobError> {
    if exempt.is_empty() {
        return Ok(());
    }
    let known: BTreeSet<SchemaName> = store.tenants_list()?.into_iter().map(|tenant| tenant.schema).collect();
    let Some(unknown) = exempt.difference(&known).next() else { return Ok(()) };
    let names: Vec<String> = known.iter().map(SchemaName::to_string).collect();
    Err(JobError::UnknownExempt { origin, schema: unknown.clone(), close: close_matches(unknown.as_str(), &names) })
}

/// At most three names that somebody may have meant, the likeliest first.
fn close_matches(wanted: &str, names: &[String]) -> Vec<String> {
    /// Jaro-Winkler similarity from which a name counts as meant; clap uses nearly the same.
    const ENOUGH: f64 = 0.75;
    let wanted = wanted.to_ascii_lowercase();
    let mut scored: Vec<(f64, &String)> = names
        .iter()
        .map(|name| (strsim::jaro_winkler(&wanted, &name.to_ascii_lowercase()), name))
        .filter(|(score, _)| *score >= ENOUGH)
        .collect();
    scored.sort_by(|(a, x), (b, y)| b.total_cmp(a).then_with(|| x.cmp(y)));
    scored.into_iter().take(3).map(|(_, name)| name.clone()).collect()
}

/// `; did you mean a or b?`, or nothing.
pub(crate) fn suggestion(close: &[String]) -> String {
    if close.is_empty() { String::new() } else { format!("; did you mean {}?", close.join(" or ")) }
}

#[cfg(test)]
mod tests {
    use echodesk_core::{Language, TenantId};

    use super::*;

    fn tenant(schema: &str) -> Tenant {
        Tenant {
            id: TenantId(1),
            schema: schema.parse().unwrap(),
            name: schema.to_owned(),
            admin_email: "a@example.com".to_owned(),
            admin_name: String::new(),
            language: Language::En,
            is_active: true,
        }
    }

    fn ask(wanted: &str) -> Result<Tenant, String> {
        let tenants = ["acme", "acme_europe", "globex", "initech"].map(tenant).to_vec();
        pick(tenants, &wanted.parse().unwrap()).map_err(|error| error.to_string())
    }

    fn exempted(value: &str) -> Result<Vec<String>, String> {
        let environment = [(EXEMPT, value)].into_iter().collect();
        let exempt = exempt(&environment).map_err(|error| crate::error::one_line(&error))?;
        Ok(exempt.iter().map(ToString::to_string).collect())
    }

    #[test]
    fn exempt_tenants_are_separated_by_commas() {
        assert_eq!(exempted("").unwrap(), Vec::<String>::new());
        assert_eq!(exempted(" globex, acme,\tacme ,").unwrap(), ["acme", "globex"]);
        assert!(exempt(&Environment::default()).unwrap().is_empty());
    }

    #[test]
    fn an_exempt_tenant_that_can_be_nobody_is_refused() {
        let error = exempted("acme, glo/bex").unwrap_err();
        assert!(error.starts_with("ECHODESK_EXEMPT_TENANTS cannot be used: ") && error.contains("glo/bex"), "{error}");
    }

    #[test]
    fn a_tenant_is_found_by_its_exact_schema_name() {
        assert_eq!(ask("globex").unwrap().schema.as_str(), "globex");
    }

    #[test]
    fn a_name_that_is_nearly_right_is_suggested() {
        assert_eq!(ask("globx").unwrap_err(), "no tenant globx; did you mean globex?");
        assert_eq!(ask("ACME").unwrap_err(), "no tenant ACME; did you mean acme or acme_europe?");
    }

    #[test]
    fn a_name_that_is_nothing_like_any_gets_no_suggestion() {
        assert_eq!(ask("qqq").unwrap_err(), "no tenant qqq");
    }
}

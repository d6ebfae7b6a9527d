//! Finding the tenant that `--tenant` names.

use echodesk_core::{SchemaName, Tenant};
use echodesk_store::Store;

use crate::error::JobError;

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

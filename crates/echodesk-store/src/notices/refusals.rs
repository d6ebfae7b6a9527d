//! Which tenants were told that their card was refused.

use std::collections::HashMap;

use diesel::dsl::max;
use diesel::prelude::*;

use crate::connection::{Connection, on};
use crate::error::Outcome;
use crate::sql_types::RowId;
use crate::tables::notices;

/// The kinds that may say that the saved card will be charged.
const PROMISES: [&str; 3] = ["reminder", "urgent_reminder", "grace_warning"];
/// The kinds that tell that it was not, or will not be.
const REFUSALS: [&str; 2] = ["payment_failed", "price_changed"];

/// The last notice of a refusal, by tenant.
pub(super) type Refusals = HashMap<RowId, i64>;

/// For the tenants of notices, each given with its kind, that may promise a charge. Nothing is asked if none does.
pub(super) fn refusals<'a>(
    connection: &mut Connection,
    about: impl IntoIterator<Item = (RowId, &'a str)>,
) -> Outcome<Refusals> {
    let promised = about.into_iter().filter(|(_, kind)| PROMISES.contains(kind)).map(|(tenant, _)| tenant);
    let mut tenants: Vec<RowId> = promised.collect();
    tenants.sort_unstable();
    tenants.dedup();
    if tenants.is_empty() {
        return Ok(Refusals::new());
    }
    // Both columns begin the table's unique key.
    let found: Vec<(RowId, Option<i64>)> = on!(connection, |c| notices::table
        .filter(notices::tenant_id.eq_any(&tenants))
        .filter(notices::kind.eq_any(REFUSALS))
        .group_by(notices::tenant_id)
        .select((notices::tenant_id, max(notices::id)))
        .load(c))?;
    Ok(found.into_iter().filter_map(|(tenant, last)| Some((tenant, last?))).collect())
}

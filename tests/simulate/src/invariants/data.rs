//! Neither suspending nor lifting a suspension changes anything that a tenant has. Looked at around each that the watch
//! makes, outside of everything that carries it out. No payment of ours lifts one here: whoever has an open charge is not
//! suspended, and whoever is suspended is not charged. (One that arrives after it was closed as unpaid does; the store's tests
//! have that.)

use std::fmt::Write as _;
use std::path::Path;
use std::sync::Arc;

use echodesk_billing::model::{Account, Suspension};
use echodesk_billing::ports::{Lifted, StatusStore, Suspended};
use echodesk_billing::rules::expiry::ExpiryPolicy;
use echodesk_core::notice::NewNotice;
use echodesk_core::{DatabaseUrl, StoreError, SubscriptionId, TenantId};
use jiff::Timestamp;
use sha2::{Digest as _, Sha256};

use crate::trace::TenantNumber;
use crate::violation::Invariant;
use crate::world::World;

/// A table that holds something of a tenant's, with what tells its rows, and with what is written in them.
type Table = (&'static str, &'static str, &'static [&'static str]);

/// What is left alone.
const TABLES: &[Table] = &[
    ("tenants_tenant", "id = {tenant}", &["is_active"]),
    ("tenants_tenant_subscription", "tenant_id = {tenant}", &["is_active", "updated_at"]),
    ("tenants_tenant_subscription_selected_features", "tenantsubscription_id = {subscription}", &[]),
    ("tenants_payment_order", "tenant_id = {tenant}", &[]),
    ("tenants_saved_card", "tenant_id = {tenant}", &[]),
    ("tenants_invoice", "tenant_id = {tenant}", &[]),
    ("tenants_subscription_event", "tenant_id = {tenant} AND id <= {event}", &[]),
    ("echodesk_charge_attempt", "tenant_id = {tenant}", &[]),
];

/// A store whose suspensions are looked at, and their ends.
pub(crate) struct Guarded {
    world: Arc<World>,
    store: Arc<dyn StatusStore>,
}

impl Guarded {
    /// This one.
    pub(crate) fn new(world: &Arc<World>, store: Arc<dyn StatusStore>) -> Self {
        Self { world: Arc::clone(world), store }
    }

    /// Compares what a tenant has before and after.
    fn guard<T>(&self, subscription: SubscriptionId, doing: &str, act: impl FnOnce() -> T) -> T {
        let world = &self.world;
        let Some(number) = world.accounts.of_subscription(subscription) else { return act() };
        world.guard(number, doing, act)
    }
}

impl StatusStore for Guarded {
    fn accounts(
        &self,
        until: Timestamp,
        tenant: Option<TenantId>,
        after: Option<SubscriptionId>,
        limit: usize,
        now: Timestamp,
    ) -> Result<Vec<Account>, StoreError> {
        self.store.accounts(until, tenant, after, limit, now)
    }

    fn queue_notices(&self, notices: &[(TenantId, NewNotice)]) -> Result<Vec<bool>, StoreError> {
        self.store.queue_notices(notices)
    }

    fn suspend(
        &self,
        subscription: SubscriptionId,
        policy: &ExpiryPolicy,
        now: Timestamp,
    ) -> Result<Suspended, StoreError> {
        self.guard(subscription, "suspending", || self.store.suspend(subscription, policy, now))
    }

    fn suspensions(
        &self,
        tenant: Option<TenantId>,
        after: Option<SubscriptionId>,
        limit: usize,
    ) -> Result<Vec<Suspension>, StoreError> {
        self.store.suspensions(tenant, after, limit)
    }

    fn lift(&self, subscription: SubscriptionId, now: Timestamp) -> Result<Lifted, StoreError> {
        self.guard(subscription, "lifting its suspension", || self.store.lift(subscription, now))
    }
}

impl World {
    fn guard<T>(&self, number: TenantNumber, doing: &str, act: impl FnOnce() -> T) -> T {
        let (happenings, event) = (self.happenings(), self.last_event());
        let before = self.possessions(number, &event);
        let done = act();
        // What somebody else has changed meanwhile is his.
        if happenings == self.happenings() {
            let after = self.possessions(number, &event);
            for (before, after) in before.iter().zip(&after).filter(|(before, after)| before != after) {
                let what = format!("{doing} has changed {}: {} before, {} after", before.0, before.1, after.1);
                self.violated(Invariant::DataKept, number, what);
            }
        }
        done
    }

    fn last_event(&self) -> String {
        let last = "SELECT CAST(coalesce(max(id), 0) AS text) AS value FROM tenants_subscription_event";
        self.database.values(last).into_iter().flatten().next().unwrap_or_default()
    }

    /// What a tenant has, table by table: how many rows, and a digest of them.
    fn possessions(&self, number: TenantNumber, event: &str) -> Vec<(&'static str, String)> {
        let (tenant, subscription) = self.accounts.read(number, |account| (account.tenant, account.subscription));
        let table = |(table, which, but): &Table| {
            let which = which
                .replace("{tenant}", &tenant.to_string())
                .replace("{subscription}", &subscription.to_string())
                .replace("{event}", event);
            let columns = self.database.columns(table);
            let columns = columns.iter().filter(|column| !but.contains(&column.as_str()));
            let mut row = String::from("''");
            for column in columns {
                let _ = write!(row, " || '|' || coalesce(CAST(\"{column}\" AS text), '-')");
            }
            let rows = self.database.values(&format!("SELECT {row} AS value FROM {table} WHERE {which} ORDER BY id"));
            (*table, digest(rows.len(), rows.iter().flatten().map(String::as_bytes)))
        };
        let mut possessions: Vec<_> = TABLES.iter().map(table).collect();
        possessions.push(("its own tables", self.own_tables(number)));
        possessions
    }

    /// What is in the tenant's own schema, which on SQLite is a file of its own.
    fn own_tables(&self, number: TenantNumber) -> String {
        let schema = self.accounts.read(number, |account| account.schema.clone());
        match &self.database.url {
            DatabaseUrl::Sqlite(folder) => {
                let names = [format!("{schema}.sqlite3"), format!("{schema}.sqlite3-wal")];
                let read = |name: &String| std::fs::read(Path::new(folder).join(name)).unwrap_or_default();
                let files: Vec<Vec<u8>> = names.iter().map(read).collect();
                digest(files.len(), files.iter().map(Vec::as_slice))
            }
            DatabaseUrl::Postgres { .. } => {
                let tables = self.database.values(&format!(
                    "SELECT table_name::text AS value FROM information_schema.tables WHERE table_schema = '{schema}' \
                       ORDER BY 1"
                ));
                let rows: Vec<String> = tables
                    .iter()
                    .flatten()
                    .flat_map(|table| {
                        let rows = format!("SELECT t::text AS value FROM \"{schema}\".\"{table}\" t ORDER BY 1");
                        self.database.values(&rows)
                    })
                    .flatten()
                    .collect();
                digest(rows.len(), rows.iter().map(String::as_bytes))
            }
        }
    }
}

fn digest<'a>(count: usize, parts: impl Iterator<Item = &'a [u8]>) -> String {
    let mut hash = Sha256::new();
    for part in parts {
        hash.update(part);
        hash.update([0]);
    }
    let hash: String = hash.finalize()[..6].iter().map(|byte| format!("{byte:02x}")).collect();
    format!("{count} rows ({hash})")
}

#[cfg(test)]
mod tests {
    use crate::fault::FaultPlan;
    use crate::plan::{Backend, Plan};

    use super::*;

    #[test]
    fn whatever_is_lost_or_altered_is_seen_and_that_it_is_suspended_is_not() {
        let (faults, backend) = (FaultPlan::none(), Backend::Sqlite);
        let (tenants, days, hosts) = (2, 1, 1);
        let plan = Plan { tenants, days, hosts, faults, backend, ..Plan::default() };
        let world = World::new(plan);
        let (number, last) = (TenantNumber(1), world.last_event());
        let tenant = world.accounts.read(number, |account| account.tenant);
        let begins = world.possessions(number, &last);
        assert!(begins.iter().any(|(table, rows)| *table == "tenants_payment_order" && rows.starts_with('1')));
        let changed = |sql: &str| {
            let before = world.possessions(number, &last);
            world.database.execute(&sql.replace("{tenant}", &tenant.to_string()));
            let after = world.possessions(number, &last);
            let changed = before.iter().zip(&after).filter(|(before, after)| before != after);
            changed.map(|(before, _)| before.0).collect::<Vec<_>>()
        };
        let nothing: [&str; 0] = [];
        let suspend = "UPDATE tenants_tenant SET is_active = false WHERE id = {tenant}; \
            UPDATE tenants_tenant_subscription SET is_active = false, updated_at = '2030-01-01T00:00:00Z' \
              WHERE tenant_id = {tenant}";
        assert_eq!(changed(suspend), nothing);
        assert_eq!(changed("UPDATE tenants_payment_order SET card_saved = true WHERE tenant_id <> {tenant}"), nothing);
        let forget = "UPDATE tenants_tenant_subscription SET parent_order_id = NULL WHERE tenant_id = {tenant}";
        assert_eq!(changed(forget), ["tenants_tenant_subscription"]);
        let delete = "DELETE FROM tenants_tenant_subscription_selected_features; \
            DELETE FROM tenants_payment_order WHERE tenant_id = {tenant}";
        assert_eq!(changed(delete), ["tenants_tenant_subscription_selected_features", "tenants_payment_order"]);
    }
}

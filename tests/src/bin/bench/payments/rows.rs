//! Subscriptions by the thousand: copies of one that our own tool has made.

use echodesk_core::Clock as _;
use echodesk_core::SystemClock;
use echodesk_tests::processes::Installation;
use jiff::SignedDuration;

use super::bank::{CARD, MONTH};
use super::database::Database;

/// Room for the ids of copies of one subscription.
const STRIDE: u64 = 10_000_000;

/// Of those that nobody charges: our tool gives no card to two tenants.
const OTHER_CARD: &str = "33333333-3333-4333-8333-333333333333";

/// Makes `due` subscriptions that a run charges, and `others` that it leaves alone.
pub(crate) fn make(installation: &Installation, due: u64, others: u64, clock: &SystemClock) {
    prepare(installation);
    make_each(installation, &[("due", Some(CARD), 1, due), ("later", Some(OTHER_CARD), 200, others)], clock);
}

/// The tables.
pub(crate) fn prepare(installation: &Installation) {
    let _ = installation.echodesk(&["migrate"], "").well();
    installation.bind("127.0.0.1");
}

/// Subscriptions of several kinds: a name, the card, in how many days they expire, how many there are.
pub(crate) fn make_each(installation: &Installation, kinds: &[(&str, Option<&str>, i64, u64)], clock: &SystemClock) {
    let in_days = |days: i64| (clock.now() + SignedDuration::from_hours(24 * days)).to_string();
    for (number, (name, card, days, count)) in (1..).zip(kinds).filter(|(_, (.., count))| *count > 0) {
        copies(installation, number, (name, *card), &in_days(*days), *count);
    }
    let mut database = Database::open(&installation.database_url);
    database.execute(if database.is_postgres() { "VACUUM ANALYZE" } else { "ANALYZE" });
}

/// The first by our own tool, the others from it. Only SQL that both back ends understand.
fn copies(installation: &Installation, number: u64, (name, card): (&str, Option<&str>), expires: &str, count: u64) {
    let admin = format!("{name}@example.com");
    let _ = installation.echodesk(&["tenant", "add", name, "--name", name, "--admin-email", &admin], "").well();
    let mut arguments = vec!["tenant", "subscribe", name, "--expires", expires, "--agents", "1", "--price", MONTH];
    arguments.extend(card.into_iter().flat_map(|card| ["--card", card]));
    let _ = installation.echodesk(&arguments, "").well();

    // Ids of our own for what nothing else is added to; the database counts orders itself.
    let base = number * STRIDE;
    let series =
        format!("WITH RECURSIVE series(n) AS (SELECT 2 UNION ALL SELECT n + 1 FROM series WHERE n < {count}) ");
    let with = if count > 1 { series } else { return };
    let of = format!("series, tenants_tenant t WHERE t.schema_name = '{name}'");
    let statements = [
        format!(
            "INSERT INTO tenants_tenant (id, domain_url, schema_name, name, description, created_on, is_active, \
               admin_email, admin_name, plan, max_users, max_storage, preferred_language, deployment_status, \
               min_users_per_ticket, only_superadmin_can_delete_tickets, ip_whitelist_enabled, \
               superadmin_bypass_whitelist, payment_provider) \
             {with} SELECT {base} + n, '{name}' || n || '.example.com', '{name}' || n, t.name, t.description, \
               t.created_on, t.is_active, t.admin_email, t.admin_name, t.plan, t.max_users, t.max_storage, \
               t.preferred_language, t.deployment_status, t.min_users_per_ticket, \
               t.only_superadmin_can_delete_tickets, t.ip_whitelist_enabled, t.superadmin_bypass_whitelist, \
               t.payment_provider FROM {of}"
        ),
        format!(
            "INSERT INTO tenants_tenant_subscription (id, is_active, starts_at, expires_at, agent_count, \
               current_users, whatsapp_messages_used, storage_used_gb, next_billing_date, created_at, updated_at, \
               tenant_id, is_trial, parent_order_id, trial_converted, subscription_type, failed_payment_count, \
               payment_status) \
             {with} SELECT {base} + n, s.is_active, s.starts_at, s.expires_at, s.agent_count, s.current_users, \
               s.whatsapp_messages_used, s.storage_used_gb, s.next_billing_date, s.created_at, s.updated_at, \
               {base} + n, s.is_trial, s.parent_order_id, s.trial_converted, s.subscription_type, \
               s.failed_payment_count, s.payment_status \
             FROM tenants_tenant_subscription s, {of} AND s.tenant_id = t.id"
        ),
        format!(
            "INSERT INTO tenants_tenant_subscription_selected_features (tenantsubscription_id, feature_id) \
             {with} SELECT {base} + n, f.feature_id \
             FROM tenants_tenant_subscription_selected_features f, tenants_tenant_subscription s, {of} \
               AND s.tenant_id = t.id AND f.tenantsubscription_id = s.id"
        ),
        format!(
            "INSERT INTO tenants_payment_order (order_id, amount, currency, agent_count, status, payment_url, \
               metadata, created_at, updated_at, paid_at, tenant_id, bog_order_id, card_saved, is_trial_payment, \
               payment_provider) \
             {with} SELECT o.order_id || '-' || n, o.amount, o.currency, o.agent_count, o.status, o.payment_url, \
               o.metadata, o.created_at, o.updated_at, o.paid_at, {base} + n, o.bog_order_id, o.card_saved, \
               o.is_trial_payment, o.payment_provider \
             FROM tenants_payment_order o, {of} AND o.tenant_id = t.id"
        ),
    ];
    let mut database = Database::open(&installation.database_url);
    for statement in statements {
        database.execute(&statement);
    }
}

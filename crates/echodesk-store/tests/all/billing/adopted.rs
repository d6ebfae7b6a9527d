//! The same on tables that are EchoDesk's own.

use diesel::connection::SimpleConnection;
use diesel::prelude::*;
use diesel::sql_types::Text;
use echodesk_billing::model::AttemptState;
use echodesk_billing::ports::{Prepared, Settled};
use echodesk_billing::rules::retry::Next;
use echodesk_store::{Access, Store};

use super::accounts::{accept, candidate, charge, claim, prepare, rejected, settle, state, subscription, try_prepare};
use crate::world::{empty_database, postgres};

const PUBLIC: &str = include_str!("../../../../../tests/fixtures/echodesk.sql");

/// An installation with a subscription of the tenant `acme`, on which a migrated store is open. None
/// where PostgreSQL is not installed.
fn installation() -> Option<(Store, PgConnection)> {
    let url = empty_database()?;
    let mut connection = postgres(&url);
    connection.batch_execute(PUBLIC).unwrap();
    let tenant = "INSERT INTO tenants_tenant (domain_url, schema_name, name, description, created_on, is_active, \
        admin_email, admin_name, plan, max_users, max_storage, preferred_language, deployment_status, \
        min_users_per_ticket, only_superadmin_can_delete_tickets, ip_whitelist_enabled, superadmin_bypass_whitelist, \
        payment_provider) VALUES ('acme.example', 'acme', 'Acme', '', now(), true, 'a@x', 'A', 'basic', 10, 1, 'en', \
        'deployed', 0, false, false, true, 'bog')";
    connection.batch_execute(tenant).unwrap();
    connection.batch_execute(&subscription("acme")).unwrap();
    let store = Store::open(&url, Access::ReadWrite).unwrap();
    store.migrate(None).unwrap();
    Some((store, connection))
}

fn select(connection: &mut PgConnection, sql: &str) -> Vec<String> {
    #[derive(QueryableByName)]
    struct Row {
        #[diesel(sql_type = Text)]
        row: String,
    }
    diesel::sql_query(sql).load::<Row>(connection).unwrap().into_iter().map(|row| row.row).collect()
}

/// A retry that hangs on a failed charge, as EchoDesk's foreign keys want it.
const RETRY: &str = "INSERT INTO tenants_payment_attempt (attempt_number, status, bog_order_id, amount, attempted_at, \
      failed_reason, bog_error_code, bog_response, is_retry, payment_order_id, tenant_id) \
    SELECT 1, 'failed', '', 50, now(), '', '', '{}', false, id, tenant_id FROM tenants_payment_order LIMIT 1; \
    INSERT INTO tenants_payment_retry_schedule (retry_number, scheduled_for, status, skip_reason, original_attempt_id, \
      payment_order_id, subscription_id, tenant_id) \
    SELECT 1, '2026-11-26T00:00:00Z', 'pending', '', a.id, a.payment_order_id, s.id, s.tenant_id \
    FROM tenants_payment_attempt a, tenants_tenant_subscription s";

#[test]
fn a_renewal_satisfies_every_not_null_and_every_foreign_key() {
    let Some((store, mut connection)) = installation() else { return };
    let attempt = accept(&store, "acme");
    connection.batch_execute(RETRY).unwrap();
    connection.batch_execute("UPDATE tenants_tenant_subscription SET is_active = false").unwrap();
    assert!(matches!(settle(&store, &attempt, None), Settled::Paid { extended: true, reactivated: true, .. }));
    let kinds = "SELECT event_type AS row FROM tenants_subscription_event ORDER BY id";
    assert_eq!(select(&mut connection, kinds), ["payment_success", "reactivated"]);
    let invoice = "SELECT invoice_number || ' ' || amount AS row FROM tenants_invoice";
    assert_eq!(select(&mut connection, invoice), ["INV-202611-0001 50.00"]);
    let retries = "SELECT status AS row FROM tenants_payment_retry_schedule";
    assert_eq!(select(&mut connection, retries), ["cancelled"]);
    assert_eq!(settle(&store, &attempt, None), Settled::Already(AttemptState::Paid));
}

#[test]
fn a_refusal_is_counted_and_echodesks_retry_is_a_barrier() {
    let Some((store, mut connection)) = installation() else { return };
    let attempt = accept(&store, "acme");
    assert!(matches!(settle(&store, &attempt, Some(&rejected("107"))), Settled::Failed(Next::On(_))));
    let counted = "SELECT payment_status || ' ' || failed_payment_count AS row FROM tenants_tenant_subscription";
    assert_eq!(select(&mut connection, counted), ["retrying 1"]);
    connection.batch_execute(RETRY).unwrap();
    assert!(candidate(&store, "acme").echodesk_retry.is_some());
}

#[test]
fn what_echodesks_web_hook_has_done_is_not_done_again() {
    let Some((store, mut connection)) = installation() else { return };
    let attempt = accept(&store, "acme");
    connection
        .batch_execute(
            "UPDATE tenants_payment_order SET status = 'paid', paid_at = now() WHERE order_id LIKE 'REC-%'; \
             UPDATE tenants_tenant_subscription SET next_billing_date = next_billing_date + interval '30 days', \
               expires_at = expires_at + interval '30 days'",
        )
        .unwrap();
    assert!(matches!(settle(&store, &attempt, None), Settled::Paid { extended: false, .. }));
    let until = "SELECT to_char(expires_at AT TIME ZONE 'UTC', 'YYYY-MM-DD') AS row FROM tenants_tenant_subscription";
    assert_eq!(select(&mut connection, until), ["2026-12-24"]);
    assert_eq!(state(&store, &attempt), AttemptState::Paid);
}

#[test]
fn older_installations_with_integer_ids_serve_as_well() {
    let Some((store, mut connection)) = installation() else { return };
    connection
        .batch_execute(
            "DO $$ DECLARE c record; BEGIN FOR c IN SELECT conrelid::regclass AS t, conname FROM pg_constraint \
               WHERE contype = 'f' AND connamespace = 'public'::regnamespace \
             LOOP EXECUTE format('ALTER TABLE %s DROP CONSTRAINT %I', c.t, c.conname); END LOOP; END $$; \
             ALTER TABLE tenants_tenant ALTER id TYPE integer; \
             ALTER TABLE tenants_tenant_subscription ALTER id TYPE integer, ALTER tenant_id TYPE integer; \
             ALTER TABLE tenants_payment_order ALTER id TYPE integer, ALTER tenant_id TYPE integer; \
             ALTER TABLE tenants_feature ALTER id TYPE integer; \
             ALTER TABLE tenants_tenant_subscription_selected_features ALTER feature_id TYPE integer, \
               ALTER tenantsubscription_id TYPE integer; \
             ALTER TABLE tenants_invoice ALTER payment_order_id TYPE integer, ALTER tenant_id TYPE integer; \
             ALTER TABLE tenants_subscription_event ALTER payment_order_id TYPE integer, \
               ALTER subscription_id TYPE integer, ALTER tenant_id TYPE integer; \
             ALTER TABLE tenants_payment_retry_schedule ALTER subscription_id TYPE integer",
        )
        .unwrap();
    let attempt = prepare(&store, "acme");
    assert!(matches!(settle(&store, &attempt, None), Settled::Paid { extended: true, .. }));
    assert_eq!(select(&mut connection, "SELECT invoice_number AS row FROM tenants_invoice"), ["INV-202611-0001"]);
}

/// EchoDesk's web hook and ours are at the same order at the same time, and EchoDesk's commits first.
#[test]
fn who_waits_for_echodesks_web_hook_sees_what_it_has_done() {
    let Some((store, mut connection)) = installation() else { return };
    let attempt = accept(&store, "acme");
    connection
        .batch_execute(
            "BEGIN; UPDATE tenants_payment_order SET status = 'paid', paid_at = '2026-11-22 09:59:00+00' \
             WHERE order_id LIKE 'REC-%'",
        )
        .unwrap();
    let settled = std::thread::scope(|scope| {
        let ours = scope.spawn(|| settle(&store, &attempt, None));
        // Long enough for ours to have read the order as pending and to wait for the row.
        std::thread::sleep(std::time::Duration::from_millis(500));
        assert!(!ours.is_finished());
        connection.batch_execute("COMMIT").unwrap();
        ours.join().unwrap()
    });
    assert_eq!(settled, Settled::NotYet, "it has marked the order and not extended the subscription yet");
    let until = "SELECT to_char(expires_at AT TIME ZONE 'UTC', 'YYYY-MM-DD') AS row FROM tenants_tenant_subscription";
    assert_eq!(select(&mut connection, until), ["2026-11-24"]);

    // It never comes to the second step.
    connection.batch_execute("UPDATE tenants_payment_order SET paid_at = paid_at - interval '1 hour'").unwrap();
    let settled = settle(&store, &attempt, None);
    assert!(matches!(settled, Settled::Paid { extended: true, .. }), "{settled:?}");
    assert_eq!(select(&mut connection, until), ["2026-12-24"]);
    assert!(matches!(settle(&store, &attempt, None), Settled::Already(_)));
    assert_eq!(select(&mut connection, until), ["2026-12-24"]);
}

/// Another run's charge, of which this one's statement could not know when it began to wait.
#[test]
fn who_waits_for_the_subscription_sees_what_was_done_to_it() {
    let Some((store, mut connection)) = installation() else { return };
    let charge = charge(&store, "acme");
    connection
        .batch_execute(
            "BEGIN; SELECT 1 FROM tenants_tenant_subscription FOR UPDATE; \
             INSERT INTO tenants_payment_order (order_id, amount, currency, agent_count, status, payment_url, metadata, \
               created_at, updated_at, tenant_id, card_saved, is_trial_payment, payment_provider) \
             SELECT 'RETRY-1', 50, 'GEL', 2, 'pending', '', '{}', '2026-11-22T09:00:00Z', now(), id, false, false, 'bog' \
             FROM tenants_tenant",
        )
        .unwrap();
    let prepared = std::thread::scope(|scope| {
        let ours = scope.spawn(|| try_prepare(&store, &charge, claim()));
        std::thread::sleep(std::time::Duration::from_millis(500));
        assert!(!ours.is_finished());
        connection.batch_execute("COMMIT").unwrap();
        ours.join().unwrap()
    });
    assert_eq!(prepared, Prepared::Changed);
}

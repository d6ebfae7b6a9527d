//! On EchoDesk's own database, with EchoDesk's own web hook beside us.

use echodesk_core::{Clock as _, SystemClock};
use echodesk_test_servers::postgres::Postgres;
use echodesk_tests::processes::{Ended, Installation};
use echodesk_tests::sandbox::bank::{Card, Endpoint, SandboxBank};
use jiff::SignedDuration;
use serde_json::Value;
use tempfile::TempDir;

use super::run::assert_discreet;
use super::world::by_hand;

const PUBLIC: &str = include_str!("../../../fixtures/echodesk.sql");
const TENANT: &str = include_str!("../../../fixtures/echodesk_tenant.sql");

/// Leaves what is ours out of a dump.
const THEIRS: [&str; 2] = ["--exclude-table=*.echodesk_*", "--exclude-table=*.__diesel*"];

/// An installation of EchoDesk with one subscription that is due, and the bank.
struct EchoDesk {
    postgres: &'static Postgres,
    bank: SandboxBank,
    installation: Installation,
    _folder: TempDir,
}

impl EchoDesk {
    fn new() -> Option<Self> {
        let postgres = Postgres::shared()?;
        let folder = tempfile::tempdir().unwrap();
        let installation = Installation {
            database_url: postgres.database(),
            folder: folder.path().to_owned(),
            ca_file: "/dev/null".into(),
        };
        let this = Self { postgres, bank: SandboxBank::start(by_hand()), installation, _folder: folder };
        this.bank.add_card("card", "50", Card::pays());
        this.execute(PUBLIC);
        this.execute(&format!("CREATE SCHEMA acme; SET search_path TO acme; {TENANT}"));
        let expires = SystemClock::new().now() + SignedDuration::from_hours(48);
        this.execute(&format!(
            "INSERT INTO tenants_tenant (domain_url, schema_name, name, description, created_on, is_active, admin_email, \
               admin_name, plan, max_users, max_storage, preferred_language, deployment_status, min_users_per_ticket, \
               only_superadmin_can_delete_tickets, ip_whitelist_enabled, superadmin_bypass_whitelist, payment_provider) \
             VALUES ('acme.example', 'acme', 'Acme', '', now(), true, 'a@x', 'A', 'basic', 10, 1, 'ka', 'deployed', 0, \
               false, false, true, 'bog'); \
             INSERT INTO tenants_tenant_subscription (is_active, starts_at, expires_at, agent_count, current_users, \
               whatsapp_messages_used, storage_used_gb, next_billing_date, created_at, updated_at, tenant_id, is_trial, \
               trial_converted, subscription_type, failed_payment_count, payment_status) \
             SELECT true, now(), '{expires:.0}', 2, 0, 0, 0, '{expires:.0}', now(), now(), id, false, false, 'paid', 0, \
               'current' FROM tenants_tenant; \
             INSERT INTO tenants_feature (key, name, description, category, icon, sort_order, is_active, created_at, \
               updated_at, price_per_user_gel, price_unlimited_gel) \
             VALUES ('helpdesk', 'Help desk', '', 'core', '', 0, true, now(), now(), 25, 0); \
             INSERT INTO tenants_tenant_subscription_selected_features (tenantsubscription_id, feature_id) \
             SELECT s.id, f.id FROM tenants_tenant_subscription s, tenants_feature f; \
             INSERT INTO tenants_payment_order (order_id, amount, currency, agent_count, status, payment_url, metadata, \
               created_at, updated_at, paid_at, tenant_id, bog_order_id, card_saved, is_trial_payment, payment_provider) \
             SELECT 'SUB-1', 50, 'GEL', 2, 'paid', '', '{{}}', now(), now(), now(), id, 'card', true, false, 'bog' \
               FROM tenants_tenant",
        ));
        Some(this)
    }

    /// One whose database has our tables as well.
    fn migrated() -> Option<Self> {
        let this = Self::new()?;
        let _ = this.run_program("echodesk", &["migrate"]).well();
        this.installation.bind("localhost");
        Some(this)
    }

    fn execute(&self, sql: &str) -> String {
        self.postgres.execute(&self.installation.database_url, sql)
    }

    fn row(&self, sql: &str) -> String {
        self.execute(sql).trim().to_owned()
    }

    fn dump(&self, arguments: &[&str]) -> String {
        self.postgres.dump(&self.installation.database_url, &[&THEIRS, arguments].concat())
    }

    fn run_program(&self, program: &str, arguments: &[&str]) -> Ended {
        let mut command = self.installation.command(program, arguments);
        command.envs([("BOG_CLIENT_ID", self.bank.client_id()), ("BOG_CLIENT_SECRET", self.bank.client_secret())]);
        command.envs([("BOG_AUTH_URL", self.bank.token_url()), ("BOG_API_BASE_URL", self.bank.api_url())]);
        let ended = Ended::of(command.spawn().unwrap());
        assert_discreet(&ended);
        ended
    }

    /// Runs the job, and returns the one subscription of its report.
    fn run(&self, code: i32) -> Value {
        let ended = self.run_program("recurring-payments", &["--settle-for", "1s", "--report", "report.json"]);
        assert_eq!(ended.code, Some(code), "{ended:#?}");
        let text = std::fs::read(self.installation.folder.join("report.json")).unwrap();
        serde_json::from_slice::<Value>(&text).unwrap()["subscriptions"][0].clone()
    }

    /// What EchoDesk's web hook does with a completed order: nothing if it is paid already. Says whether it did.
    fn web_hook(&self) -> bool {
        let extended = self.row(
            "WITH paid AS (UPDATE tenants_payment_order SET status = 'paid', paid_at = now(), updated_at = now() \
               WHERE order_id LIKE 'REC-%' AND status <> 'paid' RETURNING tenant_id) \
             UPDATE tenants_tenant_subscription s SET next_billing_date = next_billing_date + interval '30 days', \
               expires_at = next_billing_date + interval '30 days', last_billed_at = now() \
             FROM paid WHERE paid.tenant_id = s.tenant_id RETURNING s.id",
        );
        !extended.is_empty()
    }

    /// Days from now until the subscription ends, to the nearest.
    fn days_left(&self) -> String {
        self.row("SELECT round(extract(epoch FROM expires_at - now()) / 86400) FROM tenants_tenant_subscription")
    }

    /// EchoDesk's own retry of a charge that has failed.
    fn add_retry(&self) {
        self.execute(
            "INSERT INTO tenants_payment_attempt (attempt_number, status, bog_order_id, amount, attempted_at, \
               failed_reason, bog_error_code, bog_response, is_retry, payment_order_id, tenant_id) \
             SELECT 1, 'failed', '', 50, now(), '', '', '{}', false, id, tenant_id FROM tenants_payment_order LIMIT 1; \
             INSERT INTO tenants_payment_retry_schedule (retry_number, scheduled_for, status, skip_reason, \
               original_attempt_id, payment_order_id, subscription_id, tenant_id) \
             SELECT 1, now() + interval '4 hours', 'pending', '', a.id, a.payment_order_id, s.id, s.tenant_id \
             FROM tenants_payment_attempt a, tenants_tenant_subscription s",
        );
    }

    fn retries(&self) -> String {
        self.row("SELECT string_agg(status, ' ') FROM tenants_payment_retry_schedule")
    }
}

#[test]
fn nothing_of_echodesks_is_altered_by_migrating() {
    let Some(world) = EchoDesk::new() else { return };
    let (schema, data) = (world.dump(&["--schema-only"]), world.dump(&["--data-only"]));
    assert!(schema.contains("CREATE TABLE public.tenants_payment_order"), "{schema}");
    assert!(data.contains("SUB-1"), "{data}");
    let _ = world.run_program("echodesk", &["migrate"]).well();
    assert_eq!(world.dump(&["--schema-only"]), schema, "EchoDesk's tables are altered");
    assert_eq!(world.dump(&["--data-only"]), data, "EchoDesk's rows are altered");
    assert_eq!(world.row("SELECT count(*) FROM echodesk_charge_attempt"), "0", "ours are there");
}

#[test]
fn what_echodesks_web_hook_was_first_with_is_not_extended_again() {
    let Some(world) = EchoDesk::migrated() else { return };
    assert_eq!(world.run(0)["outcome"], "pending");
    world.add_retry();
    world.bank.settle_all();
    assert!(world.web_hook(), "our order is one that it understands");
    assert_eq!((world.days_left().as_str(), world.retries().as_str()), ("32", "pending"));

    let ran = world.run(0);
    assert_eq!(ran["outcome"], "paid", "{ran:#}");
    assert_eq!(world.days_left(), "32", "not extended again");
    assert_eq!(world.retries(), "cancelled", "or EchoDesk charges a period that is paid");
    assert_eq!(world.row("SELECT count(*) FROM tenants_invoice"), "0", "invoice and event are the web hook's");
    assert_eq!(world.row("SELECT state FROM echodesk_charge_attempt"), "paid");
    let _ = world.run_program("recurring-payments", &["--settle-for", "1s"]).well();
    assert_eq!((world.bank.captures().len(), world.days_left().as_str()), (1, "32"));
}

#[test]
fn what_echodesk_has_marked_as_paid_and_never_booked_is_booked_by_us() {
    let Some(world) = EchoDesk::migrated() else { return };
    assert_eq!(world.run(0)["outcome"], "pending");
    world.bank.settle_all();
    world.execute("UPDATE tenants_payment_order SET status = 'paid', paid_at = now() WHERE order_id LIKE 'REC-%'");
    assert_eq!(world.run(0)["outcome"], "pending", "it may be about to extend the subscription");
    assert_eq!(world.days_left(), "2");
    world.execute(
        "UPDATE tenants_payment_order SET paid_at = now() - interval '11 minutes' WHERE order_id LIKE 'REC-%'",
    );
    for outcome in ["paid", ""] {
        assert_eq!(world.run(0)["outcome"].as_str().unwrap_or_default(), outcome);
        assert_eq!(world.days_left(), "32");
    }
    assert_eq!(world.bank.captures().len(), 1);
}

#[test]
fn a_retry_that_echodesk_plans_for_a_paid_period_is_cancelled_and_one_that_hangs_needs_a_person() {
    let Some(world) = EchoDesk::migrated() else { return };
    assert_eq!(world.run(0)["outcome"], "pending");
    world.bank.settle_all();
    assert_eq!(world.run(0)["outcome"], "paid");
    world.add_retry();
    world.execute(
        "UPDATE tenants_payment_retry_schedule SET payment_order_id = \
           (SELECT id FROM tenants_payment_order WHERE order_id LIKE 'REC-%')",
    );
    let _ = world.run(0);
    assert_eq!(world.retries(), "cancelled");

    world.execute(
        "UPDATE tenants_payment_retry_schedule SET status = 'executing', scheduled_for = now() - interval '2 days'; \
         UPDATE tenants_tenant_subscription SET expires_at = now() + interval '1 day'; \
         DELETE FROM echodesk_charge_attempt",
    );
    let ran = world.run(1);
    assert_eq!((ran["outcome"].as_str(), ran["code"].as_str()), (Some("skipped"), Some("echodesk_retry_overdue")));
    assert_eq!(world.bank.captures().len(), 1);
}

#[test]
fn what_we_were_first_with_is_left_alone_by_echodesks_web_hook() {
    let Some(world) = EchoDesk::migrated() else { return };
    let schema = world.dump(&["--schema-only"]);
    assert_eq!(world.run(0)["outcome"], "pending");
    world.bank.settle_all();
    assert_eq!(world.run(0)["outcome"], "paid");
    assert_eq!(world.days_left(), "32");
    assert!(!world.web_hook(), "the order is paid, which the web hook looks at first");
    assert_eq!(world.days_left(), "32");

    let order = "SELECT o.status, o.amount, o.currency, o.agent_count, o.payment_url, o.card_saved, o.is_trial_payment, \
        o.payment_provider, o.paid_at IS NOT NULL, o.metadata->>'type', o.metadata->>'parent_order_id', \
        (o.metadata->>'subscription_id')::bigint = s.id, o.bog_order_id IS NOT NULL, o.order_id ~ '^REC-[0-9A-F]{12}$' \
        FROM tenants_payment_order o JOIN tenants_tenant_subscription s ON s.tenant_id = o.tenant_id \
        WHERE o.order_id <> 'SUB-1'";
    assert_eq!(world.row(order), "paid|50.00|GEL|2||f|f|bog|t|recurring|card|t|t|t");
    let invoice = "SELECT invoice_number = to_char(now() AT TIME ZONE 'UTC', '\"INV-\"YYYYMM') || '-0001', amount, \
        agent_count, paid_date IS NOT NULL FROM tenants_invoice";
    assert_eq!(world.row(invoice), "t|50.00|2|t");
    assert_eq!(world.row("SELECT event_type FROM tenants_subscription_event"), "payment_success");
    let subscription = "SELECT expires_at = next_billing_date, last_billed_at > now() - interval '1 hour', \
        subscription_type, payment_status, failed_payment_count FROM tenants_tenant_subscription";
    assert_eq!(world.row(subscription), "t|t|paid|current|0");
    assert_eq!(world.bank.captures().len(), 1);
    assert_eq!(world.dump(&["--schema-only"]), schema, "EchoDesk's tables are altered");
}

#[test]
fn what_echodesk_charges_by_itself_is_left_to_it() {
    let Some(world) = EchoDesk::migrated() else { return };
    world.add_retry();
    let ran = world.run(0);
    assert_eq!((ran["outcome"].as_str(), ran["code"].as_str()), (Some("skipped"), Some("echodesk_retries")));
    assert_eq!((world.bank.count(Endpoint::Subscribe), world.retries().as_str()), (0, "pending"));
    world.execute("UPDATE tenants_payment_retry_schedule SET status = 'skipped'");

    // Its charge is under way.
    world.execute(
        "INSERT INTO tenants_payment_order (order_id, amount, currency, agent_count, status, payment_url, metadata, \
           created_at, updated_at, tenant_id, card_saved, is_trial_payment, payment_provider) \
         SELECT 'RETRY-0123456789AB', 50, 'GEL', 2, 'pending', '', '{}', now(), now(), id, false, false, 'bog' \
           FROM tenants_tenant",
    );
    let ran = world.run(0);
    assert_eq!((ran["outcome"].as_str(), ran["code"].as_str()), (Some("skipped"), Some("foreign_order")));
    world.execute("UPDATE tenants_payment_order SET status = 'failed' WHERE order_id LIKE 'RETRY-%'");
    assert_eq!(world.run(0)["outcome"], "pending", "now it is our turn");
    assert_eq!(world.bank.count(Endpoint::Subscribe), 1);
}

#[test]
fn a_payment_lifts_a_suspension_that_came_meanwhile() {
    let Some(world) = EchoDesk::migrated() else { return };
    assert_eq!(world.run(0)["outcome"], "pending");
    world.execute(
        "UPDATE tenants_tenant SET is_active = false; \
         UPDATE tenants_tenant_subscription SET is_active = false, expires_at = now() - interval '8 days', \
           next_billing_date = now() - interval '8 days'",
    );
    world.bank.settle_all();
    let ran = world.run(0);
    assert_eq!((ran["outcome"].as_str(), ran["reactivated"].as_bool()), (Some("paid"), Some(true)), "{ran:#}");
    assert_eq!(world.days_left(), "30", "from the payment on");
    let active = "SELECT t.is_active, s.is_active FROM tenants_tenant t JOIN tenants_tenant_subscription s \
        ON s.tenant_id = t.id";
    assert_eq!(world.row(active), "t|t");
}

#[test]
fn a_column_that_nobody_can_fill_is_named_before_anything_is_charged() {
    let Some(world) = EchoDesk::migrated() else { return };
    world.execute("ALTER TABLE tenants_payment_order ADD COLUMN risk_class integer NOT NULL DEFAULT 0");
    world.execute("ALTER TABLE tenants_payment_order ALTER risk_class DROP DEFAULT");
    // That it was refused is written down, and nothing else.
    let dump = || {
        let all_but_runs = ["--data-only", "--exclude-table=public.echodesk_run"];
        world.postgres.dump(&world.installation.database_url, &all_but_runs)
    };
    let before = dump();
    for arguments in [&[][..], &["--dry-run"]] {
        let ended = world.run_program("recurring-payments", arguments);
        assert_eq!(ended.code, Some(2), "{ended:#?}");
        assert!(ended.stderr.contains("tenants_payment_order.risk_class"), "{ended:#?}");
    }
    assert!(world.bank.requests().is_empty(), "nobody was called");
    assert_eq!(dump(), before);
    assert_eq!(world.row("SELECT string_agg(exit_code::text, ',') FROM echodesk_run"), "2");
    world.execute("ALTER TABLE tenants_payment_order ALTER risk_class SET DEFAULT 5");
    assert_eq!(world.run(0)["outcome"], "pending", "the remedy that was given");
}

#[test]
fn a_database_that_was_not_migrated_is_told_of() {
    let Some(world) = EchoDesk::new() else { return };
    let ended = world.run_program("recurring-payments", &[]);
    assert_eq!(ended.code, Some(2), "{ended:#?}");
    assert!(ended.stderr.contains("echodesk migrate"), "{ended:#?}");
    assert!(world.bank.requests().is_empty());
}

//! What is wrong with the tables of billing stops payments, and nothing else.

use echodesk_core::DatabaseUrl;
use echodesk_store::{Access, SchemaFinding, Severity, Store};

use crate::world::{World, as_user, on_both};

fn billing(world: &World) -> Vec<SchemaFinding> {
    let findings = world.store.inspect().unwrap();
    assert!(
        findings.iter().all(|finding| matches!(finding.severity, Severity::Billing | Severity::Warning)),
        "mail goes on: {findings:?}"
    );
    assert!(findings.iter().all(|finding| finding.schema == "public"), "{findings:?}");
    assert_eq!(world.store.inspect_public().unwrap(), findings, "nothing of a tenant's is among them");
    findings
}

const ECHODESKS: [&str; 6] = [
    "tenants_tenant_subscription",
    "tenants_tenant_subscription_selected_features",
    "tenants_feature",
    "tenants_payment_order",
    "tenants_subscription_event",
    "tenants_invoice",
];

on_both! {
    fn a_fresh_database_is_ready_for_payments(world) {
        assert_eq!(billing(world), []);
    }
}

on_both! {
    fn every_table_and_every_column_is_asked_for(world) {
        for table in ECHODESKS.into_iter().chain([
            "tenants_saved_card",
            "echodesk_charge_attempt",
            "echodesk_invoice_month",
            "echodesk_suspension",
        ]) {
            world.execute(&format!("ALTER TABLE public.{table} RENAME TO put_aside"));
            let findings = billing(world);
            assert_eq!(findings.len(), 1, "{findings:?}");
            assert_eq!(findings[0].problem, format!("table {table} is missing"));
            world.execute(&format!("ALTER TABLE public.put_aside RENAME TO {table}"));
        }
        for (table, column) in [
            ("tenants_tenant_subscription", "failed_payment_count"),
            ("tenants_feature", "price_per_user_gel"),
            ("tenants_payment_order", "card_saved"),
            ("tenants_subscription_event", "metadata"),
            ("tenants_invoice", "paid_date"),
            ("tenants_saved_card", "masked_card_number"),
            ("echodesk_suspension", "lifted_at"),
            ("echodesk_charge_attempt", "trouble"),
        ] {
            world.execute(&format!("ALTER TABLE public.{table} RENAME COLUMN {column} TO put_aside"));
            let findings = billing(world);
            assert!(
                findings.iter().any(|finding| finding.severity == Severity::Billing
                    && finding.problem == format!("{table} has no column {column}")),
                "{findings:?}"
            );
            world.execute(&format!("ALTER TABLE public.{table} RENAME COLUMN put_aside TO {column}"));
        }
        assert_eq!(billing(world), []);
    }
}

on_both! {
    fn the_table_of_echodesks_retries_may_be_absent_but_not_odd(world) {
        world.execute("CREATE TABLE public.tenants_payment_retry_schedule (id integer PRIMARY KEY, status text, \
            scheduled_for text, executed_at text, skip_reason text NOT NULL, retry_number integer NOT NULL)");
        let findings = billing(world);
        assert_eq!(findings.len(), 1, "{findings:?}");
        assert_eq!(findings[0].problem, "tenants_payment_retry_schedule has no column subscription_id");
        world.execute("ALTER TABLE public.tenants_payment_retry_schedule ADD COLUMN subscription_id integer");
        assert_eq!(billing(world), []);
    }
}

#[test]
fn a_column_that_we_cannot_fill_stops_payments_where_they_insert() {
    let Some(world) = World::postgres() else { return };
    for table in ECHODESKS {
        world.execute(&format!("ALTER TABLE public.{table} ADD COLUMN vat text NOT NULL"));
        let findings = billing(&world);
        assert_eq!(findings.len(), 1, "{findings:?}");
        assert!(findings[0].problem.starts_with(&format!("public.{table}.vat is NOT NULL")), "{findings:?}");
        let inserted = ["tenants_payment_order", "tenants_subscription_event", "tenants_invoice"].contains(&table);
        let severity = if inserted { Severity::Billing } else { Severity::Warning };
        assert_eq!(findings[0].severity, severity, "{table}");
        world.execute(&format!("ALTER TABLE public.{table} DROP COLUMN vat"));
    }
}

/// A user called `role` with what a sync needs.
fn user_of_mail(world: &World, role: &str) -> DatabaseUrl {
    world.execute(&format!(
        "CREATE ROLE {role} LOGIN PASSWORD '{role}'; \
         GRANT SELECT ON public.tenants_tenant TO {role}; \
         GRANT SELECT ON public.__diesel_schema_migrations, public.echodesk_identity TO {role}; \
         GRANT SELECT, INSERT, UPDATE, DELETE ON public.echodesk_lease, public.echodesk_notice, public.echodesk_run TO {role}; \
         GRANT USAGE ON SCHEMA acme TO {role}; \
         GRANT SELECT, INSERT, UPDATE ON ALL TABLES IN SCHEMA acme TO {role}"
    ));
    as_user(&world.url, role)
}

#[test]
fn rights_that_payments_lack_are_told_and_stop_nothing_else() {
    let Some(world) = World::postgres() else { return };
    let store = Store::open(&user_of_mail(&world, "mail_only"), Access::ReadWrite).unwrap();
    let findings = store.inspect().unwrap();
    assert_eq!(findings.len(), 1, "{findings:?}");
    assert_eq!((findings[0].severity, findings[0].schema.as_str()), (Severity::Billing, "public"));
    for right in [
        "INSERT on tenants_payment_order",
        "UPDATE on tenants_tenant",
        "SELECT on tenants_feature",
        "SELECT on tenants_saved_card",
        "INSERT on echodesk_suspension",
    ] {
        assert!(findings[0].problem.contains(right), "{findings:?}");
    }

    world.execute(
        "GRANT SELECT, UPDATE ON public.tenants_tenant, public.tenants_tenant_subscription TO mail_only; \
         GRANT SELECT ON public.tenants_tenant_subscription_selected_features, public.tenants_feature TO mail_only; \
         GRANT SELECT ON public.tenants_saved_card TO mail_only; \
         GRANT SELECT, INSERT, UPDATE ON public.tenants_payment_order TO mail_only; \
         GRANT SELECT, INSERT ON public.tenants_subscription_event, public.tenants_invoice TO mail_only; \
         GRANT SELECT, INSERT, UPDATE ON public.echodesk_charge_attempt, public.echodesk_invoice_month, \
           public.echodesk_suspension TO mail_only",
    );
    assert_eq!(store.inspect().unwrap(), []);

    // An id as older installations have it.
    world.execute(
        "ALTER TABLE public.tenants_invoice ALTER id DROP IDENTITY; CREATE SEQUENCE public.invoice_ids; \
         ALTER TABLE public.tenants_invoice ALTER id SET DEFAULT nextval('public.invoice_ids'); \
         ALTER SEQUENCE public.invoice_ids OWNED BY public.tenants_invoice.id",
    );
    assert!(store.inspect().unwrap()[0].problem.contains("USAGE on sequence invoice_ids"));
    world.execute("GRANT USAGE ON SEQUENCE public.invoice_ids TO mail_only");
    assert_eq!(store.inspect().unwrap(), []);
    world.execute("DROP OWNED BY mail_only; DROP ROLE mail_only");
}

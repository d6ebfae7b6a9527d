//! Adding subscriptions.

use echodesk_billing::model::BankOrderId;
use echodesk_billing::{Currency, Money, monthly_price};
use echodesk_core::{StoreErrorKind, TenantId};
use echodesk_store::NewSubscription;

use crate::world::{World, now, on_both, tenant};

fn acme(world: &World) -> TenantId {
    world.store.tenants_list().unwrap()[0].id
}

fn subscription(tenant: TenantId, price: &str, card: Option<&str>) -> NewSubscription {
    let price: Money = Money::new(price.parse().unwrap(), Currency::Gel).unwrap();
    NewSubscription {
        tenant,
        expires_at: "2026-12-01T00:00:00Z".parse().unwrap(),
        agents: 5,
        price_per_agent: price,
        month: monthly_price([price.amount()], 5).unwrap(),
        card: card.map(|card| BankOrderId(card.to_owned())),
    }
}

on_both! {
    fn a_subscription_has_a_price_and_a_card_that_can_be_charged_that(world) {
        world.store.add_subscription(&subscription(acme(world), "10.55", Some("b-1")), now()).unwrap();
        let row = "SELECT parent_order_id || ' ' || payment_status || ' ' || subscription_type || ' ' \
            || CAST(agent_count AS text) AS row FROM public.tenants_tenant_subscription";
        assert_eq!(world.select(row), ["b-1 current paid 5"]);
        let same = "SELECT CASE WHEN expires_at = next_billing_date AND starts_at < expires_at THEN 'same' END AS row \
            FROM public.tenants_tenant_subscription";
        assert_eq!(world.select(same), ["same"]);
        let price = "SELECT f.key || ' ' || CAST(f.price_per_user_gel AS text) AS row FROM public.tenants_feature f \
            JOIN public.tenants_tenant_subscription_selected_features l ON l.feature_id = f.id \
            JOIN public.tenants_tenant_subscription s ON s.id = l.tenantsubscription_id";
        assert_eq!(world.select(price), ["echodesk-jobs-10.55 10.55"]);
        let order = "SELECT order_id || ' ' || CAST(amount AS text) || ' ' || currency || ' ' || status || ' ' || bog_order_id \
            AS row FROM public.tenants_payment_order WHERE card_saved AND paid_at IS NOT NULL";
        assert_eq!(world.select(order), ["CARD-b-1 52.75 GEL paid b-1"]);
    }
}

on_both! {
    fn without_a_card_there_is_no_order(world) {
        world.store.add_subscription(&subscription(acme(world), "0", None), now()).unwrap();
        let row = "SELECT coalesce(parent_order_id, 'none') || ' ' || payment_status AS row \
            FROM public.tenants_tenant_subscription";
        assert_eq!(world.select(row), ["none no_card"]);
        assert!(world.select("SELECT order_id AS row FROM public.tenants_payment_order").is_empty());
    }
}

on_both! {
    fn features_of_one_price_are_one(world) {
        let other = world.store.add_tenant(&tenant("other"), now()).unwrap();
        let third = world.store.add_tenant(&tenant("third"), now()).unwrap();
        for (tenant, price) in [(acme(world), "10"), (other, "10.00"), (third, "10.01")] {
            world.store.add_subscription(&subscription(tenant, price, None), now()).unwrap();
        }
        let keys = "SELECT key AS row FROM public.tenants_feature ORDER BY id";
        assert_eq!(world.select(keys), ["echodesk-jobs-10.00", "echodesk-jobs-10.01"]);
        let links = "SELECT CAST(count(*) AS text) AS row FROM public.tenants_tenant_subscription_selected_features";
        assert_eq!(world.select(links), ["3"]);
    }
}

on_both! {
    fn what_cannot_be_is_a_conflict_and_changes_nothing(world) {
        let store = &world.store;
        let other = store.add_tenant(&tenant("other"), now()).unwrap();
        let third = store.add_tenant(&tenant("third"), now()).unwrap();
        store.add_subscription(&subscription(acme(world), "10", Some("b-1")), now()).unwrap();
        let refused = |new: &NewSubscription| {
            let error = store.add_subscription(new, now()).unwrap_err();
            assert_eq!(error.kind, StoreErrorKind::Conflict);
            error.to_string()
        };
        let again = refused(&subscription(acme(world), "20", Some("b-2")));
        assert!(again.contains("2026-12-01T00:00:00Z"), "{again}");
        let stolen = refused(&subscription(other, "10", Some("b-1")));
        assert!(stolen.contains("another tenant"), "{stolen}");
        world.execute("UPDATE public.tenants_payment_order SET tenant_id = (SELECT max(id) FROM public.tenants_tenant)");
        let dearer = refused(&subscription(third, "10.01", Some("b-1")));
        assert!(dearer.contains("cost 50.00") && dearer.contains("50.05 GEL"), "{dearer}");
        world.execute("UPDATE public.tenants_feature SET price_per_user_gel = '11.00'");
        let changed = refused(&subscription(other, "10", None));
        assert!(changed.contains("changed to 11.00"), "{changed}");
        let count = "SELECT CAST(count(*) AS text) AS row FROM public.tenants_tenant_subscription";
        assert_eq!(world.select(count), ["1"]);
        assert_eq!(world.select("SELECT order_id AS row FROM public.tenants_payment_order"), ["CARD-b-1"]);

        world.execute("UPDATE public.tenants_tenant_subscription SET expires_at = NULL");
        let endless = refused(&subscription(acme(world), "10", None));
        assert!(endless.contains("never expires"), "{endless}");
    }
}

on_both! {
    fn a_card_whose_order_is_known_brings_no_second_one(world) {
        let store = &world.store;
        store.add_subscription(&subscription(acme(world), "10", Some("b-1")), now()).unwrap();
        world.execute("DELETE FROM public.tenants_tenant_subscription_selected_features; DELETE FROM public.tenants_tenant_subscription");
        store.add_subscription(&subscription(acme(world), "10", Some("b-1")), now()).unwrap();
        assert_eq!(world.select("SELECT order_id AS row FROM public.tenants_payment_order"), ["CARD-b-1"]);
    }
}

on_both! {
    fn a_column_that_we_cannot_fill_is_named_before_anything_is_written(world) {
        for table in ["tenants_tenant_subscription", "tenants_feature", "tenants_payment_order"] {
            let add = if world.is_embedded() {
                // SQLite adds no column without a default: the table is made anew.
                format!("DROP TABLE public.{table}; CREATE TABLE public.{table} (id integer PRIMARY KEY, vat text NOT NULL)")
            } else {
                format!("ALTER TABLE public.{table} ADD COLUMN vat text NOT NULL")
            };
            world.execute(&add);
            let error = world.store.add_subscription(&subscription(acme(world), "10", None), now()).unwrap_err();
            assert!(error.to_string().contains(&format!("{table}.vat")), "{error}");
            if world.is_embedded() {
                return;
            }
            world.execute(&format!("ALTER TABLE public.{table} DROP COLUMN vat"));
        }
    }
}

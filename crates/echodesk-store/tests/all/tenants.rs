//! Tenants: adding and listing.

use echodesk_core::Language;
use echodesk_mail::ports::{MailStore, Scope, StoreErrorKind};

use crate::world::{now, on_both, schema, tenant};

on_both! {
    fn a_tenant_is_listed_as_it_was_added(world) {
        let id = world.store.add_tenant(&tenant("zeta-1"), now()).unwrap();
        let tenants = world.store.tenants_list().unwrap();
        let names: Vec<_> = tenants.iter().map(|tenant| tenant.schema.as_str()).collect();
        assert_eq!(names, ["acme", "zeta-1"]);
        let added = &tenants[1];
        assert_eq!((added.id, added.name.as_str(), added.admin_email.as_str()), (id, "Tenant zeta-1", "admin@zeta-1.example"));
        assert_eq!((added.admin_name.as_str(), added.language, added.is_active), ("Ana", Language::Ka, true));
        let (_, mailboxes) = world.store.tenants(&Scope::One(schema("zeta-1"))).unwrap().remove(0).mailboxes.unwrap();
        assert!(mailboxes.is_empty());
        let defaults = "SELECT plan || ' ' || CAST(max_users AS text) || ' ' || deployment_status || ' ' || payment_provider AS row \
                        FROM public.tenants_tenant ORDER BY id";
        assert_eq!(world.select(defaults)[1], "basic 10 pending bog");
    }
}

on_both! {
    fn a_schema_or_domain_that_is_taken_is_refused_in_plain_words(world) {
        let again = world.store.add_tenant(&tenant("acme"), now()).unwrap_err();
        assert_eq!(again.kind, StoreErrorKind::Conflict);
        assert!(again.to_string().contains("schema acme already"), "{again}");
        let mut same_domain = tenant("other");
        same_domain.domain = "acme.example".to_owned();
        let error = world.store.add_tenant(&same_domain, now()).unwrap_err();
        assert_eq!(error.kind, StoreErrorKind::Conflict);
        assert!(error.to_string().contains("domain acme.example already"), "{error}");
        assert_eq!(world.store.tenants_list().unwrap().len(), 1);
    }
}

on_both! {
    fn a_suspended_tenant_is_listed_and_only_found_by_name(world) {
        world.execute("UPDATE public.tenants_tenant SET is_active = false");
        assert!(!world.store.tenants_list().unwrap()[0].is_active);
        assert!(world.store.tenants(&Scope::AllActive).unwrap().is_empty());
        let one = world.store.tenants(&Scope::One(schema("acme"))).unwrap();
        assert!(!one[0].tenant.is_active && one[0].mailboxes.is_ok());
    }
}

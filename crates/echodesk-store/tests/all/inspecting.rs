//! Inspecting: one tenant's trouble is a finding of that tenant, and nobody else's.

use echodesk_core::{Clock as _, DatabaseUrl, SystemClock};
use echodesk_mail::ports::{MailStore, Scope, StoreErrorKind, TenantProblem};
use echodesk_store::{Access, SchemaFinding, Severity, Store};

use crate::world::{World, as_user, now, on_both, schema, tenant};

fn of<'a>(findings: &'a [SchemaFinding], schema: &str) -> Vec<&'a SchemaFinding> {
    findings.iter().filter(|finding| finding.schema == schema).collect()
}

/// A user called `role` who may do in `schemas` and `public` what a sync does there. Users belong to
/// the whole server, which tests share: each brings a name of its own.
fn limited(world: &World, role: &str, schemas: &[&str]) -> DatabaseUrl {
    let mut grants = format!(
        "CREATE ROLE {role} LOGIN PASSWORD '{role}'; \
         GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA public TO {role};"
    );
    for name in schemas {
        let grant = "GRANT SELECT, INSERT, UPDATE ON ALL TABLES IN SCHEMA";
        grants.push_str(&format!("GRANT USAGE ON SCHEMA \"{name}\" TO {role}; {grant} \"{name}\" TO {role};"));
    }
    world.execute(&grants);
    as_user(&world.url, role)
}

#[test]
fn a_schema_without_rights_is_a_finding_of_its_tenant() {
    let Some(world) = World::postgres() else { return };
    world.store.add_tenant(&tenant("closed"), now()).unwrap();
    world.store.add_tenant(&tenant("old"), now()).unwrap();
    world.execute("DELETE FROM old.__diesel_schema_migrations");
    let store = Store::open(&limited(&world, "kept_out", &["acme", "old"]), Access::ReadOnly).unwrap();
    let findings = store.inspect().unwrap();
    assert_eq!(findings.len(), 2, "{findings:?}");
    assert_eq!(of(&findings, "closed")[0].severity, Severity::Tenant);
    let grant = "GRANT USAGE ON SCHEMA closed TO kept_out";
    assert!(of(&findings, "closed")[0].remedy.contains(grant), "{findings:?}");
    assert_eq!(store.inspect_public().unwrap(), [], "no tenant's tables are looked at");
    assert!(of(&findings, "old")[0].problem.contains("old"), "what can be read is inspected: {findings:?}");
    world.execute("DROP OWNED BY kept_out; DROP ROLE kept_out");
}

#[test]
fn a_right_that_a_sync_needs_and_lacks_is_a_finding_before_it_starts() {
    let Some(world) = World::postgres() else { return };
    world.store.add_tenant(&tenant("fine"), now()).unwrap();
    let limited = limited(&world, "reader", &["acme", "fine"]);
    let store = Store::open(&limited, Access::ReadWrite).unwrap();
    assert!(store.inspect().unwrap().is_empty());
    world.execute(
        "REVOKE INSERT ON acme.social_integrations_emailmessage FROM reader; \
         REVOKE UPDATE ON acme.social_integrations_emailconnection FROM reader",
    );
    let reading = Store::open(&limited, Access::ReadOnly).unwrap();
    assert_eq!(reading.inspect().unwrap(), [], "who only reads needs no such right");
    let findings = reading.inspect_for_jobs().unwrap();
    assert_eq!(findings, store.inspect().unwrap());
    assert_eq!(findings.len(), 1, "{findings:?}");
    assert_eq!((findings[0].schema.as_str(), findings[0].severity), ("acme", Severity::Tenant));
    let words = "INSERT on social_integrations_emailmessage, UPDATE on social_integrations_emailconnection";
    assert!(findings[0].problem.contains(words), "{findings:?}");
    let grant = "GRANT INSERT ON acme.social_integrations_emailmessage TO reader";
    assert!(findings[0].remedy.contains(grant), "{findings:?}");
    // No more than a sync writes is needed.
    world.execute(
        "GRANT INSERT ON acme.social_integrations_emailmessage TO reader; \
         GRANT UPDATE (last_sync_at, last_sync_error) ON acme.social_integrations_emailconnection TO reader",
    );
    assert!(store.inspect().unwrap().is_empty());
    world.execute("DROP OWNED BY reader; DROP ROLE reader");
}

#[test]
fn what_nobody_can_start_without_is_told_with_its_grants_before_anything_is_read() {
    let Some(world) = World::postgres() else { return };
    let store = Store::open(&limited(&world, "unlisted", &["acme"]), Access::ReadWrite).unwrap();
    assert_eq!(store.inspect().unwrap(), []);
    world.execute(
        "REVOKE SELECT ON public.__diesel_schema_migrations, public.tenants_tenant, \
           acme.__diesel_schema_migrations FROM unlisted; REVOKE UPDATE ON public.echodesk_run FROM unlisted",
    );
    let findings = store.inspect().unwrap();
    assert_eq!(findings, store.inspect_public().unwrap(), "the tenants cannot be listed");
    assert_eq!((findings.len(), findings[0].severity), (1, Severity::Fatal), "{findings:?}");
    for grant in [
        "GRANT SELECT ON public.__diesel_schema_migrations TO unlisted",
        "GRANT SELECT ON public.tenants_tenant TO unlisted",
        "GRANT UPDATE ON public.echodesk_run TO unlisted",
    ] {
        assert!(findings[0].remedy.contains(grant), "{findings:?}");
    }
    // The remedy is what it says.
    world.execute(findings[0].remedy.split_once(": ").unwrap().1);
    let findings = store.inspect().unwrap();
    assert_eq!((findings.len(), findings[0].severity), (1, Severity::Tenant), "{findings:?}");
    world.execute(findings[0].remedy.split_once(": ").unwrap().1);
    assert_eq!(store.inspect().unwrap(), []);
    world.execute("DROP OWNED BY unlisted; DROP ROLE unlisted");
}

#[test]
fn a_damaged_file_is_a_finding_of_its_tenant() {
    let world = World::sqlite();
    world.store.add_tenant(&tenant("broken"), now()).unwrap();
    let DatabaseUrl::Sqlite(folder) = world.url.clone() else { panic!() };
    drop(world.store);
    for file in ["broken.sqlite3-wal", "broken.sqlite3-shm"] {
        let _ = std::fs::remove_file(folder.join(file));
    }
    std::fs::write(folder.join("broken.sqlite3"), "no database at all ".repeat(500)).unwrap();
    for access in [Access::ReadOnly, Access::ReadWrite] {
        let store = Store::open(&world.url, access).unwrap();
        let findings = store.inspect().unwrap();
        assert_eq!(findings.len(), 1, "{findings:?}");
        assert_eq!((findings[0].schema.as_str(), findings[0].severity), ("broken", Severity::Tenant));
        assert!(findings[0].problem.contains("not a database"), "{findings:?}");
        assert!(findings[0].remedy.contains("backup"), "{findings:?}");
    }
}

on_both! {
    fn with_a_tenant_only_that_one_and_public_are_looked_at(world) {
        let store = &world.store;
        store.add_tenant(&tenant("other"), now()).unwrap();
        world.execute("DROP TABLE echodesk_mail_item");
        assert_eq!(of(&store.inspect().unwrap(), "acme").len(), 1);
        assert!(store.inspect_for(Some(&schema("other"))).unwrap().is_empty());
        world.execute("UPDATE public.tenants_tenant SET is_active = false");
        assert!(store.inspect().unwrap().is_empty());
        assert_eq!(store.inspect_for(Some(&schema("acme"))).unwrap().len(), 1, "also if it is suspended");
        let unknown = store.inspect_for(Some(&schema("nobody"))).unwrap_err();
        assert_eq!(unknown.kind, StoreErrorKind::UnknownTenant);
        world.execute("DROP TABLE public.echodesk_notice");
        let findings = store.inspect_for(Some(&schema("nobody"))).unwrap();
        assert_eq!(findings[0].severity, Severity::Fatal, "what stops everybody is said first");
    }
}

on_both! {
    fn a_column_that_the_list_of_tenants_lacks_is_a_finding_and_no_error(world) {
        world.execute("ALTER TABLE public.tenants_tenant DROP COLUMN admin_name");
        let findings = world.store.inspect().unwrap();
        assert_eq!(findings[0].severity, Severity::Fatal);
        assert!(findings[0].problem.contains("admin_name"), "{findings:?}");
    }
}

on_both! {
    fn a_name_that_cannot_be_used_is_told_as_it_is_written_and_is_in_nobodys_way(world) {
        let store = &world.store;
        let bad = store.add_tenant(&tenant("bad"), now()).unwrap();
        // The names that a tenant with a bad one might go by are taken by real tenants.
        let names = [format!("tenant-{bad}"), format!("unusable-name-of-tenant-{bad}")];
        for name in &names {
            store.add_tenant(&tenant(name), now()).unwrap();
        }
        world.execute("UPDATE public.tenants_tenant SET schema_name = 'bad name' WHERE schema_name = 'bad'");

        let listed: Vec<String> = store.tenants_list().unwrap().iter().map(|t| t.schema.to_string()).collect();
        assert_eq!(listed, ["acme", &names[0], &names[1]]);
        for name in &listed {
            assert!(store.tenants(&Scope::One(schema(name))).unwrap()[0].mailboxes.is_ok());
        }
        let tenants = store.tenants(&Scope::AllActive).unwrap();
        assert_eq!(tenants.iter().filter(|tenant| tenant.mailboxes.is_ok()).count(), 3);
        let reported = tenants.iter().find(|tenant| tenant.mailboxes.is_err()).unwrap();
        assert!(!listed.contains(&reported.tenant.schema.to_string()), "{reported:?}");
        let Err(TenantProblem::BadName(why)) = &reported.mailboxes else { panic!("{reported:?}") };
        assert!(why.contains("\"bad name\""), "{why}");

        let findings = store.inspect().unwrap();
        assert_eq!((findings.len(), findings[0].severity), (1, Severity::Tenant), "{findings:?}");
        assert_eq!(findings[0].schema, "bad name");
        assert!(store.inspect_for(Some(&schema("acme"))).unwrap().is_empty());

        world.execute("UPDATE public.tenants_tenant SET is_active = false WHERE schema_name = 'bad name'");
        let findings = store.inspect().unwrap();
        assert_eq!((findings.len(), findings[0].severity), (1, Severity::Warning), "{findings:?}");
        assert!(store.tenants(&Scope::AllActive).unwrap().iter().all(|tenant| tenant.mailboxes.is_ok()));
    }
}

on_both! {
    fn tables_of_a_newer_version_are_a_warning(world) {
        assert_eq!(world.store.inspect_public().unwrap(), []);
        match &world.url {
            DatabaseUrl::Postgres { .. } => world.execute(&NEWER.replace("__diesel", "public.__diesel")),
            DatabaseUrl::Sqlite(folder) => {
                use diesel::connection::{Connection as _, SimpleConnection as _};
                let path = folder.join("public.sqlite3").display().to_string();
                diesel::SqliteConnection::establish(&path).unwrap().batch_execute(NEWER).unwrap();
            }
        }
        let findings = world.store.inspect_public().unwrap();
        let [finding] = &findings[..] else { panic!("{findings:?}") };
        assert_eq!(finding.severity, Severity::Warning);
        assert!(finding.problem.contains("newer") && finding.problem.contains("20990101000000"), "{finding:?}");
    }
}

const NEWER: &str = "INSERT INTO __diesel_schema_migrations (version) VALUES ('20990101000000')";

on_both! {
    fn the_time_of_the_server_is_that_of_this_machine_in_tests(world) {
        let clock = SystemClock::new();
        let before = clock.now();
        let Some(server) = world.store.server_time().unwrap() else {
            assert!(world.is_embedded());
            return;
        };
        let slack = jiff::SignedDuration::from_millis(1);
        assert!(before - slack <= server && server <= clock.now() + slack, "{before} {server}");
    }
}

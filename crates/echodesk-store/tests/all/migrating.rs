//! Migrating: twice at once, without privileges, down again.

use std::sync::Barrier;

use diesel::connection::SimpleConnection;
use echodesk_core::DatabaseUrl;
use echodesk_mail::ports::{MailStore, Scope};
use echodesk_store::{Access, MigrationOutcome, Severity, Store};

use crate::world::{World, as_user, empty_database, now, postgres, schema, tenant};

#[test]
fn a_database_that_is_not_migrated_is_said_to_be_so() {
    let Some(url) = empty_database() else { return };
    let store = Store::open(&url, Access::ReadWrite).unwrap();
    let findings = store.inspect().unwrap();
    assert_eq!(findings.len(), 1);
    assert_eq!(findings[0].severity, Severity::Fatal);
    assert!(findings[0].remedy.contains("echodesk migrate"), "{findings:?}");
    assert!(store.tenants(&Scope::AllActive).is_err());
    store.migrate(None).unwrap();
    assert!(store.inspect().unwrap().is_empty());
}

#[test]
fn two_migrations_at_once_do_each_step_once() {
    let Some(url) = empty_database() else { return };
    let stores: Vec<Store> = (0..4).map(|_| Store::open(&url, Access::ReadWrite).unwrap()).collect();
    let start = Barrier::new(stores.len());
    let reports: Vec<_> = std::thread::scope(|scope| {
        let threads: Vec<_> = stores
            .iter()
            .map(|store| {
                let start = &start;
                scope.spawn(move || {
                    start.wait();
                    store.migrate(None).unwrap()
                })
            })
            .collect();
        threads.into_iter().map(|thread| thread.join().unwrap()).collect()
    });
    let worked = reports.iter().filter(|report| report.public != MigrationOutcome::UpToDate).count();
    assert_eq!(worked, 1, "{reports:?}");
}

#[test]
fn two_processes_may_open_a_new_embedded_database_at_once() {
    for _ in 0..5 {
        let folder = tempfile::tempdir().unwrap();
        let url: DatabaseUrl = format!("sqlite://{}/data", folder.path().display()).parse().unwrap();
        let start = Barrier::new(4);
        std::thread::scope(|scope| {
            for number in 0..4 {
                let (start, url) = (&start, &url);
                scope.spawn(move || {
                    start.wait();
                    let store = Store::open(url, Access::ReadWrite).unwrap();
                    store.add_tenant(&tenant(&format!("t{number}")), now()).unwrap();
                });
            }
        });
        assert_eq!(Store::open(&url, Access::ReadWrite).unwrap().tenants_list().unwrap().len(), 4);
    }
}

#[test]
fn a_user_who_may_create_nothing_can_work_on_a_migrated_database() {
    let Some(world) = World::postgres() else { return };
    world.execute(
        "DROP ROLE IF EXISTS worker; CREATE ROLE worker LOGIN PASSWORD 'worker'; REVOKE CREATE ON SCHEMA public FROM PUBLIC; \
         GRANT USAGE ON SCHEMA public, acme TO worker; \
         GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA public, acme TO worker",
    );
    let store = Store::open(&as_user(&world.url, "worker"), Access::ReadWrite).unwrap();
    let report = store.migrate(None).unwrap();
    assert_eq!(report.public, MigrationOutcome::UpToDate);
    assert_eq!(report.tenants[0].outcome, MigrationOutcome::UpToDate);
    assert!(store.inspect().unwrap().is_empty());
    world.execute("DROP OWNED BY worker; DROP ROLE worker");
}

#[test]
fn one_tenants_failure_stops_no_other() {
    let Some(world) = World::postgres() else { return };
    // Somebody else's table stands where ours should.
    let mut connection = postgres(&world.url);
    connection
        .batch_execute("CREATE SCHEMA broken; CREATE VIEW broken.echodesk_mail_folder AS SELECT 1 AS id")
        .unwrap();
    connection.batch_execute("CREATE SCHEMA zulu").unwrap();
    for name in ["broken", "zulu"] {
        let copy = format!(
            "CREATE TEMPORARY TABLE t AS SELECT * FROM tenants_tenant; UPDATE t SET id = nextval(pg_get_serial_sequence(\
             'tenants_tenant', 'id')), schema_name = '{name}', domain_url = '{name}'; \
             INSERT INTO tenants_tenant SELECT * FROM t LIMIT 1; DROP TABLE t"
        );
        connection.batch_execute(&copy).unwrap();
    }
    let report = world.store.migrate(None).unwrap();
    let outcomes: Vec<_> = report.tenants.iter().map(|tenant| (tenant.schema.as_str(), &tenant.outcome)).collect();
    assert!(matches!(outcomes[0], ("acme", MigrationOutcome::UpToDate)), "{outcomes:?}");
    assert!(
        matches!(outcomes[1], ("broken", MigrationOutcome::Failed(said)) if said.contains("echodesk_mail_folder")),
        "{outcomes:?}"
    );
    assert!(matches!(outcomes[2], ("zulu", MigrationOutcome::Migrated { .. })), "{outcomes:?}");
    assert!(world.store.tenants(&Scope::One(schema("zulu"))).unwrap()[0].mailboxes.is_ok());
}

#[test]
fn every_migration_can_be_undone_and_done_again() {
    let migrations = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../../migrations/postgres");
    let Some(world) = World::postgres() else { return };
    for (place, schema) in [("tenant", "acme"), ("public", "public")] {
        let mut folders: Vec<_> =
            std::fs::read_dir(migrations.join(place)).unwrap().map(|entry| entry.unwrap().path()).collect();
        folders.sort();
        for folder in folders.iter().rev() {
            let down = std::fs::read_to_string(folder.join("down.sql")).unwrap();
            world.execute(&format!("SET search_path TO {schema}; {down}"));
        }
        let ours = format!(
            "SELECT tablename::text AS row FROM pg_tables WHERE schemaname = '{schema}' AND tablename LIKE 'echodesk%'"
        );
        assert!(world.select(&ours).is_empty());
        world.execute(&format!("DELETE FROM {schema}.__diesel_schema_migrations"));
    }
    let report = world.store.migrate(None).unwrap();
    assert!(matches!(report.tenants[0].outcome, MigrationOutcome::Migrated { .. }), "{report:?}");
    assert_eq!(world.read_mailbox().address, "info@acme.example", "EchoDesk's tables stay");
}

#[test]
fn bodies_are_compressed_with_lz4_in_tables_of_our_own() {
    let Some(world) = World::postgres() else { return };
    let columns = "SELECT attname::text AS row FROM pg_attribute WHERE attrelid = 'social_integrations_emailmessage'::regclass \
                   AND attcompression = 'l' ORDER BY attnum";
    assert_eq!(world.select(columns), ["body_text", "body_html"]);
}

//! A reader changes nothing, not a byte.

use std::collections::BTreeMap;
use std::path::Path;

use echodesk_core::DatabaseUrl;
use echodesk_mail::ports::{MailStore, Scope, TenantProblem};
use echodesk_store::{Access, Severity, Store};

use crate::world::{World, batch, item, new_mailbox, now, on_both, schema, tenant};

fn bytes(folder: &Path) -> BTreeMap<String, Vec<u8>> {
    let entry = |path: std::path::PathBuf| {
        (path.file_name().unwrap().to_string_lossy().into_owned(), std::fs::read(path).unwrap())
    };
    std::fs::read_dir(folder).unwrap().map(|found| entry(found.unwrap().path())).collect()
}

/// Everything a reader can do.
fn read_all(store: &Store, world: &World) {
    assert_eq!(store.tenants_list().unwrap().len(), 1);
    assert_eq!(store.tenants(&Scope::AllActive).unwrap()[0].mailboxes.as_ref().unwrap().1.len(), 1);
    assert!(store.inspect().unwrap().is_empty());
    assert_eq!(store.cursors(world.key()).unwrap().len(), 1);
    assert_eq!(store.items(world.key(), "INBOX", 1).unwrap().len(), 1);
    assert_eq!(store.existing(&world.key().schema, &["<a@x>".to_owned()]).unwrap().len(), 1);
}

on_both! {
    fn a_reader_reads_everything_and_may_write_nothing(world) {
        world.put("INBOX", vec![item(1, "<a@x>", 1)]);
        let store = Store::open(&world.url, Access::ReadOnly).unwrap();
        read_all(&store, world);
        let errors = [
            store.store(&world.mailbox, &world.lease, &batch("INBOX", 1, vec![item(2, "<b@x>", 2)])).unwrap_err(),
            store.acquire(world.key(), &world.lease, now()).unwrap_err(),
            store.renew(world.key(), &world.lease).unwrap_err(),
            store.release(world.key(), &world.lease).unwrap_err(),
            store.record_success(world.key(), &world.lease, now()).unwrap_err(),
            store.add_tenant(&tenant("other"), now()).unwrap_err(),
            store.add_mailbox(&schema("acme"), &new_mailbox("x@y"), now()).unwrap_err(),
        ];
        for error in errors {
            assert!(error.to_string().contains("for reading only"), "{error}");
        }
        assert_eq!(world.rows(), ["<a@x> INBOX/1"]);
    }
}

#[test]
fn the_folder_of_an_embedded_database_is_left_byte_for_byte() {
    let mut world = World::sqlite();
    world.put("INBOX", vec![item(1, "<a@x>", 1)]);
    let DatabaseUrl::Sqlite(folder) = world.url.clone() else { panic!() };
    // The writer leaves in good order: its log is gone.
    world.store = Store::open(&world.url, Access::ReadOnly).unwrap();
    let before = bytes(&folder);
    assert_eq!(before.keys().collect::<Vec<_>>(), ["acme.sqlite3", "public.sqlite3"]);
    read_all(&world.store, &world);
    assert!(world.store.migrate(None).is_err());
    drop(world.store.clone());
    assert_eq!(bytes(&folder), before);
}

#[test]
fn the_log_that_a_killed_writer_left_is_read_and_kept() {
    let world = World::sqlite();
    world.put("INBOX", vec![item(1, "<a@x>", 1)]);
    let DatabaseUrl::Sqlite(folder) = &world.url else { panic!() };
    // While the writer is still there its files are as a kill would leave them.
    let copy = tempfile::tempdir().unwrap();
    for (name, content) in bytes(folder) {
        std::fs::write(copy.path().join(name), content).unwrap();
    }
    let without_index = |folder: &Path| {
        let mut files = bytes(folder);
        // The index of the log is shared memory and no data: readers mark in it what they use.
        files.retain(|name, _| !name.ends_with("-shm"));
        files
    };
    let before = without_index(copy.path());
    assert!(before.contains_key("acme.sqlite3-wal"), "{:?}", before.keys());
    let url: DatabaseUrl = format!("sqlite://{}", copy.path().display()).parse().unwrap();
    let store = Store::open(&url, Access::ReadOnly).unwrap();
    read_all(&store, &world);
    drop(store);
    assert!(without_index(copy.path()) == before, "the log is where it was");
}

#[test]
fn a_tenants_file_that_is_missing_is_not_made_by_a_reader() {
    let world = World::sqlite();
    let DatabaseUrl::Sqlite(folder) = world.url.clone() else { panic!() };
    drop(world.store);
    std::fs::remove_file(folder.join("acme.sqlite3")).unwrap();
    let store = Store::open(&world.url, Access::ReadOnly).unwrap();
    let tenants = store.tenants(&Scope::AllActive).unwrap();
    assert!(matches!(tenants[0].mailboxes.as_ref().unwrap_err(), TenantProblem::SchemaMissing { .. }));
    assert_eq!(store.inspect().unwrap()[0].severity, Severity::Tenant);
    assert!(store.cursors(&world.mailbox.key).is_err());
    assert!(!folder.join("acme.sqlite3").exists());
}

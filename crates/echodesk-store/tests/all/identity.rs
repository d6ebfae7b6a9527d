//! Whose the database is.

use echodesk_billing::ports::StatusStore;
use echodesk_core::{DatabaseUrl, Identity, TenantId};
use echodesk_notify::ports::{Fate, Outbox};
use echodesk_store::{Access, Binding, DatabaseMatch, NoticeState, Store};
use echodesk_test_servers::postgres::Postgres;

use crate::delivering::{claim_at, notice, standing};
use crate::world::{now, on_both};

fn identity(environment: &str) -> Identity {
    Identity { environment: environment.to_owned(), bank_client: Some("10".to_owned()), mail_host: None }
}

on_both! {
    fn a_database_is_bound_once_and_then_to_what_replaces_it(world) {
        assert_eq!(world.store.identity().unwrap(), None);
        world.store.bind(&identity("production"), Binding::Own, "host-1", now()).unwrap();
        let bound = world.store.identity().unwrap().unwrap();
        assert_eq!((bound.identity, bound.database), (identity("production"), DatabaseMatch::Same));
        assert_eq!((bound.bound_at, bound.bound_by.as_str()), (now(), "host-1"));
        world.store.bind(&identity("staging"), Binding::Own, "host-2", now()).unwrap();
        assert_eq!(world.store.identity().unwrap().unwrap().identity, identity("staging"));
    }
}

on_both! {
    fn what_waits_in_a_copy_is_withdrawn_and_kept(world) {
        world.store.queue_notices(&[(TenantId(1), notice("a")), (TenantId(1), notice("b"))]).unwrap();
        let claim = claim_at(now());
        let parked = world.store.claim(&claim, None, 9).unwrap().notices[1].id;
        world.store.record(claim.run, &[(parked, Fate::Parked { why: "550".to_owned() })], now()).unwrap();
        world.store.release(claim.run).unwrap();
        assert_eq!(world.store.bind(&identity("production"), Binding::Own, "h", now()).unwrap(), 0);
        assert_eq!(standing(&world.store), ["queued 0 -", "parked 1 550"]);
        assert_eq!(world.store.bind(&identity("staging"), Binding::Copy, "h", now()).unwrap(), 2);
        // Nor can a person have them sent from here.
        assert!(world.store.retry_notices(None, None, now()).unwrap().is_empty());
        let entry = &world.store.notices(&echodesk_store::NoticeFilter { limit: 9, ..Default::default() }).unwrap()[0];
        assert_eq!((entry.state, entry.closed_at), (NoticeState::Withdrawn, Some(now())));
        assert!(entry.why.as_ref().unwrap().contains("copy"), "{entry:?}");
    }
}

on_both! {
    fn what_is_added_later_leaves_the_database_that_was_bound_what_it_was(world) {
        world.store.bind(&identity("production"), Binding::Own, "h", now()).unwrap();
        world.execute("UPDATE public.echodesk_identity SET database_mark = 'another'");
        world.store.bind(&identity("production"), Binding::Addition, "h", now()).unwrap();
        assert_eq!(world.store.identity().unwrap().unwrap().database, DatabaseMatch::Other);
        // One that could not be told then is told now.
        world.execute("UPDATE public.echodesk_identity SET database_mark = NULL");
        assert_eq!(world.store.identity().unwrap().unwrap().database, DatabaseMatch::Unknown);
        world.store.bind(&identity("production"), Binding::Addition, "h", now()).unwrap();
        assert_eq!(world.store.identity().unwrap().unwrap().database, DatabaseMatch::Same);
    }
}

#[test]
fn a_folder_that_was_copied_is_another_database_and_one_that_was_moved_is_not() {
    let place = tempfile::tempdir().unwrap();
    let open = |name: &str| {
        Store::open(&DatabaseUrl::Sqlite(place.path().join(name)), Access::ReadWrite)
            .unwrap()
            .identity()
            .unwrap()
            .unwrap()
    };
    let store = Store::open(&DatabaseUrl::Sqlite(place.path().join("data")), Access::ReadWrite).unwrap();
    store.bind(&identity("production"), Binding::Own, "h", now()).unwrap();
    drop(store);
    std::fs::create_dir(place.path().join("copy")).unwrap();
    for file in std::fs::read_dir(place.path().join("data")).unwrap().map(Result::unwrap) {
        std::fs::copy(file.path(), place.path().join("copy").join(file.file_name())).unwrap();
    }
    assert_eq!(open("copy").database, DatabaseMatch::Other);
    std::fs::rename(place.path().join("data"), place.path().join("moved")).unwrap();
    assert_eq!(open("moved").database, DatabaseMatch::Same);
}

#[test]
fn a_copy_on_the_same_server_is_another_database() {
    let Some(postgres) = Postgres::shared() else { return };
    let url = postgres.database();
    let open = |url: &str| {
        let url: DatabaseUrl = url.parse().unwrap();
        Store::open(&url, Access::ReadWrite).unwrap()
    };
    let original = open(&url);
    original.migrate(None).unwrap();
    original.bind(&identity("production"), Binding::Own, "h", now()).unwrap();
    drop(original);
    let copy = open(&postgres.copy_of(&url));
    let bound = copy.identity().unwrap().unwrap();
    assert_eq!(bound.database, DatabaseMatch::Other);
    copy.bind(&bound.identity, Binding::Copy, "h", now()).unwrap();
    assert_eq!(copy.identity().unwrap().unwrap().database, DatabaseMatch::Same);
    assert_eq!(open(&url).identity().unwrap().unwrap().database, DatabaseMatch::Same);
}

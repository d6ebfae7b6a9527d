//! Whose the database is.

use echodesk_billing::ports::StatusStore;
use echodesk_core::{DatabaseUrl, Identity, TenantId};
use echodesk_store::{Access, Binding, NoticeState, Store};
use echodesk_test_servers::postgres::Postgres;

use crate::delivering::{notice, standing};
use crate::world::{now, on_both};

fn identity(environment: &str) -> Identity {
    Identity { environment: environment.to_owned(), bank_client: Some("10".to_owned()), mail_host: None }
}

on_both! {
    fn a_database_is_bound_once_and_then_to_what_replaces_it(world) {
        assert_eq!(world.store.identity().unwrap(), None);
        world.store.bind(&identity("production"), Binding::Own, "host-1", now()).unwrap();
        let bound = world.store.identity().unwrap().unwrap();
        assert_eq!((bound.identity, bound.same_database), (identity("production"), true));
        assert_eq!((bound.bound_at, bound.bound_by.as_str()), (now(), "host-1"));
        world.store.bind(&identity("staging"), Binding::Own, "host-2", now()).unwrap();
        assert_eq!(world.store.identity().unwrap().unwrap().identity, identity("staging"));
    }
}

on_both! {
    fn what_waits_in_a_copy_is_withdrawn_and_kept(world) {
        world.store.queue_notices(&[(TenantId(1), notice("a"))]).unwrap();
        assert_eq!(world.store.bind(&identity("production"), Binding::Own, "h", now()).unwrap(), 0);
        assert_eq!(standing(&world.store), ["queued 0 -"]);
        assert_eq!(world.store.bind(&identity("staging"), Binding::Copy, "h", now()).unwrap(), 1);
        let entry = &world.store.notices(&echodesk_store::NoticeFilter { limit: 9, ..Default::default() }).unwrap()[0];
        assert_eq!((entry.state, entry.closed_at), (NoticeState::Withdrawn, Some(now())));
        assert!(entry.why.as_ref().unwrap().contains("copy"), "{entry:?}");
    }
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
    assert!(!bound.same_database);
    copy.bind(&bound.identity, Binding::Copy, "h", now()).unwrap();
    assert!(copy.identity().unwrap().unwrap().same_database);
    assert!(open(&url).identity().unwrap().unwrap().same_database);
}

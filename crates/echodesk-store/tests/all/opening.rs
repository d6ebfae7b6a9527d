//! Opening, and what an error says.

use echodesk_core::DatabaseUrl;
use echodesk_mail::ports::{MailStore, Scope, StoreErrorKind};
use echodesk_store::{Access, OpenError, Store};
use echodesk_test_servers::postgres::Postgres;

use crate::world::{World, now, postgres, tenant};

#[test]
fn a_server_that_is_not_there_is_to_be_tried_again_later() {
    // Nobody listens on a port that was free a moment ago.
    let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let url: DatabaseUrl = format!("postgres://bob:hunter2@127.0.0.1:{port}/x").parse().unwrap();
    let error = Store::open(&url, Access::ReadWrite).unwrap_err();
    assert!(matches!(error, OpenError::Unavailable { .. }), "{error:?}");
    let shown = format!("{error} {error:?} {}", std::error::Error::source(&error).unwrap());
    assert!(!shown.contains("hunter2"), "{shown}");
    assert!(shown.contains(&port.to_string()), "{shown}");
}

#[test]
fn a_database_that_does_not_exist_is_a_wrong_setting() {
    let Some(server) = Postgres::shared() else { return };
    let url = server.url("nowhere");
    let error = Store::open(&url.parse().unwrap(), Access::ReadWrite).unwrap_err();
    assert!(matches!(error, OpenError::Config { .. }), "{error:?}");
}

#[test]
fn a_url_that_libpq_cannot_read_is_not_quoted() {
    let url: DatabaseUrl = "postgres://bob:hunter2@localhost/x?nonsense=hunter3".parse().unwrap();
    let error = Store::open(&url, Access::ReadWrite).unwrap_err();
    assert!(matches!(error, OpenError::Config { .. }), "{error:?}");
    assert!(!format!("{error:?}").contains("hunter"), "{error:?}");
}

#[test]
fn a_folder_that_is_not_there_is_not_made_by_a_reader() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("data");
    let url: DatabaseUrl = format!("sqlite://{}", path.display()).parse().unwrap();
    let error = Store::open(&url, Access::ReadOnly).unwrap_err();
    assert!(matches!(&error, OpenError::NotThere { folder } if *folder == path), "{error:?}");
    assert!(!path.exists());
    // An empty folder is no database either.
    std::fs::create_dir(&path).unwrap();
    assert!(matches!(Store::open(&url, Access::ReadOnly).unwrap_err(), OpenError::NotThere { .. }));
    assert_eq!(std::fs::read_dir(&path).unwrap().count(), 0);
}

#[test]
fn a_file_that_is_no_database_is_a_wrong_setting() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("public.sqlite3"), "not a database, but long enough to look at").unwrap();
    let url: DatabaseUrl = format!("sqlite://{}", folder.path().display()).parse().unwrap();
    for access in [Access::ReadOnly, Access::ReadWrite] {
        assert!(matches!(Store::open(&url, access).unwrap_err(), OpenError::Config { .. }));
    }
}

#[test]
fn connections_that_the_server_ended_are_replaced() {
    use diesel::prelude::*;
    let Some(world) = World::postgres() else { return };
    let end = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'echodesk-jobs' \
               AND datname = current_database()";
    for _ in 0..3 {
        assert!(diesel::sql_query(end).execute(&mut postgres(&world.url)).unwrap() > 0, "we are known by our name");
        assert_eq!(world.store.tenants(&Scope::AllActive).unwrap().len(), 1);
    }
}

#[test]
fn a_pool_full_of_ended_connections_fails_nobody() {
    use diesel::prelude::*;
    let Some(world) = World::postgres() else { return };
    let list = || world.store.tenants(&Scope::AllActive).unwrap().len();
    let begin = std::sync::Barrier::new(8);
    std::thread::scope(|scope| {
        for _ in 0..8 {
            scope.spawn(|| {
                begin.wait();
                (0..20).for_each(|_| assert_eq!(list(), 1));
            });
        }
    });
    let end = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'echodesk-jobs' \
               AND datname = current_database()";
    let ended = diesel::sql_query(end).execute(&mut postgres(&world.url)).unwrap();
    assert!(ended > 1, "there were several connections");
    assert_eq!(list(), 1);
}

#[test]
fn a_database_that_is_locked_is_to_be_tried_again_later() {
    let Some(world) = World::postgres() else { return };
    let mut other = postgres(&world.url);
    use diesel::connection::SimpleConnection;
    other.batch_execute("BEGIN; LOCK TABLE public.echodesk_lease IN ACCESS EXCLUSIVE MODE").unwrap();
    let error = world.store.release(world.key(), &world.lease).unwrap_err();
    assert_eq!(error.kind, StoreErrorKind::Unavailable, "{error}: {:?}", error.source);
    drop(other);
}

#[test]
fn an_error_says_what_was_being_done_and_shows_no_values() {
    let Some(world) = World::postgres() else { return };
    let mut twice = tenant("acme");
    twice.domain = "other.example".to_owned();
    let error = world.store.add_tenant(&twice, now()).unwrap_err();
    assert_eq!(error.to_string(), "adding tenant acme: there is a tenant with schema acme already");
    let mut long = tenant("other");
    long.name = "hunter2".repeat(50);
    let error = world.store.add_tenant(&long, now()).unwrap_err();
    assert!(!format!("{error} {error:?}").contains("hunter2"), "{error:?}");
}

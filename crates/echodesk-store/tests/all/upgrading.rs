//! A database of the version before, with notices in it.

use diesel::connection::SimpleConnection;
use diesel::prelude::*;
use echodesk_core::DatabaseUrl;
use echodesk_notify::ports::{Fate, Outbox};
use echodesk_store::{Access, Store};

use crate::delivering::{claim_at, periods, queue, standing};
use crate::world::{World, now, on_both, postgres};

const POSTGRES_DOWN: &str =
    include_str!("../../../../migrations/postgres/public/2026-11-22-120000_deliver_notices/down.sql");
const SQLITE_DOWN: &str =
    include_str!("../../../../migrations/sqlite/public/2026-11-22-120000_deliver_notices/down.sql");

/// Executes in the shared tables under their bare names.
fn execute(world: &World, sql: &str) {
    match &world.url {
        DatabaseUrl::Postgres { .. } => postgres(&world.url).batch_execute(sql).unwrap(),
        DatabaseUrl::Sqlite(folder) => {
            let path = folder.join("public.sqlite3").display().to_string();
            let uri = format!("file:{}", path.replace('#', "%23").replace('?', "%3f"));
            SqliteConnection::establish(&uri).unwrap().batch_execute(sql).unwrap();
        }
    }
}

fn undo(world: &World) {
    execute(world, if world.is_embedded() { SQLITE_DOWN } else { POSTGRES_DOWN });
    execute(world, "DELETE FROM __diesel_schema_migrations WHERE version = '20261122120000'");
}

fn upgraded(world: &World) -> Store {
    // The embedded one is migrated as it is opened.
    let store = Store::open(&world.url, Access::ReadWrite).unwrap();
    store.migrate(None).unwrap();
    assert_eq!(store.inspect_public().unwrap(), []);
    store
}

on_both! {
    fn notices_that_were_queued_before_delivery_existed_are_delivered(world) {
        undo(world);
        execute(
            world,
            "INSERT INTO echodesk_notice (tenant_id, kind, subject_key, period, payload, state, created_at) \
             VALUES (1, 'reactivated', 'subscription:1', 'old', \
               '{\"kind\":\"reactivated\",\"paid_until\":\"2026-12-01T00:00:00Z\"}', 'queued', '2026-11-01T00:00:00.000000Z')",
        );
        let store = upgraded(world);
        assert_eq!(standing(&store), ["queued 0 -"]);
        let page = store.claim(&claim_at(now()), None, 9).unwrap().notices;
        assert_eq!((periods(&page), page[0].kind.is_ok()), (vec!["old"], true));
        queue(world, &["new"]);
        assert_eq!(store.waiting(None).unwrap().queued, 2);
    }
}

on_both! {
    fn going_back_loses_nothing_that_was_not_sent_and_sends_nothing_again(world) {
        queue(world, &["sent", "parked", "queued", "withdrawn"]);
        let claim = claim_at(now());
        let page = world.store.claim(&claim, None, 9).unwrap().notices;
        let why = || "x".to_owned();
        let fates = [Fate::Sent { to: why() }, Fate::Parked { why: why() }, Fate::Back, Fate::Withdrawn { why: why() }];
        let fates: Vec<_> = page.iter().map(|queued| queued.id).zip(fates).collect();
        world.store.record(claim.run, &fates, now()).unwrap();
        undo(world);
        assert_eq!(world.select("SELECT period || ' ' || state AS row FROM public.echodesk_notice ORDER BY id"), ["parked queued", "queued queued"]);
        let store = upgraded(world);
        assert_eq!(periods(&store.claim(&claim_at(now()), None, 9).unwrap().notices), ["parked", "queued"]);
        queue(world, &["new"]);
        let ids = world.select("SELECT CAST(id AS text) AS row FROM public.echodesk_notice WHERE period = 'new'");
        assert!(ids[0].parse::<i64>().unwrap() > page[2].id.0, "no id is used twice: {ids:?}");
    }
}

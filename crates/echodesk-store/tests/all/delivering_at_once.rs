//! Several hosts at the same outbox, and a long one.

use std::collections::BTreeSet;
use std::sync::Barrier;

use echodesk_core::NoticeId;
use echodesk_notify::ports::{Fate, Outbox};
use echodesk_store::{Access, Store};

use crate::delivering::{claim_at, queue, standing, tenant_id};
use crate::world::{World, now, on_both};

on_both! {
    fn two_hosts_that_claim_at_once_get_different_notices(world) {
        let names: Vec<String> = (0..90).map(|number| format!("n{number}")).collect();
        queue(world, &names.iter().map(String::as_str).collect::<Vec<_>>());
        let hosts: Vec<Store> = (0..3).map(|_| Store::open(&world.url, Access::ReadWrite).unwrap()).collect();
        let start = Barrier::new(hosts.len());
        let claimed: Vec<Vec<NoticeId>> = std::thread::scope(|scope| {
            let threads: Vec<_> = hosts
                .iter()
                .map(|host| {
                    let start = &start;
                    scope.spawn(move || {
                        start.wait();
                        let claim = claim_at(now());
                        let mut all = Vec::new();
                        for _ in 0..6 {
                            let page: Vec<NoticeId> =
                                host.claim(&claim, None, 5).unwrap().notices.iter().map(|queued| queued.id).collect();
                            let fates: Vec<_> = page.iter().map(|id| (*id, Fate::Sent { to: "a@x".to_owned() })).collect();
                            host.record(claim.run, &fates, now()).unwrap();
                            all.extend(page);
                        }
                        all
                    })
                })
                .collect();
            threads.into_iter().map(|thread| thread.join().unwrap()).collect()
        });
        let all: Vec<NoticeId> = claimed.into_iter().flatten().collect();
        assert_eq!((all.len(), all.iter().collect::<BTreeSet<_>>().len()), (90, 90));
        assert!(standing(&world.store).iter().all(|line| line == "sent 1 -"));
    }
}

#[test]
fn whoever_claims_goes_past_what_another_is_claiming() {
    let Some(world) = World::postgres() else { return };
    queue(&world, &["a", "b", "c"]);
    let mut other = crate::world::postgres(&world.url);
    diesel::connection::SimpleConnection::batch_execute(
        &mut other,
        "BEGIN; SELECT 1 FROM echodesk_notice WHERE period = 'a' FOR UPDATE",
    )
    .unwrap();
    let page = world.store.claim(&claim_at(now()), None, 2).unwrap().notices;
    assert_eq!(crate::delivering::periods(&page), ["b", "c"], "without waiting");
}

#[test]
fn a_page_of_a_long_queue_is_claimed_without_reading_all_of_it() {
    let Some(world) = World::postgres() else { return };
    let acme = tenant_id(&world, "acme");
    world.execute(&format!(
        "INSERT INTO public.echodesk_notice (tenant_id, kind, subject_key, period, payload, state, created_at, closed_at) \
         SELECT {acme}, 'reactivated', 'subscription:1', n::text, '{{}}', \
           CASE WHEN n <= 60000 THEN 'sent' ELSE 'queued' END, now(), CASE WHEN n <= 60000 THEN now() END \
         FROM generate_series(1, 80000) n; ANALYZE public.echodesk_notice"
    ));
    // What a session has read is told when it ends.
    let store = Store::open(&world.url, Access::ReadWrite).unwrap();
    let read = "SELECT CAST(sum(n) AS text) AS row FROM (\
        SELECT seq_tup_read + coalesce(idx_tup_fetch, 0) AS n FROM pg_stat_user_tables WHERE relname = 'echodesk_notice' \
        UNION ALL SELECT idx_tup_read FROM pg_stat_user_indexes WHERE relname = 'echodesk_notice') all_reads";
    let before: i64 = settled(&world, read);
    assert_eq!(store.claim(&claim_at(now()), None, 100).unwrap().notices.len(), 100);
    drop(store);
    let mut cost = 0;
    for _ in 0..100 {
        cost = settled(&world, read) - before;
        if cost > 0 {
            break;
        }
        std::thread::sleep(std::time::Duration::from_millis(50));
    }
    assert!((100..2000).contains(&cost), "{cost} rows and entries were read for 100 of 20,000");
}

fn settled(world: &World, sql: &str) -> i64 {
    world.select(sql)[0].parse().unwrap()
}

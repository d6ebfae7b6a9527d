//! Notices as a person sees them.

use echodesk_billing::ports::StatusStore;
use echodesk_core::NoticeId;
use echodesk_notify::ports::{Fate, Outbox};
use echodesk_store::{NoticeFilter, NoticeState};

use crate::delivering::{claim_at, later, notice, periods, queue, standing};
use crate::world::{World, now, on_both, tenant};

/// `a` is queued, `b` waits, `c` is parked, `d` is sent.
fn one_of_each(world: &World) -> Vec<NoticeId> {
    queue(world, &["a", "b", "c", "d"]);
    let claim = claim_at(now());
    let ids: Vec<NoticeId> =
        world.store.claim(&claim, None, 9).unwrap().notices.iter().map(|queued| queued.id).collect();
    let fates = [
        Fate::Back,
        Fate::TryAgain { not_before: later(3600), why: "451".to_owned() },
        Fate::Parked { why: "550".to_owned() },
        Fate::Sent { to: "a@x".to_owned() },
    ];
    let fates: Vec<_> = ids.iter().copied().zip(fates).collect();
    world.store.record(claim.run, &fates, now()).unwrap();
    ids
}

on_both! {
    fn notices_are_listed_by_state_and_tenant_page_by_page(world) {
        let ids = one_of_each(world);
        let other = world.store.add_tenant(&tenant("other"), now()).unwrap();
        world.store.queue_notices(&[(other, notice("e"))]).unwrap();
        let list = |states: &[NoticeState], tenant, after, limit| -> Vec<String> {
            let filter = NoticeFilter { states, tenant, after, limit };
            world.store.notices(&filter).unwrap().into_iter().map(|entry| entry.period).collect()
        };
        assert_eq!(list(&[], None, None, 9), ["a", "b", "c", "d", "e"]);
        assert_eq!(list(&[], None, Some(ids[1]), 2), ["c", "d"]);
        assert_eq!(list(&[NoticeState::Queued], None, None, 9), ["a", "b", "e"]);
        assert_eq!(list(&[NoticeState::Parked], None, None, 9), ["c"]);
        assert_eq!(list(&[NoticeState::Parked, NoticeState::Sent], None, None, 9), ["c", "d"]);
        assert_eq!(list(&[NoticeState::Queued], Some(other), None, 9), ["e"]);
        assert!(list(&[NoticeState::Withdrawn], None, None, 9).is_empty());

        let waiting = &world.store.notices(&NoticeFilter { after: Some(ids[0]), limit: 1, ..NoticeFilter::default() }).unwrap()[0];
        assert_eq!((waiting.id, waiting.not_before, waiting.decided_at), (ids[1], Some(later(3600)), now()));
        assert_eq!((waiting.kind.as_str(), waiting.subject_key.as_str(), waiting.schema.as_deref()), ("reactivated", "subscription:1", Some("acme")));
    }
}

on_both! {
    fn a_person_has_notices_tried_again(world) {
        let ids = one_of_each(world);
        assert_eq!(world.store.retry_notices(None, None, now()).unwrap(), [ids[1], ids[2]]);
        assert_eq!(standing(&world.store), ["queued 0 -", "queued 1 451", "queued 0 550", "sent 1 -"]);
        assert_eq!(periods(&world.store.claim(&claim_at(now()), None, 9).unwrap().notices), ["a", "b", "c"]);
        assert!(world.store.retry_notices(None, None, now()).unwrap().is_empty());
    }
}

on_both! {
    fn only_those_that_are_named_are_tried_again(world) {
        let ids = one_of_each(world);
        let other = world.store.add_tenant(&tenant("other"), now()).unwrap();
        assert!(world.store.retry_notices(None, Some(other), now()).unwrap().is_empty());
        assert!(world.store.retry_notices(Some(&[]), None, now()).unwrap().is_empty());
        assert_eq!(world.store.retry_notices(Some(&[ids[3], ids[2], ids[0]]), None, now()).unwrap(), [ids[2]]);
        assert!(world.store.retry_notices(Some(&[ids[1]]), None, later(3600)).unwrap().is_empty(), "it is due by then");
    }
}

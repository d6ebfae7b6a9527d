//! The outbox: what is claimed, and what becomes of it.

use echodesk_billing::ports::StatusStore;
use echodesk_core::notice::{NewNotice, NoticeKind};
use echodesk_core::{Language, NoticeId, RunId, TenantId};
use echodesk_notify::ports::{Claim, Fate, Outbox, Queued, Waiting};
use echodesk_store::{NoticeFilter, NoticeState, Store};
use jiff::{SignedDuration, Timestamp};

use crate::billing::accounts::subscribe;
use crate::world::{World, now, on_both, tenant};

pub(crate) fn later(seconds: i64) -> Timestamp {
    now() + SignedDuration::from_secs(seconds)
}

/// Claims for a minute.
pub(crate) fn claim_at(at: Timestamp) -> Claim {
    Claim { run: RunId::random(), until: at + SignedDuration::from_secs(60), now: at }
}

pub(crate) fn tenant_id(world: &World, name: &str) -> TenantId {
    let id = world
        .select(&format!("SELECT CAST(id AS text) AS row FROM public.tenants_tenant WHERE schema_name = '{name}'"));
    TenantId(id[0].parse().unwrap())
}

/// A notice about a subscription.
pub(crate) fn notice(period: &str) -> NewNotice {
    NewNotice {
        kind: NoticeKind::Reactivated { paid_until: now() },
        subject_key: "subscription:1".to_owned(),
        period: period.to_owned(),
        decided_at: now(),
    }
}

pub(crate) fn about_mailbox(id: i64) -> NewNotice {
    NewNotice {
        kind: NoticeKind::MailboxSwitchedOff { address: "info@acme.example".to_owned(), reason: "wrong\0".to_owned() },
        subject_key: format!("mailbox:{id}"),
        period: "p".to_owned(),
        decided_at: now(),
    }
}

/// Queues notices of those periods for `acme`.
pub(crate) fn queue(world: &World, periods: &[&str]) {
    let acme = tenant_id(world, "acme");
    let new: Vec<_> = periods.iter().map(|period| (acme, notice(period))).collect();
    assert!(world.store.queue_notices(&new).unwrap().iter().all(|queued| *queued));
}

pub(crate) fn periods(page: &[Queued]) -> Vec<&str> {
    page.iter().map(|queued| queued.period.as_str()).collect()
}

/// `state attempts why` of every notice, by id.
pub(crate) fn standing(store: &Store) -> Vec<String> {
    let all = store.notices(&NoticeFilter { limit: 1000, ..NoticeFilter::default() }).unwrap();
    let line = |entry: &echodesk_store::NoticeEntry| {
        format!("{} {} {}", entry.state.code(), entry.attempts, entry.why.as_deref().unwrap_or("-"))
    };
    all.iter().map(line).collect()
}

fn sent() -> Fate {
    Fate::Sent { to: "ana@acme.example".to_owned() }
}

fn parked(why: &str) -> Fate {
    Fate::Parked { why: why.to_owned() }
}

on_both! {
    fn a_claimed_notice_comes_with_all_that_its_delivery_depends_on(world) {
        world.execute("UPDATE public.tenants_tenant SET frontend_url = 'https://acme.example'");
        queue(world, &["a"]);
        let page = world.store.claim(&claim_at(now()), None, 10).unwrap().notices;
        let found = &page[0];
        assert_eq!((page.len(), found.tenant.schema.as_str(), found.tenant.language), (1, "acme", Language::Ka));
        assert_eq!(found.sign_in_url.as_deref(), Some("https://acme.example"));
        assert_eq!(found.kind, Ok(notice("a").kind));
        assert_eq!((found.code.as_str(), found.subject_key.as_str(), found.period.as_str()), ("reactivated", "subscription:1", "a"));
        assert_eq!((found.decided_at, found.attempts), (now(), 0));
        assert_eq!((&found.situation.subscription, found.situation.mailbox_active), (&None, None));
    }
}

on_both! {
    fn what_is_held_can_be_looked_at_again_as_things_stand_then(world) {
        queue(world, &["a"]);
        let claim = claim_at(now());
        let id = world.store.claim(&claim, None, 10).unwrap().notices[0].id;
        world.execute("UPDATE public.tenants_tenant SET is_active = false, admin_email = 'new@acme.example'");
        let again = world.store.look_again(claim.run, id, now()).unwrap().unwrap();
        assert_eq!((again.id, again.tenant.is_active, again.tenant.admin_email.as_str()), (id, false, "new@acme.example"));
        assert_eq!(again.kind, Ok(notice("a").kind));
        // Not held by this run, not any more, or gone.
        assert_eq!(world.store.look_again(RunId::random(), id, now()).unwrap(), None);
        assert_eq!(world.store.look_again(claim.run, id, claim.until).unwrap(), None);
        world.store.record(claim.run, &[(id, sent())], now()).unwrap();
        assert_eq!(world.store.look_again(claim.run, id, now()).unwrap(), None);
    }
}

on_both! {
    fn nobody_gets_what_is_claimed_until_the_claim_ends(world) {
        queue(world, &["a", "b", "c"]);
        let first = claim_at(now());
        assert_eq!(periods(&world.store.claim(&first, None, 2).unwrap().notices), ["a", "b"]);
        assert_eq!(periods(&world.store.claim(&first, None, 2).unwrap().notices), ["c"], "not the same run either");
        assert!(world.store.claim(&claim_at(later(59)), None, 9).unwrap().notices.is_empty());
        assert_eq!(periods(&world.store.claim(&claim_at(later(60)), None, 9).unwrap().notices), ["a", "b", "c"]);
        assert_eq!(world.store.waiting(None).unwrap().queued, 3);
        assert!(world.store.claim(&claim_at(later(600)), None, 0).unwrap().notices.is_empty());
    }
}

on_both! {
    // It would send it twice.
    fn seed_5_a_run_never_claims_what_it_holds_should_its_clock_jump_ahead(world) {
        queue(world, &["a"]);
        let claim = claim_at(now());
        assert_eq!(periods(&world.store.claim(&claim, None, 10).unwrap().notices), ["a"]);
        let jumped = Claim { now: later(3600), until: later(3660), ..claim };
        assert_eq!(periods(&world.store.claim(&jumped, None, 10).unwrap().notices), [""; 0]);
        assert_eq!(periods(&world.store.claim(&claim_at(later(3600)), None, 10).unwrap().notices), ["a"], "others do");
    }
}

on_both! {
    fn what_was_given_back_can_be_claimed_again(world) {
        queue(world, &["a", "b", "c"]);
        let (first, second) = (claim_at(now()), claim_at(now()));
        world.store.claim(&first, None, 2).unwrap();
        world.store.claim(&second, None, 2).unwrap();
        world.store.release(first.run).unwrap();
        assert_eq!(periods(&world.store.claim(&claim_at(now()), None, 9).unwrap().notices), ["a", "b"]);
        assert_eq!(standing(&world.store), ["queued 0 -", "queued 0 -", "queued 0 -"]);
    }
}

on_both! {
    fn each_fate_is_written_down(world) {
        queue(world, &["sent", "again", "parked", "withdrawn", "back", "later"]);
        let claim = claim_at(now());
        let ids: Vec<NoticeId> = world.store.claim(&claim, None, 9).unwrap().notices.iter().map(|queued| queued.id).collect();
        let fates = [
            sent(),
            Fate::TryAgain { not_before: later(90), why: "451\0 later".to_owned() },
            parked("550 nobody"),
            Fate::Withdrawn { why: "paid".to_owned() },
            Fate::Back,
            Fate::Later { not_before: later(90), why: "a charge is open".to_owned() },
        ];
        let fates: Vec<_> = ids.iter().copied().zip(fates).collect();
        world.store.record(claim.run, &fates, later(5)).unwrap();
        assert_eq!(
            standing(&world.store),
            [
                "sent 1 -",
                "queued 1 451 later",
                "parked 1 550 nobody",
                "withdrawn 0 paid",
                "queued 0 -",
                "queued 0 a charge is open",
            ]
        );
        let all = world.store.notices(&NoticeFilter { limit: 9, ..NoticeFilter::default() }).unwrap();
        let closed: Vec<_> = all.iter().map(|entry| entry.closed_at).collect();
        assert_eq!(closed, [Some(later(5)), None, Some(later(5)), Some(later(5)), None, None]);
        assert_eq!(all[0].sent_to.as_deref(), Some("ana@acme.example"));
        assert!(all.iter().all(|entry| entry.claimed_until.is_none()));
        assert_eq!(world.store.waiting(None).unwrap(), Waiting { queued: 3, tried: 1, parked: 1 });
        assert_eq!(world.store.waiting(Some(TenantId(4711))).unwrap(), Waiting::default());

        assert_eq!(periods(&world.store.claim(&claim_at(later(89)), None, 9).unwrap().notices), ["back"]);
        let page = world.store.claim(&claim_at(later(90)), None, 9).unwrap().notices;
        assert_eq!((periods(&page), page[0].attempts, page[1].attempts), (vec!["again", "later"], 1, 0));
    }
}

on_both! {
    fn only_who_holds_a_notice_says_what_became_of_it(world) {
        queue(world, &["a", "b"]);
        let (first, second) = (claim_at(now()), claim_at(later(60)));
        let id = world.store.claim(&first, None, 1).unwrap().notices[0].id;
        assert_eq!(world.store.claim(&second, None, 1).unwrap().notices[0].id, id);
        for fate in [parked("x"), Fate::Back, Fate::Withdrawn { why: "x".to_owned() }] {
            world.store.record(first.run, &[(id, fate)], later(61)).unwrap();
        }
        assert_eq!(standing(&world.store)[0], "queued 0 -");
        assert_eq!(periods(&world.store.claim(&claim_at(later(62)), None, 9).unwrap().notices), ["b"], "the second holds it still");
        world.store.record(second.run, &[(id, parked("no"))], later(63)).unwrap();
        assert_eq!(standing(&world.store)[0], "parked 1 no");
        world.store.record(second.run, &[(id, Fate::Withdrawn { why: "late".to_owned() })], later(64)).unwrap();
        assert_eq!(standing(&world.store)[0], "parked 1 no", "it is not queued any more");
    }
}

on_both! {
    fn that_it_was_sent_is_true_whoever_says_so_and_stays(world) {
        queue(world, &["taken over", "parked"]);
        let (first, second) = (claim_at(now()), claim_at(later(60)));
        let ids: Vec<NoticeId> = world.store.claim(&first, None, 9).unwrap().notices.iter().map(|queued| queued.id).collect();
        world.store.claim(&second, None, 9).unwrap();
        world.store.record(second.run, &[(ids[1], parked("no"))], later(61)).unwrap();
        world.store.record(first.run, &[(ids[0], sent()), (ids[1], sent())], later(62)).unwrap();
        assert_eq!(standing(&world.store), ["sent 1 -", "sent 2 -"]);
        let fates = [(ids[0], Fate::Back), (ids[0], parked("x")), (ids[1], Fate::Sent { to: "other@x".to_owned() })];
        for fate in fates {
            world.store.record(second.run, &[fate], later(63)).unwrap();
        }
        let all = world.store.notices(&NoticeFilter { limit: 9, ..NoticeFilter::default() }).unwrap();
        assert!(all.iter().all(|entry| entry.state == NoticeState::Sent && entry.closed_at == Some(later(62))), "{all:?}");
        assert!(all.iter().all(|entry| entry.sent_to.as_deref() == Some("ana@acme.example")), "{all:?}");
    }
}

on_both! {
    fn what_cannot_be_sent_to_anybody_blocks_nobody(world) {
        let gone = TenantId(4711);
        let bad = world.store.add_tenant(&tenant("bad"), now()).unwrap();
        world.execute("UPDATE public.tenants_tenant SET schema_name = 'bad name' WHERE schema_name = 'bad'");
        let acme = tenant_id(world, "acme");
        let new: Vec<_> = [gone, bad, gone, acme, bad, acme].iter().zip('a'..).map(|(tenant, period)| (*tenant, notice(&period.to_string()))).collect();
        world.store.queue_notices(&new).unwrap();
        let page = world.store.claim(&claim_at(now()), None, 2).unwrap();
        assert_eq!((periods(&page.notices), page.parked, page.withdrawn), (vec!["d", "f"], 2, 2));
        let standing = standing(&world.store);
        assert_eq!((&*standing[0], &*standing[3]), ("withdrawn 0 there is no such tenant any more", "queued 0 -"));
        assert!(standing[1].starts_with("parked 0 the tenant's schema name cannot be used"), "{standing:?}");
        let schemas: Vec<_> = world.store.notices(&NoticeFilter { limit: 9, ..NoticeFilter::default() }).unwrap().into_iter().map(|entry| entry.schema).collect();
        assert_eq!((&schemas[0], schemas[1].as_deref(), schemas[3].as_deref()), (&None, Some("bad name"), Some("acme")));
    }
}

on_both! {
    fn a_payload_that_cannot_be_read_is_told_as_such(world) {
        queue(world, &["a", "b"]);
        world.execute("UPDATE public.echodesk_notice SET payload = '{\"kind\":\"reactivated\"}' WHERE period = 'a'");
        world.execute("UPDATE public.echodesk_notice SET kind = 'reminder' WHERE period = 'b'");
        let page = world.store.claim(&claim_at(now()), None, 9).unwrap().notices;
        let why = |index: usize| page[index].kind.clone().unwrap_err();
        assert!(why(0).contains("paid_until"), "{}", why(0));
        assert!(why(1).contains("another kind"), "{}", why(1));
        assert_eq!(page[0].code, "reactivated");
    }
}

on_both! {
    fn who_bills_a_subscription_is_told(world) {
        subscribe(world, "acme");
        queue(world, &["a"]);
        let claim = claim_at(now());
        let page = world.store.claim(&claim, None, 9).unwrap().notices;
        assert_eq!(page[0].situation.subscription.as_ref().unwrap().provider, "bog");
        world.execute("UPDATE public.tenants_tenant SET payment_provider = 'paddle'");
        let again = world.store.look_again(claim.run, page[0].id, now()).unwrap().unwrap();
        assert_eq!(again.situation.subscription.unwrap().provider, "paddle");
    }
}

on_both! {
    fn a_refusal_that_was_told_since_is_known_to_what_promises_a_charge(world) {
        subscribe(world, "acme");
        let other = world.store.add_tenant(&tenant("other"), now()).unwrap();
        let acme = tenant_id(world, "acme");
        let kinds = [
            (acme, "reminder"),
            (other, "payment_failed"),
            (acme, "price_changed"),
            (acme, "urgent_reminder"),
            (acme, "payment_failed"),
            (acme, "grace_warning"),
            (acme, "reactivated"),
        ];
        for (period, (tenant, kind)) in ('a'..).zip(kinds) {
            world.store.queue_notices(&[(tenant, notice(&period.to_string()))]).unwrap();
            world.execute(&format!("UPDATE public.echodesk_notice SET kind = '{kind}' WHERE period = '{period}'"));
        }
        let claim = claim_at(now());
        let page = world.store.claim(&claim, Some(acme), 9).unwrap().notices;
        let refused = |queued: &Queued| queued.situation.subscription.as_ref().unwrap().refused_since;
        let told: Vec<_> = page.iter().map(|queued| (queued.period.as_str(), refused(queued))).collect();
        // What promises nothing may be told either way.
        let promising: Vec<_> = told.iter().filter(|(period, _)| ["a", "d", "f"].contains(period)).collect();
        assert_eq!(promising, [&("a", true), &("d", true), &("f", false)]);
        let again = world.store.look_again(claim.run, page[0].id, now()).unwrap().unwrap();
        assert!(refused(&again));
    }
}

on_both! {
    fn one_tenants_notices_can_be_claimed_alone(world) {
        let other = world.store.add_tenant(&tenant("other"), now()).unwrap();
        queue(world, &["a"]);
        world.store.queue_notices(&[(other, notice("b"))]).unwrap();
        assert_eq!((world.store.waiting(Some(other)).unwrap().queued, world.store.waiting(None).unwrap().queued), (1, 2));
        assert_eq!(periods(&world.store.claim(&claim_at(now()), Some(other), 9).unwrap().notices), ["b"]);
        assert_eq!(periods(&world.store.claim(&claim_at(now()), Some(other), 9).unwrap().notices), Vec::<&str>::new());
    }
}

on_both! {
    fn whether_a_mailbox_is_active_is_told_and_no_missing_table_costs_the_page(world) {
        let acme = tenant_id(world, "acme");
        let other = world.store.add_tenant(&tenant("other"), now()).unwrap();
        let mailbox = world.key().connection.0;
        let new = [(acme, about_mailbox(mailbox)), (acme, about_mailbox(99)), (other, about_mailbox(1))];
        world.store.queue_notices(&new).unwrap();
        if !world.is_embedded() {
            world.execute("DROP SCHEMA other CASCADE");
        }
        let states = |at| -> Vec<Option<bool>> {
            let claim = claim_at(at);
            let page = world.store.claim(&claim, None, 9).unwrap().notices;
            world.store.release(claim.run).unwrap();
            page.iter().map(|queued| queued.situation.mailbox_active).collect()
        };
        assert_eq!(states(now()), [Some(true), None, None]);
        world.execute("UPDATE social_integrations_emailconnection SET is_active = false");
        assert_eq!(states(now()), [Some(false), None, None]);
        // A table that is there and cannot be read.
        world.execute("ALTER TABLE social_integrations_emailconnection RENAME COLUMN is_active TO put_aside");
        assert_eq!(states(now()), [Some(false), Some(false), None], "it stands as it was told");
    }
}

on_both! {
    fn the_same_event_is_queued_once(world) {
        let acme = tenant_id(world, "acme");
        let new = [(acme, notice("a")), (acme, notice("b")), (acme, notice("a"))];
        assert_eq!(world.store.queue_notices(&new).unwrap(), [true, true, false]);
        let again = [(acme, notice("c")), (acme, notice("a"))];
        assert_eq!(world.store.queue_notices(&again).unwrap(), [true, false]);
        assert_eq!(world.store.queue_notices(&[]).unwrap(), Vec::<bool>::new());
        let many: Vec<_> = (0..1200).map(|number| (acme, notice(&format!("n{number}")))).collect();
        assert!(world.store.queue_notices(&many).unwrap().iter().all(|queued| *queued));
        assert_eq!(world.store.waiting(None).unwrap().queued, 1203);
        assert_eq!(world.store.claim(&claim_at(now()), None, 1100).unwrap().notices.len(), 1100, "more than one list of ids");
    }
}

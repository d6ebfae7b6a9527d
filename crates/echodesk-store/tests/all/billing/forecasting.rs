//! What a forecast reads.

use echodesk_billing::model::Account;
use echodesk_billing::ports::StatusStore as _;
use echodesk_core::SubscriptionId;
use echodesk_core::notice::{NewNotice, NoticeKind};

use super::accounts::{at, pending_order, subscribe};
use crate::world::{World, now, on_both};

/// The renewal date of all of them.
const EXPIRES: &str = "2026-11-24T00:00:00Z";

fn renewing_by(world: &World, until: &str) -> Vec<Account> {
    world.store.accounts_renewing_by(at(until), None, None, 10, now()).unwrap()
}

on_both! {
    fn what_is_renewed_by_then_is_told_page_by_page(world) {
        let ids: Vec<SubscriptionId> = ["acme", "b", "c"].iter().map(|name| subscribe(world, name)).collect();
        let page = |tenant, after, limit| -> Vec<SubscriptionId> {
            let page = world.store.accounts_renewing_by(at(EXPIRES), tenant, after, limit, now()).unwrap();
            page.iter().map(|account| account.candidate.subscription).collect()
        };
        assert_eq!(page(None, None, 2), ids[..2]);
        assert_eq!(page(None, Some(ids[1]), 2), ids[2..]);
        let b = renewing_by(world, EXPIRES)[1].candidate.tenant.id;
        assert_eq!(page(Some(b), None, 9), [ids[1]]);
        assert!(renewing_by(world, "2026-11-23T23:59:59Z").is_empty(), "to the moment");
        world.execute("UPDATE public.tenants_tenant_subscription SET expires_at = NULL");
        assert_eq!(page(None, None, 9), ids, "by its next billing date, if it never expires");
        world.execute("UPDATE public.tenants_tenant SET is_active = false WHERE schema_name = 'b'");
        assert_eq!(page(None, None, 9), [ids[0], ids[2]]);
        world.execute("UPDATE public.tenants_tenant_subscription SET is_active = false");
        assert!(page(None, None, 9).is_empty());
        let all = world.store.accounts_of(b, now()).unwrap();
        assert_eq!(all.iter().map(|account| account.candidate.subscription).collect::<Vec<_>>(), [ids[1]]);
    }
}

on_both! {
    fn what_will_count_once_it_has_expired_is_told_before(world) {
        let id = subscribe(world, "acme");
        let tenant = renewing_by(world, EXPIRES)[0].candidate.tenant.id;
        world.execute(&pending_order("acme", "RETRY-1", "2026-11-21T00:00:00.000000Z"));
        let kind = NoticeKind::PriceChanged { card_amount: "40.00 GEL".to_owned(), price: "50.00 GEL".to_owned(), renewal: at(EXPIRES) };
        let notice = NewNotice {
            kind,
            subject_key: format!("subscription:{id}"),
            period: EXPIRES.to_owned(),
            decided_at: now(),
        };
        assert_eq!(world.store.queue_notices(&[(tenant, notice)]).unwrap(), [true]);

        let account = renewing_by(world, EXPIRES).remove(0);
        let orders: Vec<&str> = account.orders.iter().map(|order| order.order.as_str()).collect();
        let pending: Vec<&str> = orders.into_iter().filter(|order| order.starts_with("RETRY-")).collect();
        assert_eq!((pending, account.candidate.foreign_order.as_deref()), (vec!["RETRY-1"], Some("RETRY-1")));
        assert_eq!(account.told.iter().map(|told| told.kind.as_str()).collect::<Vec<_>>(), ["price_changed"]);
        assert_eq!(world.store.accounts_of(tenant, now()).unwrap(), [account]);
        // A run of today has no use for them.
        let of_a_run = world.store.accounts(at(EXPIRES), None, None, 9, now()).unwrap().remove(0);
        assert!(of_a_run.orders.is_empty());
    }
}
